"""Stacks that the last release deployed take today's templates without losing anything."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from front_door import config

from scripts.logical_ids import examples
from scripts.logical_ids.pinned import RELEASED, RELEASED_STACKS, deployed
from tests.update_safety import hazards
from tests.update_safety.template_changes import Action, changes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.update_safety.template_changes import Json

# What may be created anew, or go, whenever the template changes: nobody has its name.
VERSIONS = {
    "AWS::ApiGateway::Deployment",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::Model",
}
# What this version replaces on purpose, as CHANGELOG.md says: the authorizer of tokens has an id of its own, and each
# authorizer's role has its policy in itself.
MEANT = {"Jwt": "ApiAuthorizerFunction"}
_MOVED = re.compile(r"(FrontDoor)?ApiAuthorizer\w*FunctionRoleDefaultPolicy\w{8}")


@cache
def released() -> dict[str, Json]:
    found: dict[str, Json] = json.loads(RELEASED.read_text(encoding="utf-8"))
    return found


@cache
def today() -> dict[str, Json]:
    return {name: deployed(each) for name, each in {**examples.app_stacks(), **examples.own_stacks()}.items()}


def test_the_templates_of_the_last_release_are_those_that_are_kept() -> None:
    assert tuple(released()) == RELEASED_STACKS


@pytest.mark.parametrize("stack", RELEASED_STACKS)
def test_an_update_keeps_endpoint_api_stage_keys_and_names(stack: str) -> None:
    before, after = released()[stack], today()[stack]
    assert hazards.effect_on_endpoint(before, after) in ("unchanged", "updated in place")
    assert hazards.effect_on_callers(before, after) == set()
    lost = [
        change
        for change in changes(before, after)
        if change.action in (Action.REPLACE, Action.DELETE, Action.REFUSE)
        and change.resource_type not in VERSIONS
        and not change.logical_id.startswith(MEANT.get(stack, "-"))
        and not _MOVED.fullmatch(change.logical_id)
    ]
    assert lost == []


@pytest.mark.parametrize("stack", RELEASED_STACKS)
def test_an_update_brings_no_hazard_and_no_interruption(stack: str) -> None:
    before, after = released()[stack], today()[stack]
    assert hazards.all_hazards(before, after) == []
    assert hazards.interruptions(before, after) == []
    assert hazards.moved_policies(before, after) == []


def test_the_functions_code_starts_with_the_environment_of_the_last_release(tmp_path: Path) -> None:
    """Lambda changes code and environment one after the other, each for all new sandboxes."""
    functions = [
        each["Properties"]
        for each in released()["LlamaTgiStack"]["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function" and "front_door" in each["Properties"]["Handler"]
    ]
    (variables,) = (each["Environment"]["Variables"] for each in functions)
    models = tmp_path / "models.json"
    entry = {"endpoint_name": {"deployed": 0}, "engine": "tgi", "model_id": "a/b", "max_body_bytes": 6291456}
    models.write_text(json.dumps({"llama": entry}), encoding="utf-8")
    environment: dict[str, Any] = {
        key: value if isinstance(value, str) else "known" for key, value in variables.items()
    }
    given = environment | {"MODELS_FILE": str(models), "AWS_REGION": "eu-west-1", "DEPLOYED_VALUES": "llama-endpoint"}
    assert config.from_environment(given).models["llama"].endpoint_name == "llama-endpoint"
