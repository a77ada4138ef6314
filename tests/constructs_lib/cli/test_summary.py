"""The command summary, with cloud assemblies written by the CDK."""

import json

import pytest
from aws_cdk import App, CfnWaitConditionHandle, Stack, Stage

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiOptions


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    folder = tmp_path_factory.mktemp("summary") / "cdk.out"
    app = App(outdir=str(folder))
    falcon = Model.from_hub("tiiuae/falcon-7b")
    limits = TgiOptions(max_input_tokens=1000, max_total_tokens=1500)
    TgiEndpoint(Stack(app, "One"), "E", model=falcon, instance_type=InstanceType.G5_2XLARGE, options=limits)
    TgiEndpoint(
        Stack(Stage(app, "Prod"), "Two"), "E", model=falcon, instance_type=InstanceType.G6E_16XLARGE, instance_count=2
    )
    CfnWaitConditionHandle(Stack(app, "Other"), "Handle")
    app.synth()
    return folder


def test_each_endpoint_has_a_line_including_those_of_stages(run, assembly):
    outcome = run("summary", assembly)
    assert outcome.status == 0
    assert outcome.out.splitlines() == [
        "STACK     MODEL             INSTANCE             GPUS      CONTEXT  $ / HOUR  $ / MONTH",
        "One       tiiuae/falcon-7b  ml.g5.2xlarge        1 × A10G    1,500     1.515      1,106",
        "Prod-Two  tiiuae/falcon-7b  2 × ml.g6e.16xlarge  1 × L40S    2,048   ~18.942    ~13,828",
    ]


def test_the_summary_as_json(run, assembly):
    one, two = json.loads(run("summary", assembly, "--json").out)
    assert (one["stack"], one["model"], one["context"]) == ("One", "tiiuae/falcon-7b", 1500)
    assert (two["stack"], two["instance_count"], two["price_is_derived"]) == ("Prod-Two", 2, True)


def test_templates_do_not_contain_the_summary(assembly):
    for template in assembly.rglob("*.template.json"):
        assert "tgi-endpoint:plan" not in template.read_text()


def test_older_assemblies_have_the_summary_in_their_manifest(run, assembly, tmp_path):
    manifest = json.loads((assembly / "manifest.json").read_text())
    one = manifest["artifacts"]["One"]
    one["metadata"] = json.loads((assembly / one.pop("additionalMetadataFile")).read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"One": one}}))
    assert "One    tiiuae/falcon-7b" in run("summary", tmp_path).out


def test_an_assembly_without_endpoints_is_reported(run, tmp_path):
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}')
    outcome = run("summary", tmp_path)
    assert (outcome.status, outcome.out) == (0, f"{tmp_path} has no model endpoint.\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory. Run cdk synth first, and name the folder it wrote."),
        ("x", "is not valid JSON"),
        ("[]", "is not a cloud assembly. Run cdk synth again."),
    ],
)
def test_a_folder_that_is_not_an_assembly_is_reported(run, tmp_path, content, message):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    outcome = run("summary", tmp_path)
    assert outcome.status == 1
    assert message in outcome.err
