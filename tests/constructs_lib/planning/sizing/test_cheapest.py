"""The plan chooses the cheapest instance."""

from dataclasses import replace

import pytest

from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model
from constructs_lib.planning.request import UNDECIDED
from constructs_lib.planning.validation.unknown import Unknown

LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")


def load_of(tokens, concurrency=1, **more):
    return {"instance": UNDECIDED, "cheapest": CheapestFor(tokens=tokens, concurrency=concurrency)} | more


def test_the_cheapest_instance_is_requested_as_an_instance():
    assert InstanceType.cheapest_for(tokens=8192, concurrency=32) == CheapestFor(tokens=8192, concurrency=32)
    assert InstanceType.cheapest_for(tokens=8192).concurrency == 1


@pytest.mark.parametrize(
    ("hub_id", "load", "instance", "shards"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", (8192, 1), InstanceType.G6_XLARGE, 1),
        ("meta-llama/Llama-3.1-8B-Instruct", (8192, 8), InstanceType.G6E_XLARGE, 1),
        ("microsoft/phi-4", (16_000, 2), InstanceType.G6E_XLARGE, 1),
        ("meta-llama/Llama-3.3-70B-Instruct", (8192, 4), InstanceType.G6E_12XLARGE, 4),
    ],
)
def test_the_cheapest_instance_that_serves_the_load_is_chosen(hub_id, load, instance, shards, planning):
    plan = planning(hub_id=hub_id, **load_of(*load))
    assert (plan.problems, plan.instance, plan.num_shard) == ((), instance, shards)
    assert plan.environment["MAX_TOTAL_TOKENS"] == str(load[0])
    assert plan.environment["SM_NUM_GPUS"] == str(shards)
    assert plan.memory.max_tokens >= load[0] * load[1]


def test_options_that_are_given_count(planning):
    small = planning(**load_of(2048, options={"quantize": "bitsandbytes-nf4", "max_input_tokens": 1000}))
    assert (small.problems, small.instance) == ((), InstanceType.G4DN_XLARGE)
    assert (small.environment["MAX_INPUT_TOKENS"], small.environment["MAX_TOTAL_TOKENS"]) == ("1000", "2048")


def test_blackwell_is_never_chosen_by_the_plan(planning):
    load = load_of(131_072, 4)
    plan = planning(hub_id="meta-llama/Llama-3.3-70B-Instruct", **load)
    assert plan.problems == ()
    assert "tgi-endpoint:blackwellUntested" not in [warning.id for warning in plan.warnings]


def test_an_instance_that_is_too_close_to_its_limit_is_never_chosen_by_the_plan(planning):
    tight = planning(instance=InstanceType.G6_XLARGE, options={"max_input_tokens": 21_999, "max_total_tokens": 22_000})
    assert (tight.problems, [warning.id for warning in tight.warnings]) == ((), ["tgi-endpoint:tightMemory"])
    chosen = planning(**load_of(22_000))
    assert (chosen.instance, chosen.warnings) == (InstanceType.G6E_XLARGE, ())


def test_described_models_in_s3_get_the_cheapest_instance_too(planning):
    model = ModelChoice(source="s3", facts=replace(LLAMA, hub_id="me/mine"))
    assert planning(model=model, **load_of(4096)).instance is InstanceType.G6_XLARGE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            load_of(0, 0),
            [
                "instance_type.tokens=0: must be from 2 to 4294967295. Raise it to 2 or more.",
                "instance_type.concurrency=0: must be from 1 to 4294967295. Raise it to 1 or more.",
            ],
        ),
        (
            load_of("many"),
            ["instance_type.tokens='many': must be a whole number, not str. Give an int."],
        ),
        (
            {"instance": UNDECIDED, "cheapest": "g5"},
            ["instance_type='g5': must be a CheapestFor, not str. Write InstanceType.cheapest_for(tokens=…)."],
        ),
        (
            load_of(4096, model=ModelChoice(source="hub", hub_id="me/mine")),
            [
                (
                    "instance_type=CheapestFor(tokens=4096, concurrency=1): the cheapest instance for a model"
                    " can be found"
                    " only if its shape is known. Name a model of the same shape (like=…), describe the model with"
                    " facts=ModelFacts(…), or choose an instance."
                )
            ],
        ),
        (
            load_of(8192, 10_000),
            [
                (
                    "instance_type=CheapestFor(tokens=8192, concurrency=10000): no instance in the catalogue"
                    " serves that load with meta-llama/Llama-3.1-8B-Instruct; the closest is ml.p5en.48xlarge: It"
                    " serves 939"
                    " concurrent requests of 8192 tokens, but 10000 are requested. Lower tokens or concurrency, set"
                    " options.quantize, or"
                    " spread the load over more endpoints."
                )
            ],
        ),
        (
            load_of(4096, hub_id="facebook/opt-66b"),
            [
                (
                    "instance_type=CheapestFor(tokens=4096, concurrency=1): no instance in the catalogue"
                    " runs facebook/opt-66b like that: options.max_total_tokens: facebook/opt-66b has positions for"
                    " 2048 tokens only, prompt and answer together. Lower it to 2048 or less, or choose a model with a"
                    " longer context."
                )
            ],
        ),
    ],
)
def test_a_load_that_no_instance_serves_is_reported(changes, words, refusals):
    assert refusals(**changes) == words


def test_the_cheapest_instance_does_not_depend_on_values_of_the_deployment(planning):
    limits = {"max_input_tokens": Unknown("<input>"), "max_total_tokens": Unknown("<total>")}
    problems = planning(options=limits, **load_of(4096)).problems
    assert [f"{problem.message}. {problem.fix}" for problem in problems] == [
        (
            "the cheapest instance cannot be found while options.max_input_tokens is not known at"
            " synth. Give its value, or"
            " choose an instance."
        )
    ]
    other = planning(options={"max_waiting_tokens": Unknown("<token>")}, **load_of(4096))
    assert (other.problems, other.environment["MAX_WAITING_TOKENS"]) == ((), "<token>")
