"""An endpoint that exists already, imported by its name or ARN."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

from aws_cdk import Arn, ArnFormat

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token, hide_tokens, is_token
from constructs_lib.endpoint.interface import name_in_arn
from constructs_lib.endpoint.watched import WatchedEndpoint
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES, NAME
from constructs_lib.planning.scaling.wake import WakeFacts
from constructs_lib.planning.serving_limits import ADAPTER_NAME, ServingFacts, ServingOptions, facts_problems
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, String, problem
from constructs_lib.planning.validation.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct

    from constructs_lib.endpoint.scaling import EndpointScaling
    from constructs_lib.planning.engine import Engine

_ARN = re.compile(r"arn:[a-z-]+:sagemaker:[a-z0-9-]+:\d{12}:endpoint/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")

_COMPONENT = "inference_component_name"
_MAX_WAKE_SECONDS = 86400


class ImportedEndpoint(WatchedEndpoint):
    """An endpoint that exists already, returned by `TgiEndpoint.from_endpoint_name` and `from_endpoint_arn`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_arn: str,
        endpoint_name: str,
        engine: str,
        variant_name: str,
        model_id: str | None,
        max_body_bytes: int,
        serving: ServingFacts | None = None,
        inference_component_name: str | None = None,
        wake_seconds: int | None = None,
        adapter_components: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id, environment_from_arn=endpoint_arn)
        self._arn = endpoint_arn
        self._name = endpoint_name
        self._engine = engine
        self._variant_name = variant_name
        self._model_id = model_id
        self._max_body_bytes = max_body_bytes
        self._serving = ServingFacts() if serving is None else serving
        self._component = inference_component_name
        self._wake = None if wake_seconds is None else WakeFacts(seconds=wake_seconds)
        self._adapter_components = dict(adapter_components or {})

    @staticmethod
    def from_endpoint_attributes(
        scope: Construct,
        id: str,
        *,
        engine: Engine,
        endpoint_arn: str | None = None,
        endpoint_name: str | None = None,
        variant_name: str,
        model_id: str | None,
        max_body_bytes: int,
        inference_component_name: str | None = None,
        wake_seconds: int | None = None,
        adapter_components: Mapping[str, str] | None = None,
        **serving: Unpack[ServingOptions],
    ) -> ImportedEndpoint:
        """Validate the attributes and import the endpoint.

        Args:
            scope: Parent construct.
            id: Identifier within the parent.
            engine: The engine that the container runs.
            endpoint_arn: Its ARN. Default: derived from `endpoint_name`, in the stack's account and Region.
            endpoint_name: Its name. Default: the name in the ARN.
            variant_name: Name of its production variant.
            model_id: The model's repository on the hub; None if unknown.
            max_body_bytes: Size limit of one request, in bytes.
            inference_component_name: The inference component that serves the model. Default: the endpoint has none.
            wake_seconds: How long the model takes to come back from zero copies. Default: unknown.
            adapter_components: The inference components of LoRA adapters, by the adapters' names. Default: none.
            serving: The members of `ServingFacts`.

        Raises:
            ConfigurationError: The attributes cannot be those of an endpoint.
        """
        facts = ServingFacts(**serving)
        by_arn = endpoint_arn is not None
        problems = [
            *(_arn_problems(endpoint_arn) if by_arn else ()),
            *(_name_problems(endpoint_name) if endpoint_name is not None or not by_arn else ()),
            *_serving_problems(
                variant_name=variant_name,
                model_id=model_id,
                max_body_bytes=max_body_bytes,
                serving=facts,
                engine=engine,
            ),
            *_wake_problems(inference_component_name, wake_seconds),
            *_adapter_problems(adapter_components),
        ]
        raise_if_any(scope, id, problems)
        name = endpoint_name or _name_from(endpoint_arn or "")
        return ImportedEndpoint(
            scope,
            id,
            endpoint_arn=endpoint_arn or environment_of(scope).arn("sagemaker", f"endpoint/{name_in_arn(name)}"),
            endpoint_name=name,
            engine=engine.name,
            variant_name=variant_name,
            model_id=model_id,
            max_body_bytes=max_body_bytes,
            serving=facts,
            inference_component_name=inference_component_name,
            wake_seconds=wake_seconds,
            adapter_components=adapter_components,
        )

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""
        return self._arn

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""
        return self._name

    @property
    def engine(self) -> str:
        """The engine that the container runs."""
        return self._engine

    @property
    def variant_name(self) -> str:
        """Name of the production variant."""
        return self._variant_name

    @property
    def model_id(self) -> str | None:
        """The model's repository on the hub, as declared at import; None if unknown."""
        return self._model_id

    @property
    def max_body_bytes(self) -> int:
        """Size limit of one request, in bytes."""
        return self._max_body_bytes

    @property
    def serving(self) -> ServingFacts:
        """How the model is served, as declared at import."""
        return self._serving

    @property
    def inference_component_name(self) -> str | None:
        """The inference component that serves the model, as declared at import; None if the endpoint has none."""
        return self._component

    @property
    def wake(self) -> WakeFacts | None:
        """How the model comes back from zero copies, as declared at import; None if unknown."""
        return self._wake

    @property
    def adapter_components(self) -> Mapping[str, str]:
        """The inference components of LoRA adapters, by the adapters' names, as declared at import."""
        return self._adapter_components

    def _component_arns(self) -> list[str]:
        """In the endpoint's account and Region; SageMaker writes names into ARNs in lower case, and IAM compares."""
        components = (*(() if self._component is None else (self._component,)), *self._adapter_components.values())
        names = dict.fromkeys(name for component in components for name in (component, name_in_arn(component)))
        place = environment_of(self)
        region, account = self.env.region, self.env.account
        return [place.arn("sagemaker", f"inference-component/{name}", region=region, account=account) for name in names]

    def auto_scale(self, *, min_instances: int = 1, max_instances: int) -> EndpointScaling:
        """Let Application Auto Scaling change the number of instances; by what, you say with what this returns.

        Nothing is known from which `on_concurrency` could work out a target. Whatever deploys the endpoint must keep
        the number of instances that it has (`RetainAllVariantProperties`), and an update that changes the instance type
        fails.

        Args:
            min_instances: The smallest number of instances, at least 1. Default: 1.
            max_instances: The largest number of instances, which bounds the bill.

        Raises:
            ConfigurationError: An argument is wrong, the endpoint scales already, it has inference components, or it is
                of another account or Region than the stack.
        """
        # Imported here, as it costs time and few endpoints scale.
        from constructs_lib.endpoint.instance_scaling import scale_instances

        return scale_instances(
            self,
            min_instances=min_instances,
            max_instances=max_instances,
            problems=[*self._component_problems(), *self._place_problems()],
        )

    def _component_problems(self) -> Iterator[Problem]:
        if self._component is not None:
            message = "is for endpoints without inference components, for whose copies SageMaker itself adds instances"
            yield Problem("auto_scale", self._component, message, "Scale the copies where the component is deployed.")

    def _place_problems(self) -> Iterator[Problem]:
        here, there = environment_of(self), self.env
        for attribute in ("account", "region"):
            wanted, given = getattr(here, attribute), getattr(there, attribute)
            if given != wanted and not is_token(given) and not is_token(wanted):
                message = (
                    f"is for an endpoint of the {attribute} {given}, but a stack scales those of its own: {wanted}"
                )
                yield Problem("auto_scale", given, message, "Import it into a stack of its own account and Region.")


def _name_problems(endpoint_name: object) -> Iterator[Problem]:
    if not is_token(endpoint_name) and NAME.validate(endpoint_name):
        yield Problem(
            keyword="endpoint_name",
            value=endpoint_name,
            message="must have 1 to 63 letters, digits and hyphens, and neither begin nor end with a hyphen",
            fix="Use the name that the SageMaker console shows.",
        )


def _arn_problems(endpoint_arn: object) -> Iterator[Problem]:
    if not is_token(endpoint_arn) and not (isinstance(endpoint_arn, str) and _ARN.fullmatch(endpoint_arn)):
        yield Problem(
            keyword="endpoint_arn",
            value=endpoint_arn,
            message="must be arn:<partition>:sagemaker:<region>:<account>:endpoint/<name>",
            fix="Use the ARN that the SageMaker console shows, or import by name.",
        )


def _serving_problems(
    *, variant_name: object, model_id: object, max_body_bytes: object, serving: ServingFacts, engine: Engine
) -> Iterator[Problem]:
    if not is_token(variant_name) and (found := problem("variant_name", variant_name, NAME)):
        yield found
    if model_id is not None and not is_token(model_id) and (found := problem("model_id", model_id, String())):
        yield found
    if is_token(max_body_bytes):
        message = "must be known at synth, as a front door passes it to its function"
        yield Problem("max_body_bytes", UNKNOWN, message, "Write it as a number.")
    elif found := problem("max_body_bytes", max_body_bytes, Integer(1, MAX_BODY_BYTES, unit="bytes")):
        yield found
    yield from facts_problems(hide_tokens(serving), engine.serving_rules)


def _wake_problems(component: object, wake_seconds: object) -> Iterator[Problem]:
    if component is not None and not is_token(component) and (found := problem(_COMPONENT, component, NAME)):
        yield found
    if wake_seconds is None:
        return
    if is_token(wake_seconds):
        message = "must be known at synth, as a front door passes it to its function"
        yield Problem("wake_seconds", UNKNOWN, message, "Write it as a number.")
    elif found := problem("wake_seconds", wake_seconds, Integer(1, _MAX_WAKE_SECONDS, unit="seconds")):
        yield found
    if component is None:
        message = "requires inference_component_name: only inference components have zero copies"
        yield Problem(
            "wake_seconds", hide_token(wake_seconds), message, f"Give {_COMPONENT}, or leave wake_seconds out."
        )


def _adapter_problems(components: object) -> Iterator[Problem]:
    keyword = "adapter_components"
    if components is None:
        return
    if not isinstance(components, Mapping):
        fix = 'Write {"sql": "llama-sql"}.'
        yield Problem(keyword, components, "must be a mapping of adapter to inference component", fix)
        return
    for name, component in components.items():
        if found := problem(keyword, name, ADAPTER_NAME):
            yield found
        if not is_token(component) and (found := problem(f"{keyword}[{name!r}]", component, NAME)):
            yield found


def _name_from(endpoint_arn: str) -> str:
    name = Arn.split(endpoint_arn, ArnFormat.SLASH_RESOURCE_NAME).resource_name
    if name is None:
        raise AssertionError("an endpoint's ARN ends with its name")
    return name
