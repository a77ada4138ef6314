"""A container of the caller's own: what is declared is checked and passed on, nothing else is assumed."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.container.engine import CONTAINERS
from constructs_lib.planning.engines.container.images import UNVERSIONED, OwnImages
from constructs_lib.planning.engines.container.options import ContainerOptions, ContainerProtocol
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import UNDECIDED, EndpointRequest
from constructs_lib.planning.serving_limits import ServingFacts, StreamFormat
from constructs_lib.planning.validation.unknown import Unknown

URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/model-server:1.0.0"
CPU = InstanceType.without_accelerator("ml.c7i.xlarge")


def image(cuda=None, uri=URI):
    return ImageChoice(version=UNVERSIONED, uri_override=True, uri=uri, family=OwnImages(cuda))


REQUEST = EndpointRequest(
    engine=CONTAINERS["openai"],
    model=ModelChoice(source="image"),
    instance=CPU,
    image=image(),
    options=ContainerOptions(),
    region="eu-west-1",
)


def planned(**changes):
    return plan(replace(REQUEST, **changes))


def problems(**changes):
    return [str(found) for found in planned(**changes).problems]


def warnings(**changes):
    return {found.id: found.message for found in planned(**changes).warnings}


def declared(**facts):
    return ContainerOptions(serving=ServingFacts(**facts))


def test_an_image_with_its_own_weights_on_a_cpu_needs_nothing_more():
    result = planned()
    assert (result.problems, result.warnings, result.environment) == ((), (), {})
    assert (result.memory, result.inference_ami_version, result.model_download_timeout_seconds) == (None, None, None)


def test_an_arm_host_is_as_right_as_any_other():
    assert problems(instance=InstanceType.without_accelerator("ml.c7g.xlarge", architecture="arm64")) == []


@pytest.mark.parametrize(
    ("instance", "cuda", "ami"),
    [
        (InstanceType.G5_2XLARGE, (12, 4), "al2-ami-sagemaker-inference-gpu-3-1"),
        (InstanceType.G5_2XLARGE, (13, 0), "al2023-ami-sagemaker-inference-gpu-4-1"),
        (InstanceType.G5_2XLARGE, None, None),
        (InstanceType.INF2_XLARGE, None, "al2-ami-sagemaker-inference-neuron-2"),
        (CPU, None, None),
    ],
)
def test_the_host_fits_the_cuda_that_is_declared(instance, cuda, ami):
    assert planned(instance=instance, image=image(cuda)).inference_ami_version == ami


def test_gpus_without_a_declared_cuda_are_a_warning():
    assert list(warnings(instance=InstanceType.G5_2XLARGE)) == ["tgi-endpoint:imageCudaUnknown"]
    assert warnings(instance=InstanceType.G5_2XLARGE, image=image((12, 4))) == {}


def test_what_is_declared_is_what_a_front_door_gets():
    facts = ServingFacts(tools=False, chat=True, stream_format=StreamFormat.JSON_LINES, overload_statuses=(418,))
    result = planned(options=ContainerOptions(serving=facts, max_body_bytes=1000))
    assert (result.serving, result.max_body_bytes) == (facts, 1000)


def test_a_model_of_the_hub_is_told_by_the_usual_names():
    model = ModelChoice(source="hub", hub_id="team/model", revision="abc", has_token=True)
    result = planned(model=model)
    assert result.environment == {"HF_MODEL_ID": "team/model", "HF_MODEL_REVISION": "abc"}
    assert result.token_variables == ("HF_TOKEN",)


def test_any_further_variable_is_the_containers_own_business():
    environment = {"MAX_TOTAL_TOKENS": "7", "SM_VLLM_MODEL": "x", "PORT": "8080"}
    result = planned(environment=environment)
    assert (result.environment, result.problems, result.warnings) == (environment, (), ())


def test_every_wrong_declaration_is_named_at_once():
    options = ContainerOptions(
        protocol="grpc", serving=ServingFacts(max_total_tokens=0, overload_statuses=(200,)), max_body_bytes=7 * 2**20
    )
    assert problems(options=options) == [
        "protocol='grpc': must be one of openai, tgi. Use a member of ContainerProtocol, or leave it out.",
        "serving.max_total_tokens=0: must be from 2 to 4294967295. Raise it to 2 or more.",
        "serving.overload_statuses=(200,): has the item 200, which must be from 400 to 599. Raise it to 400 or more.",
        "max_body_bytes=7340032: must be from 1 to 6291456. Lower it to 6291456 or less.",
    ]


def test_a_container_that_answers_nothing_is_refused():
    (found,) = problems(options=declared(chat=False, completions=False))
    assert found.startswith("serving.chat=False: leaves nothing that the container answers")


def test_facts_of_another_type_are_refused():
    (found,) = problems(options=ContainerOptions(serving={"tools": True}))
    assert found.startswith("serving={'tools': True}: must be ServingFacts, not dict.")


def test_a_protocol_that_only_the_deployment_knows_is_refused():
    (found,) = problems(options=ContainerOptions(protocol=Unknown("${Token[x]}")))
    assert found.startswith("protocol=(known at deployment): must be known at synth")


def test_nothing_can_find_the_cheapest_instance():
    (found,) = problems(instance=UNDECIDED, cheapest=CheapestFor(tokens=1000))
    assert "the cheapest instance cannot be found for your container" in found


def test_weights_of_the_image_can_be_isolated_from_the_network():
    assert problems(network_isolation=True) == []


def test_an_image_in_another_region_is_refused():
    (found,) = problems(region="us-east-1")
    assert "is in eu-west-1; SageMaker pulls images from the endpoint's own Region" in found


def test_a_download_timeout_applies_to_weights_in_s3_only():
    assert list(warnings(model_download_timeout_seconds=600)) == ["tgi-endpoint:modelDownloadTimeoutUnused"]


@pytest.mark.parametrize("protocol", list(ContainerProtocol))
def test_each_protocol_is_the_name_of_an_engine(protocol):
    assert CONTAINERS[protocol].name == protocol


def test_an_image_for_neuron_devices_is_as_right_as_any_other():
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/server-neuronx:1"
    assert problems(instance=InstanceType.INF2_XLARGE, image=image(uri=uri)) == []
