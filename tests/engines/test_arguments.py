"""What an endpoint gives the server as arguments, parsed by the server's own parser."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from front_door.engines.openai.members import VLLM as VLLM_COMPLETIONS
from front_door.engines.openai.members import VLLM_CHAT

from constructs_lib import VllmOptions
from constructs_lib.planning.engines.sagemaker_arguments import vllm_arguments
from constructs_lib.planning.engines.vllm.engine import VLLM
from constructs_lib.planning.engines.vllm.images import AWS, HUGGING_FACE
from constructs_lib.planning.engines.vllm.options import (
    LogprobsMode,
    ModelImplementation,
    SchedulingPolicy,
    VllmDtype,
    VllmKvCacheDtype,
)
from constructs_lib.planning.engines.vllm.releases import Kind, names
from constructs_lib.planning.images.catalogue import ImageFamily
from tests.engines.images import context, entrypoint, version_of
from tests.engines.installation import VERSIONS, interpreter

PARSER = Path(__file__).with_name("parse_arguments.py")
FAMILIES = {"AWS": AWS, "Hugging Face": HUGGING_FACE}
QUEUE = {"max_num_queued_reqs", "max_num_queued_tokens"}
NOT_IN = {"0.27.1": QUEUE}
"""Options that a version does not have."""

NOT_PASSED = {"0.27.1": {"watermarking"}}
"""Members of a request that a version ignores."""

ANY = object()
"""Stands for what the parser makes of JSON."""
PLUGIN = "/opt/ml/model/parser.py"

# option → a value that is not the server's default, and what the parser makes of it if that is something else.
EXAMPLES: dict[str, tuple[Any, ...]] = {
    "tensor_parallel_size": (2,),
    "pipeline_parallel_size": (2,),
    "data_parallel_size": (2,),
    "enable_expert_parallel": (True,),
    "max_model_len": (4096,),
    "max_num_seqs": (64,),
    "max_num_batched_tokens": (4096,),
    "max_num_queued_reqs": (128,),
    "max_num_queued_tokens": (100_000,),
    "gpu_memory_utilization": (0.85,),
    "kv_cache_memory_bytes": (8 * 2**30,),
    "kv_cache_dtype": ("fp8",),
    "block_size": (32,),
    "cpu_offload_gb": (1.5,),
    "enforce_eager": (True,),
    "enable_prefix_caching": (False,),
    "enable_chunked_prefill": (False,),
    "disable_hybrid_kv_cache_manager": (True,),
    "async_scheduling": (False,),
    "scheduling_policy": ("priority",),
    "attention_backend": ("FLASHINFER", ANY),
    "compilation_config": ({"cudagraph_capture_sizes": [1, 2, 4]}, ANY),
    "kv_transfer_config": ({"kv_connector": "LMCacheConnectorV1", "kv_role": "kv_both"}, ANY),
    "dtype": ("bfloat16",),
    "quantization": ("fp8",),
    "load_format": ("runai_streamer",),
    "trust_remote_code": (True,),
    "code_revision": ("main",),
    "model_impl": ("transformers",),
    "hf_overrides": ({"rope_theta": 500000.0},),
    "tokenizer_mode": ("mistral",),
    "config_format": ("mistral",),
    "seed": (7,),
    "limit_mm_per_prompt": ({"image": 2}, ANY),
    "mm_processor_kwargs": ({"max_pixels": 1003520},),
    "language_model_only": (True,),
    "generation_config": ("/opt/ml/model",),
    "override_generation_config": ({"temperature": 0.6},),
    "served_model_name": ("llama", ["llama"]),
    "chat_template": ("{{ messages }}",),
    "chat_template_content_format": ("openai",),
    "default_chat_template_kwargs": ({"enable_thinking": False},),
    "tool_call_parser": ("hermes",),
    "enable_auto_tool_choice": (True,),
    "tool_parser_plugin": (PLUGIN,),
    "reasoning_parser": ("qwen3",),
    "max_logprobs": (5,),
    "logprobs_mode": ("processed_logprobs",),
    "structured_outputs_config": ({"backend": "xgrammar"}, ANY),
    "speculative_config": ({"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 4},),
    "stream_interval": (4,),
    "enable_lora": (True,),
    "lora_modules": (["style=/opt/ml/model/style"], ANY),
    "max_loras": (4,),
    "max_lora_rank": (64,),
    "max_cpu_loras": (8,),
    "enable_log_requests": (True,),
    "enable_log_outputs": (True,),
    "disable_log_stats": (True,),
    "otlp_traces_endpoint": ("http://collector:4317",),
    "shutdown_timeout": (20,),
}
CHOICES = {
    "dtype": VllmDtype,
    "kv_cache_dtype": VllmKvCacheDtype,
    "logprobs_mode": LogprobsMode,
    "model_impl": ModelImplementation,
    "scheduling_policy": SchedulingPolicy,
}
"""Options of which the server knows each value by name."""

NEEDED: dict[str, dict[str, Any]] = {
    "enable_auto_tool_choice": {"tool_call_parser": "hermes"},
    "enable_log_outputs": {"enable_log_requests": True},
}


def arguments(version: str, family: ImageFamily, options: VllmOptions) -> list[str]:
    """What the entrypoint of an image gives the server."""
    read = VLLM.read_options(options, version_of(version))
    assert not read.problems, read.problems
    ctx = context(version, family, read.values)
    environment = {name: str(value) for name, value in VLLM.environment(ctx, ctx, None).items()}
    return vllm_arguments(entrypoint(version, family), environment, has_artifact=False)


@cache
def parsed(version: str) -> dict[str, Any]:
    """What the real parser of a version has, and makes of arguments, by family, option and chosen name."""
    missing = NOT_IN.get(version, ())
    cases = [(family, option, None) for family in FAMILIES for option in EXAMPLES if option not in missing]
    cases += [("AWS", option, choice) for option, choices in CHOICES.items() for choice in choices]
    lists = [
        arguments(
            version,
            FAMILIES[family],
            VllmOptions(**{option: choice or EXAMPLES[option][0], **NEEDED.get(option, {})}),
        )
        for family, option, choice in cases
    ]
    done = subprocess.run(
        [interpreter(version), PARSER],
        input=json.dumps(lists),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "parsed": dict(zip(cases, found["parsed"], strict=True))}


@pytest.mark.parametrize("option", EXAMPLES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_reads_every_option(version: str, family: str, option: str) -> None:
    value, *other = EXAMPLES[option]
    if option in NOT_IN.get(version, ()):
        (problem,) = VLLM.read_options(VllmOptions(**{option: value}), version_of(version)).problems
        assert problem.keyword == f"options.{option}"
        return
    result = parsed(version)["parsed"][family, option, None]
    assert "values" in result, result
    assert option in result["values"], result
    (expected,) = other or (value,)
    assert expected is ANY or result["values"][option] == expected


@pytest.mark.parametrize(("option", "choice"), [(option, one) for option, all_ in CHOICES.items() for one in all_])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_knows_every_choice(version: str, option: str, choice: str) -> None:
    result = parsed(version)["parsed"]["AWS", option, choice]
    assert "values" in result, result
    assert result["values"].get(option, choice) == choice


@pytest.mark.parametrize("kind", [Kind.TOOL_PARSERS, Kind.REASONING_PARSERS, Kind.QUANTIZATIONS, Kind.FLAGS])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_of_releases_says_what_the_server_has(version: str, kind: Kind) -> None:
    assert sorted(names(kind, version_of(version))) == parsed(version)[kind]


@pytest.mark.parametrize(("route", "members"), [("chat", VLLM_CHAT), ("completions", VLLM_COMPLETIONS)])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_has_every_member_of_a_request_that_is_passed_on(version: str, route: str, members: Any) -> None:
    assert set(members) - NOT_PASSED.get(version, set()) <= set(parsed(version)[route])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_of_releases_has_the_arguments_of_the_server(version: str) -> None:
    programs_own = {"api_server_count", "config", "grpc", "headless"}
    assert sorted(names(Kind.ARGUMENTS, version_of(version)) | programs_own) == parsed(version)[Kind.ARGUMENTS]
