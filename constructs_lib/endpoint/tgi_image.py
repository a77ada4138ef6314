"""Which TGI image the endpoint runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.endpoint.container_image import CatalogueImage, ImageSource, RepositoryImage, UriImage
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.images.catalogue import ImageChoice

if TYPE_CHECKING:
    from aws_cdk import aws_ecr as ecr


class TgiImage:
    """A container image of Text Generation Inference.

    Make one with `TgiImage.version`, `TgiImage.from_ecr_repository` or `TgiImage.from_uri`.
    """

    def __init__(self, choice: ImageChoice, source: ImageSource) -> None:
        self._choice = choice
        self._source = source

    @staticmethod
    def version(version: str) -> TgiImage:
        """The image that AWS publishes for SageMaker, in the stack's own Region.

        Args:
            version: TGI's version, such as `3.3.6`. One that has no such image is refused with the list of those
                that have.
        """
        return TgiImage(ImageChoice(version=version), CatalogueImage(TGI.images, version))

    @staticmethod
    def from_ecr_repository(repository: ecr.IRepository, *, tag: str, version: str) -> TgiImage:
        """An own image, such as a copy of AWS's or one with more packages.

        Args:
            repository: Its repository. The endpoint's role may pull from it, and from no other. One of another account
                has to let this one pull.
            tag: Tag or digest (`sha256:…`) of the image.
            version: TGI's version inside; it decides which options exist and under which names they are set.
        """
        return TgiImage(ImageChoice(version=version, uri_override=True), RepositoryImage(repository, tag))

    @staticmethod
    def from_uri(uri: str, *, version: str) -> TgiImage:
        """An own image by its whole URI, such as one in another account.

        Args:
            uri: `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`. The other account has to let this one
                pull from the repository.
            version: TGI's version inside; it decides which options exist and under which names they are set.
        """
        return TgiImage(ImageChoice(version=version, uri_override=True), UriImage(uri))
