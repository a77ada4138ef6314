"""The container image of an endpoint: where it comes from, and the permission to pull exactly that one."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING

from aws_cdk import Annotations, CfnMapping

from constructs_lib._arguments import REPOSITORY
from constructs_lib._stack_env import PSEUDO, environment_of
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.planning.images.catalogue import ImageChoice, ImageFamily, url_suffix
from constructs_lib.planning.images.mirror import reference_problem
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_ecr as ecr
    from constructs import Construct

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.request import EndpointPlan

_ECR_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+"
    r"/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


class ContainerImage:
    """A container image of any engine.

    Args:
        spec: What the plan needs to know about it.
        source: Where it comes from.
    """

    def __init__(self, spec: ImageChoice, source: ImageSource) -> None:
        self._spec = spec
        self._source = source

    def spec(self) -> ImageChoice:
        """What the plan needs to know about the image."""
        return self._spec

    def validate(self) -> list[Problem]:
        """Problems that no plan sees: those of the constructs and names that the image was created from."""
        return self._source.validate()

    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str:
        """Allow the role to pull the image.

        Args:
            scope: The endpoint.
            role: The endpoint's role.
            plan: The endpoint's plan.

        Returns:
            The URI of the image.
        """
        return self._source.bind(scope, role, plan)


class ImageSource(ABC):
    """One way to name an image."""

    @abstractmethod
    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str:
        """Allow the role to pull the image, and return its URI."""

    def validate(self) -> list[Problem]:
        """Problems of the source itself."""
        return []


class CatalogueImage(ImageSource):
    """The image that AWS publishes for a version, from the account that serves the stack's Region."""

    def __init__(self, images: ImageFamily, version: str) -> None:
        self._images = images
        self._version = version

    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str:
        """See `ImageSource.bind`."""
        environment = environment_of(scope)
        region = environment.region
        if is_token(region):
            account: str | None = _account(environment.stack, self._images, self._version)
            suffix: str | None = PSEUDO.url_suffix
        else:
            account, suffix = self._images.account(region, self._version), url_suffix(region)
        if plan.image_repository is None or account is None or suffix is None:
            raise AssertionError("a plan without problems has an image for its Region")
        _allow_pull(scope, role, account=account, region=region, repository=plan.image_repository)
        return f"{account}.dkr.ecr.{region}.{suffix}/{plan.image_repository}:{plan.image_tag}"


class RepositoryImage(ImageSource):
    """An image in a repository of the caller's."""

    def __init__(self, repository: ecr.IRepository, tag: str) -> None:
        self._repository = repository
        self._tag = tag

    @property
    def known_uri(self) -> str | None:
        """Its URI, in which the suffix of the host may be a token; None if repository or tag are wrong."""
        right = not self.validate()
        return self._repository.repository_uri_for_tag_or_digest(self._tag) if right else None

    def validate(self) -> list[Problem]:
        """See `ImageSource.validate`."""
        tag = reference_problem("image.tag", hide_token(self._tag))
        repository = REPOSITORY.problems("image.repository", self._repository, required=True)
        return [*repository, *([tag] if tag else ())]

    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str:
        """See `ImageSource.bind`."""
        del scope, plan
        role.allow_image_pull(self._repository.repository_arn)
        return self._repository.repository_uri_for_tag_or_digest(self._tag)


class UriImage(ImageSource):
    """An image by its complete URI."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    @property
    def known_uri(self) -> str | None:
        """Its URI; None if it is known only at deployment, or no URI of a private ECR repository."""
        return None if is_token(self._uri) or self.validate() else self._uri

    def validate(self) -> list[Problem]:
        """See `ImageSource.validate`."""
        uri: object = self._uri
        if is_token(uri) or (isinstance(uri, str) and len(uri) <= 255 and _ECR_URI.fullmatch(uri)):
            return []
        return [
            Problem(
                keyword="image",
                value=self._uri,
                message="must be the URI of an image in a private ECR repository (at most 255 characters), "
                "as SageMaker pulls from no other registry",
                fix="Push the image to ECR and give <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>.",
            )
        ]

    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str:
        """See `ImageSource.bind`."""
        del plan
        parts = None if is_token(self._uri) else _ECR_URI.fullmatch(self._uri)
        if parts is None:
            Annotations.of(scope).add_warning_v2(
                "tgi-endpoint:imagePermissionUnknown",
                "The image's URI is known only at deployment, so the endpoint's role gets no permission to pull it. "
                "Grant it with repository.grant_pull(endpoint), or name the image with from_ecr_repository.",
            )
        else:
            _allow_pull(scope, role, account=parts["account"], region=parts["region"], repository=parts["repository"])
        return self._uri


def _allow_pull(scope: Construct, role: ExecutionRole, *, account: str, region: str, repository: str) -> None:
    role.allow_image_pull(environment_of(scope).arn("ecr", f"repository/{repository}", region=region, account=account))


# Cached, as endpoints of one version share the Mapping of their stack.
@cache
def _account(stack: Stack, images: ImageFamily, version: str) -> str:
    """The account for the Region of a stack in no particular one, which a Mapping finds."""
    accounts = {region: {"Account": images.account(region, version)} for region in images.regions(version)}
    mapping = CfnMapping(stack, f"{images.mapping}{version.replace('.', '')}", mapping=accounts)
    return mapping.find_in_map(PSEUDO.region, "Account")
