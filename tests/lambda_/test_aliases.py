"""Names that stand for models: which model a request gets; caller, log and path are those of the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from front_door.config import Config, ConfigError

from tests.lambda_.conftest import FALCON, LLAMA, ApiClient
from tests.lambda_.protocols.openai.events import ANSWER, HI
from tests.lambda_.routing import entries
from tests.lambda_.sagemaker_double import SageMakerDouble, parts

HUB_ID = "meta-llama/Llama-3.1-8B-Instruct"
ALIASES = {
    "claude-*": "llama",
    "claude-opus-*": "falcon",
    "claude-opus-4": "llama",
    "us.anthropic.claude:0": "falcon",
    "sql": "falcon:sql",
}
ADAPTED = replace(FALCON, adapters={"sql": None})


def config(**settings: Any) -> Config:
    return Config({"llama": LLAMA, "falcon": ADAPTED}, "", "", "", **{"aliases": ALIASES, **settings})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("claude-3-haiku", "llama"),
        ("claude-", "llama"),
        ("claude", None),
        ("Claude-3", None),
        ("claude-opus-5", "falcon"),
        ("claude-opus-4", "llama"),
        ("claude-opus-4:thinking", "falcon"),
        ("claude-*", "llama"),
        ("us.anthropic.claude:0", "falcon"),
        ("us.anthropic.claude", None),
        ("sql", "falcon:sql"),
        ("llama", "llama"),
        (HUB_ID, "llama"),
        ("falcon:sql", "falcon:sql"),
        ("falcon:other", None),
        ("", None),
        ("gpt-5", None),
    ],
)
def test_an_alias_stands_for_a_model_after_names_and_before_the_shorter_beginnings(
    name: str, meant: str | None
) -> None:
    found = config().model(name)
    assert (found and found.full_name) == meant


def test_a_lone_star_stands_for_every_name_but_those_of_models_and_what_looks_like_their_adapters() -> None:
    every = config(aliases={"*": "llama"})
    names = ["gpt-5", "falcon", "falcon:sql", "falcon:other"]
    found = [every.model(name) for name in names]
    assert [model and model.full_name for model in found] == ["llama", "falcon", "falcon:sql", None]


def test_aliases_are_read_from_the_file_of_models_and_are_no_models(tmp_path: Path) -> None:
    read = entries.read(tmp_path, llama=entries.split(blue=1, green=1), **{"gpt-*": {"alias": "llama"}})
    assert list(read.models) == ["llama"]
    assert read.only_model is read.models["llama"] is read.model("gpt-5")


def test_an_alias_of_no_model_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Aliases stand for models that there are not: lama, lama:sql\."):
        entries.read(tmp_path, llama=entries.endpoint("a"), a={"alias": "lama"}, b={"alias": "lama:sql"})


@pytest.fixture
def aliased(api_for: Callable[..., ApiClient]) -> ApiClient:
    made = api_for(LLAMA, ADAPTED)
    made.app._config = replace(made.app._config, aliases=ALIASES)
    return made


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {**HI, "model": "claude-opus-5"}),
        ("/models/claude-opus-5/v1/chat/completions", HI),
    ],
)
def test_body_and_path_may_name_a_model_by_an_alias_and_the_log_has_the_model(
    aliased: ApiClient, sagemaker: SageMakerDouble, path: str, body: dict[str, Any]
) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    assert aliased.send(path, body).status == 200
    assert sagemaker.received[0].path == "/endpoints/falcon-endpoint/invocations-response-stream"
    (line,) = aliased.log()
    assert line["Model"] == "falcon"
    assert "claude" not in json.dumps(line)


def test_an_adapter_may_be_named_behind_the_alias_of_its_model(aliased: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*ANSWER))
    aliased.app._config = replace(aliased.app._config, aliases={"gpt-5": "falcon"})
    assert aliased.send("/v1/chat/completions", {**HI, "model": "gpt-5:sql"}).status == 200
    assert aliased.log()[0]["adapter"] == "sql"


def test_aliases_are_not_listed_and_are_found_by_their_names(aliased: ApiClient) -> None:
    assert [each["id"] for each in aliased.send("/v1/models").json()["data"]] == ["llama", "falcon", "falcon:sql"]
    assert aliased.send("/v1/models/claude-3").json()["id"] == "llama"
    message = aliased.send("/v1/models/gpt-5").json()["error"]["message"]
    assert message == "The model `gpt-5` does not exist. There is `llama`, `falcon`."
