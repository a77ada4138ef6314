"""LoRA adapters: their names, and those that are inference components of their own."""

import pytest

from constructs_lib.planning.engines.lora import AdapterChoice, adapter_problems, max_adapters, max_rank, names_of
from constructs_lib.planning.engines.vllm.adapters import with_adapters
from constructs_lib.planning.engines.vllm.options import VllmOptions
from constructs_lib.planning.validation.unknown import UNKNOWN

SQL, LAW = AdapterChoice("sql", "adapters/sql.tar.gz", 16), AdapterChoice("law", "adapters/law.tar.gz", 24)


def test_a_name_is_what_stands_before_the_path_or_the_revision():
    written = ["owner/a", "owner/b@main", "c=/opt/ml/model/c", "d=/opt/ml/model/d@1"]
    assert names_of(written) == ("owner/a", "owner/b", "c", "d")
    assert (names_of(None), names_of(UNKNOWN), names_of("a")) == (None, None, None)


def test_vllm_gets_the_smallest_rank_that_takes_every_adapter():
    assert [max_rank([AdapterChoice("a", "a.tar.gz", rank)]) for rank in (1, 2, 16, 17, 512)] == [1, 8, 16, 32, 512]
    assert max_rank([SQL, LAW]) == 32
    assert [max_adapters([SQL] * count) for count in (1, 3, 20)] == [1, 3, 8]


def test_the_options_get_what_adapters_need_unless_the_caller_says_otherwise():
    assert with_adapters(VllmOptions(), [SQL, LAW]) == VllmOptions(
        enable_lora=True, max_lora_rank=32, max_loras=2, max_cpu_loras=2, allow_runtime_lora_updating=True
    )
    given = VllmOptions(max_lora_rank=64, max_loras=4, max_model_len=4096)
    assert with_adapters(given, [SQL]) == VllmOptions(
        enable_lora=True,
        max_lora_rank=64,
        max_loras=4,
        max_cpu_loras=4,
        allow_runtime_lora_updating=True,
        max_model_len=4096,
    )


@pytest.mark.parametrize(
    ("adapters", "has_component", "problems"),
    [
        ([SQL, LAW], True, []),
        ([AdapterChoice("sql", UNKNOWN, 16)], True, []),
        (
            [AdapterChoice("my sql", "/sql.zip", 0)],
            True,
            [
                (
                    "adapters[0].name='my sql': must be 1 to 32 letters, digits, hyphens and underscores. Write it in"
                    " that form, or leave it out."
                ),
                (
                    "adapters[0].key='/sql.zip': must be the key of an archive, ending in .tar.gz, without a slash in"
                    " front. Write it in that form, or leave it out."
                ),
                "adapters[0].rank=0: must be from 1 to 512. Raise it to 1 or more.",
            ],
        ),
        ([SQL, SQL], True, ["adapters[1].name='sql': is the name of two adapters. Rename one of them."]),
        (
            [SQL],
            False,
            [
                (
                    "adapters=['sql']: are inference components, which SageMaker loads into one with the model, and"
                    " this endpoint has none. Set scale_to_zero; with ScaleToZero(idle=Duration.hours(24)) it sleeps"
                    " after a day without a request."
                )
            ],
        ),
    ],
)
def test_what_is_wrong_with_adapters_is_said_of_each(adapters, has_component, problems):
    assert [str(one) for one in adapter_problems(adapters, has_component=has_component)] == problems


def test_a_rank_above_the_option_is_refused():
    assert [str(one) for one in adapter_problems([SQL, LAW], has_component=True, most_rank=16)] == [
        (
            "adapters[1].rank=24: is more than options.max_lora_rank=16, so that calls of the adapter would fail. Raise"
            " that option, or leave it out."
        )
    ]
    assert list(adapter_problems([SQL, LAW], has_component=True, most_rank=32)) == []
