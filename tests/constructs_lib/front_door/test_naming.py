"""Names that stand for models, and models whose tokens are counted: what the function gets, and what is rejected."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.front_door.routed_models import Fallback, Mirror, Split
from tests.constructs_lib.front_door.doubles import endpoint, make_front_door, served_models

HUB_ID = "meta-llama/Llama-3.1-8B-Instruct"


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def problems(stack: Stack, **arguments: Any) -> list[str]:
    if "models" not in arguments:
        arguments["models"] = {"llama": endpoint(stack)}
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "FrontDoor", **arguments)
    assert stack.node.try_find_child("FrontDoor") is None
    return [line.removeprefix("  - ") for line in str(error.value).splitlines()[1:]]


def test_aliases_are_beside_the_models_in_the_file_of_the_function(stack: Stack) -> None:
    aliases = {"claude-*": "llama", "gpt-5.1": "llama", "*": "llama"}
    front_door = make_front_door(stack, model_aliases=aliases)
    aliases.clear()
    found = served_models(stack)
    assert found.pop("llama")["endpoint_name"] == "llama-8b"
    assert found == {"claude-*": {"alias": "llama"}, "gpt-5.1": {"alias": "llama"}, "*": {"alias": "llama"}}
    assert list(front_door.models) == ["llama"]


def test_an_alias_may_stand_for_an_adapter_that_every_answering_endpoint_has(stack: Stack) -> None:
    one = endpoint(stack, "one", adapter_components={"sql": "a", "chat": "b"})
    two = endpoint(stack, "two", adapter_components={"sql": "c"})
    (problem,) = problems(stack, models={"llama": Fallback([one, two])}, model_aliases={"a": "llama:chat"})
    assert "is no adapter that each endpoint of models['llama'] has: it has 'sql'." in problem
    make_front_door(stack, models={"llama": Fallback([one, two])}, model_aliases={"gpt-sql": "llama:sql"})
    assert served_models(stack)["gpt-sql"] == {"alias": "llama:sql"}


def test_the_models_whose_tokens_are_counted_say_so_at_each_of_their_endpoints(stack: Stack) -> None:
    one, two, copy, other = (endpoint(stack, name) for name in ("one", "two", "copy", "other"))
    routed = Mirror(Split({Fallback([one, two]): 1}), to=copy, percent=5)
    make_front_door(stack, models={"llama": routed, "other": other, "plain": other}, count_tokens=["llama", "other"])
    found = served_models(stack)
    mirror = found["llama"]["mirror"]
    counted = [*mirror["primary"]["split"][0]["to"]["fallback"], mirror["to"], found["other"]]
    assert [each["counts_tokens"] for each in counted] == [True] * 4
    assert "counts_tokens" not in found["plain"]


@pytest.mark.parametrize("arguments", [{}, {"model_aliases": {}, "count_tokens": []}])
def test_without_either_the_file_has_the_models_alone(stack: Stack, arguments: dict[str, Any]) -> None:
    make_front_door(stack, **arguments)
    assert list(served_models(stack)) == ["llama"]
    assert "counts_tokens" not in served_models(stack)["llama"]


NO_ALIAS = 'an alias must be a name, or how names begin and a star. Write "claude-*", or "*" for every name.'
MIDDLE = "has a star that is not at the end: it stands for the rest of a name. Write 'gpt*', or a whole name."
FIRST = "which counts first. Remove it: clients get that model, or its adapter, by this name."
CHARACTERS = "must be at most 128 printable ASCII characters without spaces, quotation marks and backslashes."
UNKNOWN_MODEL = "is no model of this front door, which has 'llama'."
NO_ADAPTER = "is no adapter that models['llama'] has: it has none. Name one of them, or the model itself."


@pytest.mark.parametrize(
    ("alias", "meant", "problem"),
    [
        ("", "llama", f"model_aliases='': {NO_ALIAS}"),
        (7, "llama", f"model_aliases=7: {NO_ALIAS}"),
        ("gpt*4", "llama", f"model_aliases='gpt*4': {MIDDLE}"),
        ("gpt**", "llama", f"model_aliases='gpt**': {MIDDLE}"),
        ("a b", "llama", f"model_aliases='a b': {CHARACTERS} Write the name as clients send it."),
        ('a"', "llama", f"model_aliases='a\"': {CHARACTERS} Write the name as clients send it."),
        ("llama", "llama", f"model_aliases='llama': is the name of a model, {FIRST}"),
        ("llama:*", "llama", f"model_aliases='llama:*': begins with the name of a model, and a colon, {FIRST}"),
        (HUB_ID, "llama", f"model_aliases='{HUB_ID}': is the hub id of a model, {FIRST}"),
        ("a", 7, f"model_aliases['a']=7: {UNKNOWN_MODEL} Name one of them."),
        ("a-*", "lama", f"model_aliases['a-*']='lama': {UNKNOWN_MODEL} Did you mean 'llama'?"),
        ("a", "llama:sql", f"model_aliases['a']='llama:sql': {NO_ADAPTER}"),
    ],
)
def test_an_alias_that_could_not_be_meant_is_rejected(stack: Stack, alias: Any, meant: Any, problem: str) -> None:
    assert problems(stack, model_aliases={alias: meant}) == [problem]


def test_names_must_be_known_at_synth(stack: Stack) -> None:
    token = CfnParameter(stack, "Name").value_as_string
    expected = "model_aliases=(known at deployment): must be known at synth, as it is written to a file of the function"
    models = {"llama": endpoint(stack)}
    for aliases in ({"a": token}, {token: "llama"}):
        assert problems(stack, models=models, model_aliases=aliases) == [f"{expected}. Write both names."]


def test_all_problems_are_reported_together(stack: Stack) -> None:
    aliases: dict[str, str] = {"claude-*": "lama", "": "qwen", "gpt*4": "llama"}
    found = problems(stack, model_aliases=aliases, count_tokens=["lama"], timeout=Duration.seconds(0))
    keywords = [
        "timeout",
        "count_tokens",
        "model_aliases['claude-*']",
        "model_aliases",
        "model_aliases['']",
        "model_aliases",
    ]
    assert [each.partition("=")[0] for each in found] == keywords


def test_a_hub_id_of_two_models_may_be_an_alias_as_it_is_the_name_of_neither(stack: Stack) -> None:
    make_front_door(stack, models={"a": endpoint(stack, "a"), "b": endpoint(stack, "b")}, model_aliases={HUB_ID: "b"})
    assert served_models(stack)[HUB_ID] == {"alias": "b"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            {"model_aliases": ["a"]},
            'model_aliases=[\'a\']: must be a mapping from names to models, not list. Write {"claude-*": "llama"}.',
        ),
        (
            {"count_tokens": "llama"},
            "count_tokens='llama': must be a list of names of models, not str. Write ['llama'].",
        ),
        (
            {"count_tokens": ["llama", "llama"]},
            "count_tokens=['llama', 'llama']: has 'llama' twice. Remove one of them.",
        ),
    ],
)
def test_what_is_neither_is_rejected(stack: Stack, arguments: dict[str, Any], problem: str) -> None:
    assert problems(stack, **arguments) == [problem]
