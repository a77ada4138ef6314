"""The start of vLLM, SGLang and LMI: environments that they reject, with their messages, and what others become."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from local.model_container.openai import lmi, sglang, vllm_arguments
from local.model_container.openai.settings import Settings
from local.model_container.tgi.options import LaunchError
from tests.local.model_container.servers import call

MODEL = {"SM_VLLM_MODEL": "a/b"}
NO_INTEGER = "Only integers, or integers with a suffix of k, K, m, M, g, G, t or T are supported, got 'many'"


def vllm(version: str = "0.30.0", *, reads_lines: bool = False, **environment: str) -> Settings:
    return vllm_arguments.read_settings({**MODEL, **environment}, version=version, reads_lines=reads_lines)


def vllm_error(version: str = "0.30.0", *, reads_lines: bool = False, **environment: str) -> str:
    with pytest.raises(LaunchError) as caught:
        vllm(version, reads_lines=reads_lines, **environment)
    return str(caught.value)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SM_VLLM_WIBBLE": "1"}, "api_server.py: error: unrecognized arguments: --wibble 1"),
        ({"SM_VLLM_MAX_MODEL_LEN": "many"}, f"api_server.py: error: argument --max-model-len: {NO_INTEGER}"),
        ({"SM_VLLM_MAX_NUM_SEQS": "2.5"},
         "api_server.py: error: argument --max-num-seqs: invalid int value: '2.5'"),
        ({"SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true"},
         "TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser"),
        ({"SM_VLLM_ASYNC_SCHEDULING": "1"}, "api_server.py: error: unrecognized arguments: 1"),
        ({"SM_VLLM_PORT": "9000"}, "The server listens on port 9000; SageMaker's health checks ask port 8080."),
        ({"SM_VLLM_LORA_MODULES": "sql=a/b"}, "ValueError: LoRA modules are given, but --enable-lora is not set."),
        ({"LOG_LEVEL": "warning"},
         "ConfigurationError: Invalid LOG_LEVEL 'warning'. Must be one of: debug, info, warn, error, critical"),
    ],
)  # fmt: skip
def test_an_environment_that_vllm_rejects_ends_it_with_its_message(environment: dict[str, str], message: str) -> None:
    assert vllm_error(**environment) == message


def test_a_parser_that_vllm_does_not_have_ends_it() -> None:
    message = vllm_error(SM_VLLM_ENABLE_AUTO_TOOL_CHOICE="true", SM_VLLM_TOOL_CALL_PARSER="llama")
    assert message.startswith("KeyError: 'invalid tool call parser: llama (chose from { apertus,cohere_command3,")
    assert vllm(SM_VLLM_ENABLE_AUTO_TOOL_CHOICE="true", SM_VLLM_TOOL_CALL_PARSER="llama3_json").auto_tools


def test_a_version_rejects_what_it_does_not_have_yet() -> None:
    queue = {"SM_VLLM_MAX_NUM_QUEUED_REQS": "4"}
    assert vllm("0.30.0", **queue).max_unfinished == 4
    assert vllm_error("0.27.1", **queue) == "api_server.py: error: unrecognized arguments: --max-num-queued-reqs 4"


def test_the_model_is_the_argument_before_the_artifact_before_the_name_on_the_hub() -> None:
    def model(*, has_artifact: bool, **environment: str) -> str:
        return vllm_arguments.read_settings(environment, has_artifact=has_artifact).model

    assert model(has_artifact=True, SM_VLLM_MODEL="a/b", HF_MODEL_ID="c/d") == "a/b"
    assert model(has_artifact=True, HF_MODEL_ID="c/d") == "/opt/ml/model"
    assert model(has_artifact=False, HF_MODEL_ID="c/d") == "c/d"
    assert model(has_artifact=False) == "Qwen/Qwen3-0.6B"


def test_values_become_arguments_as_the_entrypoint_of_their_image_reads_them() -> None:
    settings = vllm(
        SM_VLLM_SERVED_MODEL_NAME='["llama", "tgi"]',
        SM_VLLM_ENABLE_LORA="true",
        SM_VLLM_LORA_MODULES='["sql=a/sql", {"name": "chat", "path": "a/chat"}]',
        SM_VLLM_MAX_MODEL_LEN="8k",
        SM_VLLM_ENABLE_PREFIX_CACHING="false",
        SM_VLLM_NO_ENABLE_CHUNKED_PREFILL="true",
        SM_VLLM_ENFORCE_EAGER="",
    )
    assert settings.names == ("llama", "tgi")
    assert settings.adapters == {"sql": "a/sql", "chat": "a/chat"}
    assert settings.max_model_len == 8000
    # An older entrypoint, and that of Hugging Face's images, leaves an array one argument.
    array = {"SM_VLLM_SERVED_MODEL_NAME": '["a"]'}
    for old in (vllm("0.27.1", **array), vllm(reads_lines=True, **array)):
        assert old.names == ('["a"]',)
    message = vllm_error("0.27.1", SM_VLLM_CHAT_TEMPLATE="{{ a }}\n{{ b }}")
    assert message == "SM_VLLM_CHAT_TEMPLATE: the entrypoint of this image reads up to the first newline."


def sglang_error(version: str = "0.5.20", **environment: str) -> str:
    with pytest.raises(LaunchError) as caught:
        sglang.read_settings(environment, version=version)
    return str(caught.value)


def test_sglang_reads_its_own_variables_and_not_the_name_on_the_hub() -> None:
    settings = sglang.read_settings(
        {
            "HF_MODEL_ID": "a/b",
            "SM_SGLANG_TP": "1",
            "SM_SGLANG_CONTEXT_LENGTH": "4096",
            "SM_SGLANG_LORA_PATHS": "sql=a/sql",
            "SM_SGLANG_ENABLE_METRICS": "true",
            "SM_SGLANG_MAX_QUEUED_REQUESTS": "3",
            "SM_SGLANG_MAX_RUNNING_REQUESTS": "2",
        }
    )
    assert (settings.model, settings.names) == ("/opt/ml/model", ("/opt/ml/model",))
    assert (settings.max_model_len, settings.max_unfinished) == (4096, 5)
    assert settings.adapters == {"sql": "a/sql"}


def test_an_environment_that_sglang_rejects_ends_it_with_its_message() -> None:
    assert sglang_error(SM_SGLANG_WIBBLE="1") == "launch_server.py: error: unrecognized arguments: --wibble 1"
    assert sglang_error(SM_SGLANG_TOOL_CALL_PARSER="hermes9").startswith(
        "launch_server.py: error: argument --tool-call-parser: invalid choice: 'hermes9' (choose from "
    )
    batch = {"SM_SGLANG_CUDA_GRAPH_MAX_BS": "8"}
    assert sglang.read_settings(batch, version="0.5.8").max_running == 256
    message = sglang_error(**batch)
    assert message.startswith("launch_server.py: error: ambiguous option: --cuda-graph-max-bs could match")


def test_lmi_takes_unknown_options_without_a_word_and_tgis_names() -> None:
    settings = lmi.read_settings({"HF_MODEL_ID": "a/b", "OPTION_WIBBLE": "1", "MAX_BATCH_SIZE": "5"})
    assert (settings.model, settings.names, settings.max_running) == ("a/b", ("lmi",), 5)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "ModelNotFoundException: No model found: set HF_MODEL_ID, or give the model an artifact."),
        ({"HF_MODEL_ID": "a", "OPTION_MAX_MODEL_LEN": "x"},
         "ValueError: OPTION_MAX_MODEL_LEN: Input should be a valid integer, got 'x'"),
        ({"HF_MODEL_ID": "a", "OPTION_MAX_NUM_SEQS": "64"},
         "ValueError: max_num_seqs=64 differs from max_rolling_batch_size=32"),
        ({"HF_MODEL_ID": "a", "OPTION_ENABLE_AUTO_TOOL_CHOICE": "true"}, "ValueError: Invalid tool call parser: None"),
    ],
)  # fmt: skip
def test_an_environment_that_lmi_rejects_ends_it(environment: dict[str, str], message: str) -> None:
    with pytest.raises(LaunchError) as caught:
        lmi.read_settings(environment)
    assert str(caught.value) == message


def start(engine: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.model_container.openai", "--engine", engine, "--image", "vllm:0.30.0"]
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "SYSTEMROOT")}
    return subprocess.Popen(
        command, env={**clean, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_process_prints_its_port_serves_and_ends_on_sigterm() -> None:
    with start("vllm", **MODEL) as process:
        try:
            assert process.stdout
            port = json.loads(process.stdout.readline())["port"]
            assert call("POST", f"http://127.0.0.1:{port}/ping").status == 200
            assert call("GET", f"http://127.0.0.1:{port}/version").json == {"version": "0.30.0"}
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_the_process_exits_with_1_and_the_message_of_the_engine_if_it_cannot_start() -> None:
    with start("vllm", **MODEL, SM_VLLM_WIBBLE="1") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (1, "", "api_server.py: error: unrecognized arguments: --wibble 1\n")
