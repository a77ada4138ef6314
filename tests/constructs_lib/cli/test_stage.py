"""The command stage, between a small hub and moto's S3."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from constructs_lib.planning.staging import StagedFiles
from local.hub import Hub, Repository, Slow, WrongBytes
from tests.constructs_lib.cli.refusing_aws import refusing_aws
from tests.s3_server import s3_server

ROOT = Path(__file__).resolve().parents[3]
FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 20_000, "modeling.py": b"", "pytorch_model.bin": b"x"}
REPOSITORY = Repository("team/llama", FILES)
COMMIT = REPOSITORY.commit


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def hub(monkeypatch):
    with Hub([REPOSITORY], tokens={"hf_me": {"team/llama"}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def bucket(s3, hub, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"weights-{uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def stage(run, bucket):
    def stage(*arguments, **stream):
        return run("stage", "team/llama", "--revision", COMMIT, "--bucket", bucket, *arguments, **stream)

    return stage


def keys(bucket: str) -> list[str]:
    return [one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_weights_are_copied_with_a_line_for_each_file(stage, bucket):
    outcome = stage("--prefix", "/team-a/")
    assert (outcome.status, outcome.err) == (0, "")
    lines = re.sub(r"[\d.]+ MB/s|in \d+ s", "…", outcome.out).splitlines()
    assert lines == [
        "no token was given: the hub allows few requests, together for all who share this address",
        "2 files, 0.1 MB",
        "config.json: 0.0 MB verified; 1 of 2 files, …",
        "model.safetensors: 0.1 MB verified; 2 of 2 files, …",
        f"2 files, 0.1 MB, verified in s3://{bucket}/team-a/models/team/llama/{COMMIT}/ (0.1 MB copied …)",
    ]
    assert f"team-a/manifests/team/llama/{COMMIT}.json" in keys(bucket)
    assert stage("--prefix", "team-a").out.endswith(" (all there)\n")


def test_the_outcome_can_be_json(stage, bucket):
    outcome = json.loads(stage("--json").out)
    assert outcome.pop("seconds") > 0
    assert outcome == {
        "url": f"s3://{bucket}/models/team/llama/{COMMIT}/",
        "manifest": f"s3://{bucket}/manifests/team/llama/{COMMIT}.json",
        "files": 2,
        "total_bytes": 140_002,
        "copied_bytes": 140_002,
    }


def test_a_terminal_shows_a_bar(stage):
    outcome = stage(is_terminal=True)
    assert outcome.status == 0
    assert "2 of 2 files" in outcome.out
    assert "140.0/140.0 kB" in outcome.out
    assert "verified;" not in outcome.out


def test_code_and_pickles_go_where_a_deployment_that_asks_for_them_looks(stage, bucket):
    assert stage("--trust-remote-code", "--pickles").status == 0
    files = StagedFiles(repository="team/llama", revision=COMMIT, trust_remote_code=True, pickles=True)
    assert {path for path in FILES if files.places.folder + path in keys(bucket)} == set(FILES)
    assert files.places.manifest in keys(bucket)


def test_other_patterns_may_be_given(stage, bucket):
    assert stage("--include", "*.bin", "--include", "*.json", "--exclude", "nothing").status == 0
    assert [key.rpartition("/")[2] for key in keys(bucket) if key.startswith("models/")] == [
        "config.json",
        "pytorch_model.bin",
    ]


def test_a_failure_is_one_line(stage, hub):
    hub.faults.add(WrongBytes(), on="cdn")
    outcome = stage()
    assert outcome.status == 1
    assert outcome.err.startswith("error: model.safetensors: SHA-256 is ")
    assert outcome.err.endswith("; nothing was published.\n")
    assert outcome.err.count("\n") == 1


def test_what_boto3_refuses_is_one_line(stage, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    outcome = stage("--token-secret", "hub-token")
    assert outcome.status == 1
    assert re.fullmatch(r"error: secretsmanager cannot be called: .*\n", outcome.err)


def test_without_credentials_that_aws_accepts_the_status_is_3(stage, monkeypatch):
    with refusing_aws("ExpiredToken") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert stage().status == 3
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert stage().status == 3


def test_the_token_is_that_of_the_secret_or_of_the_environment(stage, hub, monkeypatch):
    boto3.client("secretsmanager").create_secret(Name="hub-token", SecretString="hf_me")
    assert stage("--token-secret", "hub-token").status == 0
    monkeypatch.setenv("HF_TOKEN", "hf_me")
    assert stage().status == 0
    assert {received.token for received in hub.received if received.on == "hub"} == {"hf_me"}
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    assert stage().err == (
        "error: the hub does not accept the token of HF_TOKEN: it has expired, was revoked, or is not whole.\n"
    )


def test_everything_that_is_wrong_is_said_at_once(run, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    outcome = run("stage", "a/b/c", "--revision", "main", "--prefix", "a b", "--include", "", "--token-secret", "hf_x")
    find = "The command models pin a/b/c finds it."
    assert outcome.status == 2
    assert outcome.err.split("\nusage:")[0].splitlines() == [
        "error: model 'a/b/c': is not a hub id. Write owner/name, as on its hub page.",
        f"error: --revision 'main': is not a commit, which has 40 hexadecimal digits in lower case. {find}",
        "error: --bucket: is missing. Name the bucket that the endpoint will read.",
        (
            "error: --prefix 'a b': is not a path. Write names of letters, digits and !_.'()=+@,- with slashes between"
            " them, up to 511 characters, such as team-a/weights."
        ),
        (
            "error: HF_ENDPOINT 'http://mirror.example': is not an https:// URL. Unset HF_ENDPOINT, or set it to"
            " https://huggingface.co."
        ),
        "error: --include '': is no pattern. Write one such as '*.safetensors'.",
        (
            "error: --token-secret (not shown): looks like a token itself. Give the name or ARN of its secret, or set"
            " HF_TOKEN; replace the token, which the shell may have noted."
        ),
    ]


@pytest.mark.parametrize("bucket", ["s3://team-weights", "team-weights/llama", "ünï", "x"])
def test_what_is_no_bucket_is_refused_before_anything_is_asked(run, bucket):
    outcome = run("stage", "team/llama", "--revision", COMMIT, "--bucket", bucket)
    assert outcome.status == 2
    assert outcome.err.startswith(
        f"error: --bucket {bucket!r}: is not the name of a bucket. Write its name alone, such as team-weights; a folder"
        " in it is --prefix.\n"
    )


def test_without_boto3_the_command_says_what_to_install(stage, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    outcome = stage()
    assert outcome.status == 2
    assert outcome.err == "error: stage: requires boto3. Install it: pip install 'tgi-endpoint-cdk[aws]'.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_terminal", [False, True], ids=["pipe", "terminal"])
def test_ctrl_c_ends_it_cleanly(bucket, hub, is_terminal, number):
    hub.faults.add(Slow(20_000), on="cdn", times=None)
    command = [sys.executable, "-m", "constructs_lib", "stage", "team/llama", "--revision", COMMIT, "--bucket", bucket]
    ours, theirs = pty.openpty() if is_terminal else os.pipe()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it starts in the background ignore Ctrl-C, and what that starts does, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread forks here
    )
    os.close(theirs)
    deadline = time.monotonic() + 60
    while not any(received.on == "cdn" for received in hub.received):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    os.close(ours)
    assert (process.returncode, err) == (
        130,
        "stopped after 1 of 2 files, 0.0 MB; run the same command again to go on\n",
    )
    assert not [key for key in keys(bucket) if key.startswith("manifests/")]
