"""A deployed REST API, as far as a request can notice it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """A Lambda proxy integration.

    Args:
        function_name: The function, taken from the integration's URI.
        stream: Whether the answer is passed on as it comes (`responseTransferMode: STREAM`).
        timeout_seconds: After this the client gets INTEGRATION_TIMEOUT.
    """

    function_name: str
    stream: bool
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """A TOKEN authorizer.

    Args:
        id: Its id.
        function_name: The function that decides.
        header: The header that carries the token, in lower case.
        validation: The regular expression a token must match before the function is asked, if any.
        ttl_seconds: How long a decision is kept for a token; 0 for never.
    """

    id: str
    function_name: str
    header: str
    validation: str | None
    ttl_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of a resource.

    Args:
        verb: `GET`, `POST`, … or `ANY`.
        integration: Where the request goes.
        iam: Whether the request has to be signed (`AWS_IAM`).
        authorizer: Who else decides about access, if anyone.
        api_key_required: Whether a key of a usage plan is wanted.
        validate_body: Whether a body is held against the model of its content type.
        validate_parameters: Whether required parameters are looked for.
        models: JSON schema by content type.
        parameters: Whether it is required, by `method.request.<place>.<name>`.
    """

    verb: str
    integration: Integration
    iam: bool = False
    authorizer: Authorizer | None = None
    api_key_required: bool = False
    validate_body: bool = False
    validate_parameters: bool = False
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parameters: Mapping[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Resource:
    """A node of the resource tree; `path` is written as in the API, for example `/v1/{proxy+}`."""

    id: str
    path: str
    children: dict[str, Resource] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)

    def walk(self) -> Iterator[Resource]:
        """This resource and everything below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A token bucket: `burst` requests at once, refilled with `rate` requests a second."""

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
    """Which keys may call, and how much."""

    id: str
    throttle: Throttle | None
    quota: Quota | None
    key_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key.

    Args:
        id: Its id.
        value: What clients send.
        name: Its name, or that of the construct that holds it, such as a consumer.
        enabled: Whether it counts.
    """

    id: str
    value: str
    name: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """How the API words one kind of its own answers."""

    status: int | None
    headers: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestApi:
    """Everything about one stage of one REST API.

    Args:
        method_throttle: By `<resource path>/<verb>` or `*/*`, from the stage's method settings.
        access_log_format: The stage's format, if it logs.
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
        """The host name that the API would have on AWS."""
        return f"{self.id}.execute-api.{self.region}.{self.url_suffix}"

    def methods(self) -> list[Method]:
        """All methods of all resources."""
        return [method for resource in self.root.walk() for method in resource.methods.values()]

    def planned_keys(self) -> list[ApiKey]:
        """The keys that belong to a usage plan of the stage, in the order of the template."""
        planned = {key_id for plan in self.plans for key_id in plan.key_ids}
        return [key for key in self.keys if key.id in planned]
