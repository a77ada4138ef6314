"""What endpoints and models of a fleet have in common that this app updates: a rollout, and alarms that undo it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib.errors import ConfigurationError, raise_if_any
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_sagemaker as sagemaker
    from constructs import Node

    from constructs_lib.endpoint.deployment_config import DeploymentConfig
    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.planning.rollout.request import Replaced


@dataclass(frozen=True, kw_only=True)
class Updated:
    """What an update changes.

    Args:
        resource: The endpoint's or the component's resource.
        replaced: Says what the update replaces, as far as it is known when it is called.
        role: The role with which SageMaker reads alarms.
        dimensions: Those of its own metrics of requests, if synth knows them all; None otherwise.
    """

    resource: sagemaker.CfnEndpoint | sagemaker.CfnInferenceComponent
    replaced: Callable[[], Replaced]
    role: iam.IRole
    dimensions: Mapping[str, str] | None


class RolledOut:
    """Takes alarms that undo updates, from the caller and from front doors."""

    _deployment_config: DeploymentConfig | None = None
    """None for SageMaker's own update, which nothing undoes."""

    @property
    @abstractmethod
    def node(self) -> Node:
        """The construct's node."""

    @abstractmethod
    def _updated(self) -> Updated:
        """What an update changes."""

    def roll_back_on(self, *alarms: cloudwatch.IAlarm) -> None:
        """Let alarms undo updates, besides those of `rollout` and of front doors.

        For alarms that can only be created after the endpoint, such as those on a front door's metrics. An endpoint
        that is replaced all at once then keeps its old instances for 5 minutes, as `Rollout.all_at_once` describes.

        Args:
            alarms: Metric alarms of the endpoint's account and Region; at most 10 with those of front doors. None may
                depend on the endpoint, as by its generated name in a dimension: synthesis reports that.

        Raises:
            ConfigurationError: One of them is no alarm of this account and Region, or nothing can undo updates.
        """
        # Imported here, as it costs time and few endpoints call this.
        from constructs_lib.endpoint.rollout import alarm_problems

        raise_if_any(self, "", alarm_problems("alarms", alarms, self))  # type: ignore[arg-type]  # it is a construct
        if alarms and self._deployment_config is None:
            if self._updated().replaced().unit == "copies":
                message = (
                    "undo nothing: SageMaker watches alarms only between batches of an inference component's copies"
                )
                fix = "Set rollout=Rollout.rolling(), which requires two copies."
                raise ConfigurationError(self.node.path, [Problem("alarms", alarms, message, fix)])
            self._begin_deployment_config(None)
        for alarm in alarms:
            if self._deployment_config is not None:
                self._deployment_config.add_alarm(alarm)

    @property
    def wants_rollback_alarms(self) -> bool:
        """Whether a front door of the same stack brings alarms along: there is a rollout, and it names none."""
        return self._deployment_config is not None and self._deployment_config.wants_alarms

    @property
    def has_room_for_rollback_alarm(self) -> bool:
        """Whether SageMaker takes another one for this endpoint."""
        return self._deployment_config is not None and self._deployment_config.has_room

    def take_rollback_alarm(self, alarm: cloudwatch.CfnAlarm) -> None:
        """Take an alarm of a front door; only with `wants_rollback_alarms`.

        Args:
            alarm: It depends on nothing.
        """
        if self._deployment_config is not None:
            self._deployment_config.take_alarm(alarm)

    def _roll_out(self, rollout: Rollout | None) -> None:
        """Create the DeploymentConfig unless SageMaker's own update is meant: call it once the resource exists.

        Args:
            rollout: The caller's, without problems; None for the default.
        """
        # Imported here, as it costs time and few endpoints have several instances.
        from constructs_lib.planning.rollout.request import Strategy

        what = self._updated().replaced()
        if rollout is None and not what.has_several:
            return
        if rollout is not None and rollout.strategy is Strategy.ALL_AT_ONCE and what.unit == "copies":
            return
        self._begin_deployment_config(rollout)

    def _begin_deployment_config(self, rollout: Rollout | None) -> None:
        from constructs_lib._rollback_alarm import rollback_alarm
        from constructs_lib.endpoint.deployment_config import DeploymentConfig
        from constructs_lib.endpoint.metrics import INVOCATIONS_NAMESPACE

        updated = self._updated()
        config = DeploymentConfig(
            self,  # type: ignore[arg-type]  # it is a construct
            updated.resource,
            rollout=rollout,
            replaced=updated.replaced,
            role=updated.role,
        )
        self._deployment_config = config
        if config.wants_alarms and updated.dimensions is not None:
            alarm = rollback_alarm(
                self,  # type: ignore[arg-type]  # it is a construct
                "ServerErrors",
                requests="the requests to the endpoint",
                namespace=INVOCATIONS_NAMESPACE,
                metric_name="Invocation5XXErrors",
                dimensions=updated.dimensions,
            )
            config.take_alarm(alarm)
