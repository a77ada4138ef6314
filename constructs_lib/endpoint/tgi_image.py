"""The container image of a TGI endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.endpoint.container_image import CatalogueImage, ContainerImage, RepositoryImage, UriImage
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.images.catalogue import ImageChoice

if TYPE_CHECKING:
    from aws_cdk import aws_ecr as ecr


class TgiImage(ContainerImage):
    """A container image of Text Generation Inference.

    Create one with `TgiImage.version`, `TgiImage.from_ecr_repository` or `TgiImage.from_uri`.
    """

    @staticmethod
    def version(version: str) -> TgiImage:
        """The image that AWS publishes for SageMaker, in the stack's Region.

        Args:
            version: Version of TGI, such as `3.3.6`. A version without such an image is rejected with a list of the
                versions that have one.
        """
        return TgiImage(ImageChoice(version=version), CatalogueImage(TGI.images, version))

    @staticmethod
    def from_ecr_repository(repository: ecr.IRepository, *, tag: str, version: str) -> TgiImage:
        """Your own image, such as a copy of AWS's or one with additional packages.

        Args:
            repository: Its repository in the endpoint's Region, the only one that the endpoint's role may pull from. A
                repository in another account must allow this account to pull.
            tag: Tag or digest (`sha256:…`) of the image. If it names a version as AWS's tags do, that has to be
                `version`.
            version: Version of TGI in the image; it decides which options exist and how they are named.
        """
        source = RepositoryImage(repository, tag)
        return TgiImage(ImageChoice(version=version, uri_override=True, uri=source.known_uri), source)

    @staticmethod
    def from_uri(uri: str, *, version: str) -> TgiImage:
        """Your own image by its complete URI, such as one in another account.

        Args:
            uri: `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`, in the endpoint's Region. A repository
                in another account must allow this account to pull. If the tag names a version as AWS's tags do, that
                has to be `version`; of AWS's own registry only the tags that it has are accepted.
            version: Version of TGI in the image; it decides which options exist and how they are named.
        """
        source = UriImage(uri)
        return TgiImage(ImageChoice(version=version, uri_override=True, uri=source.known_uri), source)
