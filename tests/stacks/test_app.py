"""The entire app: offline, one template for every Region, no open finding of cdk-nag."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from zipfile import ZipFile

import pytest
from aws_cdk import Acknowledgment, App, Environment, Stack, Validations
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, ServerlessChecks
from constructs import IConstruct

import app as composition
from constructs_lib.errors import ConfigurationError
from scripts.audit.rule_packs import PACKS
from stacks.node_options import add_node_options, available_cpus
from stacks.presets import PRESETS
from tests.unpacked import asset_folder

NAMES = [preset.__name__ for preset in PRESETS]
ROOT = Path(__file__).parent.parent.parent
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
SOMEWHERE = Environment(account="111122223333", region="eu-west-1")
ENDPOINTS = "llama=llama-prod,falcon=falcon-7b"


def built(env: Environment | None = None, **context: object) -> App:
    """The app with only LlamaTgiStack, unless the context selects other stacks."""
    app = App(context={**CONTEXT, "stacks": "LlamaTgiStack", **context})
    composition.build(app, env or Environment())
    return app


@cache
def template(region: str | None = None) -> dict[str, Any]:
    env = Environment(account="111122223333", region=region) if region else Environment()
    assembly = built(env, nag="off").synth()
    rendered: dict[str, Any] = assembly.get_stack_by_name("LlamaTgiStack").template
    return rendered


BOTH_PACKS: tuple[Any, ...] = (AwsSolutionsChecks, ServerlessChecks)


def findings(app: App, packs: Iterable[Any] = BOTH_PACKS) -> set[tuple[str, str]]:
    """The findings of the packs: rule and path of the resource."""
    return {
        (violation.rule_name, resource.construct_path)
        for pack in packs
        for violation in pack(app).validate_scope(app).violations
        for resource in violation.violating_resources
    }


@pytest.mark.parametrize("env", [Environment(), SOMEWHERE], ids=["any Region", "one Region"])
def test_cdk_nag_has_no_open_finding(env: Environment) -> None:
    assert findings(built(env, nag="off", stacks="", front_door=ENDPOINTS)) == set()


def test_an_unacknowledged_finding_is_reported() -> None:
    app = built(nag="off")
    stack = app.node.find_child("LlamaTgiStack")
    assert isinstance(stack, Stack)
    s3.CfnBucket(stack, "Forgotten")
    assert ("AwsSolutions-S1", "LlamaTgiStack/Forgotten") in findings(app)


class Recorder:
    """A fake of Validations that records acknowledgments."""

    given: ClassVar[dict[tuple[str, str], str]]

    def __init__(self, construct: IConstruct) -> None:
        self._construct = construct

    def acknowledge(self, *rules: Acknowledgment) -> None:
        self.given.update({(rule.id, self._construct.node.path): rule.reason for rule in rules})


def assert_acknowledgments_are_needed(app: App) -> None:
    """Each that `Recorder` was given is for a finding, and each finding of both packs has one."""
    found = findings(app, PACKS.values())
    of_both = [rule for rule, _ in Recorder.given if rule.startswith(("AwsSolutions", "Serverless"))]
    assert len(of_both) == len([rule for rule, _ in found if rule.startswith(("AwsSolutions", "Serverless"))])
    for rule, path in Recorder.given:
        assert [each for each in found if each[0] == rule and each[1].startswith(path)], (rule, path)


def test_every_acknowledgment_is_for_one_finding_about_one_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    Recorder.given = {}
    monkeypatch.setattr(Validations, "of", Recorder)
    assert_acknowledgments_are_needed(built(nag="off", stacks="", front_door=ENDPOINTS))


def run_app(
    tmp_path: Path, *program: str, variables: Mapping[str, str] | None = None, **context: str
) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CDK_"))}
    given = {"CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": json.dumps({**CONTEXT, **context})}
    return subprocess.run(
        [sys.executable, *(program or ("app.py",))],
        cwd=ROOT,
        env={**clean, **given, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_app_synthesizes_with_both_packs_enabled(tmp_path: Path) -> None:
    ran = run_app(tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert {path.name.partition(".")[0] for path in tmp_path.glob("*.template.json")} == set(NAMES)
    assert len([path for path in tmp_path.glob("asset.*.zip") if "front_door/main.py" in ZipFile(path).namelist()]) == 1


_BROKEN = """
import runpy
from aws_cdk import App, CfnResource, Stack
synth = App.synth
def broken(app):
    CfnResource(Stack(app, "Broken"), "Queue", type="AWS::SQS::Queue", properties={"NoSuchProperty": 1})
    return synth(app)
App.synth = broken
runpy.run_path("app.py", run_name="__main__")
"""


@pytest.mark.parametrize(("variables", "reports"), [({}, 1), ({"CDK_VALIDATION": "false"}, 0)], ids=["on", "off"])
def test_the_app_starts_the_cdks_own_validation_once_unless_the_cli_turns_it_off(
    variables: dict[str, str], reports: int, tmp_path: Path
) -> None:
    ran = run_app(tmp_path, "-c", _BROKEN, variables=variables, stacks="LlamaTgiStack")
    assert (tmp_path / "Broken.template.json").exists(), ran.stderr
    report = json.loads((tmp_path / "validation-report.json").read_text())
    assert [each["pluginName"] for each in report["pluginReports"]] == ["CloudFormation Validate"] * reports


@pytest.mark.parametrize("given", ["", "--no-warnings"])
def test_node_is_started_with_the_options_for_a_synth(given: str, tmp_path: Path) -> None:
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.write_text(f'#!/bin/sh\necho "$NODE_OPTIONS" > {tmp_path}/options\nexec {shutil.which("node")} "$@"\n')
    node.chmod(0o755)
    ran = run_app(
        tmp_path / "out",
        variables={"NODE_OPTIONS": given, "JSII_NODE": str(node)},
        stacks="LlamaTgiStack",
        nag="off",
    )
    assert ran.returncode == 0, ran.stderr
    variables = {"NODE_OPTIONS": given}
    add_node_options(variables, available_cpus())
    assert (tmp_path / "options").read_text().strip() == variables["NODE_OPTIONS"]


def test_the_imports_during_which_the_validation_starts_send_nothing_to_the_cdk() -> None:
    code = (
        "import aws_cdk; from jsii._kernel.providers.process import _NodeProcess; "
        "_NodeProcess.send = lambda *message: print(message); import app"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == ""


@pytest.mark.parametrize("host_traces", [True, False])
def test_the_assembly_says_where_a_resource_is_created_only_if_that_is_a_line_of_python(
    host_traces: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JSII_HOST_STACK_TRACES", raising=False)
    if host_traces:
        monkeypatch.setenv("JSII_HOST_STACK_TRACES", "1")
    ran = run_app(tmp_path, stacks="LlamaTgiStack", nag="off")
    assert ran.returncode == 0, ran.stderr
    metadata = json.loads((tmp_path / "LlamaTgiStack.metadata.json").read_text())
    traces = [entry["data"] for entries in metadata.values() for entry in entries if "creationStack" in entry["type"]]
    assert bool(traces) is host_traces
    assert any("model_stack.py:" in line for trace in traces for line in trace) is host_traces


def names(app: App) -> list[str]:
    return [child.node.id for child in app.node.children if isinstance(child, Stack)]


def test_the_app_has_every_preset() -> None:
    assert names(built(nag="off", stacks="")) == NAMES


@pytest.mark.parametrize("stacks", ["QwenTgiStack,LlamaTgiStack", "LlamaTgiStack QwenTgiStack"])
def test_the_context_selects_the_stacks_of_the_app(stacks: str) -> None:
    assert names(built(nag="off", stacks=stacks)) == ["LlamaTgiStack", "QwenTgiStack"]


def test_an_unknown_stack_is_rejected_with_a_list_of_the_known_ones(tmp_path: Path) -> None:
    ran = run_app(tmp_path, stacks="LlamaTgiStack,LamaTgiStack,Qwen")
    assert ran.returncode == 1
    assert ran.stderr.strip() == (
        "stacks=LamaTgiStack,Qwen: the app has no stack of this name. Choose one of: " + ", ".join(NAMES) + "."
    )


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        (["LlamaTgiStack"], ["LlamaTgiStack"]),
        (["Llama*Stack"], ["LlamaTgiStack", "Llama70bTgiStack", "LlamaVllmStack"]),
        (["**"], NAMES),
        ([], NAMES),
        (["NoSuchStack"], NAMES),
    ],
    ids=["one", "a pattern", "all", "none, as for cdk list", "one that the CLI will not find"],
)
def test_an_exclusive_selection_builds_no_other_stacks(selected: list[str], expected: list[str]) -> None:
    assert names(built(nag="off", stacks="", **{composition.SELECTED_STACKS: selected})) == expected


@pytest.mark.slow
def test_the_cdk_cli_passes_an_exclusive_selection_to_the_app(tmp_path: Path) -> None:
    command = ["cdk", "synth", "--exclusively", "LlamaTgiStack", "--quiet", "--no-notices", "--context", "nag=off"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{ROOT}/node_modules/.bin:{os.environ['PATH']}"}
    ran = subprocess.run(
        [*command, "--output", str(tmp_path)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert [path.name for path in tmp_path.glob("*.template.json")] == ["LlamaTgiStack.template.json"]


def test_an_open_finding_fails_the_synthesis() -> None:
    app = built()
    stack = app.node.find_child("LlamaTgiStack")
    assert isinstance(stack, Stack)
    s3.CfnBucket(stack, "Forgotten")
    with pytest.raises(RuntimeError, match="AwsSolutions-S1"):
        app.synth()


def test_cdk_nag_can_be_turned_off() -> None:
    app = built(nag="off")
    stack = app.node.find_child("LlamaTgiStack")
    assert isinstance(stack, Stack)
    s3.CfnBucket(stack, "Forgotten")
    assert app.synth()


def test_the_app_imports_nothing_that_could_call_aws_or_git() -> None:
    code = (
        "import sys, app; from aws_cdk import App, Environment; "
        f"app.build(App(context={CONTEXT | {'stacks': 'LlamaTgiStack'}!r}), Environment()); "
        "print(sorted({'boto3', 'botocore', 'requests', 'git', 'sagemaker'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_template_has_no_region_or_account_by_default() -> None:
    text = json.dumps({key: value for key, value in template().items() if key != "Mappings"})
    assert "111122223333" not in text
    assert "us-east-1" not in text
    assert '"AWS::Region"' in text


def test_llama_runs_on_one_g5_2xlarge_with_the_token_of_the_secret_in_the_context() -> None:
    app = built(nag="off", hf_token_secret="another-secret")
    rendered = app.synth().get_stack_by_name("LlamaTgiStack").template
    (model,) = (each for each in rendered["Resources"].values() if each["Type"] == "AWS::SageMaker::Model")
    environment = model["Properties"]["PrimaryContainer"]["Environment"]
    assert environment["HF_MODEL_ID"] == "meta-llama/Llama-3.1-8B-Instruct"
    assert ":secret:another-secret:SecretString" in json.dumps(environment["HF_TOKEN"])
    (config,) = (each for each in rendered["Resources"].values() if each["Type"] == "AWS::SageMaker::EndpointConfig")
    assert config["Properties"]["ProductionVariants"][0]["InstanceType"] == "ml.g5.2xlarge"


def test_the_default_secret_is_in_cdk_json() -> None:
    assert f":secret:{CONTEXT['hf_token_secret']}:SecretString" in json.dumps(template())


def test_the_log_role_of_the_account_can_be_left_alone() -> None:
    rendered = built(nag="off", cloud_watch_role="off").synth().get_stack_by_name("LlamaTgiStack").template
    types = {each["Type"] for each in rendered["Resources"].values()}
    assert "AWS::ApiGateway::Account" not in types
    assert "AWS::ApiGateway::Account" in {each["Type"] for each in template()["Resources"].values()}


def test_synthesis_is_deterministic() -> None:
    again = built(nag="off").synth().get_stack_by_name("LlamaTgiStack").template
    assert json.dumps(again) == json.dumps(template())


def test_the_asset_of_the_front_door_has_an_executable_wrapper() -> None:
    assembly = built(nag="off").synth()
    stack = assembly.get_stack_by_name("LlamaTgiStack")
    (function,) = (
        each["Properties"]
        for each in stack.template["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function" and each["Properties"]["Handler"].startswith("front_door")
    )
    task_root = asset_folder(assembly.directory, function["Code"]["S3Key"])
    wrapper = function["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"]
    started = task_root / Path(wrapper).relative_to("/var/task")
    assert started.stat().st_mode & 0o777 == 0o755
    assert started.read_bytes().startswith(b"#!/bin/sh\n")
    assert b"\r" not in started.read_bytes()
    assert {path.name for path in task_root.iterdir()} == {"front_door"}


def test_every_asset_path_is_inside_the_assembly() -> None:
    text = json.dumps(template())
    assert str(ROOT) not in text


def root_is_open(**context: object) -> bool:
    rendered = built(nag="off", **context).synth().get_stack_by_name("LlamaTgiStack").template
    (api,) = (entry for entry in rendered["Resources"].values() if entry["Type"] == "AWS::ApiGateway::RestApi")
    root = api["Properties"]["Body"]["paths"]["/"]
    return "security" not in root.get("get", root["x-amazon-apigateway-any-method"])


@pytest.mark.parametrize("value", ["on", "true", True])
def test_the_playground_can_be_turned_on_in_the_context(value: object) -> None:
    assert root_is_open(playground=value)


@pytest.mark.parametrize("context", [{}, {"playground": "off"}, {"playground": False}])
def test_the_playground_is_off_by_default(context: dict[str, object]) -> None:
    assert not root_is_open(**context)


def cors_origins(stack: str = "LlamaTgiStack", **context: object) -> Any:
    rendered = built(nag="off", stacks=stack, front_door=ENDPOINTS, **context).synth().get_stack_by_name(stack).template
    functions = (entry for entry in rendered["Resources"].values() if entry["Type"] == "AWS::Lambda::Function")
    found = [json.dumps(entry["Properties"].get("Environment", {})) for entry in functions]
    (variables,) = (json.loads(text)["Variables"] for text in found if "DEFAULT_MAX_TOKENS" in text)
    return json.loads(variables.get("CORS_ORIGINS", "null"))


@pytest.mark.parametrize("stack", ["LlamaTgiStack", "FrontDoorStack"])
@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("http://localhost:3000", ["http://localhost:3000"]),
        ("https://a.example.com,http://b:1", ["https://a.example.com", "http://b:1"]),
        (["https://a.example.com"], ["https://a.example.com"]),
        ("*", ["*"]),
        ("", None),
    ],
)
def test_pages_of_the_origins_in_the_context_may_call(stack: str, value: object, origins: list[str] | None) -> None:
    assert cors_origins(stack, cors=value) == origins


def test_pages_of_no_origin_may_call_by_default() -> None:
    assert cors_origins() is None


def test_an_origin_in_the_context_that_no_browser_sends_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match=r"cors.allowed_origins='localhost:3000': must be an origin"):
        built(nag="off", cors="localhost:3000")


@pytest.mark.parametrize("key", ["playground", "nag", "cloud_watch_role", "smoke_test"])
def test_a_switch_that_is_neither_on_nor_off_is_rejected(key: str) -> None:
    with pytest.raises(SystemExit, match=f"{key}=perhaps: must be on or off"):
        built(**{"nag": "off", key: "perhaps"})


def test_the_name_of_the_tokens_secret_is_required() -> None:
    with pytest.raises(SystemExit, match="hf_token_secret: missing"):
        composition.build(App(), Environment())


@pytest.mark.parametrize("context", [{}, {"smoke_test": "on"}, {"smoke_test": "off"}, {"smoke_test": False}])
def test_a_deployment_is_tested_unless_the_context_says_off(context: dict[str, object]) -> None:
    rendered = built(nag="off", **context).synth().get_stack_by_name("LlamaTgiStack").template
    tests = [one for one in rendered["Resources"].values() if one["Type"] == "Custom::TgiEndpointSmokeTest"]
    assert len(tests) == (0 if context.get("smoke_test") in ("off", False) else 1)
    assert [name for name in rendered["Resources"] if "SmokeTest" in name and not tests] == []


def test_the_context_prescribes_path_and_prefix_of_roles() -> None:
    template = (
        built(nag="off", role_path="/team/", role_prefix="team-").synth().get_stack_by_name("LlamaTgiStack").template
    )
    roles = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
    assert {role["Path"] for role in roles} == {"/team/"}
    assert all("'team-LlamaTgiStack-" in str(role["RoleName"]) for role in roles)


def test_a_path_or_prefix_that_iam_refuses_is_rejected() -> None:
    with pytest.raises(
        SystemExit, match=r"role_path='team': must begin and end with a slash, .*\nrole_prefix='a/': must "
    ):
        built(role_path="team", role_prefix="a/")
