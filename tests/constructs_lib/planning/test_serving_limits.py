"""What is certain at synth about how a model will be served."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import Dtype, Quantization, TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.architectures import implementation
from constructs_lib.planning.models.facts import ModelChoice, known_model
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.serving_limits import ServingFacts, common_facts, facts_problems
from constructs_lib.planning.validation.unknown import UNKNOWN


def facts(
    *,
    hub_id: str = "org/unknown",
    version: str = "3.3.6",
    instance: InstanceType = InstanceType.G6E_12XLARGE,
    **options: Any,
) -> ServingFacts:
    request = EndpointRequest(
        engine=TGI,
        model=ModelChoice(source="hub", hub_id=hub_id, has_token=True),
        instance=instance,
        image=ImageChoice(version=version),
        options=TgiOptions(**options),
    )
    planned = plan(request)
    assert not planned.problems
    return planned.serving


def known(found: ServingFacts) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if value is not None}


DEFAULTS = {
    "max_concurrent_requests": 128,
    "max_best_of": 2,
    "max_stop_sequences": 4,
    "max_top_n_tokens": 5,
    "max_client_batch_size": 4,
}


def test_without_options_only_the_version_and_the_launchers_fixed_defaults_are_certain() -> None:
    assert known(facts()) == {"version": "3.3.6", **DEFAULTS}


def test_requested_limits_are_certain() -> None:
    found = facts(max_input_tokens=1000, max_total_tokens=2000, max_best_of=3, max_concurrent_requests=64)
    assert known(found) == {
        "version": "3.3.6",
        **DEFAULTS,
        "max_input_tokens": 1000,
        "max_total_tokens": 2000,
        "max_best_of": 3,
        "max_concurrent_requests": 64,
    }


def test_limits_that_a_version_has_by_itself_are_certain() -> None:
    limits = {text: facts(version=text) for text in ("0.8.2", "1.4.5", "3.0.1")}
    assert {text: (found.max_input_tokens, found.max_total_tokens) for text, found in limits.items()} == {
        "0.8.2": (1000, 1512),
        "1.4.5": (1024, 2048),
        "3.0.1": (None, None),
    }
    falcon = facts(version="2.4.0", hub_id="tiiuae/falcon-7b", num_shard=1)
    assert (falcon.max_input_tokens, falcon.max_total_tokens) == (2047, 2048)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"enable_prefill_logprobs": False}, False),
        ({"enable_prefill_logprobs": True}, True),
        ({"version": "2.4.0"}, True),
        ({"hub_id": "bigscience/bloom-7b1", "num_shard": 1}, True),
        ({"hub_id": "google/flan-t5-xl", "num_shard": 1}, False),
        ({"hub_id": "google/flan-t5-xl", "num_shard": 1, "version": "2.4.0"}, False),
        ({"hub_id": "someone/something"}, None),
    ],
)
def test_whether_the_log_probabilities_of_prompts_are_computed_is_certain_if_the_model_is_known(
    options: dict[str, Any], expected: bool | None
) -> None:
    assert facts(**{"hub_id": "HuggingFaceH4/zephyr-7b-beta", **options}).enable_prefill_logprobs is expected


def test_an_option_that_a_version_does_not_have_has_no_default_there() -> None:
    assert "max_client_batch_size" not in known(facts(version="1.4.2"))
    assert facts(version="2.3.1").max_client_batch_size == 4


def test_the_batch_is_certain_only_if_it_is_set_and_tgi_does_not_measure_it() -> None:
    assert facts(hub_id="Qwen/Qwen2.5-7B-Instruct").max_batch_total_tokens is None
    told = {"max_input_tokens": 1024, "max_total_tokens": 2048, "max_batch_prefill_tokens": 1024}
    opt = facts(hub_id="facebook/opt-66b", max_batch_total_tokens=2048, **told)
    assert opt.max_batch_total_tokens == 2048


def test_the_type_of_weights_that_are_compressed_is_certain() -> None:
    assert facts(quantize=Quantization.AWQ).dtype == "float16"
    assert facts(quantize=Quantization.AWQ).quantize == "awq"
    assert facts(dtype=Dtype.BFLOAT16).dtype == "bfloat16"
    assert facts().dtype is None


@pytest.mark.parametrize(
    ("hub_id", "version", "reads_images"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "3.3.6", False),
        ("google/gemma-3-12b-it", "3.3.6", True),
        ("HuggingFaceM4/idefics2-8b", "2.0.2", True),
        ("HuggingFaceM4/idefics2-8b", "3.3.6", True),
        ("HuggingFaceM4/idefics-9b-instruct", "2.4.0", True),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "3.3.6", True),
        ("org/unknown", "3.3.6", None),
    ],
)
def test_whether_a_model_reads_images_is_certain_if_it_is_known(
    hub_id: str, version: str, reads_images: bool | None
) -> None:
    assert facts(hub_id=hub_id, version=version).reads_images is reads_images


def test_a_model_that_transformers_alone_could_show_images_does_not_read_them() -> None:
    """TGI's router takes images out of a prompt only for the classes that it names."""
    mistral3 = "mistralai/Mistral-Small-3.1-24B-Instruct-2503"
    llama4 = "meta-llama/Llama-4-Scout-17B-16E-Instruct"
    shown = {}
    for hub_id in (mistral3, llama4):
        known_facts = known_model(hub_id)
        assert known_facts is not None
        shown[hub_id] = [implementation(known_facts, version).reads_images for version in ((3, 2, 1), (3, 3, 6))]
    assert shown == {mistral3: [False, False], llama4: [False, True]}


def test_what_is_known_only_at_deployment_is_not_certain() -> None:
    request = EndpointRequest(
        engine=TGI,
        model=ModelChoice(source="hub", hub_id="org/unknown", revision="abc123"),
        instance=InstanceType.G6E_12XLARGE,
        options=TgiOptions(max_input_tokens=UNKNOWN, max_total_tokens=UNKNOWN, max_best_of=UNKNOWN),  # type: ignore[arg-type]
    )
    found = plan(request).serving
    assert (found.max_input_tokens, found.max_total_tokens, found.max_best_of) == (None, None, None)
    assert found.revision == "abc123"


def messages(found: ServingFacts) -> list[str]:
    return [str(problem) for problem in facts_problems(found, TGI.serving_rules)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"version": "3"}, "version='3': must be a full version such as 3.3.6"),
        ({"max_total_tokens": 1}, "max_total_tokens=1: must be from 2 to"),
        ({"max_total_tokens": "4096"}, "max_total_tokens='4096': must be a whole number, not str. Write 4096."),
        ({"max_best_of": 0}, "max_best_of=0: must be from 1 to"),
        ({"dtype": "int8"}, "dtype='int8': must be one of float16, bfloat16"),
        ({"reads_images": "no"}, "reads_images='no': must be True or False, not str"),
        ({"tools": 1}, "tools=1: must be True or False, not int"),
        ({"adapters": "sql"}, "adapters='sql': must be a list, not str. Put it in square brackets."),
        (
            {"adapters": ["a:b"]},
            "adapters=['a:b']: has the item 'a:b', which must be a name without spaces and colons. Write it in that",
        ),
        ({"overload_statuses": [200]}, "has the item 200, which must be from 400 to 599. Raise it to 400 or more."),
        ({"stream_format": "ndjson"}, "stream_format='ndjson': must be one of sse, jsonlines"),
        (
            {"chat": False, "completions": False},
            "chat=False: leaves nothing that the container answers, with completions=False. Leave one out.",
        ),
        ({"quantize": "q4"}, "quantize='q4': must be one of awq, compressed-tensors"),
        (
            {"revision": UNKNOWN},
            "revision=(known at deployment): must be known at synth, because a front door passes it to its",
        ),
        (
            {"max_input_tokens": 4096, "max_total_tokens": 4096},
            "max_input_tokens=4096: must be less than max_total_tokens=4096. Use the endpoint's own limits.",
        ),
    ],
)
def test_facts_that_no_endpoint_could_have_are_rejected(wrong: dict[str, Any], words: str) -> None:
    (problem,) = messages(replace(ServingFacts(), **wrong))
    assert words in problem


def test_valid_facts_are_accepted() -> None:
    assert messages(ServingFacts()) == []
    assert (
        messages(ServingFacts(version="3.3.6", max_input_tokens=4095, max_total_tokens=4096, max_stop_sequences=0))
        == []
    )
    served = ServingFacts(chat=False, tools=True, adapters=["org/sql"], overload_statuses=[], stream_format="jsonlines")
    assert messages(served) == []


def test_several_serve_the_adapters_that_all_of_them_have() -> None:
    facts = [ServingFacts(adapters=("sql", "fr", "de")), ServingFacts(adapters=["de", "sql"])]
    assert common_facts(facts).adapters == ("sql", "de")
    assert common_facts([*facts, ServingFacts()]).adapters is None


def test_several_read_tool_calls_if_all_of_them_do() -> None:
    facts = [ServingFacts(tools=True), ServingFacts(tools=False)]
    assert common_facts(facts).tools is False
    assert common_facts(facts[:1]).tools is True


def test_a_limit_of_0_is_a_number_and_not_false() -> None:
    facts = [ServingFacts(max_top_n_tokens=0), ServingFacts(max_top_n_tokens=5)]
    assert common_facts(facts).max_top_n_tokens == 0
    assert common_facts(facts).max_top_n_tokens is not False
