"""The command `serve`: what it says of the API, its log and its arguments."""

import asyncio
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.__main__ import _app, _parser, _stack
from local.apigateway.api import ApiKey, RestApi
from local.client import ApiClient
from local.commands.asynchronous import show_endpoints
from local.commands.progress import Progress
from local.commands.serve import RequestLog, check_fault, connection_details, deploy_hint, show_connection
from local.deployment.cdk_cli import ROOT
from local.errors import UserError
from local.hosting import ScalingTimes
from local.session import _is_asynchronous, deployed, stack_names
from tests.local.apigateway.doubles import build_api, build_keyed_api


def line(api: RestApi) -> dict[str, Any]:
    cloud: Any = SimpleNamespace(url="http://127.0.0.1:1/prod", client=ApiClient(api))
    details: dict[str, Any] = json.loads(json.dumps(connection_details(cloud, ["llama"])))
    return details


def test_the_line_of_serve_lists_the_keys_of_several_consumers() -> None:
    one, two = ApiKey(id="1", name="team-a", value="a" * 20), ApiKey(id="2", name="team-b", value="b" * 20)
    again, nameless = ApiKey(id="3", name="team-b", value="c" * 20), ApiKey(id="4", value="d" * 20)
    assert line(build_api()) == {"url": "http://127.0.0.1:1/prod", "api_key": None, "models": ["llama"]}
    assert line(build_keyed_api(one)) == {"url": "http://127.0.0.1:1/prod", "api_key": "a" * 20, "models": ["llama"]}
    assert line(build_keyed_api(one, two))["api_keys"] == {"team-a": "a" * 20, "team-b": "b" * 20}
    assert line(build_keyed_api(one, two, again, nameless))["api_keys"] == {
        "team-a": "a" * 20,
        "2": "b" * 20,
        "3": "c" * 20,
        "4": "d" * 20,
    }


def test_stack_names_are_separated_by_commas_or_spaces_without_duplicates() -> None:
    assert stack_names("LlamaTgiStack") == ["LlamaTgiStack"]
    assert stack_names("A, B A,,C") == ["A", "B", "C"]
    with pytest.raises(UserError, match=r"STACK=,: must name a stack\."):
        stack_names(",")


def test_the_app_of_the_clone_has_a_stack_by_default_and_any_other_app_all_of_its_own() -> None:
    def read(*arguments: str) -> tuple[Path, str | None]:
        parsed = _parser().parse_args(["serve", *arguments])
        return _app(parsed), _stack(parsed)

    assert read() == (ROOT, "LlamaTgiStack")
    assert read("--stack", "A,B") == (ROOT, "A,B")
    folder = str(ROOT / "examples" / "model_fleet")
    assert read("--app", folder) == (Path(folder), None)
    assert read("--app", folder, "--stack", "A") == (Path(folder), "A")


def test_a_folder_without_an_app_is_an_error_before_anything_is_started(tmp_path: Path) -> None:
    async def serve() -> None:
        async with deployed(None, Progress(io.StringIO()), app=tmp_path, log=print):
            pass

    with pytest.raises(UserError) as caught:
        asyncio.run(serve())
    assert str(caught.value.problem) == f"APP={tmp_path}: has no cdk.json."
    assert caught.value.fix == "Name the folder of a CDK app, for example APP=examples/model_fleet."


def test_stacks_without_an_api_are_served_if_they_have_an_asynchronous_endpoint() -> None:
    def ask(*, api: bool, names: list[str]) -> bool:
        cloud: Any = SimpleNamespace(has_api=lambda: api, asynchronous_endpoints=lambda: names)
        return _is_asynchronous(cloud, ["A", "B"])

    assert ask(api=False, names=["batch"])
    assert not ask(api=True, names=["batch"])
    with pytest.raises(UserError) as caught:
        ask(api=False, names=[])
    assert caught.value.problem == "Nothing to serve in A, B: no REST API and no asynchronous endpoint."
    assert caught.value.fix == "Choose a STACK with a FrontDoor or an AsyncTgiEndpoint."


def test_scaling_takes_a_sixtieth_of_the_time_unless_the_command_says_otherwise() -> None:
    arguments = _parser().parse_args(["serve"])
    assert (arguments.speed, arguments.start_seconds) == (60, 5)
    assert ScalingTimes() == ScalingTimes(speed=60, start_seconds=5)
    arguments = _parser().parse_args(["serve", "--speed", "1.5", "--start-seconds", "300"])
    assert (arguments.speed, arguments.start_seconds) == (1.5, 300)


def test_a_speed_at_which_alarms_miss_metrics_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert _parser().parse_args(["serve", "--speed", "3600"]).speed == 3600
    with pytest.raises(SystemExit):
        _parser().parse_args(["serve", "--speed", "3601"])
    assert "--speed: 3601: must be at most 3600." in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "fast"])
def test_a_speed_that_is_no_positive_number_is_an_error(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["serve", f"--speed={value}"])
    assert f"argument --speed: {value}: must be a number above 0." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["earthquake", "refused"])
def test_a_fault_that_cannot_be_injected_into_every_call_is_an_error(name: str) -> None:
    with pytest.raises(UserError, match=f"--fault {name}: cannot be injected into every call."):
        check_fault(name)


ONE = ApiKey(id="1", name="team-a", value="a" * 20)
TWO = ApiKey(id="2", name="team-b", value="b" * 20)
KEY = " -H 'Authorization: Bearer aaaaaaaaaaaaaaaaaaaa'"
CURL = (
    "curl -N http://127.0.0.1:1/prod/v1/chat/completions{} -H 'Content-Type: application/json' -d '"
    '{{"model": "llama", "messages": [{{"role": "user", "content": "What is deep learning?"}}], "stream": true}}\''
)


def shown(api: RestApi, *, playground: bool, log: Path | None = None) -> list[str]:
    stream = io.StringIO()
    deployment = SimpleNamespace(has_playground=lambda: playground)
    cloud: Any = SimpleNamespace(url="http://127.0.0.1:1/prod", client=ApiClient(api), deployment=deployment)
    show_connection(Progress(stream), cloud, ["llama"], log)
    return stream.getvalue().splitlines()


def test_a_person_gets_the_playground_the_key_and_a_command() -> None:
    log = ROOT / ".cache" / "logs" / "serve-8080.log"
    assert shown(build_keyed_api(ONE), playground=True, log=log) == [
        "",
        "Playground  http://127.0.0.1:1/prod/",
        "API key     aaaaaaaaaaaaaaaaaaaa",
        f"Try it      {CURL.format(KEY)}",
        "Log         .cache/logs/serve-8080.log (LOGS=1 shows it here)",
        "",
        "Press Ctrl-C to stop.",
    ]


def test_a_person_gets_the_url_of_an_api_without_playground_and_keys() -> None:
    assert shown(build_api(), playground=False) == [
        "",
        "URL         http://127.0.0.1:1/prod",
        f"Try it      {CURL.format('')}",
        "Log         below",
        "",
        "Press Ctrl-C to stop.",
    ]


def test_a_person_gets_the_keys_of_all_consumers_by_name() -> None:
    keys = [line for line in shown(build_keyed_api(ONE, TWO), playground=True) if line.startswith("API key")]
    assert keys == ["API key     aaaaaaaaaaaaaaaaaaaa (team-a)", "API key     bbbbbbbbbbbbbbbbbbbb (team-b)"]


VARIABLES = (
    "export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=emulated AWS_DEFAULT_REGION=us-east-1"
    " AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://127.0.0.1:2"
)

CALL = (
    "aws sagemaker-runtime invoke-endpoint-async --endpoint-name batch"
    " --content-type application/json --input-location s3://BUCKET/KEY"
)


@pytest.mark.parametrize(
    ("app", "command"),
    [
        (
            "examples/async_batch",
            "cd examples/async_batch && python client.py --stack Batch prompts.jsonl answers.jsonl",
        ),
        (
            "examples/model_fleet",
            CALL,
        ),
    ],
)
def test_a_person_gets_the_variables_and_a_command_for_an_endpoint_without_an_api(
    app: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    cloud: Any = SimpleNamespace(
        control_plane_address="http://127.0.0.1:1",
        runtime_url="http://127.0.0.1:2",
        stack="Batch",
        asynchronous_endpoints=lambda: ["batch"],
    )
    stream = io.StringIO()
    show_endpoints(Progress(stream), cloud, ROOT / app, "below")
    assert stream.getvalue().splitlines() == [
        "",
        "Endpoint    batch (asynchronous)",
        f"Variables   {VARIABLES}",
        f"Try it      {command}",
        "Log         below",
        "",
        "Press Ctrl-C to stop.",
    ]


def test_the_log_starts_when_the_api_is_ready(tmp_path: Path) -> None:
    lines: list[str] = []
    file = tmp_path / "logs" / "serve.log"
    with RequestLog(lines.append) as log:
        log.write("the command's own request: 403")
        log.begin(file)
        log.write("a request")
        assert file.read_text() == "a request\n", "at once, so that it can be followed"
    log.write("a function that ends late")
    assert file.read_text() == "a request\n"
    assert lines == []


def test_the_log_is_shown_where_no_file_is_wanted() -> None:
    lines: list[str] = []
    with RequestLog(lines.append) as log:
        log.write("the command's own request: 403")
        log.begin(None)
        log.write("a request")
    assert lines == ["a request"]


def test_what_was_logged_before_a_failure_to_start_is_shown() -> None:
    lines: list[str] = []

    def fail() -> None:
        with RequestLog(lines.append) as log:
            log.write("Runtime exited")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert lines == ["Runtime exited"]


def hint(app: Path, *context: str) -> str:
    cloud: Any = SimpleNamespace(control_plane_url="http://localhost:1", stack="Chat")
    return deploy_hint(cloud, app, context)


def test_a_change_of_the_app_is_deployed_by_the_tools_and_with_the_context_of_the_command() -> None:
    assert hint(ROOT, "monitoring=on", "alarm_email=me@example.com") == (
        f"Deploy a change: cd {shlex.quote(str(ROOT))} &&"
        f' PATH={shlex.quote(f"{Path(sys.executable).parent}:{ROOT}/node_modules/.bin")}:"$PATH"'
        " AWS_ACCESS_KEY_ID=emulated AWS_SECRET_ACCESS_KEY=emulated AWS_SESSION_TOKEN=emulated AWS_REGION=us-east-1"
        " AWS_ENDPOINT_URL=http://localhost:1 cdk deploy Chat --context playground=on --context monitoring=on"
        " --context alarm_email=me@example.com --method=direct --require-approval=never"
    )


def test_the_command_that_deploys_a_change_runs_in_the_folder_of_another_app_with_the_library_of_the_clone(
    tmp_path: Path,
) -> None:
    app = tmp_path / "our app"
    app.mkdir()
    script = """cdk() { printf '%s\\n' "$PWD" "$PYTHONPATH" "$(command -v python3)" "$@"; }; """
    command = script + hint(app, "cors=http://a, http://b").removeprefix("Deploy a change: ")
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env={"PATH": os.defpath})
    folder, library, python, *arguments = run.stdout.splitlines()
    assert (folder, library, python) == (str(app), str(ROOT), str(Path(sys.executable).parent / "python3"))
    assert arguments[:6] == ["deploy", "Chat", "--context", "playground=on", "--context", "cors=http://a, http://b"]
