"""Dashboard: one look at the front doors and endpoints of a stack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib._arguments import type_name
from constructs_lib._lazy import late_string
from constructs_lib._tokens import hide_token, is_token
from constructs_lib.endpoint.interface import EndpointResource
from constructs_lib.errors import raise_if_any
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.monitoring.contents import describe
from constructs_lib.planning.monitoring.alarm import RUNBOOK
from constructs_lib.planning.monitoring.panels import dashboard_widgets
from constructs_lib.planning.monitoring.thresholds import runbook_problems
from constructs_lib.planning.monitoring.widgets import dashboard_body
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


class Dashboard(Construct):
    """A CloudWatch dashboard that says whether models are up, how fast, how full, who uses them and what they cost.

    It is drawn at synthesis, from what there is then: models, scaling, and the alarms that `monitor` has added. Its
    table of consumers is a query of CloudWatch Logs Insights, which is billed by what it reads each time that somebody
    opens the dashboard.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        front_doors: The front doors. Default: all of the stack, at synthesis.
        endpoints: The endpoints and fleets, besides those of the front doors. Default: all of the stack, at synthesis.
        runbook: Where your people find the runbook; an address becomes a link. Default: `docs/operations.md`, of this
            project.
        dashboard_name: Its name, 1 to 255 letters, digits, hyphens and underscores, which is unique in all Regions of
            an account; a changed name replaces it. Default: CloudFormation chooses one.

    Raises:
        ConfigurationError: An argument is wrong; it lists all that are.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        front_doors: Sequence[FrontDoor] | None = None,
        endpoints: Sequence[EndpointResource] | None = None,
        runbook: str = RUNBOOK,
        dashboard_name: str | None = None,
    ) -> None:
        problems = [
            *_list_problems("front_doors", front_doors, FrontDoor, "a FrontDoor"),
            *_list_problems("endpoints", endpoints, EndpointResource, "an endpoint or a ModelFleet"),
            *runbook_problems(hide_token(runbook)),
            *_name_problems(dashboard_name),
        ]
        raise_if_any(scope, id, problems)
        super().__init__(scope, id)
        self._front_doors, self._endpoints, self._runbook = front_doors, endpoints, runbook
        self._dashboard = cloudwatch.CfnDashboard(
            self,
            "Resource",
            dashboard_body=late_string(lambda: self._body),
            dashboard_name=dashboard_name,
        )

    @property
    def dashboard_name(self) -> str:
        """Its name."""
        return self._dashboard.ref

    @cached_property
    def _body(self) -> str:
        """The body as JSON. Asked for only at synthesis, when nothing is added any more."""
        stack = Stack.of(self)
        found = [] if self._front_doors is not None and self._endpoints is not None else stack.node.find_all()
        doors = [one for one in found if isinstance(one, FrontDoor)] if self._front_doors is None else self._front_doors
        endpoints = (
            [one for one in found if isinstance(one, EndpointResource)] if self._endpoints is None else self._endpoints
        )
        shown = describe(stack, doors=doors, endpoints=endpoints, runbook=self._runbook)
        return stack.to_json_string(dashboard_body(dashboard_widgets(shown), stack.region))


def _list_problems(keyword: str, given: object, kind: type, words: str) -> Iterator[Problem]:
    if given is None:
        return
    if isinstance(given, str) or not isinstance(given, Sequence):
        message = f"must be a list whose every item is {words}, not {type_name(given)}"
        yield Problem(keyword, given, message, "Put it in a list: […].")
        return
    for index, one in enumerate(given):
        if not isinstance(one, kind):
            message = f"must be {words}, not {type_name(one)}"
            yield Problem(f"{keyword}[{index}]", one, message, "Give the construct, or leave the argument out.")


def _name_problems(name: object) -> Iterator[Problem]:
    if name is not None and not is_token(name) and not (isinstance(name, str) and _NAME.fullmatch(name)):
        message = "must have 1 to 255 letters, digits, hyphens and underscores"
        yield Problem("dashboard_name", name, message, "Leave it out, and CloudFormation chooses one.")
