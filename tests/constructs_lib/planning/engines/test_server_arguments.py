"""Which arguments a version of vLLM or SGLang has, and what is checked of `extra_args`."""

from typing import Any

import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.engines.extra_arguments import ExtraArguments
from constructs_lib.planning.engines.lmi import arguments as lmi
from constructs_lib.planning.engines.other_servers import Reader, reader_of
from constructs_lib.planning.engines.server_arguments import arguments_of
from constructs_lib.planning.engines.sglang import arguments as sglang
from constructs_lib.planning.engines.vllm import arguments as vllm
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.validation.unknown import UNKNOWN

EXTRA = ExtraArguments(
    server="SGLang 0.5.20",
    owners={"tp_size": "options.tp_size", "tp": "options.tp_size"},
    refused={"port": "is SageMaker's"},
    known=("max_loaded_loras", "tp_size", "port", "enable_mis"),
    unknown=", so that it would stop at once",
)


def refusals(given: object) -> list[str]:
    return [str(problem) for problem in EXTRA.read(given)[1]]


def test_a_version_has_the_arguments_of_its_time() -> None:
    assert {"max_queued_requests", "watchdog_timeout", "sampling_backend", "tool_call_parser", "config"} < arguments_of(
        "sglang", (0, 5, 20)
    )
    assert "cuda_graph_max_bs" in arguments_of("sglang", (0, 5, 19))
    assert "cuda_graph_max_bs" not in arguments_of("sglang", (0, 5, 20))
    assert "cuda_graph_max_bs_decode" not in arguments_of("sglang", (0, 5, 13))
    assert "max_num_queued_reqs" in arguments_of("vllm", (0, 30, 0))
    assert "max_num_queued_reqs" not in arguments_of("vllm", (0, 26, 0))
    assert "swap_space" in arguments_of("vllm", (0, 8, 4))
    assert "swap_space" not in arguments_of("vllm", (0, 30, 0))


def test_a_version_between_two_of_the_table_has_those_of_the_older() -> None:
    assert arguments_of("vllm", (0, 23, 1)) == arguments_of("vllm", (0, 23, 0))
    assert arguments_of("vllm", (0, 99, 0)) == arguments_of("vllm", (0, 30, 0))
    assert arguments_of("vllm", (0, 1, 0)) == arguments_of("vllm", (0, 8, 4))


def test_of_an_unknown_version_it_is_what_any_of_those_possible_has() -> None:
    either = arguments_of("vllm", (0, 26, 0), (0, 30, 0))
    assert either == arguments_of("vllm", (0, 26, 0)) | arguments_of("vllm", (0, 30, 0))


@pytest.mark.parametrize("server", ["vllm", "sglang"])
def test_an_argument_comes_and_goes_with_releases_of_the_table(server: str) -> None:
    table = read("engines/server_arguments")
    releases = set(table["releases"][server])
    named = {release for spans in table[server].values() for span in spans for release in span if release}
    assert len(named) > 6
    assert named <= releases


def test_further_arguments_that_are_right_are_passed_on() -> None:
    given = {"max_loaded_loras": "4", "enable_mis": ""}
    assert EXTRA.read(given) == (given, [])
    assert EXTRA.read(None) == ({}, [])


def test_which_arguments_there_are_has_to_be_known_at_synth() -> None:
    assert refusals(UNKNOWN) == [
        (
            "options.extra_args=(known at deployment): must be known at synth, as each argument becomes a variable of"
            " its own. Give a dict; its values may be known at deployment only."
        )
    ]


def test_all_that_are_wrong_are_refused_at_once() -> None:
    assert refusals({"tp": "2", "port": "1", "max_loaded_lora": "4", "nothing_like_it": "4", "--enable-mis": ""}) == [
        "options.extra_args['tp']='2': is set by options.tp_size. Use options.tp_size instead.",
        "options.extra_args['port']='1': is SageMaker's. Leave it out.",
        (
            "options.extra_args['max_loaded_lora']='4': SGLang 0.5.20 has no such argument, so that it would stop at"
            " once. Did you mean 'max_loaded_loras'?"
        ),
        (
            "options.extra_args['nothing_like_it']='4': SGLang 0.5.20 has no such argument, so that it would stop at"
            " once. Leave it out, or use an image of a version that has it."
        ),
        (
            "options.extra_args['--enable-mis']='': must be the name of an argument in lower case. Write it without"
            " dashes in front and with underscores, such as 'max_prefill_tokens'."
        ),
    ]


def test_a_misspelt_name_of_an_option_leads_to_the_option() -> None:
    assert refusals({"tp_sizes": "2"})[0].endswith("Did you mean options.tp_size?")


@pytest.mark.parametrize(
    ("engine", "version", "option"),
    [
        (vllm, (0, 30, 0), "tensor_parallel_size"),
        (sglang, (0, 5, 20), "tp_size"),
        (lmi, (27, 0, 0), "tensor_parallel_degree"),
    ],
)
def test_a_name_of_another_server_leads_to_the_option(engine: Any, version: Version, option: str) -> None:
    (found,) = engine.extra_arguments(version).read({"num_shard": "2"})[1]
    assert found.fix == f"Did you mean options.{option}?"


def test_a_value_is_a_text_on_one_line() -> None:
    assert refusals({"max_loaded_loras": 4}) == [
        "options.extra_args['max_loaded_loras']=4: must be a string, not int. Give a str, or leave it out."
    ]
    assert refusals({"max_loaded_loras": "4\n5"}) == [
        (
            "options.extra_args['max_loaded_loras']='4\\n5': must not contain control characters or invalid Unicode."
            " Remove them."
        )
    ]


def test_they_are_a_mapping() -> None:
    assert refusals(["a"]) == ["options.extra_args=['a']: must be a mapping of names and texts, not list. Give a dict."]


def test_a_variable_of_another_server_is_known() -> None:
    assert reader_of("OPTION_MAX_MODEL_LEN", besides=("SGLang",)) == Reader("DJL LMI", "max_model_len")
    assert reader_of("TENSOR_PARALLEL_DEGREE", besides=("SGLang",)) == Reader("DJL LMI", "tensor_parallel_degree")
    assert reader_of("MAX_TOTAL_TOKENS", besides=("SGLang",)) == Reader("TGI", "max_total_tokens")
    assert reader_of("VLLM_LOGGING_LEVEL", besides=("SGLang",)) == Reader("vLLM", "")


def test_a_variable_of_the_container_itself_is_none_of_anothers() -> None:
    assert reader_of("SGLANG_ENABLE_JIT", besides=("SGLang",)) is None
    assert reader_of("VLLM_LOGGING_LEVEL", besides=("DJL LMI", "vLLM")) is None
    assert reader_of("SM_VLLM_DTYPE", besides=("DJL LMI", "vLLM")) == Reader("AWS's image of vLLM", "dtype")
    assert reader_of("MINE", besides=()) is None
