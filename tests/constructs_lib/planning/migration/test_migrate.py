"""An endpoint on TGI that moves: image, instance type, price, what clients notice, and the code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.migration.clients import Clients
from constructs_lib.planning.migration.code import Names, endpoint_code, steps
from constructs_lib.planning.migration.migrate import TARGETS, Migration, migrate
from constructs_lib.planning.migration.tool_parsers import tool_parser
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.request import UNDECIDED
from tests.constructs_lib.planning.migration.moved import QWEN, becomes, moved, request

MPT = ModelChoice(source="hub", hub_id="mosaicml/mpt-7b-instruct", revision="b" * 40)
NAMES = Names(old="tgi", new="vllm", model="qwen")


def subjects(migration: Migration) -> list[str]:
    return [one.subject for one in migration.differences]


def texts(migration: Migration) -> dict[str, str]:
    return {one.subject: one.text for one in migration.differences}


def test_a_model_that_the_newest_image_does_not_run_gets_the_last_one_that_does() -> None:
    migration = moved("vllm", model=MPT, instance=InstanceType.G5_2XLARGE)
    assert (migration.problems, migration.target.image_choice.version) == ((), "0.28.0")
    assert becomes(migration, "image").reason == ("vLLM 0.30.0 does not run this model, 0.28.0 is the last that does.")
    assert 'image=VllmImage.version("0.28.0"),' in endpoint_code(migration, NAMES)
    assert "import InstanceType, LogprobsMode, Model, VllmEndpoint, VllmImage, VllmOptions" in endpoint_code(
        migration, NAMES
    )


def test_an_option_that_this_older_image_lacks_is_lost() -> None:
    migration = moved("vllm", TgiOptions(max_concurrent_requests=64), model=MPT, instance=InstanceType.G5_2XLARGE)
    assert [one.option for one in migration.lost] == ["max_concurrent_requests"]
    assert becomes(migration, "max_concurrent_requests").reason == (
        "`max_num_queued_reqs=64` vLLM 0.28.0 does not have it; it was added in 0.29.0."
    )


def test_a_model_that_does_not_fit_moves_to_the_cheapest_instance_that_it_fits() -> None:
    llama = ModelChoice(source="hub", hub_id="meta-llama/Llama-3.1-8B-Instruct", has_token=True)
    options = TgiOptions(quantize="bitsandbytes-nf4", max_input_tokens=2000, max_total_tokens=2048)
    migration = moved("vllm", options, model=llama, instance=InstanceType.G6_XLARGE)
    assert migration.moved is None or migration.new.instance != InstanceType.G6_XLARGE
    small = moved("vllm", options, model=llama, instance=InstanceType.G4DN_XLARGE)
    assert small.problems == ()
    assert small.moved is not None
    assert small.moved.value == "ml.g4dn.xlarge"
    assert small.new.instance != InstanceType.G4DN_XLARGE
    assert small.after is not None
    assert small.after.instances == [small.new.instance.name]
    assert small.after.max_usd_per_hour == small.new.instance.price_usd_per_hour


def test_a_load_stays_a_load_and_may_take_another_instance_type() -> None:
    load = CheapestFor(tokens=8192, concurrency=4)
    migration = migrate(replace(request(), instance=UNDECIDED, cheapest=load), engine_named("vllm"))
    assert migration.problems == ()
    assert "instance_type=InstanceType.cheapest_for(tokens=8192, concurrency=4)," in endpoint_code(migration, NAMES)
    assert migration.after is not None
    assert migration.after.context == 8192


def test_a_list_of_instance_types_stays_a_list() -> None:
    pools = (InstanceType.G6E_2XLARGE, InstanceType.G5_2XLARGE)
    migration = moved("vllm", TgiOptions(max_input_tokens=4000, max_total_tokens=4096), pools=pools)
    assert migration.problems == ()
    assert "instance_type=[InstanceType.G6E_2XLARGE, InstanceType.G5_2XLARGE]," in endpoint_code(migration, NAMES)


def test_the_price_is_that_of_as_many_instances_as_before() -> None:
    capacity = Capacity(instances=(InstanceType.G6E_12XLARGE,), min_instances=1, max_instances=4)
    migration = migrate(request(), engine_named("vllm"), capacity)
    assert migration.after is not None
    price = InstanceType.G6E_12XLARGE.price_usd_per_hour or 0
    assert (migration.after.min_usd_per_hour, migration.after.max_usd_per_hour) == (price, 4 * price)


@pytest.mark.parametrize("to", TARGETS)
def test_weights_without_a_revision_may_differ_between_the_engines(to: str) -> None:
    migration = moved(to, model=replace(QWEN, revision=None))
    assert becomes(migration, "model.revision").reason.startswith("None is given, so that two endpoints may load")
    assert becomes(moved(to), "model.revision").reason.startswith("The plan writes it under the name that")


@pytest.mark.parametrize(
    ("to", "variables"),
    [
        ("vllm", {"SM_VLLM_REVISION"}),
        ("sglang", {"SM_SGLANG_REVISION"}),
        ("lmi", {"HF_REVISION"}),
    ],
)
def test_the_revision_reaches_the_new_engine_by_the_names_that_it_reads(to: str, variables: set[str]) -> None:
    environment = moved(to).new.environment
    assert {environment[name] for name in variables} == {"a" * 40}


def test_an_image_of_ones_own_is_named_as_what_does_not_move() -> None:
    image = ImageChoice(version="3.3.6", uri_override=True, own_build=True)
    assert becomes(moved("vllm", image=image), "image").reason == (
        "The new endpoint runs AWS's image of vLLM; what yours adds to TGI is not in it."
    )


def test_clients_of_tgi_hear_of_log_probabilities_only_where_they_differ() -> None:
    assert "details" not in subjects(moved("vllm"))
    assert "details" not in subjects(moved("lmi"))


def test_clients_hear_of_grammars_only_where_tgi_had_them() -> None:
    assert "grammar" in subjects(moved("vllm"))
    assert "grammar" not in subjects(moved("vllm", TgiOptions(disable_grammar_support=True)))
    assert "structured_outputs_config" not in endpoint_code(
        moved("vllm", TgiOptions(disable_grammar_support=True)), NAMES
    )


def test_clients_hear_of_tokens_of_the_prompt_only_where_tgi_computed_them() -> None:
    prefill = "decoder_input_details in a stream"
    assert prefill in subjects(moved("vllm", TgiOptions(enable_prefill_logprobs=True)))
    assert prefill not in subjects(moved("vllm", TgiOptions(enable_prefill_logprobs=False)))


def test_sglang_has_no_routes_of_tgi_so_that_nothing_else_is_said_of_them() -> None:
    of_tgi = [one.subject for one in moved("sglang").differences if one.clients is Clients.TGI]
    assert of_tgi == ["/generate, /generate_stream, /, inputs"]


@pytest.mark.parametrize(
    ("to", "text"),
    [
        ("vllm", "A request gets 429 when 512 are in progress or waiting, instead of 128."),
        ("sglang", "A request gets 429 when 128 are waiting for those in progress; TGI counts both: 128."),
        ("lmi", "No request gets 429 because too many wait: LMI takes all, and they wait."),
    ],
)
def test_clients_hear_when_the_queue_is_full(to: str, text: str) -> None:
    assert texts(moved(to, instance=InstanceType.G5_2XLARGE))["overload"] == text


def test_clients_hear_of_tools_that_no_parser_is_known_for() -> None:
    assert texts(moved("vllm", model=MPT, instance=InstanceType.G5_2XLARGE))["tools"].startswith(
        "A request with tools gets 400"
    )
    assert texts(moved("vllm"))["tools"].startswith("The model calls tools in its own words")


@pytest.mark.parametrize(
    ("hub_id", "vllm", "sglang"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3_json", "llama3"),
        ("meta-llama/Llama-3.1-8B", None, None),
        ("Qwen/Qwen2.5-7B-Instruct", "hermes", "qwen25"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", None, None),
        ("Qwen/Qwen3-8B", "hermes", "qwen25"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "mistral", "mistral"),
        ("mistralai/Mistral-7B-Instruct-v0.1", None, None),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "hermes", "hermes"),
        (None, None, None),
    ],
)
def test_the_parser_of_a_model_is_named_as_the_engine_has_it(
    hub_id: str | None, vllm: str | None, sglang: str | None
) -> None:
    assert (tool_parser(hub_id, "vllm"), tool_parser(hub_id, "lmi")) == (vllm, vllm)
    assert tool_parser(hub_id, "sglang") == sglang


def test_the_steps_end_with_the_new_endpoint_alone() -> None:
    assert [code for _, code in steps(NAMES)] == [
        'models = {"qwen": Mirror(tgi, to=vllm, percent=5)}',
        'models = {"qwen": Split({tgi: 95, vllm: 5})}',
        'models = {"qwen": Split({tgi: 50, vllm: 50})}',
        'models = {"qwen": Split({tgi: 0, vllm: 100})}',
        'models = {"qwen": vllm}',
    ]
