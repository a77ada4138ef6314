"""The container image of an endpoint, by the engine that is in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

from constructs_lib.endpoint.container_image import CatalogueImage, ContainerImage, RepositoryImage, UriImage
from constructs_lib.endpoint.image_mirror import MirroredImage, NotMirrored
from constructs_lib.planning.images.catalogue import ImageChoice, ImageFamily

if TYPE_CHECKING:
    from aws_cdk import aws_ecr as ecr

    from constructs_lib.endpoint.image_mirror import ImageMirror


class EngineImage(ContainerImage):
    """A container image of the engine of its class.

    Create one with `version`, with `mirrored` after it, or with `from_ecr_repository` or `from_uri`.
    """

    FAMILY: ClassVar[ImageFamily]
    """The images that AWS publishes."""

    @classmethod
    def version(cls, version: str) -> Self:
        """The image that AWS publishes for SageMaker, in the stack's Region.

        Args:
            version: Full version of the engine. A version without such an image is rejected with a list of the
                versions that have one.
        """
        return cls(ImageChoice(version=version, family=cls.FAMILY), CatalogueImage(cls.FAMILY, version))

    def mirrored(self, mirror: ImageMirror, *, digest: str) -> Self:
        """The copy of an image of AWS's in a private registry, pinned by its digest: of `version` or `hugging_face`.

        The version still decides which options exist, and the catalogue knows its CUDA. AWS need not publish the image
        in the endpoint's Region.

        Args:
            mirror: The registry. The endpoint's role may pull from the image's repository there, and from no other.
            digest: `sha256:` and 64 hexadecimal digits, as `tgi-endpoint images --mirror` says how to read them.
        """
        choice = self.spec()
        if choice.uri_override:
            return type(self)(choice, NotMirrored(self._source))
        return type(self)(replace(choice, mirrored=True), MirroredImage(mirror, digest))

    @classmethod
    def from_ecr_repository(
        cls, repository: ecr.IRepository, *, tag: str, version: str, own_build: bool = False
    ) -> Self:
        """Your own image, such as a copy of AWS's or one with additional packages.

        Args:
            repository: Its repository in the endpoint's Region, the only one that the endpoint's role may pull from. A
                repository in another account must allow this account to pull.
            tag: Tag or digest (`sha256:…`) of the image. If it names a version as AWS's tags do, that has to be
                `version`.
            version: Version of the engine in the image; it decides which options exist and how they are named.
            own_build: Whether it is a build or a fork of the engine that may differ from that version, also by an
                entrypoint of its own: what that version cannot run is then a warning. TGI gets each setting by the
                names that AWS's entrypoint reads and by those of its launcher; other engines read no variables, so
                that an entrypoint of their own has to do with them what AWS's does. Default: False.
        """
        source = RepositoryImage(repository, tag)
        return cls._own(source, version, own_build=own_build)

    @classmethod
    def from_uri(cls, uri: str, *, version: str, own_build: bool = False) -> Self:
        """Your own image by its complete URI, such as one in another account.

        Args:
            uri: `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`, in the endpoint's Region. A repository
                in another account must allow this account to pull. If the tag names a version as AWS's tags do, that
                has to be `version`; of AWS's own registry only the tags that it has are accepted.
            version: Version of the engine in the image; it decides which options exist and how they are named.
            own_build: Whether it is a build or a fork of the engine that may differ from that version, also by an
                entrypoint of its own: what that version cannot run is then a warning. TGI gets each setting by the
                names that AWS's entrypoint reads and by those of its launcher; other engines read no variables, so
                that an entrypoint of their own has to do with them what AWS's does. Default: False.
        """
        source = UriImage(uri)
        return cls._own(source, version, own_build=own_build)

    @classmethod
    def _own(cls, source: RepositoryImage | UriImage, version: str, *, own_build: bool) -> Self:
        choice = ImageChoice(
            version=version,
            uri_override=True,
            uri=source.known_uri,
            own_build=own_build,
            family=cls._family_of(source.known_uri),
        )
        return cls(choice, source)

    @classmethod
    def _family_of(cls, uri: str | None) -> ImageFamily:
        """The images that one of the caller's is a copy of, by its URI; None: that is not known at synth."""
        del uri
        return cls.FAMILY
