"""What a front door is told of TGI for Neuron."""

from constructs_lib.planning.engines.tgi_neuron.options import AutoCastType, NeuronOptions
from constructs_lib.planning.serving_limits import ServingFacts
from tests.constructs_lib.planning.engines.tgi_neuron.neuron_requests import planned, sized


def test_it_serves_what_its_batch_and_tgi_allow_without_tools_and_log_probabilities() -> None:
    assert planned(options=sized(auto_cast_type=AutoCastType.FP16)).serving == ServingFacts(
        version="3.3.6",
        dtype="float16",
        max_input_tokens=2048,
        max_total_tokens=4096,
        max_batch_total_tokens=16_384,
        max_concurrent_requests=128,
        max_best_of=1,
        max_stop_sequences=4,
        max_top_n_tokens=0,
        max_client_batch_size=4,
        enable_prefill_logprobs=False,
        reads_images=False,
        tools=False,
    )


def test_sizes_that_the_container_chooses_are_not_known() -> None:
    found = planned(options=NeuronOptions()).serving
    assert (found.max_input_tokens, found.max_total_tokens, found.max_batch_total_tokens) == (None, None, None)
    assert (found.dtype, found.tools, found.max_top_n_tokens) == (None, False, 0)


def test_the_version_is_that_of_tgi() -> None:
    versions = ("0.3.0", "0.2.0", "0.0.28", "0.0.25", "0.0.22", "0.0.21")
    found = [planned(version=version).serving.version for version in versions]
    assert found == ["3.3.6", "3.3.4", "3.0.0", "2.1.1", "2.0.2", "1.4.1"]


def test_request_bodies_are_as_large_as_the_version_of_tgi_takes() -> None:
    assert planned().max_body_bytes == 6_291_456
    assert planned(options=sized(payload_limit=1000)).max_body_bytes == 1000
    assert planned(version="0.0.25").max_body_bytes == 2_097_152


def test_no_prompts_are_kept() -> None:
    assert planned().keeps_prefixes is False
