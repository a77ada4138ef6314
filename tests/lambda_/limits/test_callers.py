"""The file of callers, and what the function's environment says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from front_door.callers import Caller, read_callers
from front_door.config import Config, ConfigError, from_environment

from tests.lambda_.limits.conftest import by_key

MODELS = {
    "llama": {"endpoint_name": {"deployed": 0}, "max_body_bytes": 1},
    "falcon": {"endpoint_name": "falcon", "max_body_bytes": 1},
}
FILE = {
    "consumers": {
        "team-a": {"keys": [{"deployed": 1}, {"deployed": 2}], "models": ["llama"], "concurrent_streams": 2},
        "team-b": {"keys": [{"deployed": 3}], "tokens_per_minute": 1, "tokens_per_day": 2, "tokens_per_month": 3},
    },
    "on_store_failure": "closed",
}
SCOPES = {"scopes": {"llm:llama": ["llama"]}, "on_store_failure": "open"}


def read(folder: Path, callers: object, **environment: str | None) -> Config:
    for name, content in (("models", MODELS), ("callers", callers)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    variables = {
        "MODELS_FILE": str(folder / "models.json"),
        "CALLERS_FILE": str(folder / "callers.json"),
        "DEPLOYED_VALUES": "llama-endpoint key-1 key-2 key-3",
        "LIMITS_TABLE": "limits",
        "DYNAMODB_URL": "https://dynamodb.eu-west-1.amazonaws.com",
        "SAGEMAKER_RUNTIME_URL": "https://runtime.sagemaker.eu-west-1.amazonaws.com",
        "SAGEMAKER_URL": "https://api.sagemaker.eu-west-1.amazonaws.com",
        "AWS_REGION": "eu-west-1",
        **environment,
    }
    return from_environment({name: value for name, value in variables.items() if value is not None})


def test_it_has_each_consumer_by_each_of_its_keys(tmp_path: Path) -> None:
    config = read(tmp_path, FILE)
    assert config.callers is not None
    team_a = Caller("team-a", frozenset({"llama"}), {"concurrent_streams": 2})
    team_b = Caller("team-b", None, {"tokens_per_minute": 1, "tokens_per_day": 2, "tokens_per_month": 3})
    assert config.callers.consumers == {"key-1": team_a, "key-2": team_a, "key-3": team_b}
    assert config.callers.fails_closed
    assert config.callers.caller_of({"requestContext": by_key("key-2")}) == team_a
    assert config.models["llama"].endpoint_name == "llama-endpoint"
    assert (config.limits_table, config.dynamodb_url) == ("limits", "https://dynamodb.eu-west-1.amazonaws.com")


def test_the_sdks_variable_takes_precedence(tmp_path: Path) -> None:
    config = read(tmp_path, FILE, AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:1", DYNAMODB_URL=None)
    assert config.dynamodb_url == "http://127.0.0.1:1"


def test_without_a_file_whoever_is_let_in_may_call_all(tmp_path: Path) -> None:
    config = read(tmp_path, {}, CALLERS_FILE=None, DEPLOYED_VALUES="llama-endpoint")
    assert (config.callers, config.limits_table) == (None, "")


def test_without_a_file_nothing_of_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text(json.dumps({"falcon": {**MODELS["falcon"], "max_body_bytes": 1000}}))
    program = (
        "import os, sys\n"
        "from types import SimpleNamespace\n"
        "from front_door.app import App\n"
        "from front_door.config import from_environment\n"
        "event = {'httpMethod': 'POST', 'path': '/generate', 'headers': {'Content-Type': 'application/json'},\n"
        "         'body': '{\"inputs\": \"Hi\"}'}\n"
        "invocation = SimpleNamespace(request_id='1', deadline=0, is_buffered=False)\n"
        "response = App(from_environment(os.environ)).handle(event, invocation)\n"
        "assert response.status == 503 and isinstance(response.body, list), response\n"
        "assert not [name for name in sys.modules if name.startswith(('front_door.limits', 'front_door.callers'))]\n"
    )
    environment = {
        "MODELS_FILE": str(tmp_path / "models.json"),
        "SAGEMAKER_RUNTIME_URL": "http://127.0.0.1:1",
        "SAGEMAKER_URL": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "PYTHONPATH": str(Path(__file__).parents[3] / "lambda"),
    }
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_without_limits_there_is_no_table(tmp_path: Path) -> None:
    names = {"DEPLOYED_VALUES": "llama-endpoint", "LIMITS_TABLE": None, "DYNAMODB_URL": None}
    config = read(tmp_path, SCOPES, **names)
    assert config.callers is not None
    assert (config.callers.consumers, config.limits_table) == (None, "")


def test_the_function_of_a_mirror_has_no_callers(tmp_path: Path) -> None:
    copied = {"primary": {**MODELS["falcon"], "target": "a"}, "to": {**MODELS["falcon"], "target": "b"}, "percent": 1}
    (tmp_path / "mirrored.json").write_text(json.dumps({"falcon": {"mirror": copied}}))
    callers = {"consumers": {"team-a": {"keys": ["key"], "tokens_per_day": 1}}, "on_store_failure": "open"}
    config = read(tmp_path, callers, MODELS_FILE=str(tmp_path / "mirrored.json"), DEPLOYED_VALUES="", MIRROR="on")
    assert (config.is_mirror, config.callers) == (True, None)


@pytest.mark.parametrize("values", ["llama-endpoint key-1 key-2", "llama-endpoint key-1 key-2 key-3 more"])
def test_the_values_of_the_deployment_are_those_of_both_files(tmp_path: Path, values: str) -> None:
    count = len(values.split())
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, FILE, DEPLOYED_VALUES=values)
    files = f"{tmp_path}/models.json and {tmp_path}/callers.json"
    assert str(caught.value) == f"{files} refer to 4 values, and DEPLOYED_VALUES has {count}."


@pytest.mark.parametrize("name", ["LIMITS_TABLE", "DYNAMODB_URL"])
def test_limits_need_a_table(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"^'{name}' is missing from the function's environment.$"):
        read(tmp_path, FILE, **{name: None})


FORM = "The file of callers needs `consumers` or `scopes`, and `on_store_failure`: open or closed."
KEYS = "A key of the consumer b has no id, or is another's too."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"on_store_failure": "open"}, FORM),
        ({**SCOPES, "consumers": {}}, FORM),
        ({**SCOPES, "on_store_failure": "ajar"}, FORM),
        ({"scopes": {}}, FORM),
        (
            {"consumers": {"a": {"keys": ["1"], "models": ["llama", "lama"]}}, "on_store_failure": "open"},
            "Callers may call models that there are not: lama.",
        ),
        ({**SCOPES, "scopes": {"s": ["lama"]}}, "Callers may call models that there are not: lama."),
        ({"consumers": {"a": {"keys": ["1"]}, "b": {"keys": ["1"]}}, "on_store_failure": "open"}, KEYS),
        ({"consumers": {"b": {"keys": [None]}}, "on_store_failure": "open"}, KEYS),
        (
            {"consumers": {"a": {"keys": [], "tokens_per_day": 0}}, "on_store_failure": "open"},
            "tokens_per_day of the consumer a is no limit, or 0 no whole number from 1.",
        ),
        (
            {"consumers": {"a": {"keys": [], "tokens_per_hour": 1}}, "on_store_failure": "open"},
            "tokens_per_hour of the consumer a is no limit, or 1 no whole number from 1.",
        ),
        (
            {"consumers": {"a": {"keys": [], "tokens_per_day": True}}, "on_store_failure": "open"},
            "tokens_per_day of the consumer a is no limit, or True no whole number from 1.",
        ),
    ],
)
def test_a_file_of_another_form_is_an_error_of_the_deployment(content: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_callers(content, ["llama"])
    assert str(caught.value) == message


def test_a_file_that_is_no_object_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^CALLERS_FILE is not what a FrontDoor writes: "):
        read(tmp_path, [], DEPLOYED_VALUES="llama-endpoint")
