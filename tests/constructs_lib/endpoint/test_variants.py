"""add_variant: a share of the requests for another model, image, option or instance type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Annotations, App, CfnParameter, Duration, Environment, Size, Stack, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_sagemaker import CfnEndpoint
from cdk_nag import AwsSolutionsChecks, ServerlessChecks
from constructs import Construct

from constructs_lib import (
    CapacityReservation,
    ConfigurationError,
    FrontDoor,
    InstanceType,
    Model,
    ModelFleet,
    ModelVariant,
    Routing,
    ScaleToZero,
    TgiEndpoint,
    TgiImage,
    TgiOptions,
)
from constructs_lib.endpoint.container_image import ContainerImage, UriImage
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.summary import METADATA
from scripts.lint_templates import lint_template
from tests.constructs_lib.rendered import (
    CONFIG,
    ENDPOINT,
    MODEL,
    POLICY,
    Json,
    properties,
    resources,
    template_of,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = Environment(account="123456789012", region="eu-west-1")
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
LLAMA = Model.from_hub("Qwen/Qwen2.5-1.5B-Instruct")
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SHORT = TgiOptions(max_input_tokens=1024, max_total_tokens=2048)
REASON = (
    "all variants of an endpoint have the same engine, as SageMaker chooses the variant after the request's body is"
    " written"
)


def endpoint(stack: Construct, **arguments: Any) -> TgiEndpoint:
    return TgiEndpoint(stack, "Llm", **{"model": QWEN, "instance_type": InstanceType.G5_2XLARGE, **arguments})


def variants(template: Json) -> dict[str, Json]:
    """The production variants by name."""
    return {one["VariantName"]: one for one in properties(template, CONFIG)["ProductionVariants"]}


def model_of(template: Json, name: str) -> Json:
    """The container of a variant's Model."""
    logical_id, _ = variants(template)[name]["ModelName"]["Fn::GetAtt"]
    found: Json = resources(template, MODEL)[logical_id]["Properties"]["PrimaryContainer"]
    return found


def rejection(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as raised:
        call()
    return str(raised.value)


def warnings(variant: ModelVariant) -> list[str]:
    assert isinstance(variant, Construct)
    return [str(entry.data) for entry in variant.node.metadata if entry.type == "aws:cdk:warning"]


def metadata(one: TgiEndpoint) -> Json:
    """The summary that the endpoint leaves in the cloud assembly."""
    (found,) = (entry.data for entry in one.node.metadata if entry.type == METADATA)
    resolved: Json = Stack.of(one).resolve(found)
    return resolved


@pytest.fixture
def here(app: App) -> Stack:
    return Stack(app, "Here", env=HERE)


def test_a_variant_has_a_model_of_its_own_and_all_that_is_not_given_from_the_endpoint(here: Stack) -> None:
    one = endpoint(here, options=TgiOptions(max_input_tokens=2048, max_total_tokens=4096), instance_count=2)
    one.add_variant("short", weight=0.25, options=SHORT)
    template = template_of(here)
    first, second = variants(template).values()
    assert (first["VariantName"], second["VariantName"]) == ("AllTraffic", "short")
    assert first["ModelName"] != second["ModelName"]
    changed = {"VariantName", "ModelName", "InitialVariantWeight", "InitialInstanceCount"}
    assert {key: second[key] for key in second.keys() - changed} == {key: first[key] for key in first.keys() - changed}
    weights = [(each["InitialVariantWeight"], each["InitialInstanceCount"]) for each in (first, second)]
    assert weights == [(1, 2), (0.25, 1)]
    known, own = model_of(template, "AllTraffic"), model_of(template, "short")
    assert own["Image"] == known["Image"]
    limits = {"MAX_INPUT_TOKENS": "1024", "MAX_TOTAL_TOKENS": "2048"}
    assert own["Environment"] == known["Environment"] | limits != known["Environment"]


def test_a_variant_has_its_own_plan_of_what_is_given(here: Stack) -> None:
    one = endpoint(here)
    one.add_variant(
        "new",
        weight=1,
        model=Model.from_hub("Qwen/Qwen2.5-72B-Instruct", revision="main"),
        image=TgiImage.version("3.0.1"),
        instance_type=InstanceType.G5_48XLARGE,
        instance_count=2,
        environment={"TEAM": "chat"},
        startup_timeout=Duration.minutes(40),
        routing=Routing.prefix_aware(shared_bytes=2048, threshold=8),
        instance_provision_timeout=Duration.minutes(10),
    )
    template = template_of(here)
    new, container = variants(template)["new"], model_of(template, "new")
    assert container["Environment"]["HF_MODEL_ID"] == "Qwen/Qwen2.5-72B-Instruct"
    assert container["Environment"]["TEAM"] == "chat"
    assert container["Environment"]["SM_NUM_GPUS"] == "8"
    assert "3.0.1" in text(container["Image"])
    assert (new["InstanceType"], new["InitialInstanceCount"]) == ("ml.g5.48xlarge", 2)
    assert new["ContainerStartupHealthCheckTimeoutInSeconds"] == 2400
    assert new["VariantInstanceProvisionTimeoutInSeconds"] == 600
    assert new["RoutingConfig"]["RoutingStrategy"] == "PREFIX_AWARE"


def test_timeouts_volume_and_reservation_of_the_endpoint_are_not_those_of_another_model_or_instance(
    here: Stack,
) -> None:
    one = endpoint(
        here,
        instance_type=InstanceType.P5_4XLARGE,
        startup_timeout=Duration.minutes(50),
        inference_ami_version="al2023-ami-sagemaker-inference-gpu-4-1",
        capacity_reservation=CapacityReservation(arn="arn:aws:sagemaker:eu-west-1:123456789012:training-plan/p5"),
    )
    one.add_variant("options", weight=1, options=SHORT)
    one.add_variant("model", weight=1, model=LLAMA)
    one.add_variant("instance", weight=1, instance_type=InstanceType.G5_2XLARGE)
    found = variants(template_of(here))
    facts = {
        name: (
            each["ContainerStartupHealthCheckTimeoutInSeconds"],
            each["InferenceAmiVersion"],
            "CapacityReservationConfig" in each,
        )
        for name, each in found.items()
    }
    given, computed = "al2023-ami-sagemaker-inference-gpu-4-1", "al2-ami-sagemaker-inference-gpu-3-1"
    assert facts == {
        "AllTraffic": (3000, given, True),
        "options": (3000, given, True),
        "model": (1200, given, True),
        "instance": (3000, computed, False),
    }


def test_the_volume_is_kept_with_the_instance_type(here: Stack) -> None:
    one = endpoint(
        here,
        instance_type=InstanceType.G7_2XLARGE,
        volume_size=Size.gibibytes(200),
    )
    one.add_variant("same", weight=1, options=SHORT)
    one.add_variant("other", weight=1, instance_type=InstanceType.G5_2XLARGE)
    sizes = {name: each.get("VolumeSizeInGB") for name, each in variants(template_of(here)).items()}
    assert sizes == {"AllTraffic": 200, "same": 200, "other": None}


def test_the_cheapest_instance_type_that_was_chosen_for_the_endpoint_is_that_of_its_variants(here: Stack) -> None:
    large = Model.from_hub("Qwen/Qwen2.5-14B-Instruct")
    one = endpoint(here, model=large, instance_type=InstanceType.cheapest_for(tokens=4096))
    one.add_variant("same", weight=1, model=QWEN)
    one.add_variant("cheapest", weight=1, model=QWEN, instance_type=InstanceType.cheapest_for(tokens=4096))
    types = {name: each["InstanceType"] for name, each in variants(template_of(here)).items()}
    assert types == {"AllTraffic": "ml.g6e.xlarge", "same": "ml.g6e.xlarge", "cheapest": "ml.g6.xlarge"}


def test_a_variant_may_have_instance_types_by_priority_and_one_may_inherit_them(here: Stack) -> None:
    one = endpoint(here, instance_type=[InstanceType.G6_2XLARGE, InstanceType.G5_12XLARGE])
    one.add_variant("inherits", weight=1, options=SHORT)
    one.add_variant("one", weight=1, instance_type=InstanceType.G6_2XLARGE)
    template = template_of(here)
    own = variants(template)
    pools = {name: [pool["InstanceType"] for pool in each.get("InstancePools", [])] for name, each in own.items()}
    both = ["ml.g6.2xlarge", "ml.g5.12xlarge"]
    assert pools == {"AllTraffic": both, "inherits": both, "one": []}
    models = {text(pool.get("ModelNameOverride")) for pool in own["inherits"]["InstancePools"]}
    assert any("LlmVariantsinheritsModelG512xlarge" in name for name in models)


def test_nothing_that_exists_moves_or_changes_with_a_variant_but_the_list_of_variants(app: App) -> None:
    stacks = Stack(app, "One", env=HERE), Stack(app, "Two", env=HERE)
    _, varied = (endpoint(stack) for stack in stacks)
    varied.add_variant("blue", weight=1)
    without, with_variant = (template_of(stack)["Resources"] for stack in stacks)
    for resource in with_variant.values():
        if resource["Type"] == CONFIG:
            assert len(resource["Properties"]["ProductionVariants"]) == 2
            del resource["Properties"]["ProductionVariants"][1]
    assert {key: each for key, each in with_variant.items() if "Variants" not in key} == without
    (added,) = (key for key in with_variant if "Variants" in key)
    assert added.startswith("LlmVariantsblueModel")


def test_the_role_gets_what_the_models_and_images_of_all_variants_need(here: Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(here, "Weights", "weights")
    one = endpoint(here)
    one.add_variant("tuned", weight=1, model=Model.from_s3(bucket, "tuned", like="Qwen/Qwen2.5-7B-Instruct"))
    one.add_variant(
        "own", weight=1, image=TgiImage.from_uri("123456789012.dkr.ecr.eu-west-1.amazonaws.com/tgi:1", version="3.3.6")
    )
    template = template_of(here)
    policies = resources(template, POLICY)
    statements = [one for each in policies.values() for one in each["Properties"]["PolicyDocument"]["Statement"]]
    allowed = [text(one["Resource"]) for one in statements]
    assert any("weights/tuned/*" in each for each in allowed)
    assert any("123456789012:repository/tgi" in each for each in allowed)
    assert len({json.dumps(one, sort_keys=True) for one in statements}) == len(statements)
    assert all(set(policies) <= set(model["DependsOn"]) for model in resources(template, MODEL).values())


def test_the_first_variant_has_the_weight_that_the_endpoint_was_given(here: Stack) -> None:
    one = endpoint(here, variant_name="Green", variant_weight=9)
    blue = one.add_variant("blue", weight=1)
    assert [(each.variant_name, each.weight) for each in one.variants] == [("Green", 9), ("blue", 1)]
    assert one.variants[1] is blue
    weights = {name: each["InitialVariantWeight"] for name, each in variants(template_of(here)).items()}
    assert weights == {"Green": 9, "blue": 1}


def test_a_variant_without_weight_gets_only_requests_that_name_it(here: Stack) -> None:
    endpoint(here).add_variant("trial", weight=0)
    assert variants(template_of(here))["trial"]["InitialVariantWeight"] == 0


def test_some_variant_must_have_a_weight(app: App, here: Stack) -> None:
    endpoint(here, variant_weight=0).add_variant("trial", weight=0)
    with pytest.raises(RuntimeError) as raised:
        app.synth()
    assert (
        "variant_weight=0: no variant of this endpoint has a weight above 0, so that none gets requests. Add one with"
        " add_variant(…, weight=1), or leave variant_weight out."
    ) in str(raised.value)


def test_the_first_variant_may_be_without_a_share(here: Stack) -> None:
    endpoint(here, variant_weight=0).add_variant("blue", weight=2)
    weights = {name: each["InitialVariantWeight"] for name, each in variants(template_of(here)).items()}
    assert weights == {"AllTraffic": 0, "blue": 2}


def test_weights_and_counts_that_only_the_deployment_knows_are_passed_on(here: Stack) -> None:
    number: Any = CfnParameter(here, "Number", type="Number").value_as_number
    one = endpoint(here, variant_weight=number)
    one.add_variant("blue", weight=number, instance_count=number)
    front_door = one.describe_price(front_door_memory=256)
    assert Stack.of(one).resolve(front_door) == "1.515 USD for each ml.g5.2xlarge"
    first, blue = variants(template_of(here)).values()
    assert first["InitialVariantWeight"] == blue["InitialVariantWeight"] == {"Ref": "Number"}
    assert blue["InitialInstanceCount"] == {"Ref": "Number"}


def test_all_that_is_wrong_with_a_variant_is_reported_together_and_nothing_is_created(here: Stack) -> None:
    one = endpoint(here)
    wrong: Any = {"weight": -1, "instance_count": 0, "startup_timeout": 5, "options": TgiOptions(num_shard=4)}
    assert rejection(lambda: one.add_variant("not a name", **wrong)) == (
        "Here/Llm/not a name: 5 problems to solve before this can be deployed\n"
        "  - id='not a name': must be 1 to 63 letters, digits and hyphens, no hyphen first or last. Write a name"
        " such as blue.\n"
        "  - weight=-1: must be at least 0. Give a number from 0 on: a variant's share is its weight divided by the sum"
        " of all weights.\n"
        "  - instance_count=0: must be from 1 to 4294967295. Raise it to 1 or more.\n"
        "  - options.num_shard=4: ml.g5.2xlarge has 1 GPU. Lower it to 1 or less.\n"
        "  - startup_timeout=5: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(5)."
    )
    assert one.node.try_find_child("Variants") is None
    assert len(one.variants) == 1
    assert len(variants(template_of(here))) == 1


@pytest.mark.parametrize(
    ("id", "told"),
    [
        ("AllTraffic", "is the name of a variant that the endpoint has already. Give another one."),
        ("constructor", "is a name that the CDK has for itself. Rename it."),
        (7, "id=7: must be a string, not int. Write a name such as blue."),
    ],
)
def test_a_variant_needs_a_name_of_its_own(here: Stack, id: Any, told: str) -> None:
    one = endpoint(here)
    assert told in rejection(lambda: one.add_variant(id, weight=1))


def test_a_name_must_be_known_at_synth(here: Stack) -> None:
    one, name = endpoint(here), CfnParameter(here, "Name").value_as_string
    assert (
        "id=(known at deployment): must be known at synth, as it identifies the variant's resources. Write it out."
    ) in rejection(lambda: one.add_variant(name, weight=1))


def test_an_endpoint_has_at_most_ten_variants(here: Stack) -> None:
    one = endpoint(here)
    for number in range(2, 11):
        one.add_variant(f"v{number}", weight=1)
    assert rejection(lambda: one.add_variant("v11", weight=1)) == (
        "Here/Llm/v11: 1 problem to solve before this can be deployed\n"
        "  - id='v11': would be variant number 11, and SageMaker allows 10. Remove one that lost, or use another"
        " endpoint."
    )
    assert len(variants(template_of(here))) == 10


def test_an_endpoint_that_scales_to_zero_has_one_variant(here: Stack) -> None:
    one = endpoint(here, scale_to_zero=ScaleToZero())
    assert rejection(lambda: one.add_variant("blue", weight=1)) == (
        "Here/Llm/blue: 1 problem to solve before this can be deployed\n"
        "  - add_variant='blue': is for endpoints without scale_to_zero: requests name the inference component that"
        " answers, and SageMaker divides them by weights only between variants that have a Model. Remove scale_to_zero,"
        " or create another endpoint."
    )
    assert [each.inference_component_name for each in one.variants] == [one.inference_component_name]


def test_an_endpoint_that_scales_to_zero_has_no_weight(here: Stack) -> None:
    assert rejection(lambda: endpoint(here, scale_to_zero=ScaleToZero(), variant_weight=2)) == (
        "Here/Llm: 1 problem to solve before this can be deployed\n"
        "  - variant_weight=2: is for endpoints without scale_to_zero, which have one variant and address the model in"
        " it. Leave variant_weight out, or remove scale_to_zero."
    )


def test_models_of_a_fleet_are_addressed_by_name_and_not_by_weight() -> None:
    assert not hasattr(ModelFleet, "add_variant")


class VllmImage(ContainerImage):
    """An image of another engine."""


def test_a_variant_of_another_engine_is_refused_with_the_reason(here: Stack) -> None:
    one, uri = endpoint(here), "763104351884.dkr.ecr.eu-west-1.amazonaws.com/djl-inference:0.32.0-lmi14.0.0-cu126"
    told = rejection(lambda: one.add_variant("lmi", weight=1, image=TgiImage.from_uri(uri, version="3.3.6")))
    assert f"is AWS's image of DJL Serving (LMI), not of TGI; {REASON}. Write TgiImage.version('3.3.6')" in told
    other = VllmImage(ImageChoice(version="3.3.6", uri_override=True), UriImage(uri))
    told = rejection(lambda: one.add_variant("vllm", weight=1, image=other))
    assert (
        f"must be a TgiImage, not VllmImage; {REASON}. Write TgiImage.version(…), or create an endpoint of the other"
        " engine."
    ) in told
    wrong: Any = {"max_model_len": 4096}
    told = rejection(lambda: one.add_variant("image", weight=1, image=wrong))
    assert "image={'max_model_len': 4096}: must be a TgiImage" in told
    told = rejection(lambda: one.add_variant("options", weight=1, options=wrong))
    assert f"options={{'max_model_len': 4096}}: must be TgiOptions, not dict; {REASON}. Write TgiOptions(…)." in told


def test_a_key_of_the_endpoint_excludes_instances_with_drives_of_their_own(here: Stack) -> None:
    key = kms.Key.from_key_arn(here, "Key", "arn:aws:kms:eu-west-1:123456789012:key/1")
    one = endpoint(
        here,
        instance_type=InstanceType.G7_2XLARGE,
        volume_key=key,
    )
    told = rejection(lambda: one.add_variant("g5", weight=1, instance_type=InstanceType.G5_2XLARGE))
    assert "volume_key=(a key): ml.g5.2xlarge stores data on its own NVMe drives" in told


def test_warnings_are_those_that_the_endpoint_does_not_have_already(here: Stack) -> None:
    one = endpoint(here)
    same = one.add_variant("same", weight=1)
    other = one.add_variant("other", weight=1, model=Model.from_hub("team/unknown"))
    own = warnings(other)
    assert warnings(same) == []
    assert any("tgi-endpoint:unknownModel" in text for text in own)
    Annotations.of(one).acknowledge_warning("tgi-endpoint:unknownModel", "known to us")
    assert not any("tgi-endpoint:unknownModel" in text for text in warnings(other))


def test_metrics_of_a_variant_have_its_name_as_a_dimension(here: Stack) -> None:
    one = endpoint(here, variant_name="Green")
    one.add_variant("blue", weight=1)
    found = [each.metric_invocation_5xx_errors() for each in one.variants]
    names = [metric.dimensions["VariantName"] for metric in found if metric.dimensions]
    assert names == ["Green", "blue"]
    assert [metric.dimensions["EndpointName"] for metric in found if metric.dimensions] == [one.endpoint_name] * 2
    assert {metric.region for metric in found} == {"eu-west-1"}


def test_a_variant_scales_by_itself(here: Stack) -> None:
    one = endpoint(here)
    blue = one.add_variant("blue", weight=1, options=SHORT, instance_count=2)
    blue.auto_scale(min_instances=2, max_instances=4).on_concurrency()
    template = template_of(here)
    (endpoint_id,) = resources(template, ENDPOINT)
    target = properties(template, TARGET)
    assert text(target["ResourceId"]) == f"endpoint/<{endpoint_id}.EndpointName>/variant/blue"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    kept = properties(template, ENDPOINT)
    assert kept["RetainAllVariantProperties"] is True
    assert {"VariantPropertyType": "DesiredWeight"} in kept["ExcludeRetainedVariantProperties"]
    (warning,) = warnings(blue)
    assert warning == (
        "While auto_scale of the variant blue is on, SageMaker refuses an update that removes the variant or changes"
        " its instance type, and CloudFormation rolls back. Do it in two deployments: one without this auto_scale, then"
        " one with the change. [ack: tgi-endpoint:scalingKeepsVariant]"
    )


def test_each_variant_scales_once_between_limits_that_hold_its_instances(here: Stack) -> None:
    one = endpoint(here)
    first, blue = one.variants[0], one.add_variant("blue", weight=1)
    first.auto_scale(max_instances=2)
    blue.auto_scale(max_instances=3)
    assert len(resources(template_of(here), TARGET)) == 2
    assert "auto_scale=(TgiEndpoint Here/Llm): is called twice for one endpoint." in rejection(
        lambda: one.auto_scale(max_instances=2)
    )
    assert "auto_scale=(AddedVariant Here/Llm/Variants/blue): is called twice for one variant." in rejection(
        lambda: blue.auto_scale(max_instances=2)
    )
    assert "instance_count=1: must be from min_instances=2 to max_instances=3" in rejection(
        lambda: one.add_variant("red", weight=1).auto_scale(min_instances=2, max_instances=3)
    )


def test_price_and_quota_are_those_of_all_variants(here: Stack) -> None:
    one = endpoint(here)
    alone = one.capacity.min_usd_per_hour
    assert alone == 1.515
    one.add_variant("blue", weight=1, instance_count=2)
    one.add_variant("g6", weight=0, instance_type=InstanceType.G6_2XLARGE, model=LLAMA).auto_scale(max_instances=4)
    g6 = InstanceType.G6_2XLARGE.price_usd_per_hour
    assert g6 is not None
    assert one.capacity.min_usd_per_hour == pytest.approx(3 * alone + g6)
    assert one.capacity.max_usd_per_hour == pytest.approx(3 * alone + 4 * g6)
    assert [each.capacity.min_instances for each in one.variants] == [1, 2, 1]
    found = metadata(one)
    assert found["model"] == "Qwen/Qwen2.5-7B-Instruct, Qwen/Qwen2.5-1.5B-Instruct"
    assert found["instances"] == ["ml.g5.2xlarge", "ml.g6.2xlarge"]
    assert (found["min_instances"], found["max_instances"], found["most_of_a_type"]) == (4, 7, 4)
    price = Stack.of(one).resolve(one.describe_price())
    assert price == f"{3 * alone + g6:.3f} USD at minimum, {3 * alone + 4 * g6:.3f} USD at maximum"


def test_the_endpoint_serves_what_every_variant_serves(here: Stack) -> None:
    one = endpoint(here, options=TgiOptions(max_input_tokens=2048, max_total_tokens=4096, max_concurrent_requests=64))
    one.add_variant("short", weight=1, options=SHORT, image=TgiImage.version("3.2.3"))
    assert (one.serving.max_input_tokens, one.serving.max_total_tokens) == (1024, 2048)
    assert (one.serving.max_concurrent_requests, one.serving.version) == (64, None)
    assert [each.serving.max_total_tokens for each in one.variants] == [4096, 2048]
    one.add_variant("small", weight=1, options=TgiOptions(payload_limit=1_000_000))
    assert [each.max_body_bytes for each in one.variants] == [6_291_456, 6_291_456, 1_000_000]
    assert one.max_body_bytes == 1_000_000


def test_a_variant_that_reads_no_images_keeps_images_out(here: Stack) -> None:
    seeing = Model.from_hub("Qwen/Qwen2.5-VL-7B-Instruct")
    one = endpoint(here, model=seeing, instance_type=InstanceType.G5_12XLARGE)
    assert one.serving.reads_images is True
    one.add_variant("blind", weight=1, model=QWEN)
    assert one.serving.reads_images is False


def test_the_limits_of_a_variant_that_comes_after_the_front_door_reach_its_function(
    here: Stack, tmp_path: Path
) -> None:
    one = endpoint(here)
    FrontDoor(here, "Api", models={"llm": one})
    one.add_variant("short", weight=1, options=SHORT)
    template_of(here)
    (found,) = (file for file in (tmp_path).rglob("models.json"))
    assert json.loads(found.read_text())["llm"]["max_total_tokens"] == 2048


def test_another_type_of_the_first_variant_makes_an_endpoint_with_all_variants(app: App) -> None:
    def with_type(name: str, instance_type: InstanceType) -> Stack:
        stack = Stack(app, name, env=HERE)
        one = endpoint(stack, replace_on_instance_type_change=True, instance_type=instance_type)
        one.add_variant("blue", weight=1, instance_type=InstanceType.G6_2XLARGE).auto_scale(max_instances=2)
        return stack

    stacks = [with_type("Old", InstanceType.G5_2XLARGE), with_type("New", InstanceType.G6_2XLARGE)]
    (old,), (new,) = (resources(template_of(stack), ENDPOINT) for stack in stacks)
    assert old != new
    targets = [text(properties(template_of(stack), TARGET)["ResourceId"]) for stack in stacks]
    assert targets == [f"endpoint/<{each}.EndpointName>/variant/blue" for each in (old, new)]


def test_cloudformations_schemas_and_both_rule_packs_have_no_finding(app: App, here: Stack) -> None:
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    bucket = s3.Bucket.from_bucket_name(here, "Weights", "weights")
    one = endpoint(here, variant_weight=3)
    one.add_variant("tuned", weight=0.5, model=Model.from_s3(bucket, "tuned", like="Qwen/Qwen2.5-7B-Instruct"))
    one.add_variant("pools", weight=0, instance_type=[InstanceType.G6_2XLARGE, InstanceType.G5_12XLARGE])
    one.variants[1].auto_scale(max_instances=3).on_concurrency()
    template = template_of(here)  # synthesis raises when a finding of cdk-nag is open
    assert lint_template(json.dumps(template), ["eu-west-1"]) == []


def test_every_variant_is_a_model_variant(here: Stack) -> None:
    one = endpoint(here)
    one.add_variant("blue", weight=1, model=LLAMA)
    assert all(isinstance(each, ModelVariant) for each in one.variants)
    assert [each.model_id for each in one.variants] == ["Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-1.5B-Instruct"]


def test_a_variant_can_be_added_by_an_update_without_a_deployment_configuration(here: Stack) -> None:
    one = endpoint(here)
    FrontDoor(here, "Api", models={"llm": one}, cloud_watch_role=False)
    one.add_variant("blue", weight=1)
    resource = one.node.default_child
    assert isinstance(resource, CfnEndpoint)
    resource.deployment_config = None
    assert properties(template_of(here), ENDPOINT).keys() == {"EndpointConfigName"}
