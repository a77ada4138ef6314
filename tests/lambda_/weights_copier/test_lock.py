"""Two jobs at once, stale locks, and locks that are lost."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from weights_copier.failure import StagingError
from weights_copier.lock import LockTimes

from local.hub import Slow
from tests.lambda_.weights_copier.conftest import PART, Cloud, Copier


def hold(copier: Copier, cloud: Cloud, state: str = "held") -> None:
    body = json.dumps({"state": state, "holder": "weights:1234", "id": "another"})
    cloud.put(copier.lock, body.encode())


def when(condition: Callable[[], object], action: Callable[[], object]) -> None:
    """Do something in a thread of its own, as soon as a condition is true."""

    def run() -> None:
        while not condition():
            time.sleep(0.01)
        action()

    threading.Thread(target=run, daemon=True).start()


def test_of_two_jobs_at_once_one_copies_and_both_succeed(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(Slow(PART), on="cdn", times=None)
    jobs = [copier.staging(holder=f"job {number}") for number in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        outcomes = [job.result() for job in [pool.submit(job.run) for job in jobs]]
    assert sorted(outcome.copied_bytes for outcome in outcomes) == [0, outcomes[0].total_bytes]
    assert len([request for request in copier.hub.received if request.on == "cdn"]) == 3
    assert any(line.startswith("waiting for job ") for line in copier.lines)
    assert json.loads(cloud.read(copier.lock))["state"] == "released"


def test_a_job_that_waits_goes_on_where_the_first_one_failed(copier: Copier, cloud: Cloud) -> None:
    hold(copier, cloud)
    when(lambda: copier.lines, lambda: hold(copier, cloud, "released"))
    assert copier.run().copied_bytes > 0
    assert copier.lines[0] == "waiting for weights:1234, which copies the same files"
    assert copier.manifest in cloud.keys


def test_a_lock_without_a_sign_of_life_is_taken_over(copier: Copier, cloud: Cloud) -> None:
    hold(copier, cloud)
    began = time.monotonic()
    copier.run(times=LockTimes(renew=10, stale=2, poll=0.1))
    assert time.monotonic() - began >= 1
    assert copier.lines[1].startswith("taking over from weights:1234, which has shown no sign of life for ")
    assert json.loads(cloud.read(copier.lock)) | {"id": "", "written": ""} == {
        "state": "released",
        "holder": "job 1",
        "id": "",
        "written": "",
    }


def test_a_lock_that_says_nothing_is_a_lock_all_the_same(copier: Copier, cloud: Cloud) -> None:
    cloud.put(copier.lock, b"?")
    copier.run(times=LockTimes(renew=10, stale=1, poll=0.1))
    assert copier.lines[0] == "waiting for a job without a name, which copies the same files"


def test_a_job_whose_lock_was_taken_over_writes_no_manifest(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(Slow(PART / 2), on="cdn", times=None)
    staging = copier.staging(times=LockTimes(renew=0.05, stale=60, poll=0.1))
    when(lambda: any(request.on == "cdn" for request in copier.hub.received), lambda: hold(copier, cloud))
    with pytest.raises(StagingError) as raised:
        staging.run()
    assert raised.value.words == f"another job has taken over the lock s3://{cloud.name}/{copier.lock}"
    assert copier.manifest not in cloud.keys
    assert cloud.uploads == []
    assert json.loads(cloud.read(copier.lock))["holder"] == "weights:1234", "what is not one's own is not released"


def test_a_lock_that_is_lost_at_the_very_end_keeps_the_manifest_away(copier: Copier, cloud: Cloud) -> None:
    staging = copier.staging(times=LockTimes(renew=0.05, stale=60, poll=0.1))

    def take(**_: object) -> None:
        hold(copier, cloud)
        assert staging._hub.halt.wait(30)

    cloud.client.meta.events.register_first("before-send.s3.CompleteMultipartUpload", take)
    with pytest.raises(StagingError, match=r"^another job has taken over the lock "):
        staging.run()
    assert copier.folder + "model.safetensors" in cloud.keys
    assert copier.manifest not in cloud.keys


def test_the_holder_shows_that_it_lives(copier: Copier, cloud: Cloud) -> None:
    copier.hub.faults.add(Slow(PART), on="cdn", times=None)
    written: list[object] = []
    cloud.client.meta.events.register(
        "provide-client-params.s3.PutObject",
        lambda params, **_: written.append(params.get("IfMatch")) if params["Key"] == copier.lock else None,
    )
    copier.run(times=LockTimes(renew=0.1, stale=60, poll=0.1))
    assert written[0] is None
    assert len(written) > 4
    assert all(written[1:])
    assert len(set(written)) == len(written), "who looks at an old ETag can no longer take the lock over"


def test_an_answer_of_s3_that_was_lost_loses_no_lock(copier: Copier, cloud: Cloud) -> None:
    """botocore sends the request again then, and S3 says that the lock is taken: by this job itself."""
    kept: list[str] = []
    original = cloud.client.put_object

    def put_object(**about: object) -> dict[str, object]:
        answer: dict[str, object] = original(**about)
        if about["Key"] == copier.lock and not kept:
            kept.append("once")
            original(**about)
        return answer

    cloud.client.put_object = put_object
    assert copier.run().copied_bytes > 0
    assert "waiting" not in "\n".join(copier.lines)
