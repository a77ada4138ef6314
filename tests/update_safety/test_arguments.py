"""What CloudFormation does when an argument of a deployed app changes: docs/reference/what_a_change_does.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.update_safety import hazards
from tests.update_safety.async_cases import ASYNC
from tests.update_safety.documented_changes import EFFECTS, FOR_CALLERS, DocumentedChange, documented_changes
from tests.update_safety.endpoint_cases import ENDPOINT_SUBJECTS
from tests.update_safety.engine_cases import ENGINE_SUBJECTS
from tests.update_safety.fleet_cases import FLEET_SUBJECTS
from tests.update_safety.front_door_cases import FRONT_DOOR_SUBJECTS
from tests.update_safety.jumpstart_cases import JUMPSTART
from tests.update_safety.name_cases import IAM_NAMES
from tests.update_safety.neuron_cases import NEURON
from tests.update_safety.rollout_cases import ROLLOUT_SUBJECTS
from tests.update_safety.routing_cases import (
    ROUTING_SUBJECTS,
    SPLIT,
    alone,
    drained,
    fallback,
    half,
    mirror,
    more,
    split,
)
from tests.update_safety.staged_cases import STAGED
from tests.update_safety.subjects import Change, Subject
from tests.update_safety.template_changes import Json, changes
from tests.update_safety.vllm_cases import VLLM_ENDPOINT
from tests.update_safety.watch_cases import WATCH_SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECTS = (
    *ENDPOINT_SUBJECTS,
    *ROLLOUT_SUBJECTS,
    ASYNC,
    JUMPSTART,
    STAGED,
    *ENGINE_SUBJECTS,
    NEURON,
    VLLM_ENDPOINT,
    *FLEET_SUBJECTS,
    *FRONT_DOOR_SUBJECTS,
    *ROUTING_SUBJECTS,
    *WATCH_SUBJECTS,
    IAM_NAMES,
)
DOCUMENTED = {(row.of, row.argument): row for row in documented_changes()}
CASES = [(subject, argument) for subject in SUBJECTS for argument in subject.cases]

FOR_SECONDS = "for seconds"
OLD_INSTANCES = "the old instances"


def templates(subject: Subject, change: Change) -> tuple[Json, Json]:
    """Before and after."""
    return subject.render(change.before), subject.render(change.after)


def found(subject: Subject, change: Change) -> str:
    """What happens to the endpoint, by the templates and by what is known of SageMaker."""
    before, after = templates(subject, change)
    refused = [*hazards.refused_changes(before, after), *hazards.colliding_names(before, after)]
    return "update refused" if change.refused or refused else hazards.effect_on_endpoint(before, after)


@pytest.mark.parametrize("subject", [each for each in SUBJECTS if each.takes], ids=lambda each: each.name)
def test_every_argument_has_a_change_here_and_a_row_in_the_table(subject: Subject) -> None:
    arguments = subject.arguments()
    tested = {argument for each in SUBJECTS if each.name == subject.name for argument in each.cases}
    assert set(arguments) - tested == set(), f"add a change of it to the cases of {subject.name}"
    documented = {argument for of, argument in DOCUMENTED if of == subject.name}
    assert set(arguments) - documented == set(), "add it to docs/reference/what_a_change_does.md"


def test_every_row_of_the_table_is_tested_and_uses_the_words_of_the_table() -> None:
    tested = {(subject.name, argument) for subject, argument in CASES}
    assert DOCUMENTED.keys() == tested
    for row in DOCUMENTED.values():
        assert row.endpoint in EFFECTS, row
        assert row.callers in FOR_CALLERS, row


def test_the_table_has_no_argument_twice() -> None:
    assert len(documented_changes()) == len(DOCUMENTED)


@pytest.mark.parametrize(("subject", "argument"), CASES, ids=[f"{each.name}-{argument}" for each, argument in CASES])
def test_a_changed_argument_does_what_the_table_says_and_nothing_unsafe(subject: Subject, argument: str) -> None:
    row: DocumentedChange = DOCUMENTED[subject.name, argument]
    effects, callers, seconds, old_instances = set(), set[str](), [], []
    for change in subject.cases[argument]:
        before, after = templates(subject, change)
        assert changes(before, after), "the change has to be one"
        effects.add(found(subject, change))
        if row.endpoint == "update refused":
            continue
        assert hazards.all_hazards(before, after) == []
        callers |= hazards.effect_on_callers(before, after)
        seconds += hazards.interruptions(before, after)
        old_instances += hazards.moved_policies(before, after)
    assert effects == {row.endpoint}
    assert callers == set() if row.callers == "stay" else callers == set(row.callers.split(", "))
    assert bool(seconds) == (FOR_SECONDS in row.text), seconds
    assert bool(old_instances) == (OLD_INSTANCES in row.text), old_instances


@pytest.mark.parametrize(
    ("before", "after"), [(split, half), (half, drained), (mirror, more)], ids=["weights", "weight 0", "percent"]
)
def test_shares_are_changed_by_the_layer_and_the_functions_that_have_it_alone(
    before: Callable[[Any], Any], after: Callable[[Any], Any]
) -> None:
    changed = changes(SPLIT.render(before), SPLIT.render(after))
    assert {one.resource_type for one in changed} == {"AWS::Lambda::LayerVersion", "AWS::Lambda::Function"}
    assert {one.reason for one in changed if one.resource_type == "AWS::Lambda::Function"} == {"Layers"}


@pytest.mark.parametrize(
    ("before", "after"),
    [(alone, split), (split, alone), (alone, fallback), (fallback, alone), (alone, mirror), (mirror, alone)],
)
def test_nothing_of_an_endpoint_changes_with_what_is_around_it(
    before: Callable[[Any], Any], after: Callable[[Any], Any]
) -> None:
    changed = changes(SPLIT.render(before), SPLIT.render(after))
    assert changed
    assert [one for one in changed if one.resource_type.startswith("AWS::SageMaker::")] == []
