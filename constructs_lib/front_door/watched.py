"""`FrontDoor.monitor`: alarms and objectives, and what their thresholds are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict, Unpack

from constructs_lib.front_door.metrics import FrontDoorMetrics
from constructs_lib.planning.monitoring.alarm import RUNBOOK

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_sns as sns

    from constructs_lib.front_door.consumers import Consumers
    from constructs_lib.front_door.front_door_function import FrontDoorFunction
    from constructs_lib.front_door.rest_api import FrontDoorApi
    from constructs_lib.front_door.routed_models import RoutedModel


class FrontDoorAlarms(TypedDict, total=False):
    """The alarms and objectives of a front door with their thresholds. None leaves one out.

    Shares are percent of the requests in five minutes, and no alarm as long as fewer than 3 requests have failed.
    """

    server_errors: float | None
    """Percent that failed with 5xx or in the stream, as a whole and, with several models, by model; in two of three
    periods, or for longer than a model takes to come back from zero copies. Default: 5."""
    time_to_first_token: Duration | None
    """Time to the first token of each model, 95th percentile, for 15 minutes. Default: 10 seconds, and the time of a
    wake in addition if clients are held while their model wakes."""
    overload: float | None
    """Retries in 100 requests of each model, as SageMaker throttles or the container answers 429, for 15 minutes.
    Default: 10."""
    fallbacks: float | None
    """Requests in 100 of a model that an endpoint of its `Fallback` refused, for 15 minutes. Default: 10."""
    function_errors: int | None
    """Invocations of the function without a response in five minutes. Default: 3."""
    throttles: int | None
    """Invocations that Lambda refused in five minutes. Default: 3."""
    concurrency: int | None
    """Concurrent executions of the function, one for each open stream. Default: 800, of the 1000 that Lambda gives an
    account in a Region; give another number if your quota is another one."""
    gateway_errors: float | None
    """Percent that failed with 5xx outside the function, in two of three periods. Default: 1."""
    store_failures: int | None
    """Requests in five minutes whose use the table of consumers with limits could not count; only with such a consumer
    by now. Default: 3."""
    availability_objective: float | None
    """Percent of the requests of 30 days without a server error, above 93.06. Default: 99.5; none if a model goes to
    zero copies and its clients are refused meanwhile."""
    first_token_objective: tuple[float, Duration] | None
    """Percent of the requests of 30 days whose first token comes in time, above 93.06, and that time. Default: 95 %
    within 10 seconds; none if clients are held while their model wakes."""


class WatchedFrontDoor(FrontDoorMetrics):
    """A front door that can be monitored."""

    _function: FrontDoorFunction
    _models: Mapping[str, RoutedModel]
    _api: FrontDoorApi
    _holds_clients: bool
    _consumers: Consumers

    def monitor(
        self, *, topic: sns.ITopic | None = None, runbook: str = RUNBOOK, **alarms: Unpack[FrontDoorAlarms]
    ) -> None:
        """Add alarms and objectives for the models and consumers that the front door has now.

        Each alarm's description says what to do, and where the runbook says more. Without data the alarms are OK. An
        objective has a fast alarm, when 2 % of what may fail in 30 days has failed in one hour, and a slow one, 5 % in
        six hours.

        Args:
            topic: What is notified when an alarm begins and when it ends. Its policy and its key's are extended so that
                alarms may publish; those of imported ones must allow it already. Default: nobody.
            runbook: Where your people find the runbook, to which `#` and a section are appended. Default:
                `docs/operations.md`, of this project.
            alarms: Other thresholds, and None for the alarms that you do not want: the members of `FrontDoorAlarms`.

        Raises:
            ConfigurationError: An argument is wrong, or it has been called already.
        """
        # Imported here, as it costs time and not every front door is monitored.
        from constructs_lib.front_door.monitoring import monitor_front_door

        monitor_front_door(
            self,
            function=self._function,
            models=self._models,
            api=self._api,
            holds_clients=self._holds_clients,
            counts_use=self._consumers.is_metered,
            topic=topic,
            runbook=runbook,
            alarms=alarms,
        )
