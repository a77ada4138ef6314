from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Environment, Size, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import (
    AutoCastType,
    ConfigurationError,
    FrontDoor,
    InstanceType,
    Model,
    NeuronOptions,
    ScaleToZero,
    TgiEndpoint,
    TgiNeuronEndpoint,
    TgiNeuronImage,
)
from tests.constructs_lib.front_door.doubles import served_models
from tests.constructs_lib.rendered import COMPONENT, ENDPOINT, Json, container, properties, template_of, variant
from tests.stacks.test_app import findings

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
SIZES = NeuronOptions(num_cores=2, auto_cast_type=AutoCastType.BF16, max_batch_size=4, max_total_tokens=4096)
AMI = "al2-ami-sagemaker-inference-neuron-2"


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(App(outdir=str(tmp_path)), "Team", env=Environment(account="123456789012", region="eu-west-1"))


def llama(stack: Stack) -> Model:
    return Model.from_hub(LLAMA, token=secretsmanager.Secret.from_secret_name_v2(stack, "Token", "team/hub-token"))


def test_a_model_of_the_hub_runs_on_a_neuron_device(stack: Stack) -> None:
    TgiNeuronEndpoint(
        stack,
        "Llama",
        model=llama(stack),
        instance_type=InstanceType.INF2_8XLARGE,
        options=SIZES,
        endpoint_name="llama",
    )
    template = template_of(stack)
    found = container(template)
    assert found["Image"] == (
        "763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-tgi-inference"
        ":2.7.0-optimum3.3.6-neuronx-py310-ubuntu22.04"
    )
    names = ("MODEL_ID", "HF_MODEL_ID", "HF_NUM_CORES", "MAX_BATCH_SIZE", "MAX_INPUT_TOKENS")
    assert [found["Environment"][name] for name in names] == [LLAMA, LLAMA, "2", "4", "2048"]
    assert "{{resolve:secretsmanager:" in str(found["Environment"]["HF_TOKEN"])
    assert properties(template, ENDPOINT)["EndpointName"] == "llama"
    facts = ("InstanceType", "InferenceAmiVersion", "VolumeSizeInGB", "ContainerStartupHealthCheckTimeoutInSeconds")
    assert [variant(template)[name] for name in facts] == ["ml.inf2.8xlarge", AMI, 128, 3600]


def test_an_exported_model_needs_no_network(stack: Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Weights", "team-weights")
    TgiNeuronEndpoint(
        stack,
        "Llama",
        model=Model.from_s3(bucket, "llama-inf2/", like=LLAMA),
        instance_type=InstanceType.TRN1_2XLARGE,
        network_isolation=True,
    )
    template = template_of(stack)
    found = container(template)["Environment"]
    assert (found["MODEL_ID"], found["HF_HUB_OFFLINE"]) == ("/opt/ml/model", "1")
    assert "HF_NUM_CORES" not in found
    assert "VolumeSizeInGB" not in variant(template)


def test_the_volume_may_be_another_one(stack: Stack) -> None:
    TgiNeuronEndpoint(
        stack,
        "Llama",
        model=llama(stack),
        instance_type=InstanceType.INF2_48XLARGE,
        options=SIZES,
        volume_size=Size.gibibytes(512),
    )
    assert variant(template_of(stack))["VolumeSizeInGB"] == 512


def test_a_copy_takes_devices_not_cores(stack: Stack) -> None:
    TgiNeuronEndpoint(
        stack,
        "Llama",
        model=llama(stack),
        instance_type=InstanceType.INF2_48XLARGE,
        options=NeuronOptions(num_cores=8, auto_cast_type=AutoCastType.BF16, max_batch_size=4, max_total_tokens=4096),
        scale_to_zero=ScaleToZero(),
    )
    specification: Json = properties(template_of(stack), COMPONENT)["Specification"]
    assert specification["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"] == 4


def test_an_own_image_has_the_version_of_awss(stack: Stack) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Images", "tgi-neuron")
    TgiNeuronEndpoint(
        stack,
        "Llama",
        model=llama(stack),
        instance_type=InstanceType.INF2_8XLARGE,
        image=TgiNeuronImage.from_ecr_repository(repository, tag="mine", version="0.2.0"),
        options=SIZES,
    )
    assert "tgi-neuron:mine" in str(container(template_of(stack))["Image"])


def test_a_front_door_serves_it_by_the_protocol_of_tgi(stack: Stack) -> None:
    endpoint = TgiNeuronEndpoint(
        stack, "Llama", model=llama(stack), instance_type=InstanceType.INF2_8XLARGE, options=SIZES
    )
    FrontDoor(stack, "Api", models={"llama": endpoint})
    facts = served_models(stack)["llama"]
    assert (facts["engine"], facts["version"], facts["tools"]) == ("tgi-neuron", "3.3.6", False)
    assert (facts["max_total_tokens"], facts["max_best_of"], facts["max_top_n_tokens"]) == (4096, 1, 0)


def test_an_existing_endpoint_can_be_imported(stack: Stack) -> None:
    found = TgiNeuronEndpoint.from_endpoint_name(stack, "Llama", "llama", max_total_tokens=4096, tools=False)
    assert (found.engine, found.endpoint_name) == ("tgi-neuron", "llama")


def test_a_tgi_endpoint_on_a_neuron_device_names_the_other_construct(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TgiEndpoint(stack, "Llama", model=llama(stack), instance_type=InstanceType.INF2_8XLARGE)
    assert str(caught.value).endswith(
        "  - instance_type='ml.inf2.8xlarge': has Inferentia2, but TGI's image is for NVIDIA GPUs. Use a GPU instance,"
        " such as InstanceType.G5_2XLARGE. For Inferentia 2 and Trainium 1 use TgiNeuronEndpoint, which runs AWS's"
        " image of TGI for them."
    )


def test_all_that_is_wrong_is_said_at_once(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TgiNeuronEndpoint(
            stack,
            "Llama",
            model=llama(stack),
            instance_type=InstanceType.INF2_8XLARGE,
            options=NeuronOptions(num_cores=4),
            environment={"QUANTIZE": "awq"},
        )
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  - options.num_cores=4",
        "  - options.num_cores=4",
        "  - environment['QUANTIZE']='awq'",
    ]


def test_it_has_no_open_finding(stack: Stack) -> None:
    endpoint = TgiNeuronEndpoint(
        stack, "Llama", model=llama(stack), instance_type=InstanceType.INF2_8XLARGE, options=SIZES, instance_count=2
    )
    FrontDoor(stack, "Api", models={"llama": endpoint}).add_consumer("team-a", monthly_requests=100)
    app = stack.node.root
    assert isinstance(app, App)
    assert findings(app) == set()
