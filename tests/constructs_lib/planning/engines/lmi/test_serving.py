"""Images of LMI, the host's machine image, the vLLM in each, its memory, and what a front door is told."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.lmi.engine import LMI
from constructs_lib.planning.engines.lmi.releases import possible_vllm, vllm_version
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import parse_uri
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.serving_limits import StreamFormat
from constructs_lib.planning.validation.unknown import UNKNOWN


def test_the_images_are_named_by_the_version_of_lmi():
    assert LMI.images.versions == tuple(f"{number}.0.0" for number in (*range(10, 18), 27, 29))
    assert LMI.images.repository_and_tag("27.0.0") == ("djl-inference", "0.36.0-lmi27.0.0-cu130")
    assert LMI.images.repository_and_tag("0.36.0") is None


@pytest.mark.parametrize(
    ("version", "ami", "tag"),
    [
        ("27.0.0", "al2023-ami-sagemaker-inference-gpu-4-1", "0.36.0-lmi27.0.0-cu130"),
        ("17.0.0", "al2-ami-sagemaker-inference-gpu-3-1", "0.35.0-lmi17.0.0-cu128"),
    ],
)
def test_the_host_has_the_driver_of_the_images_cuda(planning, version, ami, tag):
    found = planning(version=version)
    assert (found.inference_ami_version, found.image_tag) == (ami, tag)


@pytest.mark.parametrize(
    ("version", "cuda"), [("13.0.0", (12, 4)), ("20.0.0", (12, 8)), ("24.0.0", (12, 9)), ("25.0.0", (13, 0))]
)
def test_images_that_are_not_in_the_catalogue_have_the_cuda_of_their_time(version, cuda):
    assert LMI.images.cuda(version) == cuda


def test_a_tag_names_its_version():
    uri = parse_uri("763104351884.dkr.ecr.eu-west-1.amazonaws.com/djl-inference:0.36.0-lmi20.0.0-cu128-v1.0")
    assert uri is not None
    assert LMI.images.named_version(uri) == "20.0.0"
    assert LMI.images.is_in_registry(uri)


@pytest.mark.parametrize(
    ("version", "vllm"),
    [((15, 0, 0), (0, 8, 4)), ((17, 0, 0), (0, 11, 1)), ((27, 0, 0), (0, 23, 1)), ((29, 0, 0), (0, 26, 0))],
)
def test_each_has_its_vllm(version, vllm):
    assert vllm_version(version) == vllm


def test_the_vllm_of_a_newer_one_is_not_known():
    assert possible_vllm((27, 0, 0)) == ((0, 23, 1), None)
    assert possible_vllm((29, 0, 0)) == ((0, 26, 0), (0, 30, 0))


def test_a_front_door_is_told_how_streams_look(planning):
    facts = planning().serving
    assert (facts.version, facts.chat, facts.completions, facts.tools) == ("27.0.0", True, True, False)
    assert facts.stream_format is StreamFormat.JSON_LINES
    assert (facts.max_total_tokens, facts.max_top_n_tokens) == (32_768, 20)
    assert facts.max_concurrent_requests is None  # nothing limits them


def test_a_front_door_knows_which_models_read_images(planning):
    facts = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct").known_facts()
    vision = ModelChoice(source="hub", hub_id=facts.hub_id, facts=replace(facts, model_type="qwen2_5_vl"))
    assert planning().serving.reads_images is False
    assert planning(model=vision).serving.reads_images is True
    assert planning(version="17.0.0", model=vision).serving.reads_images is None  # nothing is known of vLLM 0.11


def test_revision_and_compression_are_told(planning):
    model = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct", revision="a09a354")
    facts = planning(model=model, options={"quantize": "fp8"}).serving
    assert (facts.revision, facts.quantize) == ("a09a354", "fp8")
    awq = replace(model, revision=None, facts=replace(model.known_facts(), quantization="awq"))
    assert (planning(model=awq).serving.revision, planning(model=awq).serving.quantize) == (None, "awq")


def test_tools_need_a_parser(planning):
    assert planning(options={"tool_call_parser": "hermes"}).serving.tools is True


def test_which_log_probabilities_it_reports_is_told(planning):
    modes = ("processed_logprobs", "raw_logprobs")
    found = [planning(options={"extra_args": {"logprobs_mode": mode}}).serving.processed_logprobs for mode in modes]
    assert (*found, planning().serving.processed_logprobs) == (True, None, None)


def test_memory_is_divided_as_the_vllm_of_the_version_does(planning):
    older, newer = planning(version="17.0.0").memory, planning(version="27.0.0").memory
    assert older is not None
    assert newer is not None
    assert newer.usable > older.usable  # 92 % of the GPU since vLLM 0.20, 90 % before


def test_requests_are_shortened_where_memory_is_short(planning):
    found = planning(instance=InstanceType.G6_2XLARGE)
    assert found.problems == ()
    assert found.serving.max_total_tokens == int(found.environment["OPTION_MAX_MODEL_LEN"])
    assert "OPTION_MAX_ROLLING_BATCH_SIZE" in found.environment


def test_prefixes_are_kept_unless_they_are_switched_off(planning):
    assert planning().keeps_prefixes is True
    assert planning(options={"enable_prefix_caching": False}).keeps_prefixes is False
    assert planning(options={"enable_prefix_caching": UNKNOWN}).keeps_prefixes is None


def test_the_engine_is_in_the_registry():
    assert engine_named("lmi") is LMI
