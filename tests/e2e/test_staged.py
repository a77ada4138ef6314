"""Stacks that stage weights, deployed with the CDK CLI: what is copied, and what an endpoint gets of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.hub import Slow, WrongBytes
from local.staging import HUB
from tests.e2e.deployed_cloud import ROOT, Cloud, Serve
from tests.e2e.staged_account import (
    APP,
    BUCKET,
    FILES,
    NAME,
    SECRET,
    STAGED,
    TOKEN,
    StagedAccount,
    model_files,
    repository,
)

pytestmark = [pytest.mark.xdist_group("staged"), pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedAccount]:
    with asyncio.Runner() as runner, StagedAccount(tmp_path_factory.mktemp("staged"), runner) as account:
        yield account


def test_a_deployment_copies_the_weights_and_the_endpoint_answers_with_them(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        output = await account.deploy()
        assert "✅  Staged" in output
        assert await account.staged() == [*STAGED, "manifest"]
        (build,) = account.builds()
        assert build.status == "SUCCEEDED"
        status, answer = await account.chat()
        assert (status, answer["usage"]["completion_tokens"]) == (200, 3)
        assert STAGED in model_files()
        sagemaker = account.plane.client("sagemaker")
        (model,) = sagemaker.list_models()["Models"]
        described = sagemaker.describe_model(ModelName=model["ModelName"])
        assert described["EnableNetworkIsolation"] is True
        source = described["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
        assert source["S3Uri"] == f"s3://{BUCKET}/models/{NAME}/{repository().commit}/"
        assert described["PrimaryContainer"]["Environment"]["HF_MODEL_ID"] == "/opt/ml/model"

    account.play(script)


def test_another_deployment_of_the_same_weights_copies_nothing(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        await account.deploy()
        await account.destroy()
        assert await account.staged() == [*STAGED, "manifest"]
        account.hub.received.clear()
        assert "✅  Other" in await account.deploy("Other")
        assert account.hub.received == []
        assert len(account.builds()) == 1

    account.play(script)


def test_without_a_hub_of_the_users_the_weights_are_placeholders(
    account: StagedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(account: StagedAccount) -> None:
        monkeypatch.delenv(HUB)
        assert "✅  Staged" in await account.deploy(revision="a" * 40)
        assert account.hub.received == []
        assert (await account.chat())[0] == 200

    account.play(script)


def test_two_stacks_that_stage_the_same_weights_at_once_copy_them_once(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        await account.synth()
        account.hub.faults.add(Slow(50_000), on="cdn", times=2)
        outputs = await asyncio.gather(account.deploy("Staged"), account.deploy("Other"))
        assert ["✅  Staged" in outputs[0], "✅  Other" in outputs[1]] == [True, True]
        assert len(account.builds()) == 2
        assert any("which copies the same files" in line for line in account.log)
        assert sorted(account.copied()) == ["1", "2"]
        assert [await account.status(name) for name in ("Staged", "Other")] == ["CREATE_COMPLETE"] * 2

    account.play(script)


def test_the_token_of_the_secret_opens_gated_weights_and_is_shown_nowhere(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        account.hub.add(repository(gated=True))
        secrets = account.plane.client("secretsmanager")
        secrets.create_secret(Name=SECRET, SecretString=TOKEN)
        try:
            assert "✅  Staged" in await account.deploy(secret=SECRET)
        finally:
            secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
        assert {one.token for one in account.hub.received if one.on == "hub"} == {TOKEN}
        assert {one.token for one in account.hub.received if one.on == "cdn"} == {None}
        (build,) = account.builds()
        template = account.plane.client("cloudformation").get_template(StackName="Staged")["TemplateBody"]
        sagemaker = account.plane.client("sagemaker")
        models = [sagemaker.describe_model(ModelName=one["ModelName"]) for one in sagemaker.list_models()["Models"]]
        shown = [build.described(), build.event(), build.lines, template, models, account.log]
        assert TOKEN not in json.dumps(shown, default=str)
        assert SECRET not in json.dumps(models, default=str)

    account.play(script)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (None, f"{NAME} is gated and no token was given"),
        ("hf_stranger", f"{NAME} is gated: the account of secret {SECRET} is not on its list; ask at the model's page"),
        ("hf_revoked", f"the hub does not accept the token of secret {SECRET}: it has expired, was revoked, or is not"),
    ],
)
def test_gated_weights_without_the_right_token_fail_with_the_words(
    account: StagedAccount, token: str | None, reason: str
) -> None:
    async def script(account: StagedAccount) -> None:
        account.hub.add(repository(gated=True))
        secrets = account.plane.client("secretsmanager")
        if token is not None:
            secrets.create_secret(Name=SECRET, SecretString=token)
        try:
            output = await account.deploy(**({"secret": SECRET} if token else {}))
        finally:
            if token is not None:
                secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
        words = account.failure(output)
        assert words.startswith(reason)
        (build,) = account.builds()
        assert f"build {build.id}" in words
        assert build.status in ("FAILED", "STOPPED")  # the rollback may be faster than its end
        assert await account.status() == "ROLLBACK_COMPLETE"
        assert await account.staged() == []

    account.play(script)


def test_wrong_bytes_roll_the_stack_back_and_nothing_is_published(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        account.hub.faults.add(WrongBytes(), on="cdn", path="00002-of-00002", times=None)
        words = account.failure(await account.deploy())
        assert words.startswith("model-00002-of-00002.safetensors: SHA-256 is ")
        assert ", the hub promised " in words
        assert await account.status() == "ROLLBACK_COMPLETE"
        staged = await account.staged()
        assert "manifest" not in staged
        assert "model-00002-of-00002.safetensors" not in staged
        s3 = account.plane.client("s3")
        assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
        sagemaker = account.plane.client("sagemaker")
        assert sagemaker.list_endpoints()["Endpoints"] == []
        account.hub.faults.clear()
        account.hub.received.clear()
        assert "✅  Staged" in await account.deploy()
        assert account.copied() == ["2"]

    account.play(script)


def test_a_new_commit_is_staged_beside_the_old_one_and_a_failed_one_returns(account: StagedAccount) -> None:
    second, third = repository(more={"config.json": b"{}"}), repository(more={"tokenizer.json": b"[]"})

    async def script(account: StagedAccount) -> None:
        await account.deploy()
        account.hub.add(second)
        assert "✅  Staged" in await account.deploy(revision=second.commit)
        keys = await account.keys()
        folders = {commit: f"models/{NAME}/{commit}/config.json" for commit in (repository().commit, second.commit)}
        assert set(folders.values()) <= set(keys)
        account.hub.add(third)
        account.hub.faults.add(WrongBytes(), on="cdn", times=None)
        words = account.failure(await account.deploy(revision=third.commit))
        assert ", the hub promised " in words
        assert await account.status() == "UPDATE_ROLLBACK_COMPLETE"
        assert (await account.chat())[0] == 200
        sagemaker = account.plane.client("sagemaker")
        (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
        config = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])["EndpointConfigName"]
        variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
        uri = model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"]
        assert uri == f"s3://{BUCKET}/models/{NAME}/{second.commit}/"

    account.play(script)


def test_weights_that_are_to_go_with_the_stack_go_with_it(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        await account.deploy(removal="destroy")
        assert await account.staged() == [*STAGED, "manifest"]
        await account.destroy(removal="destroy")
        assert await account.staged() == []

    account.play(script)


def test_serve_shows_what_a_build_says_while_the_stack_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(HUB, raising=False)
    arguments = ["--app", str(APP), "--stack", "Weights,Staged", "--context", f"revision={'a' * 40}"]
    with Serve(tmp_path / "log", *arguments, PYTHONPATH=str(ROOT)) as serve:
        cloud = Cloud.of(serve)
        body = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
        response = cloud.request("POST", "/v1/chat/completions", body, key=None)
        assert response.status == 200
        before, _, _ = serve.log().partition("✓ cdk deploy Weights Staged")
        assert re.search(
            r"\n  build Staged-\S+:[0-9a-f]{8}: model\.safetensors: 0\.0 MB verified; 4 of 4 files", before
        )


def test_no_file_that_nobody_asked_for_is_copied() -> None:
    assert set(FILES) - set(STAGED) == {"pytorch_model.bin", "README.md"}
