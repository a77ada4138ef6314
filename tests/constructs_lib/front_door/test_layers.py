"""Layers with a file that is written at synthesis."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aspects, IAspect, LegacyStackSynthesizer, NestedStack, Stack, Stage
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct
from jsii import implements

from constructs_lib.front_door.layers import file_layer


class Facts(Construct):
    """A function with a layer of what it has been told."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.told: list[str] = []
        layer = file_layer(self, "Facts", files={"facts/told.json": lambda: json.dumps(self.told)}, description="Facts")
        lambda_.CfnFunction(
            self,
            "Function",
            runtime="python3.13",
            handler="index.handler",
            role="arn:aws:iam::123456789012:role/facts",
            code=lambda_.CfnFunction.CodeProperty(zip_file="pass"),
            layers=[layer],
        )


def resources(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == f"AWS::Lambda::{kind}"}


def content(assembly: Path, template: dict[str, Any]) -> Path:
    """The folder of the one layer in a template."""
    (layer,) = resources(template, "LayerVersion").values()
    return assembly / f"asset.{layer['Content']['S3Key'].removesuffix('.zip')}"


def told(assembly: Path, template: dict[str, Any]) -> list[str]:
    folder = content(assembly, template)
    assert [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()] == ["facts/told.json"]
    return json.loads((folder / "facts" / "told.json").read_text())  # type: ignore[no-any-return]


def test_a_file_has_what_was_added_after_the_layer_and_the_function_refers_to_its_version(app: App) -> None:
    stack = Stack(app, "Team")
    facts = Facts(stack, "Facts")
    facts.told.append("late")
    assembly = app.synth()
    template = assembly.get_stack_by_name("Team").template
    assert told(Path(assembly.directory), template) == ["late"]
    ((layer, properties),) = resources(template, "LayerVersion").items()
    (function,) = resources(template, "Function").values()
    assert function["Layers"] == [{"Ref": layer}]
    assert properties["Description"] == "Facts"
    assert properties["Content"]["S3Bucket"] == {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}


@implements(IAspect)
class Tell:
    """Adds a fact when the CDK visits the tree before synthesis."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, Facts):
            node.told.append("by an aspect")


def test_a_file_has_what_an_aspect_added(app: App) -> None:
    stack = Stack(app, "Team")
    Facts(stack, "Facts")
    Aspects.of(stack).add(Tell())
    assembly = app.synth()
    assert told(Path(assembly.directory), assembly.get_stack_by_name("Team").template) == ["by an aspect"]


def test_an_app_that_is_synthesized_again_has_what_was_added_in_between(app: App) -> None:
    facts = Facts(Stack(app, "Team"), "Facts")
    facts.told.append("early")
    app.synth()
    facts.told.append("late")
    assembly = app.synth(force=True)
    assert told(Path(assembly.directory), assembly.get_stack_by_name("Team").template) == ["early", "late"]


def test_only_the_content_makes_another_asset(tmp_path: Path) -> None:
    def key(name: str, *facts: str) -> str:
        app = App(outdir=str(tmp_path / name))
        Facts(Stack(app, "Team"), "Facts").told.extend(facts)
        (layer,) = resources(app.synth().get_stack_by_name("Team").template, "LayerVersion").values()
        return str(layer["Content"]["S3Key"])

    assert key("first", "one") == key("second", "one") != key("third", "two")


def test_the_file_can_be_read_by_others_whatever_the_umask(app: App) -> None:
    stack = Stack(app, "Team")
    Facts(stack, "Facts")
    before = os.umask(0o077)
    try:
        assembly = app.synth()
    finally:
        os.umask(before)
    folder = content(Path(assembly.directory), assembly.get_stack_by_name("Team").template)
    assert stat.S_IMODE((folder / "facts" / "told.json").stat().st_mode) == 0o644


def test_several_layers_in_one_stack_have_their_own_content(app: App) -> None:
    stack = Stack(app, "Team")
    for name in ("One", "Two"):
        Facts(stack, name).told.append(name)
    assembly = app.synth()
    layers = resources(assembly.get_stack_by_name("Team").template, "LayerVersion").values()
    folders = [Path(assembly.directory, f"asset.{each['Content']['S3Key'].removesuffix('.zip')}") for each in layers]
    assert [(folder / "facts" / "told.json").read_text() for folder in folders] == ['["One"]', '["Two"]']


def test_stages_and_nested_stacks_publish_the_file(app: App) -> None:
    stage = Stage(app, "Beta")
    nested = NestedStack(Stack(stage, "Team"), "Nested")
    Facts(nested, "Facts").told.append("deep")
    app.synth()
    assembly = Path(stage.synth().directory)
    template = json.loads((assembly / nested.template_file).read_text())
    (layer,) = resources(template, "LayerVersion").values()
    (manifest,) = assembly.glob("*.assets.json")
    files = json.loads(manifest.read_text())["files"]
    source = files[layer["Content"]["S3Key"].removesuffix(".zip")]["source"]
    assert source["packaging"] == "zip"
    assert (assembly / source["path"] / "facts" / "told.json").read_text() == '["deep"]'


def test_the_parameters_of_a_legacy_stack_name_the_file(app: App) -> None:
    stack = Stack(app, "Team", synthesizer=LegacyStackSynthesizer())
    Facts(stack, "Facts").told.append("old")
    assembly = app.synth()
    template = assembly.get_stack_by_name("Team").template
    metadata = json.loads(Path(assembly.directory, "Team.metadata.json").read_text())["/Team"]
    (upload,) = (each["data"] for each in metadata if each["type"] == "aws:cdk:asset")
    (layer,) = resources(template, "LayerVersion").values()
    assert layer["Content"]["S3Bucket"] == {"Ref": upload["s3BucketParameter"]}
    assert Path(assembly.directory, upload["path"], "facts", "told.json").read_text() == '["old"]'


@pytest.mark.parametrize("context", [{}, {"aws:cdk:enable-asset-metadata": True}], ids=["bare", "as the CLI"])
def test_sam_local_is_told_where_the_content_is(context: dict[str, object], tmp_path: Path) -> None:
    app = App(context=context, outdir=str(tmp_path))
    Facts(Stack(app, "Team"), "Facts")
    template = app.synth().get_stack_by_name("Team").template
    (layer,) = (each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::LayerVersion")
    told = {
        "aws:asset:path": content(tmp_path, template).name,
        "aws:asset:is-bundled": False,
        "aws:asset:property": "Content",
    }
    assert layer.get("Metadata") == (told if context else None)
