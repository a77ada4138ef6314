"""Which sizes of a compiled model are right."""

from typing import Any

import pytest

from constructs_lib.planning.engines.tgi_neuron.options import NeuronOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.validation.unknown import UNKNOWN
from tests.constructs_lib.planning.engines.tgi_neuron.neuron_requests import planned, refusals, sized


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"num_cores": 2}, "auto_cast_type, max_batch_size and max_total_tokens"),
        ({"max_batch_size": 4, "max_total_tokens": 4096, "num_cores": 2}, "auto_cast_type"),
    ],
)
def test_the_sizes_are_given_together_or_not_at_all(given: dict[str, Any], missing: str) -> None:
    first = "options.num_cores=2"
    rest = "num_cores" if len(given) == 1 else "num_cores, max_batch_size and max_total_tokens"
    assert refusals(options=NeuronOptions(**given)) == [
        (
            f"{first}: is set without {missing}: sizes are those of one compiled model, and some alone are lower"
            f" bounds that the container replaces by those of the largest one it finds. Set {missing} as well, or"
            f" leave out {rest}."
        )
    ]


@pytest.mark.parametrize("version", ["0.2.0", "0.0.25"])
def test_an_image_before_0_3_needs_them(version: str) -> None:
    assert refusals(version=version, options=NeuronOptions()) == [
        (
            f"options=(without sizes): the image {version} reads no sizes from a model: num_cores, auto_cast_type,"
            " max_batch_size and max_total_tokens must be given. Set those of the exported model, or use image 0.3.0."
        )
    ]


@pytest.mark.parametrize(
    ("instance", "cores"),
    [
        (InstanceType.INF2_XLARGE, 2),
        (InstanceType.INF2_24XLARGE, 12),
        (InstanceType.INF2_48XLARGE, 24),
        (InstanceType.TRN1_2XLARGE, 2),
        (InstanceType.TRN1N_32XLARGE, 32),
    ],
)
def test_no_more_cores_than_the_instance_has(instance: InstanceType, cores: int) -> None:
    assert planned(instance=instance, options=sized(num_cores=cores)).problems == ()
    assert refusals(instance=instance, options=sized(num_cores=cores + 1)) == [
        (
            f"options.num_cores={cores + 1}: {instance.name} has {cores} Neuron cores. Lower it to {cores} or less,"
            " with a model that was compiled for that many, or use a larger instance."
        )
    ]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"max_input_tokens": 4096},
            (
                "options.max_input_tokens=4096: must be less than max_total_tokens=4096, prompt and answer together."
                " Lower it to 4095 or less."
            ),
        ),
        (
            {"max_batch_prefill_tokens": 2000},
            (
                "options.max_batch_prefill_tokens=2000: must be at least max_input_tokens=2048: a prompt is prefilled"
                " whole. Raise it to 2048 or more, or leave it out."
            ),
        ),
        (
            {"max_batch_size": 1, "max_total_tokens": 131_073},
            (
                "options.max_total_tokens=131073: meta-llama/Llama-3.1-8B-Instruct has positions for 131072 tokens"
                " only, prompt and answer together. Lower it to 131072 or less, or choose a model with a longer"
                " context."
            ),
        ),
        (
            {"auto_cast_type": "float16"},
            "options.auto_cast_type='float16': must be one of fp16, bf16. Did you mean AutoCastType.FP16?",
        ),
        ({"num_cores": 0}, "options.num_cores=0: must be from 1 to 4294967295. Raise it to 1 or more."),
    ],
)
def test_sizes_that_contradict_each_other_are_refused(changes: dict[str, Any], problem: str) -> None:
    assert problem in refusals(options=sized(**changes))


def test_a_longest_prompt_cannot_be_half_of_what_is_not_known() -> None:
    assert refusals(options=sized(max_total_tokens=UNKNOWN)) == [
        (
            "options.max_input_tokens=None: is computed from max_total_tokens, which is known only at deployment. Set"
            " it as well: without it the container would choose the other sizes by itself."
        )
    ]
    assert refusals(options=sized(max_batch_size=UNKNOWN)) == [
        (
            "options.max_batch_prefill_tokens=None: is computed from max_batch_size, which is known only at"
            " deployment. Set it as well: without it the container would choose the other sizes by itself."
        )
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("batch_size", "batch_size: did you mean max_batch_size?"),
        (
            "lora_adapters",
            "lora_adapters: no adapters are loaded; merge the adapter into the weights and export the result",
        ),
        ("colour", "colour"),
    ],
)
def test_options_that_it_does_not_have_are_explained(name: str, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        NeuronOptions(**{name: 1})
    assert str(caught.value) == f"NeuronOptions has no {words}"


def test_what_is_computed_from_a_wrong_size_is_no_problem_of_its_own() -> None:
    wrong = NeuronOptions(num_cores=2, auto_cast_type="bf16", max_batch_size=-1, max_total_tokens=4096)  # type: ignore[arg-type]
    assert refusals(options=wrong) == [
        "options.max_batch_size=-1: must be from 1 to 4294967295. Raise it to 1 or more."
    ]
