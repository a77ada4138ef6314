"""The arguments of FrontDoor as one value, for everything that validates or renders them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from aws_cdk import Duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs

    from constructs_lib.front_door.access.base import AccessMethod
    from constructs_lib.front_door.cors import Cors
    from constructs_lib.front_door.exposure import Exposure
    from constructs_lib.front_door.function_network import FunctionNetwork
    from constructs_lib.front_door.routed_models import RoutedModel

# API Gateway: a REST integration waits 50 ms to 29 s for a buffered response and up to 15 min for a streamed one.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
_MAX_STREAMED_SECONDS = 900
_MAX_BUFFERED_SECONDS = 29


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoorArguments:
    """The arguments as documented at `FrontDoor`; `exposure` and `network` have four of them each."""

    models: Mapping[str, RoutedModel]
    access: AccessMethod
    exposure: Exposure
    cors: Cors | None
    streaming: bool
    timeout: Duration | None
    memory_size: float
    default_max_tokens: int | None
    model_aliases: Mapping[str, str] | None
    count_tokens: Sequence[str] | None
    rate_limit: float
    burst_limit: float
    on_store_failure: str
    on_wake: str | None
    wake: bool
    playground: bool
    mirror_concurrency: float | None
    mirror_timeout: Duration | None
    cloud_watch_role: bool
    log_retention: logs.RetentionDays
    encryption_key: kms.IKey | None
    network: FunctionNetwork
    reserved_concurrency: float | None
    execution_logging: bool
    hardened: bool

    @property
    def max_timeout_seconds(self) -> int:
        """The longest timeout that API Gateway allows."""
        return _MAX_STREAMED_SECONDS if self.streaming else _MAX_BUFFERED_SECONDS

    def timeout_or_default(self) -> Duration:
        """The timeout of the function and of the API's integrations."""
        return self.timeout or _duration(self.max_timeout_seconds)

    def timeout_seconds(self) -> float:
        """The same in seconds."""
        return self.timeout.to_seconds() if self.timeout else self.max_timeout_seconds

    def timeout_milliseconds(self) -> float:
        """The same in milliseconds."""
        return self.timeout.to_milliseconds() if self.timeout else 1000 * self.max_timeout_seconds


@cache
def _duration(seconds: int) -> Duration:
    return Duration.seconds(seconds)
