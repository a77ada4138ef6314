"""The container's environment: what the plan sets, what a caller may add, what SageMaker accepts."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice, known_model

# Every variable of the launcher, TGI 3.3.6 and before, that a caller must not set in environment.
LAUNCHER = [
    "MODEL_ID",
    "REVISION",
    "VALIDATION_WORKERS",
    "SHARDED",
    "NUM_SHARD",
    "QUANTIZE",
    "SPECULATE",
    "DTYPE",
    "KV_CACHE_DTYPE",
    "TRUST_REMOTE_CODE",
    "MAX_CONCURRENT_REQUESTS",
    "MAX_BEST_OF",
    "MAX_STOP_SEQUENCES",
    "MAX_TOP_N_TOKENS",
    "MAX_INPUT_TOKENS",
    "MAX_INPUT_LENGTH",
    "MAX_TOTAL_TOKENS",
    "WAITING_SERVED_RATIO",
    "MAX_BATCH_PREFILL_TOKENS",
    "MAX_BATCH_TOTAL_TOKENS",
    "MAX_WAITING_TOKENS",
    "MAX_BATCH_SIZE",
    "CUDA_GRAPHS",
    "HOSTNAME",
    "PORT",
    "PROMETHEUS_PORT",
    "SHARD_UDS_PATH",
    "MASTER_ADDR",
    "MASTER_PORT",
    "HUGGINGFACE_HUB_CACHE",
    "WEIGHTS_CACHE_OVERRIDE",
    "DISABLE_CUSTOM_KERNELS",
    "CUDA_MEMORY_FRACTION",
    "ROPE_SCALING",
    "ROPE_FACTOR",
    "JSON_OUTPUT",
    "OTLP_ENDPOINT",
    "OTLP_SERVICE_NAME",
    "CORS_ALLOW_ORIGIN",
    "API_KEY",
    "WATERMARK_GAMMA",
    "WATERMARK_DELTA",
    "NGROK",
    "NGROK_AUTHTOKEN",
    "NGROK_EDGE",
    "TOKENIZER_CONFIG_PATH",
    "DISABLE_GRAMMAR_SUPPORT",
    "MAX_CLIENT_BATCH_SIZE",
    "LORA_ADAPTERS",
    "USAGE_STATS",
    "PAYLOAD_LIMIT",
    "ENABLE_PREFILL_LOGPROBS",
    "GRACEFUL_TERMINATION_TIMEOUT",
    "MESSAGES_API_ENABLED",
    "HF_MODEL_ID",
    "HF_MODEL_REVISION",
    "SM_NUM_GPUS",
    "HF_MODEL_QUANTIZE",
    "HF_MODEL_TRUST_REMOTE_CODE",
    "HF_HOME",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_API_TOKEN",
    "HF_HUB_OFFLINE",
    "ATTENTION",
    "PREFIX_CACHING",
    "PREFILL_CHUNKING",
    "TGI_WIGGLE_ROOM",
    "LOG_LEVEL",
]


def test_a_hub_model_is_named_with_its_revision(planning):
    environment = planning(model=ModelChoice(source="hub", hub_id="me/mine", revision="0123abc")).environment
    assert (environment["HF_MODEL_ID"], environment["HF_MODEL_REVISION"]) == ("me/mine", "0123abc")


def test_weights_in_s3_are_read_from_the_mount_without_the_hub(planning):
    environment = planning(model=ModelChoice(source="s3")).environment
    assert (environment["HF_MODEL_ID"], environment["HF_HUB_OFFLINE"]) == ("/opt/ml/model", "1")


@pytest.mark.parametrize("version", TGI.images.versions)
def test_the_model_is_set_for_the_launcher_itself_if_the_entrypoint_does_not_pass_it_on(version, planning):
    environment = planning(version=version, hub_id="me/mine").environment
    assert environment.get("MODEL_ID") == ("me/mine" if version == "0.6.0" else None)


@pytest.mark.parametrize(
    ("kind", "version", "options", "variable"),
    [
        ("awq", "1.4.5", {}, "awq"),
        ("gptq", "1.4.5", {}, "gptq"),
        ("gptq", "3.3.6", {}, "gptq"),
        ("gptq", "3.3.6", {"quantize": "marlin"}, "marlin"),
        ("gptq", "3.3.6", {"dtype": "float16"}, None),
        ("fp8", "3.3.6", {}, None),
        (None, "3.3.6", {}, None),
    ],
)
def test_the_format_of_published_weights_is_named(kind, version, options, variable, planning):
    facts = replace(known_model("mistralai/Mistral-7B-Instruct-v0.3"), hub_id="me/mine", gating="no", quantization=kind)
    model = ModelChoice(source="hub", hub_id="me/mine", facts=facts)
    plan = planning(model=model, version=version, options=options)
    assert plan.environment.get("HF_MODEL_QUANTIZE") == variable


@pytest.mark.parametrize(("has_token", "variables"), [(True, ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")), (False, ())])
def test_the_token_goes_to_both_names_and_never_into_the_environment(has_token, variables, planning):
    plan = planning(model=ModelChoice(source="hub", hub_id="me/mine", has_token=has_token))
    assert (plan.token_variables, set(plan.environment) & {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) == (variables, set())


def test_what_no_option_covers_is_passed_on(planning):
    plan = planning(environment={"USE_FLASH_ATTENTION": "false", "MY_VARIABLE": "line one\nline two", "EMPTY": ""})
    added = {"USE_FLASH_ATTENTION": "false", "MY_VARIABLE": "line one\nline two", "EMPTY": ""}
    assert (plan.problems, added.items() <= plan.environment.items()) == ((), True)


def ignored(plan):
    return [warning.message for warning in plan.warnings if warning.id == "tgi-endpoint:unreadVariable"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "OPTION_MAX_MODEL_LEN",
            "TGI does not read it; AWS's LMI container (DJL Serving) does. Use options.max_total_tokens instead.",
        ),
        (
            "OPTION_TENSOR_PARALLEL_DEGREE",
            "TGI does not read it; AWS's LMI container (DJL Serving) does. Use options.num_shard instead.",
        ),
        (
            "TENSOR_PARALLEL_DEGREE",
            "TGI does not read it; AWS's LMI container (DJL Serving) does. Use options.num_shard instead.",
        ),
        ("OPTION_ROLLING_BATCH", "TGI does not read it; AWS's LMI container (DJL Serving) does."),
        ("SERVING_FAIL_FAST", "TGI does not read it; AWS's LMI container (DJL Serving) does."),
        ("SM_VLLM_DTYPE", "TGI does not read it; vLLM does. Use options.dtype instead."),
        ("MAX_MODEL_LEN", "TGI does not read it; vLLM does. Use options.max_total_tokens instead."),
        ("SM_SGLANG_TP", "TGI does not read it; SGLang does. Use options.num_shard instead."),
        ("HF_NUM_CORES", "TGI does not read it; TGI's image for Neuron does. Use options.num_shard instead."),
        ("NEURON_RT_NUM_CORES", "TGI does not read it; TGI's image for Neuron does."),
        ("HF_TASK", "TGI does not read it; Hugging Face's inference toolkit does."),
        (
            "HF_TRUST_REMOTE_CODE",
            "TGI does not read it; Hugging Face's inference toolkit does. Use options.trust_remote_code instead.",
        ),
        ("SAGEMAKER_PROGRAM", "TGI does not read it; SageMaker's inference toolkit does."),
        ("ENDPOINT_SERVER_TIMEOUT", "TGI does not read it; SageMaker's inference toolkit does."),
        ("MMS_DEFAULT_RESPONSE_TIMEOUT", "TGI does not read it; Multi Model Server does."),
        ("TS_DEFAULT_WORKERS_PER_MODEL", "TGI does not read it; TorchServe does."),
        ("DNTK_ALPHA_SCALER", "TGI does not read it; Amazon's own image for FalconLite does."),
        ("NUMBER_OF_GPU", "TGI does not read it. Use options.num_shard instead."),
        ("NUM_GPUS", "TGI does not read it. Use options.num_shard instead."),
        ("device_map", "TGI does not read it. Use options.num_shard instead."),
        ("torch_dtype", "TGI does not read it. Use options.dtype instead."),
        ("LOAD_IN_8BIT", "TGI does not read it. Use options.quantize instead."),
        ("GPTQ_BITS", "TGI 3.3.6 does not read it; only 0.9.2 to 0.9.3 do."),
    ],
)
def test_a_variable_of_another_server_brings_a_warning_with_the_argument_that_it_stands_for(name, words, planning):
    plan = planning(environment={name: "1"})
    assert (plan.problems, ignored(plan)) == ((), [f"environment[{name!r}]: {words}"])
    assert plan.environment[name] == "1"


def test_each_variable_of_another_server_has_a_warning_of_its_own(planning):
    assert len(ignored(planning(environment={"OPTION_DTYPE": "fp16", "option_rolling_batch": "auto"}))) == 2


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("GPTQ_GROUPSIZE", "0.9.3", []),
        ("GPTQ_GROUPSIZE", "1.0.3", ["TGI 1.0.3 does not read it; only 0.9.2 to 0.9.3 do."]),
        ("GPTQ_GROUPSIZE", "0.8.2", ["TGI 0.8.2 does not read it; only 0.9.2 to 0.9.3 do."]),
        ("USE_FLASH_ATTENTION", "0.8.2", ["TGI 0.8.2 does not read it; 0.9.0 is the first that does."]),
        ("USE_FLASH_ATTENTION", "3.3.6", []),
    ],
)
def test_a_variable_that_other_versions_read_brings_a_warning(name, version, words, planning):
    plan = planning(version=version, environment={name: "4"})
    assert ignored(plan) == [f"environment[{name!r}]: {text}" for text in words]


@pytest.mark.parametrize(
    ("name", "near", "owner"),
    [
        ("MAX_INPUT_TOKEN", "MAX_INPUT_TOKENS", "options.max_input_tokens"),
        ("MAX_CONCURENT_REQUESTS", "MAX_CONCURRENT_REQUESTS", "options.max_concurrent_requests"),
        ("max_total_token", "MAX_TOTAL_TOKENS", "options.max_total_tokens"),
        ("SM_NUM_GPU", "SM_NUM_GPUS", "options.num_shard"),
        ("HF_MODEL_QUANTISE", "HF_MODEL_QUANTIZE", "options.quantize"),
        ("HF_MODEL_IDS", "HF_MODEL_ID", "Model.from_hub(…)"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_option_that_is_meant(name, near, owner, refusals):
    shown = "(not shown)" if "token" in name.lower() else "'1'"
    assert refusals(environment={name: "1"}) == [
        (
            f"environment[{name!r}]={shown}: TGI has no such variable. If you mean {near}, use {owner} instead;"
            " otherwise rename it."
        )
    ]


def test_a_misspelt_variable_that_no_option_covers_is_to_be_written_right(refusals):
    assert refusals(environment={"USE_FLASH_ATENTION": "0"}) == [
        (
            "environment['USE_FLASH_ATENTION']='0': TGI has no such variable. If you mean USE_FLASH_ATTENTION, write"
            " it so; otherwise rename it."
        )
    ]


def test_an_image_of_the_callers_own_may_read_what_looks_misspelt(planning):
    own = ImageChoice(version="3.3.6", uri_override=True)
    plan = planning(image=own, environment={"MAX_INPUT_TOKEN": "1", "OPTION_DTYPE": "fp16"})
    assert (plan.problems, ignored(plan)) == (
        (),
        [
            (
                "environment['MAX_INPUT_TOKEN']: TGI has no such variable. If you mean MAX_INPUT_TOKENS, use"
                " options.max_input_tokens instead; otherwise rename it."
            ),
            (
                "environment['OPTION_DTYPE']: TGI does not read it; AWS's LMI container (DJL Serving) does. Use"
                " options.dtype instead."
            ),
        ],
    )


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("container_startup_health_check_timeout_in_seconds", "startup_timeout"),
        ("container_startup_health_check_timeout", "startup_timeout"),
        ("ContainerStartupHealthCheckTimeoutInSeconds", "startup_timeout"),
        ("MODEL_DATA_DOWNLOAD_TIMEOUT", "model_download_timeout"),
        ("VolumeSizeInGB", "volume_size"),
        ("inference_ami_version", "inference_ami_version"),
    ],
)
def test_a_setting_of_sagemakers_is_refused_with_the_argument_of_the_endpoint(name, argument, refusals):
    assert refusals(environment={name: "300"}) == [
        (
            f"environment[{name!r}]='300': is a setting of SageMaker's, which no container reads."
            f" Use the argument {argument} of the endpoint."
        )
    ]


@pytest.mark.parametrize(
    "name",
    [
        "CUDA_VISIBLE_DEVICES",
        "PYTORCH_CUDA_ALLOC_CONF",
        "NCCL_DEBUG",
        "OMP_NUM_THREADS",
        "TOKENIZERS_PARALLELISM",
        "HF_HUB_ENABLE_HF_TRANSFER",
        "HF_HUB_DOWNLOAD_TIMEOUT",
        "HF_ENDPOINT",
        "TRANSFORMERS_VERBOSITY",
        "RUST_LOG",
        "LOGLEVEL",
        "OTEL_SERVICE_NAME",
        "AWS_REGION",
        "TEAM",
    ],
)
def test_what_libraries_in_the_container_read_and_names_of_ones_own_pass_without_a_word(name, planning):
    plan = planning(environment={name: "1"})
    assert (plan.problems, plan.warnings) == ((), ())


@pytest.mark.parametrize("name", LAUNCHER)
def test_no_variable_of_the_launcher_gets_past_its_owner(name, planning):
    plan = planning(environment={name: "1"})
    assert [problem.keyword for problem in plan.problems] == [f"environment[{name!r}]"]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.keyword)
def test_a_variable_of_an_option_is_refused_naming_the_option(option, planning):
    fixes = {planning(environment={name: "1"}).problems[0].fix for name in (option.variable, option.variable.lower())}
    assert fixes == {f"Use options.{option.keyword} instead."}


@pytest.mark.parametrize("name", ["API_KEY", "api_key", "Api-Key", "API-KEY"])
def test_an_api_key_is_refused_in_every_spelling_and_never_shown(name, refusals):
    assert refusals(environment={name: "sesame"}) == [
        (
            f"environment['{name}']=(not shown): makes TGI demand an Authorization header that SageMaker never"
            " forwards: every request would get 401. Leave it out."
        )
    ]


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_API_TOKEN", "HUGGINGFACE_HUB_TOKEN"])
def test_a_hub_token_in_clear_text_is_refused_and_never_shown(name, refusals):
    assert refusals(environment={name: "hf_abcdefghijklmnopqrst"}) == [
        (
            f"environment['{name}']=(not shown): {name} is set by Model.from_hub(…, token=secret)."
            " Use Model.from_hub(…, token=secret) instead."
        )
    ]


def test_a_hub_token_under_another_name_is_found_and_never_shown(refusals):
    assert refusals(environment={"MINE": "hf_abcdefghijklmnopqrst"}) == [
        (
            "environment['MINE']=(not shown): contains a Hugging Face token, which anyone allowed to describe the"
            " model could read. Store it in Secrets Manager and use Model.from_hub(…, token=secret)."
        )
    ]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (
            {"PORT": "80"},
            "environment['PORT']='80': is SageMaker's: it reaches the container on port 8080. Leave it out.",
        ),
        (
            {"HOSTNAME": "::"},
            "environment['HOSTNAME']='::': is SageMaker's: it reaches the container on every interface. Leave it out.",
        ),
        (
            {"NGROK": "true"},
            (
                "environment['NGROK']='true': opens a public tunnel around SageMaker's authorization (and stops TGI 3"
                " with a panic). Leave it out."
            ),
        ),
        (
            {"MODEL_ID": "a/b"},
            "environment['MODEL_ID']='a/b': MODEL_ID is set by Model.from_hub(…). Use Model.from_hub(…) instead.",
        ),
        (
            {"1ST": "x"},
            (
                "environment['1ST']='x': a name must be letters, digits and underscores, no digit first."
                " Rename the variable."
            ),
        ),
        (
            {"ÄRGER": "x"},
            (
                "environment['ÄRGER']='x': a name must be letters, digits and underscores, no digit first."
                " Rename the variable."
            ),
        ),
        (
            {"": "x"},
            "environment['']='x': a name must be letters, digits and underscores, no digit first. Rename the variable.",
        ),
        ({1: "x"}, "environment[1]='x': a name must be a string, not int. Give a str."),
        ({"A": True}, "environment['A']=True: must be a string, not bool. Write 'true'."),
        ({"A": 5}, "environment['A']=5: must be a string, not int. Write '5'."),
        ({"A": None}, "environment['A']=None: must be a string, not NoneType. Give a str."),
        ({"A": "\x00"}, "environment['A']='\\x00': must not contain NUL characters or invalid Unicode. Remove them."),
        (
            {"A": "\ud800"},
            "environment['A']='\\ud800': must not contain NUL characters or invalid Unicode. Remove them.",
        ),
        (
            {"A": "x" * 1025},
            (
                "environment['A']=(1025 characters): SageMaker accepts at most 1024 characters in a variable."
                " Shorten it, or store it in a file beside the weights."
            ),
        ),
    ],
)
def test_the_message_for_a_wrong_variable(environment, words, refusals):
    assert refusals(environment=environment) == [words]


def test_a_secret_value_is_never_shown(planning):
    words = " ".join(str(found) for found in planning(environment={"MY_PASSWORD": 5, "x-secret": "sesame"}).problems)
    assert ("(not shown)" in words, "sesame" in words) == (True, False)


def test_100_variables_with_the_tokens_are_accepted_and_101_are_not(planning, refusals):
    own = len(planning().environment) + 2
    most = {f"V{number}": "x" for number in range(100 - own)}
    assert (refusals(environment=most), refusals(environment=most | {"ONE_MORE": "x"})) == (
        [],
        ["environment=(101 variables): SageMaker accepts at most 100. Remove some of them."],
    )


def test_32_kb_are_accepted_and_one_byte_more_is_not(planning, refusals):
    def size(environment):
        return sum(len(name) + len(value.encode()) for name, value in environment.items())

    own = size(planning().environment) + len("HF_TOKEN") + len("HUGGING_FACE_HUB_TOKEN")
    full = {f"V{number:02}": "é" * 500 for number in range(32)}
    full["LAST"] = "x" * (32768 - own - size(full) - len("LAST"))
    assert refusals(environment=full) == []
    assert refusals(environment=full | {"LAST": full["LAST"] + "x"}) == [
        (
            "environment=(32769 bytes): SageMaker accepts at most 32768 bytes of names and values together."
            " Shorten the values, or store them in a file beside the weights."
        )
    ]


def test_an_option_that_gets_too_long_is_named(refusals):
    adapters = [f"owner/adapter-{number}" for number in range(100)]
    assert refusals(options={"lora_adapters": adapters})[0].startswith(
        "options.lora_adapters=(1689 characters): SageMaker accepts at most 1024 characters in a variable."
    )


@pytest.mark.parametrize(
    ("version", "limit", "most"),
    [
        ("3.3.6", None, 6_291_456),
        ("3.3.6", 1000, 1000),
        ("3.3.6", 20_000_000, 6_291_456),
        ("2.4.0", None, 2_097_152),
    ],
)
def test_the_largest_body_is_the_smaller_of_tgis_and_sagemakers(version, limit, most, planning):
    assert planning(version=version, options={"payload_limit": limit}).max_body_bytes == most
