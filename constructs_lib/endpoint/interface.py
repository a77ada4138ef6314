"""What every model endpoint offers, whether this app makes it or imports it."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

import jsii
from aws_cdk import Arn, ArnFormat, Resource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk.interfaces.aws_sagemaker import EndpointReference

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib._unknown import tokens_replaced
from constructs_lib.endpoint.metrics import EndpointMetrics
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES, NAME
from constructs_lib.planning.serving_limits import ServingFacts, facts_problems
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, String, problem
from constructs_lib.planning.validation.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct

    from constructs_lib.planning.engine import Engine

_ARN = re.compile(r"arn:[a-z-]+:sagemaker:[a-z0-9-]+:\d{12}:endpoint/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class IModelEndpoint(Protocol):
    """An endpoint that serves one model, made by this app or imported."""

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""

    @property
    def endpoint_name(self) -> str:
        """Name of the endpoint."""

    @property
    def engine(self) -> str:
        """What runs in the container and decides the protocol: `tgi`."""

    @property
    def max_body_bytes(self) -> int:
        """Most bytes that one request may have."""

    @property
    def model_id(self) -> str | None:
        """The model's repository on the hub; None where it is not known or the weights are the caller's own."""

    @property
    def serving(self) -> ServingFacts:
        """What is known at synth about how the model is served."""

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to call the endpoint."""


@jsii.implements(sagemaker.IEndpoint)
class EndpointBase(Resource, EndpointMetrics):
    """Grants and metrics, which need no more than an endpoint's name and ARN."""

    @property
    @abstractmethod
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""

    @property
    @abstractmethod
    def endpoint_name(self) -> str:
        """Name of the endpoint."""

    @property
    @abstractmethod
    def variant_name(self) -> str:
        """Name of its production variant."""

    @property
    def endpoint_ref(self) -> EndpointReference:
        """How the CDK's own constructs refer to the endpoint."""
        return EndpointReference(endpoint_arn=self.endpoint_arn)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to call the endpoint, for whole and for streamed answers.

        Args:
            grantee: Who may call it.
        """
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"],
            resource_arns=[self.endpoint_arn],
        )


class ImportedEndpoint(EndpointBase):
    """An endpoint that exists already. Made by `TgiEndpoint.from_endpoint_name` and `from_endpoint_arn`."""

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
    ) -> None:
        super().__init__(scope, id, environment_from_arn=endpoint_arn)
        self._arn = endpoint_arn
        self._name = endpoint_name
        self._engine = engine
        self._variant_name = variant_name
        self._model_id = model_id
        self._max_body_bytes = max_body_bytes
        self._serving = ServingFacts() if serving is None else serving

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
        """What runs in the container."""
        return self._engine

    @property
    def variant_name(self) -> str:
        """Name of its production variant."""
        return self._variant_name

    @property
    def model_id(self) -> str | None:
        """The model's repository on the hub, as far as the caller said."""
        return self._model_id

    @property
    def max_body_bytes(self) -> int:
        """Most bytes that one request may have."""
        return self._max_body_bytes

    @property
    def serving(self) -> ServingFacts:
        """How the model is served, as far as the caller said."""
        return self._serving


def name_problems(endpoint_name: object) -> Iterator[Problem]:
    """What is wrong with the name of an endpoint that exists already."""
    if not is_token(endpoint_name) and NAME.validate(endpoint_name):
        yield Problem(
            keyword="endpoint_name",
            value=endpoint_name,
            message="must have 1 to 63 letters, digits and hyphens, and neither begin nor end with a hyphen",
            fix="Give the name that the SageMaker console shows.",
        )


def arn_problems(endpoint_arn: object) -> Iterator[Problem]:
    """What is wrong with the ARN of an endpoint that exists already."""
    if not is_token(endpoint_arn) and not (isinstance(endpoint_arn, str) and _ARN.fullmatch(endpoint_arn)):
        yield Problem(
            keyword="endpoint_arn",
            value=endpoint_arn,
            message="must be arn:<partition>:sagemaker:<region>:<account>:endpoint/<name>",
            fix="Give the ARN that the SageMaker console shows, or import by name.",
        )


def serving_problems(
    *, variant_name: object, model_id: object, max_body_bytes: object, serving: ServingFacts, engine: Engine
) -> Iterator[Problem]:
    """What is wrong with the further description of an endpoint that exists already."""
    if not is_token(variant_name) and (found := problem("variant_name", variant_name, NAME)):
        yield found
    if model_id is not None and not is_token(model_id) and (found := problem("model_id", model_id, String())):
        yield found
    if is_token(max_body_bytes):
        fix = "Write it as a number."
        yield Problem("max_body_bytes", UNKNOWN, "must be known at synth: a front door tells its function", fix)
    elif found := problem("max_body_bytes", max_body_bytes, Integer(1, MAX_BODY_BYTES, unit="bytes")):
        yield found
    yield from facts_problems(tokens_replaced(serving), engine.serving_rules)


def arn_of(scope: Construct, endpoint_name: str) -> str:
    """ARN of an endpoint in the stack's own account and Region."""
    return environment_of(scope).arn("sagemaker", f"endpoint/{name_in_arn(endpoint_name)}")


def name_in_arn(endpoint_name: str) -> str:
    """The endpoint's name as SageMaker writes it into ARNs: in lower case, and IAM compares them exactly."""
    return endpoint_name if is_token(endpoint_name) else endpoint_name.lower()


def name_from(endpoint_arn: str) -> str:
    """Name of the endpoint in an ARN."""
    name = Arn.split(endpoint_arn, ArnFormat.SLASH_RESOURCE_NAME).resource_name
    if name is None:
        raise AssertionError("an endpoint's ARN ends with its name")
    return name
