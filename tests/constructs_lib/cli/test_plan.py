"""The command plan."""

import json
import re

import pytest

from constructs_lib.planning.cost import streams_usd_per_hour
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.hardware.instance_types import CheapestFor
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import UNDECIDED, EndpointRequest

LLAMA = ("plan", "--model", "meta-llama/Llama-3.1-8B-Instruct")


def test_instances_that_fit_come_first_cheapest_on_top(run):
    outcome = run(*LLAMA, "--tokens", 4096, "--json")
    found = json.loads(outcome.out)["candidates"]
    fitting = [one["price_usd_per_hour"] for one in found if one["fits"]]
    assert outcome.status == 0
    assert fitting[0] == min(price for price in fitting if price)
    assert [one["fits"] for one in found] == sorted((one["fits"] for one in found), reverse=True)


def test_every_instance_is_listed_and_each_that_does_not_fit_has_a_reason(run):
    found = json.loads(run(*LLAMA, "--json").out)["candidates"]
    assert len(found) == 59
    assert all(one["reason"] for one in found if not one["fits"])
    assert all(one["reason"] is None for one in found if one["fits"])
    assert any(not one["fits"] for one in found)


def test_the_status_says_whether_it_fits(run):
    small, large = (("--instance", name) for name in ("ml.g5.2xlarge", "ml.p5.48xlarge"))
    model = ("plan", "--model", "meta-llama/Llama-3.1-405B-Instruct")
    assert run(*LLAMA, *small).status == 0
    assert run(*model, *small).status == 1
    assert run(*model, *small, *large, "--quantize", "fp8").status == 0


def test_a_misfit_names_the_shortfall_and_three_instances_that_fit(run):
    outcome = run("plan", "--model", "meta-llama/Llama-3.3-70B-Instruct", "--instance", "ml.g5.2xlarge")
    assert re.search(r"^11\d\.\d GiB short on its GPU\.  ml\.g5\.2xlarge$", outcome.out, re.MULTILINE)
    verdict = outcome.out.splitlines()[-1]
    assert verdict.startswith("It does not fit. What fits: ml.")
    assert verdict.count(" an hour, $") == 3


def test_a_month_has_730_hours(run):
    outcome = run(*LLAMA, "--instance", "ml.g5.2xlarge")
    assert "It fits: ml.g5.2xlarge, $1.515 an hour, $1,106 a month." in outcome.out
    assert json.loads(run(*LLAMA, "--instance", "ml.g5.2xlarge", "--json").out)["candidates"][0][
        "price_usd_per_month"
    ] == pytest.approx(1105.95)


SCALED = (*LLAMA, "--instance", "ml.g5.2xlarge", "--tokens", 2048, "--min-instances", 0, "--max-instances", 3)


def test_a_range_of_instances_costs_a_range_and_a_front_door_beside_it(run):
    outcome = run(*SCALED)
    (row,) = (line for line in outcome.out.splitlines() if line.startswith("ml.g5.2xlarge"))
    assert row.endswith("0.000–4.545    0–3,318")
    assert outcome.out.splitlines()[-1] == (
        "An hour: 0.000 USD at minimum, 4.545 USD at maximum; front door 0.440 USD per hour of 33 open streams of 2048"
        " tokens."
    )


def test_the_json_has_the_range_and_what_the_front_door_costs(run):
    shown = json.loads(run(*SCALED, "--json").out)
    assert (shown["request"]["min_instances"], shown["request"]["max_instances"]) == (0, 3)
    found = shown["candidates"][0]
    assert (found["price_usd_per_hour"], found["min_usd_per_hour"]) == (1.515, 0)
    assert found["max_usd_per_hour"] == pytest.approx(3 * 1.515)
    assert (found["stream_tokens"], found["streams"]) == (2048, 33)
    assert found["front_door_usd_per_hour"] == pytest.approx(streams_usd_per_hour(33, 256))


def test_an_instance_that_does_not_fit_has_no_streams_in_the_json(run):
    shown = json.loads(run(*LLAMA, "--instance", "ml.g4dn.xlarge", "--json").out)
    assert "streams" not in shown["candidates"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--min-instances", 3, "--max-instances", 2),
            "--min-instances '3': must be at most --max-instances 2. Raise --max-instances, or lower --min-instances.",
        ),
        (("--min-instances", -1), "--min-instances '-1': must be an integer from 0 to 10000."),
        (("--max-instances", 0), "--max-instances '0': must be an integer from 1 to 10000."),
    ],
)
def test_a_range_that_cannot_be_is_rejected(run, arguments, message):
    outcome = run(*LLAMA, *arguments)
    assert (outcome.status, message in outcome.err) == (2, True)


def test_the_smallest_number_alone_is_also_the_largest(run):
    shown = json.loads(run(*LLAMA, "--min-instances", 2, "--json").out)
    assert (shown["request"]["min_instances"], shown["request"]["max_instances"]) == (2, 2)


def test_instances_may_be_named_without_prefix_and_repeatedly(run):
    found = json.loads(run(*LLAMA, "--instance", "g5.2xlarge", "--instance", "ml.g6.2xlarge", "--json").out)[
        "candidates"
    ]
    assert {one["instance"] for one in found} == {"ml.g5.2xlarge", "ml.g6.2xlarge"}


def test_more_concurrent_requests_need_more_memory(run):
    one = run(*LLAMA, "--instance", "ml.g5.2xlarge", "--tokens", 8192, "--concurrency", 1)
    many = run(*LLAMA, "--instance", "ml.g5.2xlarge", "--tokens", 8192, "--concurrency", 500)
    assert (one.status, many.status) == (0, 1)
    assert "tokens, but 500 are requested" in many.out


def test_the_longest_context_is_shown_even_if_a_shorter_one_is_requested(run):
    free = json.loads(run(*LLAMA, "--instance", "ml.g5.2xlarge", "--json").out)["candidates"][0]
    requested = json.loads(run(*LLAMA, "--instance", "ml.g5.2xlarge", "--tokens", 4096, "--json").out)["candidates"][0]
    assert requested["context"] == free["context"] > 4096
    assert requested["settings"]["max_total_tokens"] == 4096


def test_required_settings_are_shown(run):
    outcome = run("plan", "--model", "microsoft/phi-4", "--instance", "ml.g6.12xlarge")
    assert "4 × L4 22 GiB (2 used)" in outcome.out
    assert "Required settings: num_shard=2." in outcome.out
    assert "Note: ml.g6.12xlarge has 4 GPUs, the model uses 2: the others are paid for and idle." in outcome.out


def test_the_cheapest_is_the_one_that_the_plan_of_an_endpoint_chooses(run):
    for model, tokens, concurrency in (
        ("meta-llama/Llama-3.1-8B-Instruct", 131_072, 4),
        ("meta-llama/Llama-3.3-70B-Instruct", 32_768, 2),
        ("microsoft/phi-4", 16_384, 8),
    ):
        arguments = ("plan", "--model", model, "--tokens", tokens, "--concurrency", concurrency)
        shown = json.loads(run(*arguments, "--json").out)
        load = CheapestFor(tokens=tokens, concurrency=concurrency)
        endpoint = EndpointRequest(
            engine=engine_named("tgi"),
            model=ModelChoice(source="hub", hub_id=model, has_token=True),
            instance=UNDECIDED,
            cheapest=load,
        )
        assert shown["cheapest"] == plan(endpoint).instance.name
        assert f"Cheapest: {shown['cheapest']}," in run(*arguments).out
        assert [one["caution"] for one in shown["candidates"] if one["instance"] == shown["cheapest"]] == [None]


def test_a_context_beyond_the_trained_one_is_a_note_and_a_warning_not_a_misfit(run):
    arguments = (*LLAMA, "--instance", "ml.p5.48xlarge", "--tokens", 200_000)
    assert "Note: meta-llama/Llama-3.1-8B-Instruct was trained on contexts of 131072 tokens." in run(*arguments).out
    shown = json.loads(run(*arguments, "--json").out)
    assert [warning["id"] for warning in shown["warnings"]] == ["tgi-endpoint:longerThanTrained"]


def test_a_context_beyond_a_learned_table_is_a_misfit(run):
    outcome = run("plan", "--model", "facebook/opt-66b", "--tokens", 4096)
    assert outcome.status == 1
    assert "options.max_total_tokens: facebook/opt-66b has positions for 2048 tokens only" in outcome.out


def test_options_that_no_instance_can_have_come_with_what_to_change(run):
    outcome = run("plan", "--model", "google/flan-t5-xxl", "--tokens", 512)
    change = "No instance in the catalogue can serve it. Use TgiImage.version('2.4.0'), the newest image that does"
    assert (outcome.status, change in outcome.out) == (1, True)


def test_each_reason_is_one_line_with_the_instances_that_have_it(run):
    reasons = run(*LLAMA).out.partition("CANNOT SERVE")[2].partition("\n\n")[0].splitlines()[1:]
    assert len(reasons) == len({line.split("  ")[0] for line in reasons}) < 10
    (inferentia,) = (line for line in reasons if "Inferentia2" in line)
    assert inferentia.split("  ")[-1] == "ml.inf2.xlarge, ml.inf2.8xlarge, ml.inf2.24xlarge, ml.inf2.48xlarge"


def test_an_untested_gpu_is_marked(run):
    outcome = run(*LLAMA, "--instance", "ml.g7e.2xlarge")
    assert "ml.g7e.2xlarge *" in outcome.out
    assert "* TGI's kernels were neither built nor tested for RTX PRO 6000 Blackwell Server" in outcome.out


def test_an_unknown_region_is_rejected(run):
    image = ("--image", "3.3.6", "--region")
    assert run(*LLAMA, *image, "eu-west-1").status == 0
    outcome = run(*LLAMA, *image, "mars-north-1")
    assert outcome.status == 2
    assert "--region 'mars-north-1': is not known." in outcome.err


def test_the_json_has_the_request_the_model_and_the_memory_of_one_gpu_in_bytes(run):
    arguments = ("--instance", "ml.g5.2xlarge", "--tokens", 4096, "--concurrency", 2, "--quantize", "eetq", "--json")
    shown = json.loads(run(*LLAMA, *arguments).out)
    assert shown["request"] == {
        "tokens": 4096,
        "concurrency": 2,
        "engine": "tgi",
        "quantize": "eetq",
        "image": "3.3.6",
        "region": None,
        "min_instances": 1,
        "max_instances": 1,
    }
    assert shown["model"]["kv_heads"] == 8
    assert shown["fits"] is True
    memory = shown["candidates"][0]["memory"]
    assert memory["kv_bytes_per_token"] == 131_072
    assert memory["low_tokens"] < memory["max_tokens"] < memory["high_tokens"]
    assert 0 < memory["weights"] < memory["usable"] < memory["gpu_memory"]


def test_a_model_in_a_file_can_be_planned(run, tmp_path):
    (tmp_path / "in").mkdir()
    config = {"model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32}
    config |= {"vocab_size": 128256, "max_position_embeddings": 8192, "torch_dtype": "bfloat16"}
    (tmp_path / "in" / "config.json").write_text(json.dumps(config))
    file = tmp_path / "models.json"
    assert run("models", "add", tmp_path / "in", "--name", "team/own", "--output", file).status == 0
    outcome = run("plan", "--model", "team/own", "--models", file)
    assert outcome.status == 0
    assert outcome.out.startswith("team/own · ")


def test_another_engine_is_planned_by_its_own_rules(run):
    by_engine = {
        name: json.loads(run(*LLAMA, "--engine", name, "--instance", "ml.g5.2xlarge", "--json").out)
        for name in ("tgi", "sglang")
    }
    assert {name: one["request"]["engine"] for name, one in by_engine.items()} == {"tgi": "tgi", "sglang": "sglang"}
    tgi, sglang = (one["candidates"][0]["memory"]["usable"] for one in by_engine.values())
    assert tgi != sglang


def test_neuron_devices_are_counted_and_the_memory_of_their_cores_is_shown(run):
    options = ("--engine", "tgi-neuron", "--instance", "ml.inf2.48xlarge", "--tokens", 4096)
    outcome = run("plan", "--model", "Qwen/Qwen2.5-7B-Instruct", *options)
    assert outcome.status == 0
    assert re.search(r"INSTANCE +DEVICES +(CORE MEMORY|MEMORY OF A CORE) ", outcome.out)
    assert re.search(r"ml\.inf2\.48xlarge +12 × Inferentia2 32 GiB ", outcome.out)
    assert (
        "Required settings: num_cores=24, auto_cast_type='bf16', max_batch_size=1, max_total_tokens=4096."
        in " ".join(outcome.out.split())
    )


def test_the_plan_says_which_engine_and_which_of_its_versions(run):
    first, second = run(*LLAMA, "--engine", "sglang", "--instance", "ml.g5.2xlarge").out.splitlines()[:2]
    assert first == ("meta-llama/Llama-3.1-8B-Instruct · 8.0 B parameters · bfloat16 · licence llama3.1, gated")
    assert second == "SGLang 0.5.20 · requests of any length"


def test_an_unknown_engine_is_a_usage_error_with_the_nearest_one(run):
    outcome = run(*LLAMA, "--engine", "sglng")
    assert (outcome.status, "--engine 'sglng': is not known. Did you mean sglang?" in outcome.err) == (2, True)


def test_a_version_of_another_engine_is_not_known(run):
    outcome = run(*LLAMA, "--engine", "sglang", "--image", "3.3.6")
    assert (outcome.status, "--image '3.3.6': is not known. Use 0.5.20;" in outcome.err) == (2, True)


def test_compression_is_the_engines_own_option(run):
    outcome = run(*LLAMA, "--engine", "sglang", "--quantize", "fp8", "--instance", "ml.g6.2xlarge", "--json")
    found = json.loads(outcome.out)
    assert (found["request"]["quantize"], found["fits"]) == ("fp8", True)
    assert run(*LLAMA, "--engine", "sglang", "--quantize", "eetq").status == 2
