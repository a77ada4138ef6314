"""examples/github-actions: the steps of its workflows, run in the emulated cloud; tests/github_actions has the rest."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import botocore.session
import pytest

from local.deployment.cdk_cli import cli_environment
from tests.e2e.deployed_cloud import Cloud
from tests.github_actions.github_api import GitHub
from tests.github_actions.guard import Guard
from tests.github_actions.runner import Runner, git, new_repository
from tests.github_actions.workflows import ROOT

pytestmark = [pytest.mark.xdist_group("example-github-actions"), pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Deployed:
    """The app of the example, deployed and served.

    Args:
        cloud: Its API.
        endpoint_url: The emulated AWS.
    """

    cloud: Cloud
    endpoint_url: str

    @property
    def instance_type(self) -> str:
        """Of the endpoint that is deployed."""
        client = botocore.session.get_session().create_client(
            "sagemaker", "us-east-1", endpoint_url=self.endpoint_url, aws_access_key_id="a", aws_secret_access_key="b"
        )
        (endpoint,) = client.list_endpoints()["Endpoints"]
        config = client.describe_endpoint(EndpointName=endpoint["EndpointName"])["EndpointConfigName"]
        (variant,) = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        return str(variant["InstanceType"])


@pytest.fixture(scope="module")
def deployed(cloud: Cloud) -> Deployed:
    line = next(line for line in cloud.log().splitlines() if line.startswith("Deploy a change: "))
    (url,) = re.findall(r" AWS_ENDPOINT_URL=(\S+)", line)
    return Deployed(cloud, url)


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as found:
        yield found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    new_repository(folder)
    return folder


@pytest.fixture
def new_runner(deployed: Deployed, github: GitHub, tmp_path: Path) -> Callable[..., Runner]:
    def new(workspace: Path, name: str, **further: Any) -> Runner:
        home = tmp_path / name
        environment = cli_environment(home, deployed.endpoint_url) | github.environment
        # The CDK CLI cannot read moto's change sets.
        environment |= {"PYTHONPATH": str(ROOT), "CDK_METHOD": "direct"}
        expressions = {
            "github.token": github.environment["GH_TOKEN"],
            "github.event.pull_request.number": "7",
            "github.event.pull_request.base.sha": "",
            "vars.AWS_COMPARE_ROLE_ARN": "",
            "vars.AWS_DEPLOY_ROLE_ARN": "",
            "vars.AWS_REGION": "",
        }
        return Runner(workspace, home, environment, expressions, tmp_path / "artifacts", **further)

    return new


def propose(repository: Path, old: str, new: str) -> None:
    """Makes a change on a branch, and checks out what its merge would be."""
    git(repository, "checkout", "--quiet", "-b", "change")
    app = repository / "app.py"
    text = app.read_text(encoding="utf-8")
    assert old in text
    app.write_text(text.replace(old, new), encoding="utf-8")
    git(repository, "commit", "--quiet", "--all", "--message", "Change")
    git(repository, "checkout", "--quiet", "--detach", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--message", "Merge", "change")


def test_a_pull_request_gets_one_comment_with_price_plan_and_difference(
    repository: Path, new_runner: Callable[..., Runner], github: GitHub, tmp_path: Path
) -> None:
    propose(repository, "G6E_XLARGE", "G6E_2XLARGE")
    plan = new_runner(repository, "plan")
    assert plan.run("pull-request.yml", "plan"), plan.output
    assert "| ml.g6e.xlarge → ml.g6e.2xlarge |" in plan.summary
    assert plan.summary.endswith("that requires a branch of this repository.\n")

    base = tmp_path / "base-clone"
    new_repository(base)
    for _ in range(2):
        comment = new_runner(base, "comment")
        assert comment.run("pull-request.yml", "comment"), comment.output
        for left in (".venv", "node_modules"):
            git(base, "clean", "--quiet", "--force", "-dx", "--", left)
    (only,) = github.comments[7]
    body = only["body"]
    assert body.startswith(
        "<!-- plan of the endpoints -->\n\n## Endpoints\n\n**The instances cost 144 USD a month more.**"
    )
    assert "| 2.605 → 2.803 | +0.197 | 1,902 → 2,046 | +144 |" in body
    assert "ChatService  Qwen/Qwen2.5-7B-Instruct  ml.g6e.2xlarge" in body
    difference = body.partition("<summary>Difference to what is deployed</summary>")[2]
    assert "[~] AWS::SageMaker::EndpointConfig" in difference
    assert '"ml.g6e.2xlarge"' in difference
    document = (ROOT / "docs/how-to/github_actions.md").read_text(encoding="utf-8")
    _, _, shown = document.partition("folded:\n\n```\n")
    lines = [line for line in shown.partition("```")[0].splitlines() if line != "…"]
    assert [line for line in lines if line not in body.splitlines()] == []
    assert len(lines) > 8


def build(repository: Path, new_runner: Callable[..., Runner]) -> None:
    runner = new_runner(repository, "build")
    assert runner.run("deploy.yml", "build"), runner.output
    assert "| ChatService |" in runner.summary
    git(repository, "clean", "--quiet", "--force", "-dx")


def reachable(outputs: Path, url: str) -> Callable[[], None]:
    """Exchanges the URL of API Gateway for one on this machine."""

    def exchange() -> None:
        found = json.loads(outputs.read_text(encoding="utf-8"))
        assert found["ChatService"]["Url"].startswith("https://")
        found["ChatService"]["Url"] = url
        outputs.write_text(json.dumps(found), encoding="utf-8")

    return exchange


@pytest.fixture
def silent() -> Iterator[str]:
    """A front door whose answers have no text."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"choices": []}')

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_merged_is_deployed_and_called(
    repository: Path, new_runner: Callable[..., Runner], deployed: Deployed, cloud: Cloud
) -> None:
    propose(repository, "G6E_XLARGE", "G6E_2XLARGE")
    build(repository, new_runner)
    exchange = reachable(repository / "outputs.json", cloud.url)
    runner = new_runner(repository, "deploy", before={"Call the front door": exchange})
    assert runner.run("deploy-assembly.yml", "deploy"), runner.output
    assert deployed.instance_type == "ml.g6e.2xlarge"
    assert f"{cloud.url}/v1/chat/completions answered in " in runner.output
    assert "There is no assembly to roll back to" in runner.output
    assert runner.outcomes["Go back"] == "skipped"
    # What Lambda starts is still executable, although an artifact keeps no permissions.
    assert executables(repository / "assembly") == ["front_door/bootstrap"]


def executables(assembly: Path) -> list[str]:
    """The files in the archives of an assembly that may be executed."""
    entries = [entry for path in assembly.glob("asset.*.zip") for entry in ZipFile(path).infolist()]
    return [entry.filename for entry in entries if entry.external_attr >> 16 & 0o111]


def test_a_deployment_that_does_not_answer_is_taken_back_and_the_run_fails(
    repository: Path,
    new_runner: Callable[..., Runner],
    deployed: Deployed,
    cloud: Cloud,
    github: GitHub,
    silent: str,
    tmp_path: Path,
) -> None:
    build(repository, new_runner)
    artifacts = tmp_path / "artifacts"
    (artifacts / "10").mkdir()
    (artifacts / "assembly").rename(artifacts / "10" / "assembly")
    github.runs = [
        {"id": 10, "head_sha": "a" * 40, "html_url": "https://github.com/octo-org/octo-repo/actions/runs/10"}
    ]
    github.artifacts = {10: [{"name": "assembly", "expired": False}]}
    propose(repository, "G6E_XLARGE", "G6E_4XLARGE")
    build(repository, new_runner)

    outputs = repository / "outputs.json"
    before = {
        "Call the front door": reachable(outputs, silent),
        "Call the front door again": reachable(outputs, cloud.url),
    }
    runner = new_runner(repository, "deploy", before=before)
    assert not runner.run("deploy-assembly.yml", "deploy")
    assert "200 without text" in runner.output
    assert runner.outcomes["Deploy"] == "success"
    assert runner.outcomes["Call the front door"] == "failure"
    assert (runner.outcomes["Go back"], runner.outcomes["Call the front door again"]) == ("success", "success")
    assert deployed.instance_type == "ml.g6e.xlarge"


def guarded(
    new_runner: Callable[..., Runner], deployed: Deployed, workspace: Path, command: str, *roles: str
) -> tuple[Guard, str]:
    """Runs a command of the CDK CLI with credentials that may assume these roles of the bootstrap, and no other."""
    environment = {**new_runner(workspace, "guarded").environment}
    with Guard(deployed.endpoint_url, environment["AWS_ACCESS_KEY_ID"], roles=roles) as guard:
        environment["AWS_ENDPOINT_URL"] = guard.url
        done = subprocess.run(
            shlex.split(command), cwd=workspace, env=environment, capture_output=True, text=True, timeout=280
        )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return guard, output


def test_a_comparison_calls_nothing_that_its_role_may_not(
    repository: Path, new_runner: Callable[..., Runner], deployed: Deployed
) -> None:
    build(repository, new_runner)
    assembly = repository.parent / "artifacts" / "assembly" / "assembly.tar"
    subprocess.run(["tar", "-xf", str(assembly)], cwd=repository, check=True)
    guard, output = guarded(
        new_runner, deployed, repository, "cdk diff ChatService --app assembly --method template --no-notices"
    )
    assert guard.refused == {"lookup"}
    assert "Proceeding anyway" in output
    # IAM lets everybody ask who they are.
    assert guard.calls - {"sts:AssumeRole", "sts:GetCallerIdentity"} == {
        "cloudformation:DescribeStacks",
        "cloudformation:GetTemplate",
    }


def test_a_deployment_assumes_no_other_role_than_its_role_may(
    repository: Path, new_runner: Callable[..., Runner], deployed: Deployed
) -> None:
    propose(repository, "rate=1, burst=2", "rate=2, burst=4")
    build(repository, new_runner)
    assembly = repository.parent / "artifacts" / "assembly" / "assembly.tar"
    subprocess.run(["tar", "-xf", str(assembly)], cwd=repository, check=True)
    command = "cdk deploy ChatService --app assembly --require-approval never --ci --outputs-file outputs.json"
    guard, _ = guarded(new_runner, deployed, repository, command, "deploy", "file-publishing")
    assert {"sts:AssumeRole"} <= guard.calls <= {"sts:AssumeRole", "sts:GetCallerIdentity"}
    assert guard.refused <= {"lookup"}
