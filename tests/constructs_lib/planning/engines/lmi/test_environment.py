"""The environment of LMI's container."""

from dataclasses import fields, replace

import pytest

from constructs_lib.planning.engines.lmi.arguments import OWNERS, REFUSED
from constructs_lib.planning.engines.lmi.engine import LMI
from constructs_lib.planning.engines.lmi.launcher_options import OPTIONS
from constructs_lib.planning.engines.lmi.options import LmiOptions
from constructs_lib.planning.engines.lmi.releases import OLDEST, possible_vllm
from constructs_lib.planning.engines.server_arguments import arguments_of
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import parse_version
from tests.constructs_lib.planning.engines.lmi.conftest import IN_S3, QWEN

FOUR_GPUS = InstanceType.G6E_12XLARGE

NOT_VLLMS = {
    "tensor_parallel_degree": "tensor_parallel_size",
    "max_rolling_batch_size": "max_num_seqs",
    "max_rolling_batch_prefill_tokens": "max_num_batched_tokens",
    "quantize": "quantization",
}
LMIS_OWN = {
    "chat_template",
    "tool_call_parser",
    "lmcache_auto_config",
    "model_loading_timeout",
    "predict_timeout",
    "chunked_read_timeout",
}


def test_it_has_what_lmi_needs_and_what_its_own_defaults_are_too_small_for(planning):
    found = planning(model=replace(QWEN, revision="a09a354"))
    assert found.problems == ()
    assert found.environment == {
        "HF_MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
        "HF_REVISION": "a09a354",
        "TENSOR_PARALLEL_DEGREE": "1",
        "OPTION_MAX_MODEL_LEN": "32768",
        "OPTION_MAX_ROLLING_BATCH_SIZE": "256",
        "OPTION_GENERATION_CONFIG": "vllm",
        "OPTION_MODEL_LOADING_TIMEOUT": "1200",
        "OPTION_PREDICT_TIMEOUT": "480",
        "SERVING_CHUNKED_READ_TIMEOUT": "480",
        "OPTION_ROLLING_BATCH": "disable",
        "OPTION_ASYNC_MODE": "true",
    }


def test_weights_in_s3_are_the_only_source_as_two_models_answer_nothing(planning, refusals):
    environment = planning(model=IN_S3).environment
    assert "HF_MODEL_ID" not in environment
    assert environment["HF_HUB_OFFLINE"] == "1"
    for variable in ("HF_MODEL_ID", "OPTION_MODEL_ID"):
        assert len(refusals(model=IN_S3, environment={variable: "x/y"})) == 1


def test_the_number_of_requests_at_one_time_is_said_as_lmis_own_is_32(planning):
    assert planning().environment["OPTION_MAX_ROLLING_BATCH_SIZE"] == "256"
    given = planning(options={"max_rolling_batch_size": 64}).environment
    assert given["OPTION_MAX_ROLLING_BATCH_SIZE"] == "64"


def test_sampling_parameters_that_a_request_leaves_out_are_not_the_models(planning):
    assert planning(options={"generation_config": "auto"}).environment["OPTION_GENERATION_CONFIG"] == "auto"


def test_every_gpu_shares_the_model(planning):
    assert planning(instance=FOUR_GPUS).environment["TENSOR_PARALLEL_DEGREE"] == "4"
    two = planning(instance=FOUR_GPUS, options={"tensor_parallel_degree": 2})
    assert (two.num_shard, two.environment["TENSOR_PARALLEL_DEGREE"]) == (2, "2")


def test_loading_may_take_as_long_as_sagemaker_waits(planning, refusals):
    assert planning(startup_timeout_seconds=1800).environment["OPTION_MODEL_LOADING_TIMEOUT"] == "1800"
    options = {"model_loading_timeout": 900}
    assert planning(options=options).environment["OPTION_MODEL_LOADING_TIMEOUT"] == "900"
    assert refusals(startup_timeout_seconds=600, options=options) == [
        (
            "options.model_loading_timeout=900: must be at most 600, the seconds of startup_timeout, after which"
            " SageMaker"
            " gives the instance up. Lower it, raise startup_timeout, or leave it out."
        )
    ]


def test_versions_before_17_are_told_the_name_of_the_asynchronous_handler(planning):
    older, newer = planning(version="16.0.0").environment, planning(version="17.0.0").environment
    assert older["OPTION_ENTRYPOINT"] == "djl_python.lmi_vllm.vllm_async_service"
    assert "OPTION_ENTRYPOINT" not in newer
    assert older["OPTION_ASYNC_MODE"] == newer["OPTION_ASYNC_MODE"] == "true"


def test_a_parser_of_tool_calls_switches_their_choice_on(planning):
    environment = planning(options={"tool_call_parser": "hermes"}).environment
    assert environment["OPTION_TOOL_CALL_PARSER"] == "hermes"
    assert environment["OPTION_ENABLE_AUTO_TOOL_CHOICE"] == "true"
    assert "OPTION_ENABLE_AUTO_TOOL_CHOICE" not in planning().environment


def test_lmi_15_has_to_be_told_that_there_is_a_parser_of_thoughts(planning):
    options = {"reasoning_parser": "deepseek_r1"}
    assert planning(version="15.0.0", options=options).environment["OPTION_ENABLE_REASONING"] == "true"
    assert "OPTION_ENABLE_REASONING" not in planning(options=options).environment


def test_the_number_of_adapters_is_lmis_own_for_the_memory_plan_as_well(planning):
    found = planning(options={"enable_lora": True, "max_model_len": 4096})
    assert found.environment["OPTION_MAX_LORAS"] == "4"
    one = planning(options={"enable_lora": True, "max_model_len": 4096, "max_loras": 1})
    assert found.memory.free_for_tokens < one.memory.free_for_tokens
    assert "OPTION_MAX_LORAS" not in planning().environment


def test_a_flag_that_is_on_by_default_is_switched_off_and_others_are_not_named(planning):
    environment = planning(options={"enable_prefix_caching": False, "enforce_eager": False}).environment
    assert environment["OPTION_ENABLE_PREFIX_CACHING"] == "false"
    assert "OPTION_ENFORCE_EAGER" not in environment


def test_the_hub_token_goes_to_the_only_variable_that_lmi_hides(planning):
    assert planning(model=replace(QWEN, has_token=True)).token_variables == ("HF_TOKEN",)


def test_further_arguments_become_options(planning):
    assert planning(options={"extra_args": {"seed": "7"}}).environment["OPTION_SEED"] == "7"


def test_there_is_a_variable_for_every_option():
    assert {option.keyword for option in OPTIONS} | {"extra_args"} == {one.name for one in fields(LmiOptions)}


@pytest.mark.parametrize("version", [text for text in LMI.images.versions if parse_version(text) >= OLDEST])
def test_every_option_is_lmis_own_or_an_argument_of_the_vllm_in_it(version):
    number = parse_version(version)
    names = {option.keyword for option in OPTIONS if option.is_in(number)} - LMIS_OWN
    assert {NOT_VLLMS.get(name, name) for name in names} - arguments_of("vllm", *possible_vllm(number)) == set()


@pytest.mark.parametrize(
    ("variable", "owner"),
    [
        ("HF_MODEL_ID", "Model.from_hub(…)"),
        ("HF_REVISION", "Model.from_hub(…, revision=…)"),
        ("HF_MODEL_REVISION", "Model.from_hub(…, revision=…)"),
        ("SM_NUM_GPUS", "options.tensor_parallel_degree"),
        ("MAX_BATCH_SIZE", "options.max_rolling_batch_size"),
        ("CUDA_MEMORY_FRACTION", "options.gpu_memory_utilization"),
        ("TENSOR_PARALLEL_DEGREE", "options.tensor_parallel_degree"),
        ("OPTION_TENSOR_PARALLEL_DEGREE", "options.tensor_parallel_degree"),
        ("OPTION_MAX_NUM_SEQS", "options.max_rolling_batch_size"),
        ("OPTION_SEED", "options.extra_args['seed']"),
        ("MODEL_LOADING_TIMEOUT", "options.model_loading_timeout"),
    ],
)
def test_a_variable_that_an_argument_sets_is_refused(refusals, variable, owner):
    assert refusals(environment={variable: "4"}) == [
        f"environment['{variable}']='4': {variable} is set by {owner}. Use {owner} instead."
    ]


@pytest.mark.parametrize("variable", ["HF_API_KEY", "SERVING_SECRET", "DJL_AUTH", "MY_SAGEMAKER_PASSWORD"])
def test_a_secret_that_lmi_would_print_to_its_log_is_refused(refusals, variable):
    assert refusals(environment={variable: "x"}) == [
        (
            f"environment['{variable}']=(not shown): would be printed to the container's log: of all variables LMI"
            f" hides the"
            " value of HF_TOKEN alone. Leave it out."
        )
    ]


@pytest.mark.parametrize("variable", ["MY_API_KEY", "HF_TOKENIZER_THREADS", "SERVING_MAX_REQUEST_SIZE"])
def test_a_variable_that_it_does_not_print_or_that_is_no_secret_is_not(refusals, variable):
    assert refusals(environment={variable: "4"}) == []


def test_the_hub_token_is_no_argument(refusals):
    assert refusals(options={"extra_args": {"hf_token": "x"}}) == [
        (
            "options.extra_args['hf_token']='x': is set by Model.from_hub(…, token=secret). Use Model.from_hub(…,"
            " token=secret) instead."
        )
    ]


def test_what_decides_the_mode_is_refused(refusals):
    assert refusals(environment={"OPTION_ROLLING_BATCH": "vllm"}) == [
        (
            "environment['OPTION_ROLLING_BATCH']='vllm': decides how requests and streams look, and a front door"
            " knows those"
            " of the asynchronous mode. Leave it out."
        )
    ]
    assert refusals(options={"extra_args": {"pipeline_parallel_size": "2"}}) == [
        "options.extra_args['pipeline_parallel_size']='2': must be 1: LMI stops with any other number. Leave it out."
    ]
    assert refusals(environment={"PIPELINE_PARALLEL_DEGREE": "2"}) == [
        "environment['PIPELINE_PARALLEL_DEGREE']='2': must be 1: LMI stops with any other number. Leave it out."
    ]
    assert not set(REFUSED) & set(OWNERS)


def test_a_variable_of_another_server_brings_a_warning_with_the_option_that_is_meant(warnings):
    found = warnings(environment={"SM_VLLM_MAX_MODEL_LEN": "4096"})
    assert found["tgi-endpoint:unreadVariable"] == (
        "environment['SM_VLLM_MAX_MODEL_LEN']: LMI does not read it; AWS's image of vLLM does. Use"
        " options.max_model_len"
        " instead."
    )
    assert "options.max_model_len" in warnings(environment={"MAX_TOTAL_TOKENS": "4096"})["tgi-endpoint:unreadVariable"]


def test_variables_of_vllm_itself_are_passed_on(warnings):
    assert "tgi-endpoint:unreadVariable" not in warnings(environment={"VLLM_LOGGING_LEVEL": "DEBUG"})
