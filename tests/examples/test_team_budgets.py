"""examples/team_budgets: cdk-nag has nothing to say about it, and its teams get what it says and no more."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import openai
import pytest
from aws_cdk import App

from tests.e2e.deployed_cloud import Cloud
from tests.examples.catalogue import FOLDER, Example
from tests.examples.synthesis import synthesize
from tests.stacks.test_app import findings

pytestmark = [pytest.mark.xdist_group("example-team_budgets"), pytest.mark.timeout(300)]

EXAMPLE = Example(FOLDER / "team_budgets")
HELLO = [{"role": "user", "content": "Hi"}]


def test_cdk_nag_has_no_open_finding() -> None:
    app: App = runpy.run_path(str(EXAMPLE.folder / "app.py"))["app"]
    assert {rule for rule, _ in findings(app)} == set()


def test_each_team_may_use_what_the_example_says(tmp_path: Path) -> None:
    (file,) = synthesize(EXAMPLE, tmp_path).glob("asset.*/front_door/callers.json")
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["on_store_failure"] == "closed"
    teams = {
        name: {key: value for key, value in each.items() if key != "keys"} for name, each in told["consumers"].items()
    }
    assert teams == {
        "search": {"tokens_per_minute": 60_000, "tokens_per_month": 200_000_000, "concurrent_streams": 16},
        "newsletter": {"models": ["small"], "tokens_per_day": 3_000_000, "concurrent_streams": 4},
        "trials": {"models": ["small"], "tokens_per_minute": 10_000, "tokens_per_day": 100_000},
    }
    assert [len(each["keys"]) for each in told["consumers"].values()] == [2, 1, 1]


def client(cloud: Cloud, consumer: str) -> openai.OpenAI:
    keys = {name: key for name, key in cloud.api_keys.items() if name.startswith(consumer)}
    return openai.OpenAI(base_url=f"{cloud.url}/v1", api_key=next(iter(keys.values())), max_retries=0)


@pytest.mark.slow
def test_each_team_sees_and_calls_its_models_alone(cloud: Cloud) -> None:
    listed = {name: [model.id for model in client(cloud, name).models.list()] for name in ("search", "trials")}
    assert listed == {"search": ["small", "large"], "trials": ["small"]}
    with pytest.raises(openai.PermissionDeniedError):
        client(cloud, "trials").chat.completions.create(model="large", messages=HELLO, max_tokens=8)
