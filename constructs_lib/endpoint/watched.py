"""`monitor`: the alarms of endpoints, and what their thresholds are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, Unpack

from aws_cdk import Annotations

from constructs_lib.endpoint.interface import EndpointBase
from constructs_lib.planning.monitoring.alarm import MONITORING, RUNBOOK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import Duration
    from aws_cdk import aws_sns as sns
    from constructs import IConstruct

    from constructs_lib.planning.monitoring.capacity import Held
    from constructs_lib.planning.request import EndpointPlan


class ModelAlarms(TypedDict, total=False):
    """The alarms of a model with their thresholds. None leaves an alarm out."""

    model_errors: float | None
    """Percent of the requests that the container failed to answer, in two of three periods of five minutes, of at least
    3 failures each. Default: 5."""
    no_capacity: int | None
    """Requests in five minutes that found no copy of an inference component; for a model that goes to zero, in each
    five minutes of twice the time that it takes to wake. Default: 1."""
    overload: float | None
    """Concurrent requests of one instance or copy, for 15 minutes, or longer if a new one takes longer to start.
    Default: what the plan says that it works on at once, of `request_tokens` of `auto_scale` or else 1024 tokens each;
    no alarm if that is not known."""
    idle: Duration | None
    """Time without a request, in whole hours up to 7 days, while instances run. Not for a model that goes to zero.
    Default: 24 hours."""


class InstanceAlarms(TypedDict, total=False):
    """The alarms of an endpoint's instances with their thresholds. None leaves an alarm out."""

    disk: float | None
    """Percent of the disk in use, for 15 minutes. Default: 85."""
    host_memory: float | None
    """Percent of the host's memory in use, for 15 minutes. Default: 90."""


class EndpointAlarms(ModelAlarms, InstanceAlarms, total=False):
    """The alarms of an endpoint with one model: those of the model, and those of the instances."""


@dataclass(frozen=True, slots=True)
class WatchedVariant:
    """What is known of a variant's load.

    Args:
        name: Its name.
        plan: Its plan; None if it has none.
        request_tokens: The tokens of a request that it is scaled by; None if they are not given.
    """

    name: str
    plan: EndpointPlan | None = None
    request_tokens: int | None = None


class WatchedEndpoint(EndpointBase):
    """An endpoint with one model that can be monitored."""

    def monitor(
        self, *, topic: sns.ITopic | None = None, runbook: str = RUNBOOK, **alarms: Unpack[EndpointAlarms]
    ) -> None:
        """Add alarms, and a rule that reports when the endpoint fails or is rolled back.

        Each alarm's description says what to do, and where the runbook says more. Without data the alarms are OK. There
        is none on the memory of GPUs, which engines reserve when they start.

        Call it after `add_variant`, as each variant has alarms of its own, and after `auto_scale`, whose
        `request_tokens` the threshold of `overload` depends on.

        Args:
            topic: What is notified when an alarm begins and when it ends, and when the endpoint's state changes. Its
                policy and its key's are extended so that alarms and rules may publish; those of imported ones must
                allow it already. Default: nobody, and no rule.
            runbook: Where your people find the runbook, to which `#` and a section are appended. Default:
                `docs/operations.md`, of this project.
            alarms: Other thresholds, and None for the alarms that you do not want: the members of `EndpointAlarms`.

        Raises:
            ConfigurationError: An argument is wrong, it has been called already, or the endpoint is of another account
                or Region than the stack.
        """
        # Imported here, as it costs time and not every endpoint is monitored.
        from constructs_lib.endpoint.monitoring import monitor_endpoint

        monitor_endpoint(self, self._watched_variants(), topic=topic, runbook=runbook, alarms=alarms)

    @property
    def held(self) -> Held | None:
        """What one instance or copy works on at once, by the plan; more wait in it. None if that is not known."""
        from constructs_lib.planning.monitoring.capacity import held

        first = self._watched_variants()[0]
        return None if first.plan is None else held(first.plan, first.request_tokens)

    def _watched_variants(self) -> Sequence[WatchedVariant]:
        """Its variants, the first one first."""
        return [WatchedVariant(self.variant_name)]


def warn_if_monitored(endpoint: IConstruct, missing: str, *, alarm: str | None = None) -> None:
    """Warn about alarms that `monitor` has added already, if what comes now is not in them.

    Args:
        endpoint: The endpoint.
        missing: What they do not know.
        alarm: Id of the alarm that would know it; no warning without it. Default: that of something new.
    """
    added = endpoint.node.try_find_child(MONITORING)
    if added is not None and (alarm is None or added.node.try_find_child(alarm) is not None):
        message = f"{missing}, as monitor was called before. Call monitor after it."
        Annotations.of(endpoint).add_warning_v2("tgi-endpoint:monitoredBefore", message)
