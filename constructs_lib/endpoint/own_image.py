"""A container image that is neither of a known engine nor of AWS's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib._tokens import hide_token
from constructs_lib.endpoint.container_image import ContainerImage, RepositoryImage, UriImage
from constructs_lib.planning.engines.container.images import UNVERSIONED, OwnImages
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import aws_ecr as ecr

    from constructs_lib.planning.images.catalogue import Cuda


class OwnImage(ContainerImage):
    """A container image of your own.

    Create one with `OwnImage.from_ecr_repository` or `OwnImage.from_uri`.
    """

    def __init__(self, source: RepositoryImage | UriImage, cuda: object) -> None:
        parsed = _parse_cuda(cuda)
        family = OwnImages(parsed)
        super().__init__(
            ImageChoice(version=UNVERSIONED, uri_override=True, uri=source.known_uri, family=family), source
        )
        self._cuda, self._is_wrong = cuda, cuda is not None and parsed is None

    @staticmethod
    def from_ecr_repository(repository: ecr.IRepository, *, tag: str, cuda: str | None = None) -> OwnImage:
        """An image in a repository of the app's, or one that it has imported.

        Args:
            repository: Its repository in the endpoint's Region, the only one that the endpoint's role may pull from. A
                repository in another account must allow this account to pull.
            tag: Tag or digest (`sha256:…`) of the image.
            cuda: CUDA release in the image, such as `12.4`, by which the host's machine image is chosen. Default: none,
                which leaves the host to SageMaker and is a warning on instances with GPUs.
        """
        return OwnImage(RepositoryImage(repository, tag), cuda)

    @staticmethod
    def from_uri(uri: str, *, cuda: str | None = None) -> OwnImage:
        """An image by its complete URI.

        Args:
            uri: `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`, in the endpoint's Region. SageMaker
                pulls from no other registry, Amazon ECR Public included.
            cuda: CUDA release in the image, such as `12.4`. Default: as for `from_ecr_repository`.
        """
        return OwnImage(UriImage(uri), cuda)

    def validate(self) -> list[Problem]:
        """See `ContainerImage.validate`."""
        found = super().validate()
        if self._is_wrong:
            message = "must be the major and minor number of a CUDA release"
            found.append(Problem("image.cuda", hide_token(self._cuda), message, "Write '12.4', or leave it out."))
        return found


def _parse_cuda(cuda: object) -> Cuda | None:
    parts = cuda.split(".") if isinstance(cuda, str) else []
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        return None
    return (int(parts[0]), int(parts[1]))
