"""Names, timeouts, volumes, AMIs: what SageMaker accepts."""

import botocore.loaders
import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.hardware.host_ami import (
    GPU_CUDA_12,
    GPU_CUDA_13,
    HOST_CUDA,
    NEURON,
    ami_warnings,
    default_ami,
)
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice

NAME_FORM = "must be 1 to 63 letters, digits and hyphens, no hyphen first or last"
NEW_GPU = InstanceType.of("ml.g9.xlarge", accelerator_count=1, memory_gib=48, volume_configurable=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"instance_count": 0}, "instance_count=0: must be from 1 to 4294967295. Raise it to 1 or more."),
        ({"instance_count": "2"}, "instance_count='2': must be a whole number, not str. Write 2."),
        ({"instance_count": None}, "instance_count=None: must be a whole number, not None. Give an int."),
        (
            {"startup_timeout_seconds": 59},
            "startup_timeout=59: must be from 60 to 3600 seconds. Raise it to 60 or more.",
        ),
        (
            {"startup_timeout_seconds": 3601},
            "startup_timeout=3601: must be from 60 to 3600 seconds. Lower it to 3600 or less.",
        ),
        (
            {"model": ModelChoice(source="s3"), "model_download_timeout_seconds": 5},
            "model_download_timeout=5: must be from 60 to 3600 seconds. Raise it to 60 or more.",
        ),
        (
            {"instance": NEW_GPU, "volume_size_gib": 513},
            "volume_size=513: must be from 1 to 512 GiB. Lower it to 512 or less.",
        ),
        (
            {"volume_size_gib": 100},
            (
                "volume_size=100: ml.g5.2xlarge stores data on its own NVMe drives, so SageMaker accepts no volume"
                " for it."
                " Leave volume_size out."
            ),
        ),
        (
            {"has_volume_key": True},
            (
                "volume_key=(a key): ml.g5.2xlarge stores data on its own NVMe drives, so SageMaker accepts no"
                " volume for it,"
                " and those drives are always encrypted with a key of their own. Leave volume_key out."
            ),
        ),
        (
            {"endpoint_name": "-llama"},
            f"endpoint_name='-llama': {NAME_FORM}. Write it in that form, or leave it out.",
        ),
        (
            {"endpoint_name": "llama_3"},
            f"endpoint_name='llama_3': {NAME_FORM}. Write it in that form, or leave it out.",
        ),
        ({"endpoint_name": ""}, "endpoint_name='': must not be empty. Give it a value, or leave it out."),
        (
            {"endpoint_name": "l" * 64},
            f"endpoint_name='{'l' * 64}': must have at most 63 characters, has 64. Shorten it.",
        ),
        (
            {"variant_name": "läma"},
            f"variant_name='läma': {NAME_FORM}. Write it in that form, or leave it out.",
        ),
        (
            {"network_isolation": "yes"},
            "network_isolation='yes': must be True or False, not str. Give a bool, or leave it out.",
        ),
        (
            {"network_isolation": True},
            (
                "network_isolation=True: cuts the container off from the Hugging Face hub, from which this model is"
                " downloaded. Copy the weights to S3 and use Model.from_s3, or leave network_isolation out."
            ),
        ),
        (
            {"inference_ami_version": NEURON},
            (
                f"inference_ami_version='{NEURON}': is for Inferentia and Trainium, but ml.g5.2xlarge has GPUs."
                " Use 'al2-ami-sagemaker-inference-gpu-3-1'."
            ),
        ),
        (
            {"inference_ami_version": "my ami"},
            (
                "inference_ami_version='my ami': must be the name of an AMI version."
                " Write it in that form, or leave it out."
            ),
        ),
        (
            {"inference_ami_version": 3},
            "inference_ami_version=3: must be a string, not int. Give a str, or leave it out.",
        ),
    ],
)
def test_what_sagemaker_refuses_is_reported(changes, words, refusals):
    assert refusals(**changes) == [words]


@pytest.mark.parametrize(
    "changes",
    [
        {"instance_count": 3},
        {"startup_timeout_seconds": 60},
        {"startup_timeout_seconds": 3600},
        {"instance": NEW_GPU, "volume_size_gib": 512, "has_volume_key": True},
        {"endpoint_name": "l" * 63},
        {"endpoint_name": "a--B-9"},
        {"model": ModelChoice(source="s3"), "network_isolation": True},
    ],
)
def test_what_sagemaker_accepts_is_accepted(changes, refusals):
    assert refusals(**changes) == []


def test_what_is_requested_is_planned(planning):
    plan = planning(
        instance=NEW_GPU,
        startup_timeout_seconds=901,
        model_download_timeout_seconds=61,
        volume_size_gib=99,
        inference_ami_version="al2-ami-sagemaker-inference-gpu-2",
    )
    assert (
        plan.startup_timeout_seconds,
        plan.model_download_timeout_seconds,
        plan.volume_size_gib,
        plan.inference_ami_version,
    ) == (901, 61, 99, "al2-ami-sagemaker-inference-gpu-2")


def test_no_volume_is_planned_unless_requested(planning):
    assert planning(instance=NEW_GPU).volume_size_gib is None


def test_the_ami_names_are_botocores():
    model = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")
    assert {*HOST_CUDA, NEURON} == set(model["shapes"]["ProductionVariantInferenceAmiVersion"]["enum"])


@pytest.mark.parametrize("version", TGI.images.versions)
def test_images_of_cuda_12_4_get_the_ami_with_its_driver(version, planning):
    new = tuple(map(int, version.split("."))) >= (2, 3, 1)
    assert planning(version=version).inference_ami_version == ("al2-ami-sagemaker-inference-gpu-3-1" if new else None)


def test_images_of_cuda_13_get_the_ami_with_its_driver():
    assert default_ami(InstanceType.G5_2XLARGE, (13, 0)) == "al2023-ami-sagemaker-inference-gpu-4-1"


def test_neuron_devices_get_the_ami_with_their_driver():
    assert default_ami(InstanceType.INF2_XLARGE, (12, 4)) == "al2-ami-sagemaker-inference-neuron-2"


def test_blackwell_keeps_sagemakers_ami(planning):
    assert planning(instance=InstanceType.G7E_2XLARGE).inference_ami_version is None


def test_the_ami_can_be_left_to_sagemaker(planning):
    assert planning(inference_ami_version="default").inference_ami_version is None


@pytest.mark.parametrize(
    ("version", "chosen", "ids"),
    [
        ("3.3.6", "default", []),
        ("3.3.6", "al2-ami-sagemaker-inference-gpu-3-1", []),
        ("3.3.6", "al2-ami-sagemaker-inference-gpu-2-1", ["tgi-endpoint:inferenceAmiMismatch"]),
        ("3.3.6", "al2023-ami-sagemaker-inference-gpu-4-1", ["tgi-endpoint:inferenceAmiMismatch"]),
        ("2.0.0", "al2023-ami-sagemaker-inference-gpu-4-1", ["tgi-endpoint:inferenceAmiMismatch"]),
        ("2.0.0", "al2-ami-sagemaker-inference-gpu-2", []),
        ("0.9.3", "al2-ami-sagemaker-inference-gpu-3-1", []),
        ("3.3.6", "al2025-ami-sagemaker-inference-gpu-9-1", ["tgi-endpoint:unknownInferenceAmi"]),
    ],
)
def test_an_ami_without_the_images_cuda_brings_a_warning(version, chosen, ids, warnings):
    roomy = InstanceType.G6E_XLARGE
    assert warnings(version=version, instance=roomy, inference_ami_version=chosen) == ids


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"model_download_timeout_seconds": 600}, ["tgi-endpoint:modelDownloadTimeoutUnused"]),
        (
            {
                "model": ModelChoice(source="s3", like="meta-llama/Llama-3.1-8B-Instruct"),
                "model_download_timeout_seconds": 600,
            },
            [],
        ),
        (
            {"instance": InstanceType.G7_2XLARGE, "volume_size_gib": 100},
            ["tgi-endpoint:blackwellUntested", "tgi-endpoint:volumeUnverified", "tgi-endpoint:driverTooOld"],
        ),
        ({"instance": InstanceType.P6_B200_48XLARGE}, ["tgi-endpoint:blackwellUntested"]),
    ],
)
def test_what_sagemaker_may_refuse_or_ignore_brings_a_warning(changes, ids, warnings):
    assert warnings(**changes) == ids


@pytest.mark.parametrize(("chosen", "fits"), [(GPU_CUDA_12, False), (GPU_CUDA_13, True)])
def test_images_of_cuda_13_fit_its_ami_only(chosen, fits):
    assert (list(ami_warnings(chosen, (13, 0))) == []) is fits
