"""What a probe has: the deployment, clients of its front door, and the cloud's own clients."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from acceptance.front_door import FrontDoorClient
from stacks.acceptance_settings import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from acceptance.clouds import Cloud

_POLL_SECONDS = 5.0
CLOCK_SECONDS = 60
"""By how much the clock of this machine may be ahead."""


class StillWaitingError(Exception):
    """What a probe waited for has not come in time."""


class Site(FrontDoorClient):
    """A deployment.

    Args:
        cloud: Where it is.
        context: The context values with which the stacks are made.
        say: Shows what a long step is doing.

    Attributes:
        cloud: Where it is.
        context: The context values with which the stacks are made.
        engine: The engine of the model.
        model_id: The model's repository on the hub.
        started: When the run began, in seconds since 1970.
        facts: What a probe has measured for a later one.
    """

    def __init__(self, cloud: Cloud, context: Mapping[str, str], say: Callable[[str], None]) -> None:
        super().__init__()
        self.cloud = cloud
        self.say = say
        self.engine = context["acceptance_engine"]
        self.model_id = context["acceptance_model"]
        self.started = time.time()
        self.facts: dict[str, float] = {}
        self.context = dict(context)
        self._outputs: dict[str, dict[str, str]] = {}
        self._key: str | None = None

    # The deployment.

    def deploy(self, step: str = "first") -> None:
        """Deploys the stack with the front door, as it is at a step.

        Raises:
            DeploymentFailedError: It failed.
        """
        self._deploy(NAMES[0], {**self.context, "acceptance_step": step})

    def deploy_zero(self) -> None:
        """Deploys the stack that goes to zero copies.

        Raises:
            DeploymentFailedError: It failed.
        """
        self._deploy(NAMES[1], {**self.context, "acceptance_step": "first"})

    def _deploy(self, stack: str, context: Mapping[str, str]) -> None:
        self._outputs.pop(stack, None)
        # One synthesis for both stacks.
        self.cloud.deploy(stack, {**context, "stacks": " ".join(NAMES)}, self.say)

    def stack(self, name: str = NAMES[0]) -> Any:
        """What DescribeStacks says of a stack."""
        return self.cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]

    def outputs(self, stack: str = NAMES[0]) -> Mapping[str, str]:
        """The outputs of a stack."""
        if stack not in self._outputs:
            found = self.stack(stack).get("Outputs", [])
            self._outputs[stack] = {output["OutputKey"]: output["OutputValue"] for output in found}
        return self._outputs[stack]

    def resources(self, kind: str, stack: str = NAMES[0]) -> dict[str, str]:
        """The physical ids of the resources of a type, by logical id."""
        pages = self.cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        return {
            row["LogicalResourceId"]: row["PhysicalResourceId"]
            for page in pages
            for row in page["StackResourceSummaries"]
            if row["ResourceType"] == kind
        }

    def template(self) -> Any:
        """The deployed template of the stack with the front door."""
        cloudformation = self.cloud.client("cloudformation")
        body = cloudformation.get_template(StackName=self.stack()["StackId"], TemplateStage="Processed")["TemplateBody"]
        return json.loads(body) if isinstance(body, str) else body

    def properties(self, kind: str) -> Any:
        """The properties that the template has of the only resource of a type."""
        (found,) = (one["Properties"] for one in self.template()["Resources"].values() if one["Type"] == kind)
        return found

    def function(self, beginning: str) -> tuple[str, str]:
        """Logical id and name of the function whose logical id begins so.

        Raises:
            LookupError: There is none.
        """
        for logical_id, name in self.resources("AWS::Lambda::Function").items():
            if logical_id.startswith(beginning):
                return logical_id, name
        raise LookupError(f"{NAMES[0]} has no function {beginning}.")

    @property
    def endpoint_name(self) -> str:
        """The name of the endpoint behind the front door."""
        return self.outputs()["EndpointName"]

    @property
    def key(self) -> str:
        """The consumer's key."""
        if self._key is None:
            self._key = self.cloud.api_key(self.outputs()["ApiKeyId"])
        return self._key

    @property
    def url(self) -> str:
        """The URL of the front door."""
        return self.cloud.url(self.outputs())

    # Logs.

    def log_group(self, part: str) -> str:
        """The log group whose logical id contains a text.

        Raises:
            LookupError: There is none.
        """
        for logical_id, physical_id in self.resources("AWS::Logs::LogGroup").items():
            if part in logical_id:
                return physical_id
        raise LookupError(f"{NAMES[0]} has no log group {part}.")

    def access_lines(self, since: float, count: int) -> list[Any]:
        """At least so many lines of the access log since a moment. They take up to some minutes to come.

        Raises:
            StillWaitingError: They have not come.
            ValueError: A line is no JSON.
        """
        group = self.log_group("AccessLogs")
        begun = since - CLOCK_SECONDS
        lines = self.wait(lambda: _enough(self.cloud.log_lines(group, begun), count), 300, f"{count} access log lines")
        return [json.loads(line) for line in lines]

    def request_lines(self, since: float, count: int) -> list[Any]:
        """At least so many lines of the front door's log about requests since a moment.

        Raises:
            StillWaitingError: They have not come.
        """
        group = self.log_group("FrontDoorFunctionLogs")

        def found() -> list[Any] | None:
            lines = [line for line in self.cloud.log_lines(group, since - CLOCK_SECONDS) if line.startswith('{"level"')]
            return _enough([one for one in map(json.loads, lines) if "route" in one], count)

        lines: list[Any] = self.wait(found, 300, f"{count} lines of requests")
        return lines

    # Past the front door.

    def invoke(self, body: Mapping[str, Any], *, endpoint: str | None = None, **options: Any) -> Any:
        """InvokeEndpoint, past the front door; `endpoint` is another one than that of the front door."""
        runtime = self.cloud.client("sagemaker-runtime")
        return runtime.invoke_endpoint(**{**self._invocation(body, endpoint), **options})

    def invoke_stream(self, body: Mapping[str, Any], **options: Any) -> Any:
        """InvokeEndpointWithResponseStream, past the front door."""
        runtime = self.cloud.client("sagemaker-runtime")
        return runtime.invoke_endpoint_with_response_stream(**{**self._invocation(body, None), **options})

    def _invocation(self, body: Mapping[str, Any], endpoint: str | None) -> dict[str, Any]:
        plain = {name: value for name, value in body.items() if name != "model"}
        return {
            "EndpointName": endpoint or self.endpoint_name,
            "ContentType": "application/json",
            "Body": json.dumps(plain).encode(),
        }

    # Waiting.

    def wait(self, look: Callable[[], Any], seconds: float, what: str) -> Any:
        """What `look` finds, as soon as it is neither None nor False nor empty.

        Args:
            look: Looks once.
            seconds: How long to wait on AWS; elsewhere less, but at least ten seconds.
            what: What is waited for.

        Raises:
            StillWaitingError: It has not come.
        """
        patience = self.cloud.patience
        deadline = time.monotonic() + max(10.0, seconds * patience)
        while True:
            if found := look():
                return found
            if time.monotonic() > deadline:
                raise StillWaitingError(f"{what}: not there after {seconds * patience:.0f} s")
            time.sleep(max(0.05, _POLL_SECONDS * patience))


def error_of(call: Callable[[], Any]) -> Mapping[str, Any] | None:
    """The error with which AWS refuses a call; None if it does not."""
    try:
        call()
    except ClientError as error:
        return {**error.response, **error.response["Error"]}
    return None


def _enough(lines: list[Any], count: int) -> list[Any] | None:
    return lines if len(lines) >= count else None
