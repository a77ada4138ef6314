"""A front door in stacks of every synthesizer: companies have bootstraps of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import (
    App,
    BootstraplessSynthesizer,
    CliCredentialsStackSynthesizer,
    DefaultStackSynthesizer,
    FileAssetLocation,
    LegacyStackSynthesizer,
    NestedStack,
    Stack,
    Stage,
    pipelines,
)
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.planning.validation.problem import Problem
from tests.constructs_lib.front_door.doubles import Json, endpoint, function, make_front_door, of_type, properties
from tests.unpacked import folder_of

FOLDERS = ("front_door", "api_key_authorizer")


def code(rendered: Json, folder: str = "front_door") -> Json:
    found: Json = function(rendered, folder)["Code"]
    return found


def contents(rendered: Json) -> list[tuple[str, Json]]:
    """The code of both functions and the content of the layer, each with the folder that is in its archive."""
    (layer,) = properties(rendered, "Lambda::LayerVersion")
    return [*((folder, code(rendered, folder)) for folder in FOLDERS), ("front_door", layer["Content"])]


def bucket_of(value: Any) -> str:
    return str(value["Fn::Sub"] if isinstance(value, dict) else value)


def published(assembly: Path, stack: str) -> dict[str, Json]:
    """The archives of a stack's asset manifest by their object key: the one place that each goes to."""
    files = json.loads((assembly / f"{stack}.assets.json").read_text())["files"].values()
    found = {}
    for file in files:
        (destination,) = file["destinations"].values()
        if destination["objectKey"].endswith(".zip"):
            found[destination["objectKey"]] = {**destination, "folder": folder_of(assembly / file["source"]["path"])}
    return found


def check(made: FrontDoor, bucket: str, *, role: str | None, key_prefix: str = "") -> None:
    """Every archive comes from the bucket, and the assembly says to put it there, as whom."""
    stack = Stack.of(made)
    stage = Stage.of(stack)
    assert stage is not None
    assembly = stage.synth()
    rendered = assembly.get_stack_artifact(stack.artifact_id).template
    archives = published(Path(assembly.directory), stack.artifact_id)
    archived = contents(rendered)
    assert len(archives) == len(archived)
    for folder, own in archived:
        assert bucket_of(own["S3Bucket"]) == bucket
        assert own["S3Key"].startswith(key_prefix)
        archive = archives[own["S3Key"]]
        assert archive["bucketName"] == bucket
        assert archive.get("assumeRoleArn") == role
        assert [path.name for path in archive["folder"].iterdir()] == [folder]


def bucket_with(qualifier: str) -> str:
    return f"cdk-{qualifier}-assets-${{AWS::AccountId}}-${{AWS::Region}}"


def role_with(qualifier: str) -> str:
    name = f"cdk-{qualifier}-file-publishing-role-${{AWS::AccountId}}-${{AWS::Region}}"
    return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}"


Synthesizer = Callable[[], Any]

# How the synthesizer is made, the bucket, who puts the code there, and what the keys begin with.
CASES: dict[str, tuple[Synthesizer, str, str | None, str]] = {
    "qualifier": (
        lambda: DefaultStackSynthesizer(qualifier="company"),
        bucket_with("company"),
        role_with("company"),
        "",
    ),
    "bucket": (
        lambda: DefaultStackSynthesizer(
            file_assets_bucket_name="company-${AWS::Region}",
            file_asset_publishing_role_arn="arn:aws:iam::${AWS::AccountId}:role/company",
            bucket_prefix="team/",
        ),
        "company-${AWS::Region}",
        "arn:aws:iam::${AWS::AccountId}:role/company",
        "team/",
    ),
    "CLI credentials": (CliCredentialsStackSynthesizer, bucket_with("hnb659fds"), None, ""),
    "CLI credentials, bucket": (
        lambda: CliCredentialsStackSynthesizer(file_assets_bucket_name="company", qualifier="company"),
        "company",
        None,
        "",
    ),
}
each_case = pytest.mark.parametrize(("synthesizer", "bucket", "role", "key_prefix"), CASES.values(), ids=CASES)


@each_case
def test_the_code_goes_where_the_stacks_synthesizer_says(
    app: App, synthesizer: Synthesizer, bucket: str, role: str | None, key_prefix: str
) -> None:
    check(make_front_door(Stack(app, "Team", synthesizer=synthesizer())), bucket, role=role, key_prefix=key_prefix)


@each_case
def test_the_apps_synthesizer_is_that_of_each_stack(
    tmp_path: Path, synthesizer: Synthesizer, bucket: str, role: str | None, key_prefix: str
) -> None:
    app = App(outdir=str(tmp_path / "cdk.out"), default_stack_synthesizer=synthesizer())
    for made in [make_front_door(Stack(app, name)) for name in ("One", "Two")]:
        check(made, bucket, role=role, key_prefix=key_prefix)


def test_one_synthesizer_serves_several_stacks(app: App) -> None:
    shared = DefaultStackSynthesizer(qualifier="company")
    for made in [make_front_door(Stack(app, name, synthesizer=shared)) for name in ("One", "Two")]:
        check(made, bucket_with("company"), role=role_with("company"))


def test_a_qualifier_of_the_context_holds(tmp_path: Path) -> None:
    context = {"@aws-cdk/core:bootstrapQualifier": "company"}
    app = App(outdir=str(tmp_path / "cdk.out"), context=context)
    check(make_front_door(Stack(app, "Team")), bucket_with("company"), role=role_with("company"))


def test_stacks_of_a_stage_have_its_assembly(app: App) -> None:
    stage = Stage(app, "Beta")
    ours = make_front_door(Stack(stage, "Team", synthesizer=DefaultStackSynthesizer(qualifier="company")))
    default = make_front_door(Stack(stage, "Other"))
    check(ours, bucket_with("company"), role=role_with("company"))
    check(default, bucket_with("hnb659fds"), role=role_with("hnb659fds"))


def test_the_assets_of_a_nested_stack_are_its_parents(app: App) -> None:
    parent = Stack(app, "Team", synthesizer=DefaultStackSynthesizer(qualifier="company"))
    nested = NestedStack(parent, "Nested")
    make_front_door(nested)
    assembly = Path(app.synth().directory)
    rendered = json.loads((assembly / nested.template_file).read_text())
    archives = published(assembly, "Team")
    for _, own in contents(rendered):
        assert bucket_of(own["S3Bucket"]) == archives[own["S3Key"]]["bucketName"] == bucket_with("company")


def test_a_pipeline_publishes_the_code(app: App) -> None:
    main = Stack(app, "Pipeline")
    source = pipelines.CodePipelineSource.s3(s3.Bucket.from_bucket_name(main, "Source", "sources"), "source.zip")
    pipeline = pipelines.CodePipeline(
        main, "Pipeline", synth=pipelines.ShellStep("Synth", input=source, commands=["npx cdk synth"])
    )
    prod = Stage(app, "Prod")
    made = make_front_door(Stack(prod, "Team", synthesizer=DefaultStackSynthesizer(qualifier="company")))
    pipeline.add_stage(prod)
    pipeline.build_pipeline()
    check(made, bucket_with("company"), role=role_with("company"))
    archives = published(Path(prod.synth().directory), Stack.of(made).artifact_id)
    rendered = app.synth().get_stack_by_name("Pipeline").template
    builds = [project["Source"]["BuildSpec"] for project in properties(rendered, "CodeBuild::Project")]
    commands = [
        command
        for build in builds
        if isinstance(build, str)
        for command in json.loads(build)["phases"]["build"]["commands"]
    ]
    manifest = f"{Stack.of(made).artifact_id}.assets.json"
    for key in archives:
        asset_hash = key.removesuffix(".zip")
        assert any(manifest in command and f'publish "{asset_hash}:' in command for command in commands), commands


def test_the_parameters_of_a_legacy_stack_name_the_code(app: App) -> None:
    """It has no asset manifest: the CDK CLI reads the stack's metadata, uploads, and tells CloudFormation where to."""
    make_front_door(Stack(app, "Team", synthesizer=LegacyStackSynthesizer()))
    assembly = app.synth()
    (artifact,) = assembly.stacks
    metadata = json.loads((Path(assembly.directory) / "Team.metadata.json").read_text())["/Team"]
    uploads = {each["data"]["s3BucketParameter"]: each["data"] for each in metadata if each["type"] == "aws:cdk:asset"}
    for folder, own in contents(artifact.template):
        upload = uploads[own["S3Bucket"]["Ref"]]
        assert upload["s3KeyParameter"] in json.dumps(own["S3Key"])
        assert {own["S3Bucket"]["Ref"], upload["s3KeyParameter"]} < set(artifact.template["Parameters"])
        assert [path.name for path in folder_of(Path(assembly.directory) / upload["path"]).iterdir()] == [folder]


def refused(stack: Stack, **arguments: Any) -> tuple[Problem, ...]:
    models = {"llama": endpoint(stack)}
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "Door", models=models, **arguments)
    assert error.value.path == f"{stack.node.path}/Door"
    assert stack.node.try_find_child("Door") is None
    return error.value.problems


class WithoutBootstrap(BootstraplessSynthesizer):
    """A team's own, which changes nothing about assets."""


REFUSED = (
    "synthesizer=({}): cannot carry file assets, and the code of the functions is one. Give the stack a"
    " DefaultStackSynthesizer or CliCredentialsStackSynthesizer, with the bucket of your own bootstrap in"
    " file_assets_bucket_name if you have one."
)


@pytest.mark.parametrize("kind", [BootstraplessSynthesizer, WithoutBootstrap])
@pytest.mark.parametrize("where", ["stack", "app", "stage", "nested"])
def test_a_synthesizer_without_assets_is_refused_by_name(app: App, kind: type, where: str) -> None:
    match where:
        case "stack":
            stack = Stack(app, "Team", synthesizer=kind())
        case "app":
            stack = Stack(App(default_stack_synthesizer=kind()), "Team")
        case "stage":
            stack = Stack(Stage(App(default_stack_synthesizer=kind()), "Beta"), "Team")
        case _:
            stack = NestedStack(Stack(app, "Team", synthesizer=kind()), "Nested")
    assert [str(problem) for problem in refused(stack)] == [REFUSED.format(kind.__name__)]


def test_a_synthesizer_without_assets_is_named_with_the_other_problems(app: App) -> None:
    stack = Stack(app, "Team", synthesizer=BootstraplessSynthesizer())
    assert [problem.keyword for problem in refused(stack, memory_size=64)] == ["memory_size", "synthesizer"]


class OwnBucket(BootstraplessSynthesizer):
    """A team's own, which has found a way for assets."""

    def add_file_asset(self, asset: Any = None, **properties: Any) -> FileAssetLocation:
        url = "https://own.s3.amazonaws.com/key.zip"
        return FileAssetLocation(
            bucket_name="own", object_key="key.zip", http_url=url, s3_object_url="s3://own/key.zip"
        )


def test_other_problems_say_nothing_of_a_synthesizer_that_carries_assets(app: App) -> None:
    for name, synthesizer in {"Default": None, "Given": DefaultStackSynthesizer(), "Own": OwnBucket()}.items():
        stack = Stack(app, name, synthesizer=synthesizer)
        assert [problem.keyword for problem in refused(stack, memory_size=64)] == ["memory_size"]


def test_a_synthesizer_of_ones_own_may_carry_assets(app: App) -> None:
    made = make_front_door(Stack(app, "Team", synthesizer=OwnBucket()))
    rendered = app.synth().get_stack_by_name(Stack.of(made).stack_name).template
    assert code(rendered) == {"S3Bucket": "own", "S3Key": "key.zip"}


def test_what_else_fails_in_the_cdk_is_told_as_it_is(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "constructs_lib.front_door.lambda_functions.lambda_asset",
        lambda scope, _folder: assets.Asset(scope, "Code", path="no/such/folder"),
    )
    with pytest.raises(RuntimeError, match="no/such/folder"):
        make_front_door(Stack(app, "Team"))


def test_the_synthesizer_is_not_asked_for_in_vain(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    """To ask for one that was given makes jsii print a warning, once for each stack."""
    made = make_front_door(Stack(app, "Team", synthesizer=DefaultStackSynthesizer(qualifier="company")))
    assert of_type(app.synth().get_stack_by_name(Stack.of(made).stack_name).template, "Lambda::Function")
    assert "WARNING" not in capfd.readouterr().err
