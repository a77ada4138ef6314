"""The job as CodeBuild starts it: a process with its environment, its log, its exit status and its signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
from weights_copier.account import secret_name
from weights_copier.lock import LockTimes

from constructs_lib._code_archive import code_archive
from constructs_lib._lambda_root import lambda_root
from local.hub import Slow
from tests.lambda_.weights_copier.conftest import PART, STAGED, WEIGHTS, Cloud, Copier
from tests.unpacked import unpacked

DEPLOYED = unpacked(code_archive(lambda_root() / "weights_copier").path)
"""The code as it is deployed, in a folder of its own."""
BUILD = "weights:0a1b2c3d-0000-1111-2222-333344445555"
# The job itself, in parts of a few hundred kilobytes.
SMALL_PARTS = f"""
import sys, time
from weights_copier import job, staging, upload
upload.Flow.__init__.__defaults__ = ({PART}, 3, 2)
"""
RUN = f"{SMALL_PARTS}sys.exit(job.main())"
STOP_BEFORE_THE_MANIFEST = f"{SMALL_PARTS}staging.write_manifest = lambda *_: time.sleep(600)\njob.main()"


@dataclass
class Handle:
    """A wait condition's handle, and the signals that it got."""

    url: str = ""
    signals: list[dict[str, str]] = field(default_factory=list)
    types: list[str | None] = field(default_factory=list)
    refusals: int = 0


@pytest.fixture
def handle() -> Iterator[Handle]:
    handle = Handle()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(503 if handle.refusals else 200)
            if handle.refusals:
                handle.refusals -= 1
            else:
                handle.signals.append(json.loads(body))
                handle.types.append(self.headers["Content-Type"])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    handle.url = f"http://127.0.0.1:{server.server_port}/handle?Signature=secret"
    yield handle
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Job:
    copier: Copier
    handle: Handle

    def start(self, code: str = "", *, request: str | None = None, **environment: str) -> subprocess.Popen[str]:
        about = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.copier.cloud.url,
            "STAGING_REQUEST": request or json.dumps(self.copier.request(region="eu-west-1").to_json()),
            "CODEBUILD_BUILD_ID": BUILD,
            "WAIT_HANDLE_URL": self.handle.url,
            "UNIQUE_ID": "staged-1",
            **environment,
        }
        command = [sys.executable, *(["-c", code] if code else ["-m", "weights_copier"])]
        return subprocess.Popen(
            command, cwd=DEPLOYED, env=about, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, code: str = "", **environment: str) -> tuple[int, list[str]]:
        process = self.start(code, **environment)
        out, _ = process.communicate(timeout=60)
        return process.returncode, out.splitlines()


@pytest.fixture
def job(copier: Copier, handle: Handle) -> Job:
    return Job(copier, handle)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)


def test_a_job_that_succeeds_says_so_in_its_log_and_to_cloudformation(job: Job, handle: Handle, cloud: Cloud) -> None:
    status, log = job.run()
    words = f"4 files, 0.6 MB, verified in s3://{cloud.name}/{job.copier.folder} (0.6 MB copied in "
    assert status == 0, log
    assert log[-3].startswith(words)
    assert log[-2:] == ["log group /aws/codebuild/weights", f"build {BUILD}"]
    (sent,) = handle.signals
    assert sent.pop("Reason").startswith(words)
    assert sent == {
        "Status": "SUCCESS",
        "UniqueId": "staged-1",
        "Data": f"s3://{cloud.name}/{job.copier.manifest}",
    }
    assert handle.types == [""], "the handle's URL was signed for an empty content type"


def test_a_job_that_fails_says_why_first(job: Job, handle: Handle) -> None:
    missing = json.dumps(job.copier.request(revision="f" * 40).to_json())
    status, log = job.run(request=missing, LOG_GROUP="/team/weights")
    words = f"commit {'f' * 40} is not in team/llama"
    assert (status, log[-3:]) == (1, [words, "log group /team/weights", f"build {BUILD}"])
    assert handle.signals == [
        {
            "Status": "FAILURE",
            "UniqueId": "staged-1",
            "Reason": f"{words} (log group /team/weights, build {BUILD})",
            "Data": "",
        }
    ]


def test_a_request_that_cannot_be_read_is_a_failure_like_any_other(job: Job, handle: Handle) -> None:
    status, log = job.run(request="{}")
    assert status == 1
    assert log[0] == "staging request: repository is missing; revision is missing; bucket is missing"
    assert [sent["Status"] for sent in handle.signals] == ["FAILURE"]


def test_without_a_handle_the_status_says_it_all(job: Job, handle: Handle) -> None:
    assert job.run(WAIT_HANDLE_URL="")[0] == 0
    assert handle.signals == []


def test_a_signal_is_sent_again_and_its_url_is_never_logged(job: Job, handle: Handle) -> None:
    handle.refusals = 2
    status, log = job.run()
    assert (status, [sent["Status"] for sent in handle.signals]) == (0, ["SUCCESS"])
    assert "Signature" not in "\n".join(log)


def test_a_handle_that_cannot_be_called_is_named_without_its_url(job: Job) -> None:
    status, log = job.run(WAIT_HANDLE_URL="http://hooks.example/?Signature=secret")
    assert (status, log[-1]) == (1, "the URL that CloudFormation waits at is not an https:// URL")
    assert "Signature" not in "\n".join(log)


def test_the_token_comes_from_the_secret_and_appears_nowhere(job: Job, handle: Handle, cloud: Cloud) -> None:
    job.copier.repository.gated = True
    secrets = boto3.client("secretsmanager", endpoint_url=cloud.url, region_name="eu-west-1")
    name = f"hub-{cloud.name}"
    arn = secrets.create_secret(Name=name, SecretString="hf_member\n")["ARN"]
    status, log = job.run(request=json.dumps(job.copier.request(token_secret=arn).to_json()))
    assert status == 0, log
    assert {received.token for received in job.copier.hub.received if received.on == "hub"} == {"hf_member"}
    everything = [json.dumps(handle.signals), *log, *(cloud.read(key).decode("latin-1") for key in cloud.keys)]
    assert "hf_member" not in "\n".join(everything)
    secrets.put_secret_value(SecretId=arn, SecretString='{"token": "hf_member"}')
    assert job.run(request=json.dumps(job.copier.request(token_secret=arn).to_json()))[1][0] == (
        f"secret {name} has no token of the hub: its whole value must be the token, such as hf_…"
    )


def test_a_secret_that_is_not_there_is_named(job: Job) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:team/hub-token-AbCdEf"
    log = job.run(request=json.dumps(job.copier.request(token_secret=arn).to_json()))[1]
    assert log[0].startswith("secret team/hub-token cannot be read: ResourceNotFoundException: ")


@pytest.mark.parametrize(
    ("secret", "name"),
    [
        ("hub-token", "hub-token"),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-token-AbCdEf", "hub-token"),
        ("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a/b", "a/b"),
    ],
)
def test_a_secret_is_known_by_its_name(secret: str, name: str) -> None:
    assert secret_name(secret) == name


def test_without_a_token_the_log_says_that_the_address_is_shared(job: Job) -> None:
    assert job.run()[1][0] == (
        "no token was given: the hub allows few requests, together for all who share this address"
    )


def test_a_job_that_is_stopped_cleans_up_and_says_how_far_it_was(job: Job, handle: Handle, cloud: Cloud) -> None:
    job.copier.hub.faults.add(Slow(PART / 4), on="cdn", times=None)
    process = job.start(RUN)
    wait_until(lambda: any(received.on == "cdn" for received in job.copier.hub.received))
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    words = "stopped after 3 of 4 files, 0.0 MB; deploy again to go on"
    assert (process.returncode, out.splitlines()[-3:]) == (
        1,
        [words, "log group /aws/codebuild/weights", f"build {BUILD}"],
    )
    assert [sent["Reason"] for sent in handle.signals] == [f"{words} (log group /aws/codebuild/weights, build {BUILD})"]
    assert cloud.uploads == []
    assert json.loads(cloud.read(job.copier.lock))["state"] == "released"
    job.copier.hub.faults.clear()
    assert job.copier.run().copied_bytes == len(WEIGHTS)


def test_a_job_that_was_killed_between_parts_leaves_what_the_next_one_cleans_up(job: Job, cloud: Cloud) -> None:
    job.copier.hub.faults.add(Slow(PART / 4), on="cdn", times=None)
    process = job.start(RUN)
    wait_until(lambda: cloud.uploads)
    process.kill()
    process.communicate(timeout=60)
    assert cloud.uploads == [job.copier.folder + "model.safetensors"]
    assert job.copier.manifest not in cloud.keys
    job.copier.hub.faults.clear()
    outcome = job.copier.run(times=LockTimes(renew=10, stale=1, poll=0.1))
    assert outcome.copied_bytes == len(WEIGHTS), "finished files were kept"
    assert cloud.uploads == []
    assert any(line.startswith(f"taking over from {BUILD}, ") for line in job.copier.lines)
    assert "aborted 1 uploads that an earlier job had left behind" in job.copier.lines
    assert job.copier.manifest in cloud.keys


def test_a_job_that_was_killed_before_the_manifest_has_copied_everything(job: Job, cloud: Cloud) -> None:
    process = job.start(STOP_BEFORE_THE_MANIFEST)
    wait_until(lambda: {job.copier.folder + path for path in STAGED} <= set(cloud.keys))
    process.kill()
    process.communicate(timeout=60)
    assert job.copier.manifest not in cloud.keys
    assert job.copier.run(times=LockTimes(renew=10, stale=1, poll=0.1)).copied_bytes == 0
    assert job.copier.manifest in cloud.keys
