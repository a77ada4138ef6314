"""The command `serve`: its JSON line and its arguments."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from local.apigateway.api import ApiKey, RestApi
from local.client import ApiClient
from local.commands.serve import connection_details, read_fault
from local.errors import UserError
from local.session import stack_names
from tests.local.apigateway.doubles import build_api, build_keyed_api


def line(api: RestApi) -> dict[str, Any]:
    cloud: Any = SimpleNamespace(url="http://127.0.0.1:1/prod", client=ApiClient(api))
    details: dict[str, Any] = json.loads(json.dumps(connection_details(cloud, ["llama"])))
    return details


def test_the_line_of_serve_lists_the_keys_of_several_consumers() -> None:
    one, two = ApiKey(id="1", name="team-a", value="a" * 20), ApiKey(id="2", name="team-b", value="b" * 20)
    again, nameless = ApiKey(id="3", name="team-b", value="c" * 20), ApiKey(id="4", value="d" * 20)
    assert line(build_api()) == {"url": "http://127.0.0.1:1/prod", "api_key": None, "models": ["llama"]}
    assert line(build_keyed_api(one)) == {"url": "http://127.0.0.1:1/prod", "api_key": "a" * 20, "models": ["llama"]}
    assert line(build_keyed_api(one, two))["api_keys"] == {"team-a": "a" * 20, "team-b": "b" * 20}
    assert line(build_keyed_api(one, two, again, nameless))["api_keys"] == {
        "team-a": "a" * 20,
        "2": "b" * 20,
        "3": "c" * 20,
        "4": "d" * 20,
    }


def test_stack_names_are_separated_by_commas_or_spaces_without_duplicates() -> None:
    assert stack_names("LlamaTgiStack") == ["LlamaTgiStack"]
    assert stack_names("A, B A,,C") == ["A", "B", "C"]
    with pytest.raises(UserError, match=r"STACK=,: must name a stack\."):
        stack_names(",")


@pytest.mark.parametrize("name", ["earthquake", "refused"])
def test_a_fault_that_cannot_be_injected_into_every_call_is_an_error(name: str) -> None:
    with pytest.raises(UserError, match=f"--fault {name}: cannot be injected into every call."):
        read_fault(name)
