"""AWS's images from a private registry, and the permission to pull exactly one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib._stack_env import PSEUDO, environment_of
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.endpoint.container_image import ImageSource
from constructs_lib.planning.images.catalogue import url_suffix
from constructs_lib.planning.images.mirror import digest_problem, mirror_problems, mirrored_repository
from constructs_lib.planning.validation.problem import Described, Problem

if TYPE_CHECKING:
    from constructs import Construct

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.request import EndpointPlan


@dataclass(frozen=True, kw_only=True)
class ImageMirror:
    """A private ECR registry that has copies of AWS's images, in repositories named like AWS's.

    `TgiImage.version("3.3.6").mirrored(ImageMirror(prefix="mirror"), digest="sha256:…")` is the image
    `mirror/huggingface-pytorch-tgi-inference` in the endpoint's account and Region, which is the only Region that
    SageMaker pulls from. `tgi-endpoint images --mirror` prints the commands that copy an image.

    A registry in another account must allow the endpoint's role, or its account, to pull: `ecr:BatchGetImage`,
    `ecr:BatchCheckLayerAvailability` and `ecr:GetDownloadUrlForLayer` in the policy of the repository. A repository
    that a KMS key encrypts needs nothing more: ECR decrypts with a grant of its own. Source: Amazon ECR User Guide,
    "Private repository policies", "Encryption at rest".

    Args:
        account: The registry's account, 12 digits. Default: the endpoint's.
        prefix: What the names of the repositories begin with, without a slash at its end. Default: nothing.
        pull_through_cache: Whether a pull through cache rule fills the registry; the endpoint's role may then have ECR
            import the image (`ecr:BatchImportUpstreamImage`). Pull the image once before you deploy: SageMaker looks
            for it when it creates the Model, and the role may not create the repository. Default: False.
    """

    account: str | None = None
    prefix: str = ""
    pull_through_cache: bool = False


class MirroredImage(ImageSource):
    """The copy of an image of the catalogue.

    Args:
        mirror: Where the copy is.
        digest: Its digest.
    """

    def __init__(self, mirror: ImageMirror, digest: str) -> None:
        self._mirror = mirror
        self._digest = digest

    def validate(self) -> list[Problem]:
        """See `ImageSource.validate`."""
        mirror: object = self._mirror
        digest = digest_problem("image.digest", hide_token(self._digest))
        found = [digest] if digest else []
        if not isinstance(mirror, ImageMirror):
            message = f"must be an ImageMirror, not {type(mirror).__name__}"
            return [Problem("image.mirror", mirror, message, "Write ImageMirror(prefix='mirror')."), *found]
        return [
            *mirror_problems(hide_token(mirror.account), hide_token(mirror.prefix), mirror.pull_through_cache),
            *found,
        ]

    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str:
        """See `ImageSource.bind`."""
        if plan.image_repository is None:
            raise AssertionError("a plan without problems has an image")
        here = environment_of(scope)
        account = here.account if self._mirror.account is None else self._mirror.account
        repository = mirrored_repository(plan.image_repository, self._mirror.prefix)
        arn = here.arn("ecr", f"repository/{repository}", account=account)
        role.allow_image_pull(arn)
        if self._mirror.pull_through_cache:
            role.allow_image_import(arn)
        suffix = None if is_token(here.region) else url_suffix(here.region)
        return f"{account}.dkr.ecr.{here.region}.{suffix or PSEUDO.url_suffix}/{repository}@{self._digest}"


class NotMirrored(ImageSource):
    """An image that has its own place, of which there is no copy by the catalogue's name.

    Args:
        source: Where it comes from.
    """

    def __init__(self, source: ImageSource) -> None:
        self._source = source

    def validate(self) -> list[Problem]:
        """See `ImageSource.validate`."""
        message = "copies the images of a catalogue, but this image has a place of its own"
        fix = "Write version(…).mirrored(…), or name the copy itself with from_ecr_repository or from_uri."
        return [*self._source.validate(), Problem("image.mirrored", Described("called"), message, fix)]

    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str:
        """See `ImageSource.bind`."""
        return self._source.bind(scope, role, plan)
