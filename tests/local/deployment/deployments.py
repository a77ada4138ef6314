"""Stacks that are deployed without the CDK CLI."""

from __future__ import annotations

import json
import time
from typing import Any

from local.deployment.control_plane import ControlPlane

SECONDS = 60.0


class StackFailedError(Exception):
    """An operation has failed; the text names the first resource that did, and its reason."""


def create(plane: ControlPlane, template: dict[str, Any], name: str = "Scaled") -> None:
    """Creates a stack."""
    plane.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    _settle(plane, name, "CREATE_COMPLETE", since=0)


def update(plane: ControlPlane, template: dict[str, Any], name: str = "Scaled") -> None:
    """Updates a stack."""
    since = len(events(plane, name))
    plane.client("cloudformation").update_stack(StackName=name, TemplateBody=json.dumps(template))
    _settle(plane, name, "UPDATE_COMPLETE", since=since)


def delete(plane: ControlPlane, name: str = "Scaled") -> None:
    """Deletes a stack."""
    cloudformation = plane.client("cloudformation")
    stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    since = len(events(plane, name))
    cloudformation.delete_stack(StackName=name)
    _settle(plane, stack_id, "DELETE_COMPLETE", since=since)


def status_of(plane: ControlPlane, name: str) -> str:
    """The status of a stack."""
    status: str = plane.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    return status


def events(plane: ControlPlane, name: str) -> list[tuple[str, str, str]]:
    """The events of a stack, oldest first: logical id, status and reason."""
    pages = plane.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=name)
    found = [event for page in pages for event in page["StackEvents"]]
    return [
        (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
        for event in reversed(found)
    ]


def wait(plane: ControlPlane, name: str) -> str:
    """Waits until no operation runs; returns the status of the stack."""
    deadline = time.monotonic() + SECONDS
    while (status := status_of(plane, name)).endswith("_IN_PROGRESS"):
        assert time.monotonic() < deadline, status
        time.sleep(0.02)
    return status


def _settle(plane: ControlPlane, name: str, expected: str, *, since: int) -> None:
    if wait(plane, name) != expected:
        failed = (event for event in events(plane, name)[since:] if event[1].endswith("_FAILED"))
        logical_id, _, reason = next(failed, ("stack", "", "it has rolled back without a failed resource"))
        raise StackFailedError(f"{logical_id}: {reason}")
