"""The logical ids of deployed resources stay: another one is another resource, and the old one is deleted."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import pytest

from scripts.logical_ids import examples
from scripts.logical_ids.pinned import PINNED, logical_ids, read, render
from tests.update_safety.consequences import CONSEQUENCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.logical_ids.pinned import Ids

HOW_TO_ACCEPT = """
Keep the construct ids, or override the logical id. If everybody who has deployed such a stack is meant to get this, say
so in CHANGELOG.md with what they have to do, and run: python -m scripts.logical_ids"""


def broken(pinned: Ids, now: Ids) -> list[str]:
    """What those who have deployed a stack would lose, in words."""
    found = []
    for name, resource_type in pinned.items():
        consequence = f"{resource_type}: {CONSEQUENCES[resource_type]}"
        if name not in now:
            found.append(f"{name} is gone or has another id ({consequence})")
        elif now[name] != resource_type:
            found.append(f"{name} is now an {now[name]}, which CloudFormation refuses ({consequence})")
    return found


def check(pinned: Mapping[str, Ids], templates: Mapping[str, examples.Template]) -> None:
    """Fails with everything that would be lost in any of the stacks."""
    losses = {name: broken(pinned[name], logical_ids(template)) for name, template in templates.items()}
    lines = [f"{name}: {loss}" for name, each in losses.items() for loss in each]
    if lines:
        pytest.fail("\n".join([*lines, HOW_TO_ACCEPT]), pytrace=False)


@cache
def pinned() -> dict[str, Ids]:
    return read(PINNED.read_text(encoding="utf-8"))


def test_no_resource_of_this_apps_stacks_has_another_id() -> None:
    check(pinned(), examples.app_stacks())


def test_no_resource_of_any_way_to_use_the_constructs_has_another_id() -> None:
    check(pinned(), examples.own_stacks())


@pytest.mark.slow
def test_no_resource_of_an_app_with_everything_has_another_id() -> None:
    check(pinned(), examples.everything())


def test_every_example_is_pinned() -> None:
    assert set(examples.EXAMPLES) | {"LlamaTgiStack", "FrontDoorStack", "Everything"} <= pinned().keys()


def test_every_type_that_is_pinned_has_a_consequence_in_words() -> None:
    types = {resource_type for ids in pinned().values() for resource_type in ids.values()}
    assert types - CONSEQUENCES.keys() == set()


API, KEY = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::ApiKey"


def test_a_missing_id_is_reported_with_what_it_means_and_how_to_accept_it() -> None:
    template = {"Resources": {"Api": {"Type": API}, "Other": {"Type": KEY}}}
    with pytest.raises(pytest.fail.Exception) as raised:
        check({"Team": {"Api": API, "Key": KEY}}, {"Team": template})
    assert str(raised.value).splitlines()[0] == (
        "Team: Key is gone or has another id (AWS::ApiGateway::ApiKey: the consumer gets another API key, and the old"
        " one stops working)"
    )
    assert str(raised.value).endswith("and run: python -m scripts.logical_ids")


def test_another_type_is_reported_as_what_cloudformation_refuses() -> None:
    (loss,) = broken({"Api": API}, {"Api": KEY})
    assert loss == (
        "Api is now an AWS::ApiGateway::ApiKey, which CloudFormation refuses (AWS::ApiGateway::RestApi: the URL"
        " changes, and with the API all API keys and usage plans lose their stage)"
    )


def test_a_new_resource_is_no_failure() -> None:
    check({"Team": {"Api": API}}, {"Team": {"Resources": {"Api": {"Type": API}, "New": {"Type": KEY}}}})


def test_the_fingerprint_of_a_deployment_and_the_metadata_of_the_cdk_are_not_pinned() -> None:
    deployment, metadata = "AWS::ApiGateway::Deployment", "AWS::CDK::Metadata"
    resources = {"Deploymentabcdef01234512345678": {"Type": deployment}, "CDKMetadata": {"Type": metadata}}
    assert logical_ids({"Resources": resources}) == {"Deployment": deployment}


def test_stacks_with_the_same_resources_share_an_entry() -> None:
    stacks = {"B": {"Api": API}, "A": {"Api": API}, "C": {"Key": KEY}}
    text = render(stacks)
    assert [entry["stacks"] for entry in json.loads(text)] == [["A", "B"], ["C"]]
    assert read(text) == stacks
