"""What an endpoint gets from its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_s3 as s3

from constructs_lib import ConfigurationError, FrontDoor, InstanceType, Model, TgiEndpoint, TgiOptions
from tests.constructs_lib.front_door.doubles import served_models
from tests.constructs_lib.rendered import container, properties, template_of

if TYPE_CHECKING:
    from aws_cdk import Stack

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"


def endpoint(stack: Stack, model: Model, **arguments: Any) -> TgiEndpoint:
    defaults = {"instance_type": InstanceType.G5_2XLARGE, "detailed_observability": False}
    return TgiEndpoint(stack, "Llm", model=model, **(defaults | arguments))


def bucket_of(stack: Stack, name: str = "weights") -> s3.IBucket:
    return s3.Bucket.from_bucket_name(stack, "Weights", name)


def source_of(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = container(template_of(stack))["ModelDataSource"]["S3DataSource"]
    return found


def warnings_of(one: TgiEndpoint) -> list[str]:
    return [str(entry.data) for entry in one.node.metadata if entry.type == "aws:cdk:warning"]


def test_a_folder_is_mounted_as_it_is(stack: Stack) -> None:
    endpoint(stack, Model.from_s3(bucket_of(stack), "/llama/v7/", like=LLAMA))
    assert source_of(stack) == {
        "S3Uri": "s3://weights/llama/v7/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }


def test_an_archive_is_unpacked_by_sagemaker(stack: Stack) -> None:
    endpoint(stack, Model.from_s3_archive(bucket_of(stack), "job/output/model.tar.gz", like=LLAMA))
    assert source_of(stack) == {
        "S3Uri": "s3://weights/job/output/model.tar.gz",
        "S3DataType": "S3Object",
        "CompressionType": "Gzip",
    }
    assert container(template_of(stack))["Environment"]["HF_MODEL_ID"] == "/opt/ml/model"


@pytest.mark.parametrize("is_archive", [False, True])
def test_an_accepted_licence_agreement_is_passed_on(stack: Stack, is_archive: bool) -> None:
    name = "jumpstart-private-cache-prod-eu-west-1"
    bucket, accepted = bucket_of(stack, name), {"like": LLAMA, "accept_eula": True}
    model = (
        Model.from_s3_archive(bucket, "llama.tar.gz", **accepted)  # type: ignore[arg-type]
        if is_archive
        else Model.from_s3(bucket, "llama/", **accepted)  # type: ignore[arg-type]
    )
    endpoint(stack, model)
    assert source_of(stack)["ModelAccessConfig"] == {"AcceptEula": True}


def test_the_plan_knows_the_bucket(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="jumpstart-private-cache-prod-eu-west-1 has gated models"):
        endpoint(stack, Model.from_s3(bucket_of(stack, "jumpstart-private-cache-prod-eu-west-1"), "a/", like=LLAMA))


def test_a_bucket_whose_name_is_known_at_deployment_is_not_judged(stack: Stack) -> None:
    endpoint(stack, Model.from_s3(s3.Bucket(stack, "New"), "llama/", like=LLAMA))
    assert properties(template_of(stack), "AWS::SageMaker::Model")


def test_weights_of_a_known_shape_are_planned(stack: Stack) -> None:
    one = endpoint(stack, Model.from_hub("team/my-llama", like=LLAMA))
    assert warnings_of(one) == []
    assert one.model_id == "team/my-llama"
    with pytest.raises(ConfigurationError, match="cannot hold team/my-large-llama"):
        TgiEndpoint(
            stack,
            "Large",
            model=Model.from_hub("team/my-large-llama", like="meta-llama/Llama-3.3-70B-Instruct"),
            instance_type=InstanceType.G5_2XLARGE,
        )


def test_weights_of_an_unknown_shape_bring_a_warning_that_can_be_acknowledged(stack: Stack) -> None:
    (warning,) = warnings_of(endpoint(stack, Model.from_hub("team/my-llama-3.1-8b-instruct")))
    assert "Did you mean meta-llama/Llama-3.1-8B-Instruct?" in warning
    assert "[ack: tgi-endpoint:unknownModel]" in warning


def test_own_awq_weights_of_a_base_model_fit_where_the_base_does_not(stack: Stack) -> None:
    mixtral = "mistralai/Mixtral-8x7B-Instruct-v0.1"
    own = Model.from_s3(bucket_of(stack), "mixtral-awq/", model_id=mixtral)
    limits = TgiOptions(quantize="awq", max_input_tokens=8000, max_total_tokens=16384)  # type: ignore[arg-type]
    endpoint(stack, own, instance_type=InstanceType.G5_12XLARGE, options=limits)
    assert container(template_of(stack))["Environment"]["HF_MODEL_QUANTIZE"] == "awq"


@pytest.mark.parametrize(("model_id", "shown"), [("team/my-llama", "team/my-llama"), (None, None)])
def test_clients_see_what_the_weights_are_and_not_what_they_are_like(
    stack: Stack, model_id: str | None, shown: str | None
) -> None:
    one = endpoint(stack, Model.from_s3(bucket_of(stack), "llama/", model_id=model_id, like=LLAMA))
    FrontDoor(stack, "Api", models={"llama": one})
    assert served_models(stack)["llama"]["model_id"] == shown
