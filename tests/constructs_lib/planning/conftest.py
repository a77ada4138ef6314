"""A valid request, which tests change in one respect at a time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice, parse_version
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointPlan, EndpointRequest, plan

LLAMA = ModelChoice(source="hub", hub_id="meta-llama/Llama-3.1-8B-Instruct", has_token=True)
EVERY_VERSION = replace(LLAMA, facts=replace(LLAMA.known_facts(), rope=None, kv_heads=32))
"""The same with nothing that versions before 2.2 do not read."""


def planned(*, version: str | None = None, hub_id: str | None = None, **changes: Any) -> EndpointPlan:
    if version is not None:
        changes["image"] = ImageChoice(version=version)
        changes.setdefault(
            "model", EVERY_VERSION if (parse_version(version) or TGI.images.newest_version) < (2, 2, 0) else LLAMA
        )
    if hub_id is not None:
        changes["model"] = ModelChoice(source="hub", hub_id=hub_id, has_token=True)
    if isinstance(changes.get("options"), dict):
        changes["options"] = TgiOptions(**changes["options"])
    return plan(EndpointRequest(**{"engine": TGI, "model": LLAMA, "instance": InstanceType.G5_2XLARGE} | changes))


@pytest.fixture
def planning() -> Callable[..., EndpointPlan]:
    """Plans a valid request with the changes given; `options` may be a dict."""
    return planned


@pytest.fixture
def refusals() -> Callable[..., list[str]]:
    """The message of every problem of such a plan."""
    return lambda **changes: [str(problem) for problem in planned(**changes).problems]


@pytest.fixture
def warnings() -> Callable[..., list[str]]:
    """The ids of every warning of such a plan, which has no problem."""

    def ids(**changes: Any) -> list[str]:
        result = planned(**changes)
        assert result.problems == ()
        return [warning.id for warning in result.warnings]

    return ids
