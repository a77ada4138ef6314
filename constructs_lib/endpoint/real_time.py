"""A real-time endpoint of this app: whoever calls it waits for the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import jsii
from aws_cdk import Annotations
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._tokens import hide_token
from constructs_lib.endpoint.hosted import known
from constructs_lib.endpoint.interface import DeployedModel
from constructs_lib.endpoint.updates import own_policy
from constructs_lib.endpoint.variants import VariedEndpoint
from constructs_lib.endpoint.watched import WatchedEndpoint, WatchedVariant, warn_if_monitored
from constructs_lib.planning.scaling.updates import type_change_warning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_iam as iam

    from constructs_lib.endpoint.scaling import EndpointScaling


@jsii.implements(sagemaker.IEndpoint)
class RealTimeEndpoint(VariedEndpoint, WatchedEndpoint):
    """A SageMaker real-time endpoint, rendered from a plan without problems; the arguments are those of its base."""

    @property
    def deployed(self) -> DeployedModel:
        """What this app deploys for the model, for what tests it after that."""
        # Imported here, as it costs time and not every endpoint is tested.
        from constructs_lib.planning.likely_causes import likely_causes

        return DeployedModel(
            after=(self._endpoint,),
            scopes=(self,),
            configuration=self._config_name,
            log_group=f"/aws/sagemaker/Endpoints/{self.endpoint_name}",
            load_seconds=self._plan.load_seconds,
            likely_causes=likely_causes(self._known, self._plan),
        )

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a grantee to invoke the endpoint, streaming and non-streaming.

        Args:
            grantee: The principal that may invoke it.
        """
        return super().grant_invoke(own_policy(grantee, self._endpoint) if self._replacement else grantee)

    def auto_scale(
        self, *, min_instances: int = 1, max_instances: int, request_tokens: int | None = None
    ) -> EndpointScaling:
        """Let Application Auto Scaling change the number of instances; by what, you say with what this returns.

        Of several variants this scales the first one; each of `variants` has an `auto_scale` of its own. From then on
        an update of the endpoint keeps the number of instances that every variant has, and `instance_count` applies to
        a new endpoint only. An update cannot change the instance type of an endpoint that scales, unless the endpoint
        has `replace_on_instance_type_change`; a warning says how to change it nevertheless.

        Args:
            min_instances: The smallest number of instances, at least 1. Default: 1.
            max_instances: The largest number of instances, which bounds the bill.
            request_tokens: Prompt and answer of one request together as your clients send them, in tokens, from which
                `on_concurrency` works out its default target. Default: the longest request, `max_total_tokens`.

        Raises:
            ConfigurationError: An argument is wrong, `instance_count` is not between the limits, or the endpoint scales
                already.
        """
        # Imported here, as it costs time and few endpoints scale.
        from constructs_lib.endpoint.instance_scaling import own_scaling_problems, scale_instances

        scaling = scale_instances(
            self,
            min_instances=min_instances,
            max_instances=max_instances,
            request_tokens=request_tokens,
            plan=self._plan,
            problems=own_scaling_problems(self._arguments, hide_token(min_instances), hide_token(max_instances)),
            tell_range=self.set_capacity_range,
        )
        if request_tokens is not None:
            missing = "The threshold of Overload is not by request_tokens of auto_scale"
            warn_if_monitored(self, missing, alarm="Overload")
        self._capacity = replace(self._capacity, request_tokens=known(request_tokens))
        self.keep_instance_count()
        if self._replacement is None:
            warning = type_change_warning()
            Annotations.of(self).add_warning_v2(warning.id, warning.message)
        return scaling

    def _watched_variants(self) -> Sequence[WatchedVariant]:
        first = WatchedVariant(self.variant_name, self._plan, self._capacity.request_tokens)
        return [
            first,
            *(WatchedVariant(one.variant_name, one.plan, one.capacity.request_tokens) for one in self._added),
        ]
