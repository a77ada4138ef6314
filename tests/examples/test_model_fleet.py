"""examples/model_fleet: three models share instances, and the one that nobody asks has no copy until somebody does."""

from __future__ import annotations

import re
import time

import pytest

from tests.e2e.deployed_cloud import Cloud
from tests.examples.conftest import assert_streams

pytestmark = [pytest.mark.xdist_group("example-model_fleet"), pytest.mark.slow, pytest.mark.timeout(300)]

# 45 minutes without a request pass in less than a second.
SERVE = ("--speed", "3600", "--start-seconds", "0.5")


def changes(cloud: Cloud, model: str) -> list[str]:
    """The changes of a model's number of copies, such as "1 → 0"."""
    return re.findall(rf"^scaling: {model}: (\d+ → \d+) cop", cloud.log(), re.MULTILINE)


def wait_for(cloud: Cloud, model: str, change: str, *, after: int = 0) -> None:
    deadline = time.monotonic() + 60
    while change not in changes(cloud, model)[after:]:
        assert time.monotonic() < deadline, changes(cloud, model)
        time.sleep(0.1)


def test_the_model_that_nobody_asks_goes_to_zero_copies_and_a_call_wakes_it(cloud: Cloud) -> None:
    assert cloud.models == ["chat", "large", "code"]
    wait_for(cloud, "code", "1 → 0")
    asleep = len(changes(cloud, "code"))
    body = {"model": "code", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
    refused = cloud.request("POST", "/v1/chat/completions", body)
    if changes(cloud, "code")[-1] == "1 → 0" or refused.status == 503:
        assert refused.json()["error"]["code"] == "no_capacity"
        assert int(refused.headers["retry-after"]) > 0
    assert_streams(cloud, "code")
    wait_for(cloud, "code", "0 → 1", after=asleep - 1)


def test_the_models_that_do_not_sleep_keep_a_copy_and_answer_at_once(cloud: Cloud) -> None:
    for model in ("chat", "large"):
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
        assert cloud.request("POST", "/v1/chat/completions", body).status == 200
        assert not [change for change in changes(cloud, model) if change.endswith("0")]
