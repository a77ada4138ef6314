"""Images of SGLang, the host's machine image, and what a front door is told."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.sglang.engine import SGLANG
from constructs_lib.planning.engines.sglang.images import AWS, HUGGING_FACE
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import parse_uri
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.unknown import UNKNOWN


def test_the_images_are_those_of_aws_and_of_hugging_face():
    assert AWS.versions == ("0.5.13", "0.5.14", "0.5.15", "0.5.16", "0.5.17", "0.5.18", "0.5.19", "0.5.20")
    assert HUGGING_FACE.versions == ("0.5.8",)


@pytest.mark.parametrize(
    ("version", "ami", "tag"),
    [
        ("0.5.20", "al2023-ami-sagemaker-inference-gpu-4-1", "0.5.20-gpu-py312-cu130-ubuntu24.04-sagemaker"),
        ("0.5.8", "al2-ami-sagemaker-inference-gpu-3-1", "0.5.8-transformers4.57.3-gpu-py312-cu129-ubuntu24.04"),
    ],
)
def test_the_host_has_the_driver_of_the_images_cuda(planning, version, ami, tag):
    found = planning(version=version)
    assert (found.inference_ami_version, found.image_tag) == (ami, tag)


@pytest.mark.parametrize(("version", "cuda"), [("0.5.10", (12, 9)), ("0.5.11", (13, 0))])
def test_images_that_are_not_in_the_catalogue_have_the_cuda_of_their_time(version, cuda):
    assert AWS.cuda(version) == HUGGING_FACE.cuda(version) == cuda


@pytest.mark.parametrize(
    ("family", "tag", "version"),
    [
        (AWS, "0.5.20-gpu-py312-cu130-ubuntu24.04-sagemaker", "0.5.20"),
        (AWS, "server-sagemaker-cuda-v1.4", None),
        (HUGGING_FACE, "0.5.12-transformers5.6.0-gpu-py312-cu130-ubuntu24.04", "0.5.12"),
    ],
)
def test_a_tag_names_its_version(family, tag, version):
    uri = parse_uri(f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/sglang:{tag}")
    assert uri is not None
    assert family.named_version(uri) == version


def test_aws_may_publish_tags_that_name_no_version():
    uri = parse_uri("763104351884.dkr.ecr.eu-west-1.amazonaws.com/sglang:server-sagemaker-cuda-v1.4")
    assert uri is not None
    assert AWS.has_tag("0.5.20", uri)


def test_a_front_door_is_told_that_there_are_chats_only(planning):
    facts = planning().serving
    assert (facts.version, facts.chat, facts.completions, facts.tools, facts.adapters) == (
        "0.5.20",
        True,
        False,
        False,
        None,
    )
    assert facts.max_total_tokens == 32_768


def test_a_front_door_knows_which_models_read_images(planning):
    facts = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct").known_facts()
    vision = ModelChoice(source="hub", hub_id=facts.hub_id, facts=replace(facts, model_type="qwen2_5_vl"))
    assert planning().serving.reads_images is False
    assert planning(model=vision).serving.reads_images is True
    assert planning(model=ModelChoice(source="hub", hub_id="team/unknown")).serving.reads_images is None


def test_revision_and_compression_are_told(planning):
    model = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct", revision="a09a354")
    facts = planning(model=model, options={"quantization": "fp8"}).serving
    assert (facts.revision, facts.quantize) == ("a09a354", "fp8")
    awq = replace(model, revision=None, facts=replace(model.known_facts(), quantization="awq"))
    assert (planning(model=awq).serving.revision, planning(model=awq).serving.quantize) == (None, "awq")


def test_tools_need_a_parser(planning):
    assert planning(options={"tool_call_parser": "qwen25"}).serving.tools is True


def test_the_names_of_adapters_are_told(planning):
    assert planning(options={"lora_paths": ["sql=x/one"]}).serving.adapters == ("sql",)


def test_requests_that_run_and_wait_are_limited(planning):
    assert planning().serving.max_concurrent_requests is None  # SGLang decides how many run
    assert planning(options={"max_running_requests": 32}).serving.max_concurrent_requests == 160
    options = {"max_running_requests": 32, "max_queued_requests": 8}
    assert planning(options=options).serving.max_concurrent_requests == 40


def test_prefixes_are_kept_unless_they_are_switched_off(planning):
    assert planning().keeps_prefixes is True
    assert planning(options={"disable_radix_cache": True}).keeps_prefixes is False
    assert planning(options={"disable_radix_cache": UNKNOWN}).keeps_prefixes is None


def test_requests_are_shortened_where_memory_is_short(planning):
    found = planning(instance=InstanceType.G6_2XLARGE, options={"mem_fraction_static": 0.75})
    assert found.problems == ()
    assert found.serving.max_total_tokens == int(found.environment["SM_SGLANG_CONTEXT_LENGTH"]) < 32_768


def test_a_smaller_prefill_leaves_room_for_longer_requests(planning):
    llama = ModelChoice(source="hub", hub_id="meta-llama/Llama-3.1-8B-Instruct", has_token=True)
    found = planning(model=llama, instance=InstanceType.G6_2XLARGE)
    assert found.problems == ()
    assert found.environment["SM_SGLANG_CHUNKED_PREFILL_SIZE"] == "2048"  # 4096 leaves nothing for the cache
    assert int(found.environment["SM_SGLANG_CONTEXT_LENGTH"]) >= 8192


def test_the_engine_is_in_the_registry():
    from constructs_lib.planning.engines import engine_named

    assert engine_named("sglang") is SGLANG
