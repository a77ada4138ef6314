"""Copies that die, are stopped or are not allowed while a stack waits for them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import Iterator

import pytest

from local.hub import Slow, WrongBytes
from tests.e2e.staged_account import BUCKET, StagedAccount, repository
from tests.local.deployment import deployments

pytestmark = [pytest.mark.xdist_group("staged_faults"), pytest.mark.slow, pytest.mark.timeout(600)]
FIRST = "model-00001-of-00002.safetensors"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedAccount]:
    with asyncio.Runner() as runner, StagedAccount(tmp_path_factory.mktemp("staged"), runner) as account:
        yield account


async def deploy_until_the_second_file(account: StagedAccount) -> asyncio.Task[str]:
    """Begins a deployment whose copy has the first large file and takes a minute for the second."""
    account.hub.faults.add(Slow(3_000), on="cdn", path="00002-of-00002", times=None)
    deploying = asyncio.create_task(account.deploy())
    await account.until(lambda: any(f"{FIRST}: " in line and "verified" in line for line in account.log), 120)
    return deploying


async def release_lock(account: StagedAccount) -> None:
    """Does what five minutes do: the lock of a job that shows no sign of life is stale."""
    (lock,) = [key for key in await account.keys() if key.startswith("locks/")]
    account.plane.client("s3").delete_object(Bucket=BUCKET, Key=lock)


def test_the_death_of_the_job_is_heard_and_the_next_deployment_goes_on(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        deploying = await deploy_until_the_second_file(account)
        os.kill(await account.job(), signal.SIGKILL)
        words = account.failure(await deploying)
        (build,) = account.builds()
        assert words == (
            "the copy failed without a word (BUILD: Error while executing command: python3 -m weights_copier. Reason: "
            f"exit status 137); deploy again to go on (log group {build.project.log_group}, build {build.id})"
        )
        assert await account.status() == "ROLLBACK_COMPLETE"
        assert "manifest" not in await account.staged()
        assert FIRST in await account.staged()
        await release_lock(account)
        account.hub.faults.clear()
        account.hub.received.clear()
        assert "✅  Staged" in await account.deploy()
        assert account.copied() == ["2"]

    account.play(script)


def test_a_copy_that_somebody_stops_says_how_far_it_was(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        deploying = await deploy_until_the_second_file(account)
        client = account.plane.client("codebuild")
        await asyncio.to_thread(client.stop_build, id=account.builds()[0].id)
        words = account.failure(await deploying)
        assert words.startswith("stopped after 4 of 5 files, 0.")
        assert "deploy again to go on" in words
        assert account.builds()[0].status == "STOPPED"

    account.play(script)


def test_a_copy_beyond_its_time_limit_is_heard(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        account.cloud.builds.seconds_per_minute = 0.2
        account.hub.faults.add(Slow(3_000), on="cdn", times=None)
        words = account.failure(await account.deploy())
        assert words.startswith(("stopped after ", "stopped before ", "the copy did not end within "))
        assert account.builds()[0].status == "TIMED_OUT"
        assert await account.status() == "ROLLBACK_COMPLETE"

    account.play(script)


def test_the_event_of_the_end_may_come_twice_and_after_the_jobs_own_signal(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        account.cloud.builds.deliveries = 2
        account.hub.faults.add(WrongBytes(), on="cdn", times=None)
        words = account.failure(await account.deploy())
        assert ", the hub promised " in words
        await account.until(lambda: sum('"outcome": "the copy ' in line for line in account.log) == 2)
        assert await account.status() == "ROLLBACK_COMPLETE"

    account.play(script)


def test_a_stack_that_is_deleted_while_it_waits_stops_the_copy(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        deploying = await deploy_until_the_second_file(account)
        process = await account.job()
        await asyncio.to_thread(deployments.delete, account.plane, "Staged")
        await deploying
        assert not await asyncio.to_thread(account.plane.has_stack, "Staged")
        (build,) = account.builds()
        assert build.status == "STOPPED"
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
        assert FIRST in await account.staged()
        assert "Uploads" not in account.plane.client("s3").list_multipart_uploads(Bucket=BUCKET)

    account.play(script)


def test_a_job_that_dies_without_anybody_hearing_fails_with_the_conditions_timeout(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        account.cloud.builds.deliveries = 0
        deploying = await deploy_until_the_second_file(account)
        os.kill(await account.job(), signal.SIGKILL)
        output = await deploying
        assert "WaitCondition timed out. Received 0 conditions when expecting 1" in output
        assert await account.status() == "ROLLBACK_COMPLETE"

    account.play(script)


def test_an_account_that_may_run_no_build_is_told_the_quota(account: StagedAccount) -> None:
    async def script(account: StagedAccount) -> None:
        for size in ("SMALL", "MEDIUM", "LARGE"):
            account.cloud.builds.quotas[f"BUILD_GENERAL1_{size}"] = 0
        output = await account.deploy()
        assert (
            "CodeBuild allows no build now (Cannot have more than 0 builds in queue for the account): raise its quota "
            "Concurrently running builds for Linux/Small environment, or run `tgi-endpoint stage` and deploy again"
        ) in output
        assert account.builds() == []
        assert await account.status() == "ROLLBACK_COMPLETE"

    account.play(script)


def test_an_update_that_is_undone_while_its_copy_runs_stops_it(account: StagedAccount) -> None:
    second = repository(more={"config.json": b"{}"})

    async def script(account: StagedAccount) -> None:
        await account.deploy()
        account.hub.add(second)
        account.cloud.builds.deliveries = 0
        account.hub.faults.add(Slow(3_000), on="cdn", path="00002-of-00002", times=None)
        updating = asyncio.create_task(account.deploy(revision=second.commit))
        await account.until(lambda: len(account.builds()) == 2, 120)
        await account.until(lambda: any(f"{FIRST}: " in line for line in account.builds()[1].lines))
        url = account.builds()[1].variables["WAIT_HANDLE_URL"]
        await asyncio.to_thread(give_up, url)
        output = await updating
        assert account.failure(output) == "given up"
        assert await account.status() == "UPDATE_ROLLBACK_COMPLETE"
        assert account.builds()[1].status == "STOPPED"
        assert (await account.chat())[0] == 200

    account.play(script)


def give_up(url: str) -> None:
    """Signals by hand that a copy has failed, as a person may who is tired of waiting."""
    body = {"Status": "FAILURE", "UniqueId": "abc", "Reason": "given up", "Data": ""}
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": ""}, method="PUT")
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 200
