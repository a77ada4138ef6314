"""The control plane, the environment of the CDK CLI, and what is told when the CLI fails."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.deployment.cdk_cli import ROOT, advise, environment, explain
from local.deployment.control_plane import ACCOUNT, ControlPlane
from local.deployment.moto_patches import instance_types
from local.deployment.prerequisites import create_secrets

pytestmark = pytest.mark.xdist_group("control_plane")


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


def create_config(plane: ControlPlane, instance_type: str) -> None:
    sagemaker = plane.client("sagemaker")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn="arn:aws:iam::1:role/r")
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": instance_type, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])


def test_the_url_contains_localhost_as_moto_wants_it(plane: ControlPlane) -> None:
    assert plane.url.startswith("http://localhost:")
    assert plane.client("sts").get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.parametrize("instance_type", ["ml.g5.2xlarge", "ml.g6e.48xlarge", "ml.p5.48xlarge"])
def test_instances_that_moto_does_not_know_are_taken(plane: ControlPlane, instance_type: str) -> None:
    assert instance_type in instance_types()
    create_config(plane, instance_type)


def test_an_instance_that_sagemaker_does_not_have_is_refused(plane: ControlPlane) -> None:
    with pytest.raises(ClientError, match=r"Value 'ml.g5.3xlarge' at 'instanceType' failed to satisfy constraint"):
        create_config(plane, "ml.g5.3xlarge")


def test_each_run_begins_empty() -> None:
    for _ in range(2):
        with ControlPlane() as plane:
            assert plane.client("s3").list_buckets()["Buckets"] == []
            plane.client("s3").create_bucket(Bucket="assets")


def test_the_profile_of_the_user_is_not_looked_at(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    assert plane.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_the_secrets_of_a_template_are_made_up_by_name_and_json_key(plane: ControlPlane) -> None:
    values = [
        "{{resolve:secretsmanager:plain:SecretString:::}}",
        {
            "Fn::Join": [
                "",
                ["{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:keyed", ":SecretString:a::}}"],
            ]
        },
    ]
    body = {"Resources": {"M": {"Type": "AWS::SageMaker::Model", "Properties": {"Environment": values}}}}
    assert create_secrets(plane, {"S": body}) == ["keyed", "plain"]
    read = plane.client("secretsmanager").get_secret_value
    assert read(SecretId="plain")["SecretString"] == "made-up-for-the-emulated-cloud"
    assert read(SecretId="keyed")["SecretString"] == '{"a": "made-up-for-the-emulated-cloud"}'


def test_the_cli_sees_nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_CA_BUNDLE", "CDK_DEFAULT_ACCOUNT", "CDK_CONTEXT_JSON"):
        monkeypatch.setenv(name, "of-the-user")
    told = environment(tmp_path, "http://localhost:1")
    assert "of-the-user" not in told.values()
    assert told["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert told["AWS_EC2_METADATA_DISABLED"] == "true"
    for name in ("HOME", "CDK_HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "TMPDIR"):
        assert Path(told[name]).is_relative_to(tmp_path)
    first, second = told["PATH"].split(os.pathsep)[:2]
    assert (first, second) == (str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"))


FAILURE = """\
Traceback (most recent call last):
  File "/clone/app.py", line 5, in <module>
    main()
    ^^^^^^
constructs_lib.errors.ConfigurationError: LlamaTgiStack/Endpoint has 2 problems:
  max_input_tokens=9000: must be less than max_total_tokens=4096.
  instance_type='ml.g5.3xlarge': no such instance.
python3 app.py: Subprocess exited with error 1
""".splitlines()


def test_a_failure_is_told_in_the_words_of_the_app_without_its_traceback() -> None:
    assert explain("synth", 1, FAILURE).splitlines() == [
        "`cdk synth` ended with exit code 1:",
        "  constructs_lib.errors.ConfigurationError: LlamaTgiStack/Endpoint has 2 problems:",
        "    max_input_tokens=9000: must be less than max_total_tokens=4096.",
        "    instance_type='ml.g5.3xlarge': no such instance.",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Maximum schema version supported is 43.x.x, but found 55.0.0", "remove node_modules"),
        ("ModuleNotFoundError: No module named 'aws_cdk'", "run it through make"),
        ("something else", "Change what the message names"),
    ],
)
def test_a_failure_comes_with_what_to_change(line: str, words: str) -> None:
    assert words in advise([line])


RUN = """
import asyncio, pathlib, sys
sys.path.insert(0, {root!r})
from local.processes import Children

async def main():
    folder = pathlib.Path({folder!r})
    async with Children(folder) as children:
        child = await children.start(
            [sys.executable, "-c", "import subprocess, sys, time; "
             "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
             "print(p.pid, flush=True); time.sleep(60)"],
            env={{}}, cwd=folder)
        print(child.pid, (await child.stdout.readline()).decode().strip(), flush=True)
        await asyncio.sleep({seconds})

asyncio.run(main())
"""


@pytest.mark.parametrize("killed", [True, False])
def test_nothing_outlives_a_run_even_if_it_is_killed(tmp_path: Path, killed: bool) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    code = textwrap.dedent(RUN).format(root=str(ROOT), folder=str(folder), seconds=60 if killed else 0)
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    pids = [int(pid) for pid in run.stdout.readline().split()]
    assert len(pids) == 2
    if killed:
        run.send_signal(signal.SIGKILL)
    run.wait(20)
    run.stdout.close()
    deadline = time.monotonic() + 10
    while any(map(alive, pids)) or folder.exists():
        assert time.monotonic() < deadline, "something is left"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A container's first process may never collect orphans; a zombie has ended all the same.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
