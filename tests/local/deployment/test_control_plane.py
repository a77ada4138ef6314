"""The control plane, the environment and errors of the CDK CLI, and child processes."""

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

from local.deployment.cdk_cli import ROOT, cli_environment, explain_failure, suggest_fix
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


def test_the_url_contains_localhost_for_moto(plane: ControlPlane) -> None:
    assert plane.url.startswith("http://localhost:")
    assert plane.client("sts").get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.parametrize("instance_type", ["ml.g5.2xlarge", "ml.g6e.48xlarge", "ml.p5.48xlarge"])
def test_instance_types_that_moto_lacks_are_accepted(plane: ControlPlane, instance_type: str) -> None:
    assert instance_type in instance_types()
    create_config(plane, instance_type)


def test_an_unknown_instance_type_is_rejected(plane: ControlPlane) -> None:
    with pytest.raises(ClientError, match=r"Value 'ml.g5.3xlarge' at 'instanceType' failed to satisfy constraint"):
        create_config(plane, "ml.g5.3xlarge")


def test_a_new_control_plane_is_empty() -> None:
    for _ in range(2):
        with ControlPlane() as plane:
            assert plane.client("s3").list_buckets()["Buckets"] == []
            plane.client("s3").create_bucket(Bucket="assets")


def test_the_profile_of_the_user_is_ignored(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    assert plane.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_placeholder_secrets_have_the_name_and_json_keys_of_the_references(plane: ControlPlane) -> None:
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
    assert read(SecretId="plain")["SecretString"] == "placeholder-of-the-emulated-cloud"
    assert read(SecretId="keyed")["SecretString"] == '{"a": "placeholder-of-the-emulated-cloud"}'


def test_the_cli_is_isolated_from_the_users_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_CA_BUNDLE", "CDK_DEFAULT_ACCOUNT", "CDK_CONTEXT_JSON"):
        monkeypatch.setenv(name, "of-the-user")
    variables = cli_environment(tmp_path, "http://localhost:1")
    assert "of-the-user" not in variables.values()
    assert variables["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    for name in ("HOME", "CDK_HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "TMPDIR"):
        assert Path(variables[name]).is_relative_to(tmp_path)
    first, second = variables["PATH"].split(os.pathsep)[:2]
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


def test_an_error_of_the_app_is_shown_without_its_traceback() -> None:
    assert explain_failure("synth", 1, FAILURE).splitlines() == [
        "`cdk synth` failed with exit code 1:",
        "  constructs_lib.errors.ConfigurationError: LlamaTgiStack/Endpoint has 2 problems:",
        "    max_input_tokens=9000: must be less than max_total_tokens=4096.",
        "    instance_type='ml.g5.3xlarge': no such instance.",
    ]


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("Maximum schema version supported is 43.x.x, but found 55.0.0", "Remove node_modules"),
        ("ModuleNotFoundError: No module named 'aws_cdk'", "Run the command through make"),
        ("something else", "Fix the error and run the command again."),
    ],
)
def test_an_error_comes_with_a_fix(line: str, fix: str) -> None:
    assert fix in suggest_fix([line])


RUN = """
import asyncio, pathlib, sys
sys.path.insert(0, {root!r})
from local.processes import ChildProcesses

async def main():
    folder = pathlib.Path({folder!r})
    async with ChildProcesses(folder) as children:
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
def test_no_child_process_outlives_the_command_even_if_it_is_killed(tmp_path: Path, killed: bool) -> None:
    folder = tmp_path / "session"
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
        assert time.monotonic() < deadline, "a process or the folder is left"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # PID 1 in a container may never reap orphans; a zombie has ended too.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
