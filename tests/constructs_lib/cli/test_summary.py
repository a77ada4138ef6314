"""The command summary, with cloud assemblies written by the CDK."""

import json

import pytest
from aws_cdk import App, CfnWaitConditionHandle, NestedStack, Stack, Stage

from constructs_lib import (
    Fallback,
    FleetModel,
    FrontDoor,
    InstanceType,
    Mirror,
    Model,
    ModelFleet,
    Split,
    TgiEndpoint,
    TgiOptions,
    VllmEndpoint,
)
from constructs_lib.planning.cost import streams_usd_per_hour


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
    assert outcome.out.splitlines()[:3] == [
        "STACK     MODEL             INSTANCE             GPUS      CONTEXT  $ / HOUR  $ / MONTH  STREAMS  FRONT DOOR",
        "One       tiiuae/falcon-7b  ml.g5.2xlarge        1 × A10G    1,500     1.515      1,106      128           -",
        "Prod-Two  tiiuae/falcon-7b  2 × ml.g6e.16xlarge  1 × L40S    2,048   ~18.942    ~13,828      256           -",
    ]


NOTE = """
STREAMS: requests at once on the most instances, of 1024 tokens unless request_tokens says otherwise, by memory · \
FRONT DOOR: $ / hour while as many streams are open

SageMaker's quota "{name}" is usually 0 in a new account: the endpoint then fails with ResourceLimitExceeded.
It must allow twice the instances, as an update starts the new ones before it stops the old ones. To read and raise it:
  aws service-quotas list-service-quotas --service-code sagemaker --output text \\
    --query "Quotas[?{condition}].[QuotaCode,Value,QuotaName]"
  aws service-quotas request-service-quota-increase --service-code sagemaker --desired-value {needed} --quota-code ID
"""


def test_the_quotas_are_named_that_are_0_in_a_new_account(run, assembly):
    condition = "contains(QuotaName,'for endpoint usage')"
    expected = NOTE.format(name="<INSTANCE> for endpoint usage", condition=condition, needed=4)
    assert run("summary", assembly).out.endswith(f"\n{expected}")


def test_the_quota_of_a_single_instance_type_is_named_with_it(run, assembly):
    (stage,) = assembly.glob("assembly-*")
    name = "ml.g6e.16xlarge for endpoint usage"
    expected = NOTE.format(name=name, condition=f"QuotaName=='{name}'", needed=4)
    assert run("summary", stage).out.endswith(f"\n{expected}")


def test_endpoints_of_one_stack_need_a_quota_for_all_of_them(run, tmp_path):
    app = App(outdir=str(tmp_path / "cdk.out"))
    falcon = Model.from_hub("tiiuae/falcon-7b")
    move, other = Stack(app, "Move"), Stack(app, "Other")
    for stack, name in ((move, "Old"), (move, "New"), (other, "E")):
        TgiEndpoint(stack, name, model=falcon, instance_type=InstanceType.G5_2XLARGE)
    app.synth()
    name = "ml.g5.2xlarge for endpoint usage"
    expected = NOTE.format(name=name, condition=f"QuotaName=='{name}'", needed=4)
    assert run("summary", tmp_path / "cdk.out").out.endswith(f"\n{expected}")


def test_the_summary_as_json(run, assembly):
    one, two = json.loads(run("summary", assembly, "--json").out)
    assert (one["stack"], one["model"], one["context"]) == ("One", "tiiuae/falcon-7b", 1500)
    assert (two["stack"], two["min_instances"], two["max_instances"]) == ("Prod-Two", 2, 2)
    assert two["price_is_derived"] is True
    assert (two["quota_names"], two["quota_needed"]) == (["ml.g6e.16xlarge for endpoint usage"], 4)


def test_an_endpoint_that_is_scaled_costs_a_range(run, tmp_path):
    folder = tmp_path / "cdk.out"
    app = App(outdir=str(folder))
    falcon = Model.from_hub("tiiuae/falcon-7b")
    endpoint = TgiEndpoint(Stack(app, "One"), "E", model=falcon, instance_type=InstanceType.G5_2XLARGE)
    endpoint.set_capacity_range(0, 4)
    app.synth()
    assert run("summary", folder).out.splitlines()[1] == (
        "One    tiiuae/falcon-7b  0–4 × ml.g5.2xlarge  1 × A10G    2,048  0.000–6.060    0–4,424      512           -"
    )


@pytest.fixture(scope="module")
def front_doors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("front_doors") / "cdk.out"
    app = App(outdir=str(folder))
    stack = Stack(Stage(app, "Prod"), "Door")
    falcon = TgiEndpoint(stack, "E", model=Model.from_hub("tiiuae/falcon-7b"), instance_type=InstanceType.G5_2XLARGE)
    old = TgiEndpoint.from_endpoint_name(stack, "Old", endpoint_name="llama-prod", max_total_tokens=4096)
    FrontDoor(stack, "Api", models={"falcon": falcon, "llama": old}, model_aliases={"gpt-*": "llama"})
    FrontDoor(stack, "Larger", models={"falcon": falcon}, memory_size=1024, cloud_watch_role=False)
    FrontDoor(NestedStack(stack, "Nested"), "Api", models={"other": old}, cloud_watch_role=False)
    app.synth()
    return folder


def test_the_models_of_front_doors_are_listed_after_the_endpoints(run, front_doors):
    blank, titles, *rows = run("summary", front_doors).out.splitlines()[-6:]
    assert (blank, titles) == ("", "FRONT DOOR IN  SERVES  SHARE  MODEL             ENGINE  CONTEXT  ENDPOINT")
    assert sorted(rows) == [
        "Prod-Door      falcon  100 %  tiiuae/falcon-7b  tgi           -  named at deployment",
        "Prod-Door      falcon  100 %  tiiuae/falcon-7b  tgi           -  named at deployment",
        "Prod-Door      llama   100 %  -                 tgi       4,096  llama-prod",
        "Prod-Door      other   100 %  -                 tgi       4,096  llama-prod",
    ]


def test_a_model_with_several_endpoints_has_a_row_for_each_with_its_share(run, tmp_path):
    folder = tmp_path / "cdk.out"
    app = App(outdir=str(folder))
    stack = Stack(app, "Move")
    falcon = Model.from_hub("tiiuae/falcon-7b")
    tgi = TgiEndpoint(stack, "Tgi", model=falcon, instance_type=InstanceType.G5_2XLARGE)
    vllm = VllmEndpoint(stack, "Vllm", model=falcon, instance_type=InstanceType.G6E_XLARGE)
    spare = VllmEndpoint.from_endpoint_arn(stack, "Spare", "arn:aws:sagemaker:us-west-2:111122223333:endpoint/spare")
    copy = VllmEndpoint.from_endpoint_name(stack, "Copy", "copy")
    model = Mirror(Split({tgi: 2, Fallback([vllm, spare]): 1}), to=copy, percent=2.5)
    FrontDoor(stack, "Api", models={"falcon": model})
    app.synth()
    *_, titles, first, second, third, fourth = run("summary", folder).out.splitlines()
    assert [titles, first, second, third, fourth] == [
        "FRONT DOOR IN  SERVES  SHARE         MODEL             ENGINE  CONTEXT  ENDPOINT",
        "Move           falcon  66.7 %        tiiuae/falcon-7b  tgi           -  named at deployment",
        "Move           falcon  33.3 %        tiiuae/falcon-7b  vllm      2,048  named at deployment",
        "Move           falcon  fallback      -                 vllm          -  spare",
        "Move           falcon  2.5 % copied  -                 vllm          -  copy",
    ]
    one, two, *rows = json.loads(run("summary", folder, "--json").out)
    assert [each["quota_names"] for each in (one, two)] == [
        ["ml.g5.2xlarge for endpoint usage"],
        ["ml.g6e.xlarge for endpoint usage"],
    ]
    assert [each["front_door_memory_mib"] for each in (one, two)] == [256, 256]
    assert [row["target"] for row in rows] == ["Move/Tgi", "Move/Vllm", "Move/Spare", "Move/Copy"]


def test_a_front_door_costs_the_memory_of_as_many_streams_as_the_endpoint_serves(run, front_doors):
    endpoint, *_ = json.loads(run("summary", front_doors, "--json").out)
    expected = streams_usd_per_hour(128, 1024)
    assert (endpoint["streams"], endpoint["front_door_memory_mib"]) == (128, 1024)
    assert endpoint["front_door_usd_per_hour"] == pytest.approx(expected)
    assert run("summary", front_doors).out.splitlines()[1].endswith(f"      128       {expected:.3f}")


def test_a_front_door_to_models_of_a_fleet_counts_beside_the_fleets_price(run, tmp_path):
    folder = tmp_path / "cdk.out"
    app = App(outdir=str(folder))
    stack = Stack(app, "Shared")
    fleet = ModelFleet(
        stack,
        "Fleet",
        instance_type=InstanceType.G6E_12XLARGE,
        models={"falcon": FleetModel(model=Model.from_hub("tiiuae/falcon-7b"))},
    )
    FrontDoor(stack, "Api", models=fleet.models)
    app.synth()
    (shared, *_) = json.loads(run("summary", folder, "--json").out)
    assert shared["front_door_memory_mib"] == 256
    assert shared["front_door_usd_per_hour"] == pytest.approx(streams_usd_per_hour(shared["streams"], 256))


def test_the_models_of_front_doors_are_in_the_json(run, front_doors):
    endpoint, *models = json.loads(run("summary", front_doors, "--json").out)
    assert endpoint["instances"] == ["ml.g5.2xlarge"]
    assert {
        "stack": "Prod-Door",
        "served_as": "llama",
        "share": "100 %",
        "target": None,
        "model": None,
        "engine": "tgi",
        "context": 4096,
        "endpoint_name": "llama-prod",
    } in models
    assert len(models) == 4


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
