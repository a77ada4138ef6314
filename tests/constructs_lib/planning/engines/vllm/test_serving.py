"""What is certain at synth about how vLLM will serve."""

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.serving_limits import ServingFacts
from constructs_lib.planning.validation.unknown import Unknown
from tests.constructs_lib.planning.engines.vllm.requests import planned


def test_a_front_door_is_told_what_vllm_limits():
    assert planned(max_model_len=8192, max_num_seqs=64).serving == ServingFacts(
        version="0.30.0",
        max_input_tokens=8191,
        max_total_tokens=8192,
        max_concurrent_requests=128,
        max_stop_sequences=4,
        max_top_n_tokens=20,
        max_client_batch_size=1024,
        enable_prefill_logprobs=True,
        reads_images=False,
        tools=False,
        chat=True,
        completions=True,
    )


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"version": "0.28.0"}, {"max_concurrent_requests": None, "max_stop_sequences": 4}),
        ({"version": "0.27.1"}, {"max_stop_sequences": None, "max_client_batch_size": 1024}),
        ({"version": "0.25.1"}, {"max_client_batch_size": None}),
        ({"max_num_queued_reqs": 40}, {"max_concurrent_requests": 40}),
        ({"max_num_queued_reqs": Unknown("<n>")}, {"max_concurrent_requests": None}),
        ({"max_num_seqs": Unknown("<n>")}, {"max_concurrent_requests": None}),
        ({"max_model_len": Unknown("<n>")}, {"max_total_tokens": None, "max_input_tokens": None}),
        ({"max_logprobs": 5}, {"max_top_n_tokens": 5}),
        ({"max_logprobs": -1}, {"max_top_n_tokens": None}),
        ({"logprobs_mode": "processed_logprobs"}, {"processed_logprobs": True}),
        ({"logprobs_mode": "processed_logits"}, {"processed_logprobs": None}),
        ({"logprobs_mode": Unknown("<mode>")}, {"processed_logprobs": None}),
        ({"tool_call_parser": "llama3_json"}, {"tools": True}),
        ({"dtype": "float16", "quantization": "fp8"}, {"dtype": "float16", "quantize": "fp8"}),
        ({"lora_modules": ["a=/a"]}, {"adapters": None}),
        ({"hub_id": "Qwen/Qwen2.5-VL-7B-Instruct"}, {"reads_images": True}),
        ({"hub_id": "Qwen/Qwen2.5-VL-7B-Instruct", "language_model_only": True}, {"reads_images": False}),
        ({"hub_id": "Qwen/Qwen2.5-VL-7B-Instruct", "limit_mm_per_prompt": {"image": 0}}, {"reads_images": False}),
        ({"hub_id": "Qwen/Qwen2.5-VL-7B-Instruct", "limit_mm_per_prompt": {"image": 1}}, {"reads_images": True}),
    ],
)
def test_each_fact_follows_from_version_model_and_options(changes, facts):
    found = planned(**changes)
    assert found.problems == ()
    assert {name: getattr(found.serving, name) for name in facts} == facts


def test_nothing_is_said_of_a_model_that_is_not_known():
    found = planned(changes={"model": ModelChoice(source="hub", hub_id="a/b", revision="abc")}).serving
    assert (found.max_total_tokens, found.reads_images, found.revision) == (None, None, "abc")


def test_prefixes_are_kept_unless_they_are_switched_off():
    kept = [planned(enable_prefix_caching=value).keeps_prefixes for value in (None, True, False, Unknown("<x>"))]
    assert kept == [True, True, False, None]


def test_the_longest_request_is_the_one_that_fits():
    found = planned(changes={"instance": InstanceType.G6_2XLARGE})
    assert found.serving.max_total_tokens == int(found.environment["SM_VLLM_MAX_MODEL_LEN"])


def test_whether_a_version_that_is_not_known_sees_images_is_not_known():
    assert planned(version="0.40.0").serving.reads_images is None
    assert planned(version="0.30.0").serving.reads_images is False
