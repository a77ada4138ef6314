"""A deployed REST API: everything that affects requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """A Lambda proxy integration.

    Args:
        function_name: The function, from the integration URI.
        stream: Whether the response is streamed (`responseTransferMode: STREAM`).
        timeout_seconds: The client gets INTEGRATION_TIMEOUT after this time.
    """

    function_name: str
    stream: bool
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """A Lambda authorizer.

    Args:
        id: The id.
        function_name: The authorizer function.
        headers: The headers without which the function is not called, in lower case: of the type TOKEN the one with the
            token.
        ttl_seconds: How long a decision is cached for the values of these headers, 0 for no caching.
        validation: The regular expression that a token must match before the function is called, if any.
        is_request: Whether it is of the type REQUEST, whose function gets the request's headers and parameters.
    """

    id: str
    function_name: str
    headers: tuple[str, ...]
    ttl_seconds: float
    validation: str | None = None
    is_request: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of a resource.

    Args:
        verb: `GET`, `POST`, … or `ANY`.
        integration: The integration.
        iam: Whether requests must be signed (`AWS_IAM`).
        authorizer: The Lambda authorizer, if any.
        api_key_required: Whether requests need an API key of a usage plan.
    """

    verb: str
    integration: Integration
    iam: bool = False
    authorizer: Authorizer | None = None
    api_key_required: bool = False


@dataclass(slots=True)
class Resource:
    """A node of the resource tree; `path` is the path in the API, for example `/v1/{proxy+}`."""

    id: str
    path: str
    children: dict[str, Resource] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)

    def walk(self) -> Iterator[Resource]:
        """This resource and all resources below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A token bucket with room for `burst` requests, refilled at `rate` requests per second."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `limit` requests in each `period` (`DAY`, `WEEK` or `MONTH`, UTC)."""

    limit: int
    period: str
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlan:
    """A usage plan with its API keys."""

    id: str
    throttle: Throttle | None
    quota: Quota | None
    key_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key.

    Args:
        id: The id.
        value: The value that clients send.
        name: The name, or the id of the parent construct, such as a consumer.
        enabled: Whether the key is enabled.
    """

    id: str
    value: str
    name: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """The customization of one gateway response type."""

    status: int | None
    headers: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestApi:
    """A REST API with one stage.

    Args:
        method_throttle: Throttling by `<resource path>/<verb>` or `*/*`, from the stage's method settings.
        access_log_format: The access log format of the stage, or None without access logging.
    """

    id: str
    region: str
    account: str
    partition: str
    url_suffix: str
    stage: str
    root: Resource
    key_source: str = "HEADER"
    keys: Sequence[ApiKey] = ()
    plans: Sequence[UsagePlan] = ()
    gateway_responses: Mapping[str, GatewayResponse] = field(default_factory=dict)
    method_throttle: Mapping[str, Throttle] = field(default_factory=dict)
    access_log_format: str | None = None
    binary_media_types: Sequence[str] = ()
    stage_variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """The host name of the API on AWS."""
        return f"{self.id}.execute-api.{self.region}.{self.url_suffix}"

    def methods(self) -> list[Method]:
        """All methods of all resources."""
        return [method for resource in self.root.walk() for method in resource.methods.values()]

    def usage_plan_keys(self) -> list[ApiKey]:
        """The API keys that are in a usage plan of the stage, in template order."""
        key_ids = {key_id for plan in self.plans for key_id in plan.key_ids}
        return [key for key in self.keys if key.id in key_ids]
