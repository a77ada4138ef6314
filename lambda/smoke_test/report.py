"""The reason that CloudFormation shows when the test has failed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smoke_test.models import ModelFailure

MAX_BYTES = 1450
"""CloudFormation takes 4096 bytes of an answer, and shows the reason with the resource's name around it."""
_MAX_MESSAGE = 300
_MAX_NAMES = 150
_MAX_CODE = 60

# By partition; the isolated ones have no public console.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-eusc": "console.amazonaws-eusc.eu",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def failure_reason(failure: ModelFailure, properties: dict[str, Any], *, stack_id: str) -> str:
    """What failed, where to look, and the likeliest causes by the plan, in at most `MAX_BYTES`.

    Args:
        failure: What failed.
        properties: The properties of the custom resource.
        stack_id: The ARN of the stack, whose partition decides where the console is.
    """
    begin = _begin(failure)
    # Variants of one endpoint have the log and the causes of the endpoint.
    of = properties["Test"].get("Targets", {}).get(failure.model, {}).get("Of", failure.model)
    partition = stack_id.split(":")[1] if stack_id.count(":") >= 5 else ""
    logs = [("front door", properties.get("FrontDoorLogs")), ("model", properties.get("Logs", {}).get(of))]
    end = "".join(f" Log of the {what}: {_link(str(group), partition)}" for what, group in logs if group)
    room = MAX_BYTES - len(begin.encode()) - len(end.encode())
    return begin + _causes(properties.get("Causes", {}).get(of, []), room) + end


def _begin(failure: ModelFailure) -> str:
    last = failure.last
    times = "once" if failure.attempts == 1 else f"{failure.attempts} times in {failure.seconds} s"
    kind = _cut(last.kind, _MAX_CODE)
    got = kind if last.status is None else f"{last.status} {kind}"
    cause = "" if last.cause is None else f" ({_cut(last.cause, _MAX_CODE)})"
    others = ""
    if failure.others:
        others = f" Without an answer as well: {_cut(', '.join(failure.others), _MAX_NAMES)}."
    message = _cut(last.message.strip().rstrip("."), _MAX_MESSAGE)
    return f"Smoke test: {failure.model} returned no token, asked {times}. Last: {got}{cause}: {message}.{others}"


def _causes(causes: list[str], room: int) -> str:
    """As many of the causes as there is room for."""
    text = " Likeliest causes:"
    shown = ""
    for number, cause in enumerate(causes, start=1):
        longer = f"{shown} {number}. {cause}"
        if len((text + longer).encode()) > room:
            break
        shown = longer
    return text + shown if shown else ""


def _link(group: str, partition: str) -> str:
    """The log group in the console, or its name where there is none."""
    host, region = _CONSOLES.get(partition), os.environ.get("AWS_REGION")
    if host is None or region is None:
        return group
    # The console takes the slashes of a name percent-encoded twice, with $ for %.
    fragment = f"logsV2:log-groups/log-group/{group.replace('/', '$252F')}"
    return f"https://{region}.{host}/cloudwatch/home?region={region}#{fragment}"


def _cut(text: str, max_bytes: int) -> str:
    data = text.encode(errors="replace")
    return data.decode() if len(data) <= max_bytes else data[: max_bytes - 3].decode(errors="ignore") + "…"
