"""The consumers of a front door, and what its function is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Annotations
from constructs import Construct

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token
from constructs_lib.errors import raise_if_any
from constructs_lib.front_door.consumer import Consumer
from constructs_lib.front_door.consumer_rules import (
    key_problems,
    name_problem,
    request_limit_problems,
    secret_problems,
    use_problems,
)
from constructs_lib.front_door.function_environment import (
    DEFAULT_MAX_TOKENS,
    caller_variables,
    consumer_problems,
    limit_variables,
)
from constructs_lib.front_door.log_queries import add_limits_query
from constructs_lib.front_door.routed_models import answering_endpoints
from constructs_lib.planning.monitoring.alarm import MONITORING
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from constructs_lib.front_door.arguments import FrontDoorArguments
    from constructs_lib.front_door.callers_file import Callers, ConsumerLimits
    from constructs_lib.front_door.front_door_function import FrontDoorFunction
    from constructs_lib.front_door.limits_table import LimitsTable

DEFAULT_RATE = 100
"""Requests per second that a front door accepts steadily, from all callers together."""

DEFAULT_BURST = 200
"""Requests that a front door accepts at once above the steady rate, from all callers together."""

_NO_CONSUMER = "tgi-endpoint:noConsumer"
_SMALL_BUDGET = "tgi-endpoint:budgetBelowOneRequest"
_UNWATCHED = "tgi-endpoint:limitsUnwatched"


class Consumers(Construct):
    """The consumers of one front door. Warns if the access method needs API keys and there is no consumer.

    Args:
        scope: The front door.
        id: Its id.
        path: Path of the front door.
        arguments: The front door's arguments.
        rest_api_id: The API.
        stage_name: Its stage.
        function: The function.
        variables: The function's variables, without those that consumers need.
        callers: What the function is told of its callers; gets the consumers.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        path: str,
        arguments: FrontDoorArguments,
        rest_api_id: str,
        stage_name: str,
        function: FrontDoorFunction,
        variables: Mapping[str, str],
        callers: Callers,
    ) -> None:
        super().__init__(scope, id)
        self._front_door = scope
        self._arguments = arguments
        self._rest_api_id = rest_api_id
        self._stage_name = stage_name
        self._path = path
        self._function = function
        self._variables = variables
        self._callers = callers
        self._consumers: dict[str, Consumer] = {}
        self._table: LimitsTable | None = None
        self._annotations = Annotations.of(self)
        if arguments.access.uses_api_keys:
            # The first consumer acknowledges it.
            self._annotations.add_warning_v2(
                _NO_CONSUMER,
                "Nobody can call this front door: it requires API keys, and it has no consumer. Add one with"
                ' front_door.add_consumer("team-a").',
            )

    @property
    def is_metered(self) -> bool:
        """Whether a consumer has limits on tokens or streams."""
        return self._table is not None

    def add(
        self,
        id: str,
        *,
        rate: float | None,
        burst: float | None,
        monthly_requests: float | None,
        limits: ConsumerLimits,
        keys: Sequence[str],
    ) -> Consumer:
        """Create a consumer (see `FrontDoor.add_consumer`)."""
        stage_limits = {"rate_limit": self._arguments.rate_limit, "burst_limit": self._arguments.burst_limit}
        rate = stage_limits["rate_limit"] if rate is None else rate
        burst = stage_limits["burst_limit"] if burst is None else burst
        problems = [
            *self._id_problems(id),
            *request_limit_problems(
                _hide_tokens({"rate": rate, "burst": burst}), _hide_tokens(stage_limits), hide_token(monthly_requests)
            ),
            *use_problems(limits, tuple(self._arguments.models)),
            *key_problems(keys),
            *(self._arguments.network.table_problems() if limits.is_metered else ()),
        ]
        raise_if_any(self, str(id), problems or self._number_problems(limits, keys))
        self._annotations.acknowledge_warning(_NO_CONSUMER)
        consumer = Consumer(
            self,
            id,
            rest_api_id=self._rest_api_id,
            stage_name=self._stage_name,
            rate=rate,
            burst=burst,
            monthly_requests=monthly_requests,
            keys=keys,
            encryption_key=self._arguments.encryption_key,
            description=f"{id} calls {self._path}",
        )
        self._consumers[id] = consumer
        self._callers.add(id, tuple(consumer.key_ids.values()), limits)
        self._inform_function(limits)
        self._warn(consumer, limits)
        return consumer

    def _inform_function(self, limits: ConsumerLimits) -> None:
        """Give the function what it needs for the limits of a consumer."""
        if limits.restricts:
            self._function.add_environment(caller_variables())
        if limits.is_metered and self._table is None:
            self._table = self._add_table()

    def _add_table(self) -> LimitsTable:
        # Imported here, as few front doors have one.
        from constructs_lib.front_door.limits_table import LimitsTable

        # Not below this construct, where a consumer may have its id.
        here = environment_of(self)
        table = LimitsTable(self._front_door, "Limits", encryption_key=self._arguments.encryption_key)
        self._arguments.network.lead_to_table(self._front_door, self._function.resource)
        table.grant_count(self._function.role)
        add_limits_query(table, path=self._path, log_group_name=self._function.log_group_name)
        self._function.add_environment(limit_variables(table.name, here))
        if self._front_door.node.try_find_child(MONITORING) is not None:
            self._annotations.add_warning_v2(
                _UNWATCHED,
                "No alarm says when the use of consumers cannot be counted: monitor was called before the first"
                " consumer with limits was added. Call it afterwards.",
            )
        return table

    def _warn(self, consumer: Consumer, limits: ConsumerLimits) -> None:
        default = self._default_tokens(limits)
        for keyword, limit in limits.budgets.items():
            if limit > default:
                continue
            Annotations.of(consumer).add_warning_v2(
                _SMALL_BUDGET,
                f"{keyword}={limit} is less than one request without max_tokens takes: {default} tokens for its answer,"
                " and one for each 3 bytes of its prompt, are reserved before it runs, so each such request is refused."
                f" Raise {keyword}, or lower default_max_tokens of the front door.",
            )

    def _default_tokens(self, limits: ConsumerLimits) -> int:
        """Tokens of an answer whose request has no limit: of the smallest model that the consumer may call."""
        default = self._arguments.default_max_tokens
        default = DEFAULT_MAX_TOKENS if default is None else default
        models = self._arguments.models
        names = models if limits.models is None else limits.models
        served = [getattr(each, "serving", None) for name in names for each in answering_endpoints(models[name])]
        contexts: list[int] = [facts.max_total_tokens for facts in served if facts and facts.max_total_tokens]
        return min([default, *contexts])

    def _number_problems(self, limits: ConsumerLimits, keys: Sequence[str]) -> Iterator[Problem]:
        """Problems of all consumers together, this one included."""
        former = [key for consumer in self._consumers.values() for key in consumer.key_ids]
        yield from secret_problems([*former, *keys])
        if self._callers.is_restricted or limits.restricts:
            count = len(former) + len(keys)
            yield from consumer_problems(self._variables, self._arguments.models, environment_of(self), count)

    def _id_problems(self, id: str) -> Iterator[Problem]:
        access = self._arguments.access
        if not access.uses_api_keys:
            message = f"cannot have an API key: {access.display_name} uses none"
            yield Problem("id", id, message, "Remove the consumer, or give the front door Access.api_keys().")
        if found := name_problem(id):
            yield found
        elif id in self._consumers:
            yield Problem("id", id, "is already a consumer of this front door", "Choose another name.")


def _hide_tokens(limits: Mapping[str, object]) -> dict[str, object]:
    return {keyword: hide_token(value) for keyword, value in limits.items()}
