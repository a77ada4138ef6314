"""The environment of SGLang's container, and the arguments that the image's entrypoint makes of it."""

from dataclasses import fields, replace

import pytest

from constructs_lib.planning.engines.sagemaker_arguments import sglang_arguments
from constructs_lib.planning.engines.server_arguments import arguments_of
from constructs_lib.planning.engines.sglang.arguments import OWNERS, REFUSED
from constructs_lib.planning.engines.sglang.engine import SGLANG
from constructs_lib.planning.engines.sglang.environment import VARIABLES
from constructs_lib.planning.engines.sglang.launcher_options import ENTRYPOINT, OPTIONS
from constructs_lib.planning.engines.sglang.options import SglangOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import parse_version
from tests.constructs_lib.planning.engines.sglang.conftest import QWEN, s3_model

FOUR_GPUS = InstanceType.G6E_12XLARGE


def test_the_model_is_named_by_its_path_as_the_image_ignores_hf_model_id(planning):
    found = planning(model=replace(QWEN, revision="a09a354"))
    assert found.problems == ()
    assert found.environment == {
        "SM_SGLANG_MODEL_PATH": "Qwen/Qwen2.5-7B-Instruct",
        "SM_SGLANG_REVISION": "a09a354",
        "SM_SGLANG_TP_SIZE": "1",
        "SM_SGLANG_CONTEXT_LENGTH": "32768",
        "SM_SGLANG_MAX_QUEUED_REQUESTS": "128",
        "SM_SGLANG_SAMPLING_DEFAULTS": "openai",
        "SM_SGLANG_ENABLE_METRICS": "true",
        "HF_HOME": "/tmp",
    }
    assert found.token_variables == ()


def test_hugging_faces_image_gets_both_as_its_entrypoint_is_not_public(planning):
    environment = planning(version="0.5.8").environment
    assert environment["HF_MODEL_ID"] == environment["SM_SGLANG_MODEL_PATH"] == "Qwen/Qwen2.5-7B-Instruct"


def test_the_entrypoint_makes_the_arguments_that_are_meant(planning):
    environment = planning(
        options={"mem_fraction_static": 0.8, "disable_cuda_graph": True, "disable_radix_cache": False}
    ).environment
    arguments = sglang_arguments(ENTRYPOINT, environment)
    assert arguments[arguments.index("--model-path") + 1] == "Qwen/Qwen2.5-7B-Instruct"
    assert arguments[arguments.index("--mem-fraction-static") + 1] == "0.8"
    assert "--disable-cuda-graph" in arguments
    assert "--disable-radix-cache" not in arguments
    assert arguments[-4:] == ["--port", "8080", "--host", "0.0.0.0"]


def test_weights_in_s3_are_read_from_their_folder_without_the_hub(planning):
    environment = planning(model=s3_model()).environment
    assert environment["SM_SGLANG_MODEL_PATH"] == "/opt/ml/model"
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert "SM_SGLANG_REVISION" not in environment


def test_every_gpu_shares_the_model_though_sglang_itself_would_use_one(planning):
    found = planning(instance=FOUR_GPUS)
    assert (found.num_shard, found.environment["SM_SGLANG_TP_SIZE"]) == (4, "4")


def test_the_queue_has_a_limit_though_sglang_itself_has_none(planning):
    assert planning().environment["SM_SGLANG_MAX_QUEUED_REQUESTS"] == "128"
    assert planning(options={"max_queued_requests": 16}).environment["SM_SGLANG_MAX_QUEUED_REQUESTS"] == "16"


def test_sampling_parameters_that_a_request_leaves_out_are_not_the_models(planning):
    assert planning().environment["SM_SGLANG_SAMPLING_DEFAULTS"] == "openai"
    assert planning(options={"sampling_defaults": "model"}).environment["SM_SGLANG_SAMPLING_DEFAULTS"] == "model"


def test_metrics_are_on_though_sglang_itself_writes_none(planning):
    assert planning().environment["SM_SGLANG_ENABLE_METRICS"] == "true"
    assert "SM_SGLANG_ENABLE_METRICS" not in planning(options={"enable_metrics": False}).environment


def test_the_hub_token_goes_to_the_variable_that_the_hub_reads(planning):
    assert planning(model=replace(QWEN, has_token=True)).token_variables == ("HF_TOKEN",)


def test_the_number_of_requests_in_a_graph_has_the_name_that_the_version_knows(planning):
    older = planning(version="0.5.13", options={"cuda_graph_max_bs": 64}).environment
    newer = planning(version="0.5.20", options={"cuda_graph_max_bs": 64}).environment
    assert older["SM_SGLANG_CUDA_GRAPH_MAX_BS"] == newer["SM_SGLANG_CUDA_GRAPH_MAX_BS_DECODE"] == "64"


def test_further_arguments_become_variables(planning):
    environment = planning(options={"extra_args": {"max_loaded_loras": "4", "enable_mis": ""}}).environment
    assert (environment["SM_SGLANG_MAX_LOADED_LORAS"], environment["SM_SGLANG_ENABLE_MIS"]) == ("4", "")


def test_there_is_a_variable_for_every_option():
    assert {option.keyword for option in OPTIONS} | {"extra_args"} == {one.name for one in fields(SglangOptions)}


@pytest.mark.parametrize("version", ["0.5.8", *SGLANG.images.versions])
def test_every_version_has_the_argument_of_every_option(version):
    number = parse_version(version)
    names = {ENTRYPOINT.option(option.name_in(number)) for option in OPTIONS if option.is_in(number)}
    assert names - arguments_of("sglang", number) == set()


def test_every_argument_that_is_refused_is_one_that_some_version_has():
    assert set(REFUSED) - arguments_of("sglang", (0, 5, 8), (0, 5, 20)) == set()
    assert not set(REFUSED) & set(OWNERS)


@pytest.mark.parametrize(
    ("variable", "owner"),
    [
        ("SM_SGLANG_TP", "options.tp_size"),
        ("SM_SGLANG_TENSOR_PARALLEL_SIZE", "options.tp_size"),
        ("SM_SGLANG_CONTEXT_LENGTH", "options.context_length"),
        ("SM_SGLANG_MODEL_PATH", "Model.from_hub(…) or Model.from_s3(…)"),
        ("SM_SGLANG_EP_SIZE", "options.extra_args['ep_size']"),
        ("HF_MODEL_ID", "Model.from_hub(…)"),
        ("HF_MODEL_REVISION", "Model.from_hub(…, revision=…)"),
        ("HF_TOKEN", "Model.from_hub(…, token=secret)"),
        ("SM_NUM_GPUS", "options.tp_size"),
    ],
)
def test_a_variable_that_an_argument_sets_is_refused(refusals, variable, owner):
    assert refusals(environment={variable: "x"}) == [
        f"environment['{variable}']='x': {variable} is set by {owner}. Use {owner} instead."
        if "TOKEN" not in variable
        else f"environment['{variable}']=(not shown): {variable} is set by {owner}. Use {owner} instead."
    ]


def test_a_variable_that_would_break_the_endpoint_is_refused(refusals):
    assert refusals(environment={"SM_SGLANG_PORT": "80"}) == [
        "environment['SM_SGLANG_PORT']='80': is SageMaker's: it reaches the container on port 8080. Leave it out."
    ]
    assert refusals(environment={"SM_SGLANG_API_KEY": "x"}) == [
        (
            "environment['SM_SGLANG_API_KEY']=(not shown): makes SGLang demand an Authorization header that SageMaker"
            " never"
            " forwards: every request would get 401. Leave it out."
        )
    ]
    assert refusals(options={"extra_args": {"host": "localhost"}}) == [
        (
            "options.extra_args['host']='localhost': is SageMaker's: it reaches the container on every interface."
            " Leave it out."
        )
    ]


def test_what_has_the_same_name_in_another_server_is_not_taken_for_the_same(warnings):
    found = warnings(environment={"MAX_TOTAL_TOKENS": "4096"})
    assert found["tgi-endpoint:unreadVariable"] == (
        "environment['MAX_TOTAL_TOKENS']: SGLang does not read it; TGI does. Use options.context_length instead."
    )


def test_a_variable_of_another_server_brings_a_warning_with_the_option_that_is_meant(warnings):
    found = warnings(environment={"OPTION_MAX_MODEL_LEN": "4096"})
    assert found["tgi-endpoint:unreadVariable"] == (
        "environment['OPTION_MAX_MODEL_LEN']: SGLang does not read it; DJL LMI does. Use options.context_length"
        " instead."
    )


def test_variables_of_sglang_itself_are_passed_on(planning):
    found = planning(environment={"SGLANG_ENABLE_TORCH_COMPILE": "1"})
    assert found.problems == ()
    assert found.environment["SGLANG_ENABLE_TORCH_COMPILE"] == "1"


def test_a_misspelt_variable_is_refused(refusals):
    assert "SM_SGLANG_TP_SIZE" in VARIABLES
    assert refusals(environment={"HF_HOMES": "/tmp"}) == [
        (
            "environment['HF_HOMES']='/tmp': SGLang has no such variable. If you mean HF_HOME, write it so; otherwise"
            " rename"
            " it."
        )
    ]
