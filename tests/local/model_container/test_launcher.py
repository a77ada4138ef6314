"""Settings of the container, and environments that TGI's launcher rejects, with its messages."""

import json
import os
import signal
import subprocess
import sys

import pytest

from local.model_container.launcher import read_settings
from local.model_container.tgi.options import LaunchError
from tests.local.model_container.servers import call

MODEL = {"HF_MODEL_ID": "meta-llama/Llama-3.1-8B-Instruct"}
HELP = "\n\nFor more information, try '--help'."


def launch_error(**environment):
    with pytest.raises(LaunchError) as caught:
        read_settings({**MODEL, **environment})
    return str(caught.value)


def test_without_a_model_the_entrypoint_stops():
    with pytest.raises(LaunchError, match="HF_MODEL_ID must be set"):
        read_settings({})


def test_settings_are_read_from_the_environment():
    settings = read_settings(
        {
            **MODEL,
            "SM_NUM_GPUS": "1",
            "HF_MODEL_QUANTIZE": "fp8",
            "MAX_INPUT_TOKENS": "3000",
            "MAX_TOTAL_TOKENS": "4096",
            "MAX_CONCURRENT_REQUESTS": "7",
            "PAYLOAD_LIMIT": "6291456",
            "TRUST_REMOTE_CODE": "false",
            "COMPUTE_TYPE": "toy",
            "TOY_TOKENS_PER_SECOND": "0",
        }
    )
    assert (settings.max_input_tokens, settings.max_total_tokens) == (3000, 4096)
    assert (settings.max_concurrent_requests, settings.payload_limit) == (7, 6291456)
    assert (settings.compute_type, settings.tokens_per_second) == ("toy", 0)


def test_missing_limits_are_derived():
    assert read_settings({**MODEL, "MAX_TOTAL_TOKENS": "100"}).max_input_tokens == 99
    assert read_settings({**MODEL, "MAX_INPUT_LENGTH": "50"}).max_input_tokens == 50
    assert read_settings(MODEL).payload_limit == 2_000_000


@pytest.mark.parametrize(
    ("model", "environment", "tag"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", {}, "text-generation"),
        ("google/flan-t5-xl", {}, "text2text-generation"),
        ("google/gemma-3-4b-it", {}, "image-text-to-text"),
        ("/opt/ml/model", {}, None),
        ("meta-llama/Llama-3.1-8B-Instruct", {"HF_HUB_OFFLINE": "1"}, None),
    ],
)
def test_the_pipeline_tag_depends_on_the_model(model, environment, tag):
    settings = read_settings({"HF_MODEL_ID": model, **environment})
    assert settings.pipeline_tag == tag
    assert settings.default_return_full_text is (tag in (None, "text-generation"))


@pytest.mark.parametrize("value", ["1", "True", "yes", ""])
def test_only_true_and_false_are_booleans(value):
    message = f"error: invalid value '{value}' for '--trust-remote-code'\n  [possible values: true, false]{HELP}"
    assert launch_error(TRUST_REMOTE_CODE=value) == message


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("MAX_INPUT_TOKENS", "", ": cannot parse integer from empty string"),
        ("MAX_INPUT_TOKENS", "4k", ": invalid digit found in string"),
        ("MAX_TOP_N_TOKENS", "4294967296", ": number too large to fit in target type"),
        ("PROMETHEUS_PORT", "70000", ": 70000 is not in 0..=65535"),
        ("ROPE_FACTOR", "x", ": invalid float literal"),
        ("DTYPE", "fp16", "\n  [possible values: float16, bfloat16]"),
        ("USAGE_STATS", "ON", "\n  [possible values: on, off, no-stack]"),
        ("SHARDED", "1", "\n  [possible values: true, false]"),
    ],
)
def test_an_invalid_value_is_reported_with_claps_message(variable, value, reason):
    flag = "--" + variable.lower().replace("_", "-")
    assert (
        launch_error(**{variable: value}) == f"error: invalid value '{value}' for '{flag} <{variable}>'{reason}{HELP}"
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"MAX_INPUT_TOKENS": "9", "MAX_INPUT_LENGTH": "8"},
         ("Both `max_input_tokens` (9) and `max_input_length` (8) are set. Please define only `max_input_tokens` as "
         "`max_input_length is deprecated for naming consistency.")),
        ({"MAX_INPUT_TOKENS": "9", "MAX_TOTAL_TOKENS": "9"}, "`max_input_tokens`(9) must be < `max_total_tokens`(9)"),
        ({"SM_NUM_GPUS": "0"}, "`num_shard` cannot be < 1"),
        ({"SHARDED": "true", "SM_NUM_GPUS": "1"}, "`sharded` is true but `num_shard` <= 1"),
        ({"SM_NUM_GPUS": "2", "HF_MODEL_QUANTIZE": "exl2"},
         "Sharding is currently not supported with `exl2` quantization"),
        ({"VALIDATION_WORKERS": "0"}, "`validation_workers` must be > 0"),
        ({"MAX_TOTAL_TOKENS": "100", "MAX_BATCH_TOTAL_TOKENS": "50"},
         "`max_total_tokens` must be <= `max_batch_total_tokens`. Given: 100 and 50"),
        ({"NGROK": "true"}, "`ngrok-authtoken` must be set when using ngrok tunneling"),
        ({"LORA_ADAPTERS": "a,b@c@d"}, "Invalid LoRA adapter format: b@c@d"),
    ],
)  # fmt: skip
def test_contradicting_options_stop_the_launcher(environment, message):
    assert launch_error(**environment) == f'Error: ArgumentValidation("{message}")'


def test_a_dtype_excludes_most_quantizations():
    message = "Only 1 can be set between `dtype` and `quantize`, as they both decide how goes the final model."
    assert message in launch_error(DTYPE="float16", QUANTIZE="awq")
    assert read_settings({**MODEL, "DTYPE": "float16", "QUANTIZE": "bitsandbytes-nf4"}).model_id


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"MAX_BATCH_SIZE": "0"}, "`max_batch_size` must be > 0"),
        ({"MAX_BATCH_PREFILL_TOKENS": "200000"},
         "`max_batch_prefill_tokens` must be <= `max_batch_total_tokens`. Given: 200000 and 131072"),
        ({"SPECULATE": "2", "MAX_INPUT_TOKENS": "8000"},
         "`max_batch_prefill_tokens` must be >= `max_input_tokens`. Given: 4096 and 8000"),
    ],
)  # fmt: skip
def test_problems_that_only_the_router_checks_crash_the_webserver(environment, message):
    assert (
        launch_error(**environment)
        == f'Error: ArgumentValidation("{message}")\nWebserver Crashed\nError: WebserverFailed'
    )


def test_an_invalid_setting_of_the_toy_is_reported():
    assert launch_error(TOY_TOKENS_PER_SECOND="fast") == "TOY_TOKENS_PER_SECOND='fast': invalid float literal"


def start(**environment):
    command = [sys.executable, "-m", "local.model_container", "--port", "0"]
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "SYSTEMROOT")}
    return subprocess.Popen(
        command, env={**clean, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_process_prints_its_port_serves_and_ends_on_sigterm():
    with start(**MODEL, TOY_TOKENS_PER_SECOND="0") as process:
        try:
            port = json.loads(process.stdout.readline())["port"]
            assert call("GET", f"http://127.0.0.1:{port}/ping").status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_the_process_exits_with_1_and_tgis_message_if_it_cannot_start():
    with start(**MODEL, MAX_INPUT_TOKENS="9", MAX_TOTAL_TOKENS="9") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert err == 'Error: ArgumentValidation("`max_input_tokens`(9) must be < `max_total_tokens`(9)")\n'
