"""What all commands have in common: help with examples, JSON, exit statuses, nothing on the wrong stream."""

import argparse
import io
import json
import sys
from dataclasses import dataclass

import pytest
from aws_cdk import App, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint
from constructs_lib.cli.commands import build_parser
from tests.constructs_lib.cli.fake_front_door import fake_front_door
from tests.constructs_lib.cli.fake_hub import CONFIG, INFO, fake_hub

FALCON, BLOOM = ("--model", "tiiuae/falcon-7b"), ("--model", "bigscience/bloom")
NOWHERE = "http://127.0.0.1:1"
COMMIT = "b968826d9c46dd6066d109eabc6255188de91218"


@dataclass(frozen=True)
class Case:
    """How to call a command; in braces what `places` has.

    Args:
        fine: Arguments with which it has status 0; None if that takes more than there is here.
        finding: Arguments with which it has status 1; None if there are none.
        json: Whether it has --json.
        account: Arguments with which it calls AWS; None if it never does.
    """

    fine: tuple[str, ...] | None
    finding: tuple[str, ...] | None
    json: bool = True
    account: tuple[str, ...] | None = None


STAGE = ("Qwen/Qwen3-8B", "--revision", COMMIT, "--bucket", "team-weights")
CASES = {
    "plan": Case((*FALCON, "--instance", "ml.g5.2xlarge"), (*BLOOM, "--instance", "ml.g5.2xlarge")),
    "compare": Case((*FALCON, "--instance", "ml.g5.2xlarge"), (*BLOOM, "--instance", "ml.g5.2xlarge")),
    "models": Case((), None),
    "models add": Case(("{model}", "--output", "{folder}/m.json"), ("team/none", "--output", "{folder}/m.json")),
    "models pin": Case(("team/model",), ("team/none",)),
    "instances": Case((), None),
    "images": Case((), None),
    # test_jumpstart.py has a bucket of JumpStart's.
    "jumpstart add": Case(None, ("a-model", "--region", "us-east-1", "--output", "{folder}/j.json")),
    "summary": Case(("{assembly}",), ("{folder}/none",)),
    "cost": Case(("{assembly}",), ("{folder}/none",)),
    "migrate": Case((*FALCON, "--to", "vllm"), (*FALCON, "--option", "watermark_gamma=0.4", "--to", "vllm")),
    # test_stage.py has a bucket and credentials.
    "stage": Case(None, None, account=STAGE),
    # tests/constructs_lib/cli/doctor has an account.
    "doctor": Case(None, None, account=("LlamaTgiStack",)),
    "chat": Case(("--url", "{door}", "Hi"), ("--url", NOWHERE, "Hi"), account=("--stack", "Chat", "Hi")),
    "completion": Case(("bash",), None, json=False),
}


def commands(parser: argparse.ArgumentParser, path: str = ""):
    """The commands that can be run, by their words."""
    if parser.get_default("run"):
        yield path, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from commands(command, f"{path} {name}".strip())


PARSERS = dict(commands(build_parser("tgi-endpoint")))
BY_NAME = pytest.mark.parametrize("name", PARSERS)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    app = App(outdir=str(tmp_path_factory.mktemp("every") / "cdk.out"))
    falcon = Model.from_hub("tiiuae/falcon-7b")
    TgiEndpoint(Stack(app, "One"), "E", model=falcon, instance_type=InstanceType.G5_2XLARGE)
    app.synth()
    return app.outdir


@pytest.fixture
def call(run, assembly, tmp_path, monkeypatch):
    """Calls a command, in a world without AWS, with a hub and a front door."""
    model = tmp_path / "my-model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps(CONFIG))
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", NOWHERE)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with fake_hub() as hub, fake_front_door() as door:
        hub.serve("team/model", info={**INFO, "sha": COMMIT})
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        places = {"assembly": assembly, "folder": tmp_path, "model": model, "door": door.url}
        yield lambda name, *arguments: run(*name.split(), *(each.format(**places) for each in arguments))


def test_each_command_is_here():
    assert set(CASES) == set(PARSERS)


@BY_NAME
def test_help_has_examples_of_the_command_and_its_exit_statuses(name):
    shown = PARSERS[name].format_help()
    assert f"\n  tgi-endpoint {name}" in shown[shown.index("examples:") :] or "$(tgi-endpoint completion" in shown
    statuses = shown[shown.index("exit status: 0 ") :].partition("\n\n")[0]
    assert " 2 usage error" in statuses.replace("\n", " ")
    assert ("3 no " in statuses.replace("\n", " ")) == (CASES[name].account is not None)
    assert max(map(len, shown.partition("examples:")[0].splitlines())) <= 120


@BY_NAME
def test_the_examples_of_the_help_are_of_options_that_exist(name):
    parser = PARSERS[name]
    examples = parser.format_help().partition("examples:")[2].partition("\n\n")[0]
    options = {word.partition("=")[0] for word in examples.split() if word.startswith("--")}
    assert options <= {each for other in PARSERS.values() for each in other.option_names}
    own = {
        word for line in examples.splitlines() if f"tgi-endpoint {name} " in line for word in line.split("|")[0].split()
    }
    assert {word for word in own if word.startswith("--")} <= {*parser.option_names}


@BY_NAME
def test_an_option_that_does_not_exist_has_status_2(call, name):
    outcome = call(name, "--no-such-option")
    assert (outcome.status, outcome.out) == (2, "")
    assert "error: --no-such-option: is not known." in outcome.err
    assert f"usage: tgi-endpoint {name} " in outcome.err


@BY_NAME
def test_all_commands_but_those_that_write_scripts_have_json(name):
    assert ("--json" in PARSERS[name].option_names) == CASES[name].json


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.fine is not None])
def test_what_is_fine_has_status_0_and_plain_text_in_a_pipe(call, name):
    outcome = call(name, *(CASES[name].fine or ()))
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.endswith("\n")
    assert "\x1b" not in outcome.out


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.fine is not None and case.json])
def test_json_is_all_there_is(call, name):
    outcome = call(name, *(CASES[name].fine or ()), "--json")
    assert (outcome.status, outcome.err) == (0, "")
    assert isinstance(json.loads(outcome.out), dict | list)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.finding is not None])
def test_a_finding_or_a_failure_has_status_1(call, name):
    outcome = call(name, *(CASES[name].finding or ()))
    assert outcome.status == 1
    assert outcome.out or outcome.err.startswith("error: ")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.account is not None])
def test_without_credentials_or_a_region_the_status_is_3(call, name):
    outcome = call(name, *(CASES[name].account or ()))
    assert (outcome.status, outcome.out) == (3, "")
    assert "error: --region: there is no Region." in outcome.err
