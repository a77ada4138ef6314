"""The changes of what a company prescribes about names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aspects, Stack

from constructs_lib import IamNames
from tests.update_safety.front_door_cases import add_front_door
from tests.update_safety.subjects import Change, Subject, added, change, fixed, nothing

if TYPE_CHECKING:
    from tests.update_safety.subjects import Given


def add_named(stack: Stack, given: Given) -> None:
    """A front door with an endpoint, whose roles and policies have prescribed names if any are given."""
    add_front_door(stack, {})
    if given:
        Aspects.of(stack).add(IamNames(**given))


_ON = fixed(path="/team/", prefix="team-")

IAM_NAMES = Subject(
    "IamNames",
    add_named,
    {
        "on or off": [Change(nothing, _ON), Change(_ON, nothing)],
        "path": [
            added("path", "/team/", prefix="team-"),
            change("path", "/one/", "/two/"),
            change("path", "/one/", "/two/", prefix="team-"),
        ],
        "prefix": [added("prefix", "team-", path="/team/"), change("prefix", "one-", "two-")],
    },
    takes=IamNames.__init__,
)
