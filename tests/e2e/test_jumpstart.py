"""A JumpStart model from AWS's bucket to the URL: pinned by the command, deployed by the CDK CLI, called."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from constructs_lib.cli.main import main
from local.deployment.cdk_cli import ROOT
from tests.constructs_lib.cli.fake_bucket import fake_buckets
from tests.constructs_lib.planning.engines.jumpstart.specs import spec, spec_with_configs
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("jumpstart"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "jumpstart"


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    folder = tmp_path_factory.mktemp("jumpstart")
    models = {"tgi": spec(), "lmi": spec_with_configs(model_id="team-lmi")}
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        with fake_buckets() as buckets:
            buckets.publish(*models.values(), regions=("us-east-1",))
            patch.setenv("AWS_ENDPOINT_URL_S3", buckets.url)
            patch.setenv("no_proxy", "127.0.0.1")
            for name, model in models.items():
                arguments = ["jumpstart", "add", model["model_id"], "--region", "us-east-1"]
                assert main([*arguments, "--output", str(folder / f"{name}.json")], io.StringIO()) == 0
            patch.delenv("AWS_ENDPOINT_URL_S3")
        patch.setenv("JUMPSTART_FILES", str(folder))
        patch.setenv("PYTHONPATH", str(ROOT))
        with OwnApp(APP, folder, runner) as deployed:
            yield deployed


CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}


def test_a_model_on_tgi_answers_with_the_variables_of_its_file(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        status, _, info = await api.request("GET", "/info")
        assert (status, info["model_id"], info["max_total_tokens"]) == (200, "team/llama", 2000)
        status, _, answer = await api.request("POST", "/v1/chat/completions", CHAT)
        assert (status, answer["usage"]["completion_tokens"]) == (200, 3)
        long = {"inputs": "Hi " * 1200, "parameters": {"max_new_tokens": 2}}
        status, _, answer = await api.request("POST", "/generate", long)
        assert (status, answer["error_type"]) == (422, "validation")
        assert "must have less than 1000 tokens" in answer["error"]
        stops = {"inputs": "Hi", "parameters": {"max_new_tokens": 2, "stop": ["a", "b", "c"]}}
        status, _, answer = await api.request("POST", "/generate", stops)
        assert (status, "`stop` supports up to 2 stop sequences" in answer["error"]) == (422, True)

    log = stacks.serve("tgi", client)
    assert not [line for line in log if "Traceback" in line]


def test_a_model_on_lmi_is_spoken_to_as_lmi(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        (model,) = api.cloud.deployment.models().values()
        assert (model["engine"], model["max_total_tokens"]) == ("lmi", 8192)
        for stream in (False, True):
            status, _, answer = await api.request("POST", "/v1/chat/completions", {**CHAT, "stream": stream})
            assert status == 200, answer
        assert answer.endswith("data: [DONE]\n\n")
        tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        status, _, answer = await api.request("POST", "/v1/chat/completions", {**CHAT, "tools": [tool]})
        assert (status, "tools" in json.dumps(answer)) == (400, True)

    log = stacks.serve("lmi", client)
    assert not [line for line in log if "Traceback" in line]
