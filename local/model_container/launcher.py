"""The start of TGI: SageMaker's entrypoint, the launcher's options and their checks, with TGI's error messages.

Sources: sagemaker-entrypoint.sh, launcher/src/main.rs, backends/v3/src/main.rs and server/cli.py of TGI 3.3.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.model_container.settings import Settings
from local.model_container.tgi.options import LaunchError, parse_options
from local.model_container.toy_settings import read_toy_settings

_ENTRYPOINT = {
    "HF_MODEL_REVISION": "REVISION",
    "SM_NUM_GPUS": "NUM_SHARD",
    "HF_MODEL_QUANTIZE": "QUANTIZE",
    "HF_MODEL_TRUST_REMOTE_CODE": "TRUST_REMOTE_CODE",
}
# TGI measures these; the values are roughly those of Llama-3.1-8B on an A10G.
_MEASURED_MAX_TOTAL_TOKENS = 32768
_DEFAULT_PREFILL_TOKENS = 4096
_MEASURED_BATCH_TOKENS = 131072
_QUANTIZATIONS_WITH_DTYPE = (None, "bitsandbytes", "bitsandbytes-nf4", "bitsandbytes-fp4")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Reads the settings from SageMaker's environment.

    Raises:
        LaunchError: The container does not start; the message is TGI's output.
    """
    args = parse_options(_entrypoint(environment))
    max_input_tokens = _check_launcher(args)
    max_input_tokens, max_total_tokens = _check_router(args, max_input_tokens)
    origins = args["CORS_ALLOW_ORIGIN"]
    return Settings(
        model_id=args["MODEL_ID"],
        model_sha=args["REVISION"] if re.fullmatch(r"[0-9a-f]{40}", args["REVISION"] or "") else None,
        pipeline_tag=_pipeline_tag(args["MODEL_ID"], environment),
        max_concurrent_requests=args["MAX_CONCURRENT_REQUESTS"],
        max_best_of=args["MAX_BEST_OF"],
        max_stop_sequences=args["MAX_STOP_SEQUENCES"],
        max_top_n_tokens=args["MAX_TOP_N_TOKENS"],
        max_input_tokens=max_input_tokens,
        max_total_tokens=max_total_tokens,
        validation_workers=args["VALIDATION_WORKERS"],
        max_client_batch_size=args["MAX_CLIENT_BATCH_SIZE"],
        payload_limit=args["PAYLOAD_LIMIT"],
        disable_grammar_support=args["DISABLE_GRAMMAR_SUPPORT"] == "true",
        enable_prefill_logprobs=args["ENABLE_PREFILL_LOGPROBS"] == "true",
        api_key=args["API_KEY"],
        cors_allow_origin=(origins,) if origins else (),
        compute_type=environment.get("COMPUTE_TYPE", "gpu+optimized"),
        **read_toy_settings(environment),
    )


def _entrypoint(environment: Mapping[str, str]) -> dict[str, str]:
    """Maps SageMaker's variables to TGI's. Empty variables count as unset, as in the entrypoint."""
    if not environment.get("HF_MODEL_ID"):
        raise LaunchError("HF_MODEL_ID must be set")
    mapped = {tgi: environment[sagemaker] for sagemaker, tgi in _ENTRYPOINT.items() if environment.get(sagemaker)}
    return {**environment, "MODEL_ID": environment["HF_MODEL_ID"], **mapped}


def _invalid(message: str) -> LaunchError:
    escaped = message.replace('"', '\\"')
    return LaunchError(f'Error: ArgumentValidation("{escaped}")')


def _check_launcher(args: dict[str, Any]) -> int | None:
    shards = _shards(args)
    if shards > 1 and args["QUANTIZE"] == "exl2":
        raise _invalid("Sharding is currently not supported with `exl2` quantization")
    max_input_tokens = _check_tokens(args)
    if args["VALIDATION_WORKERS"] == 0:
        raise _invalid("`validation_workers` must be > 0")
    total, batch = args["MAX_TOTAL_TOKENS"], args["MAX_BATCH_TOTAL_TOKENS"]
    if batch is not None and total is not None and total > batch:
        raise _invalid(f"`max_total_tokens` must be <= `max_batch_total_tokens`. Given: {total} and {batch}")
    _check_ngrok_and_adapters(args)
    if args["DTYPE"] is not None and args["QUANTIZE"] not in _QUANTIZATIONS_WITH_DTYPE:
        raise LaunchError(
            "RuntimeError: Only 1 can be set between `dtype` and `quantize`, as they both decide how goes the final "
            "model.\nShard 0 failed to start\nError: ShardCannotStart"
        )
    return max_input_tokens


def _check_tokens(args: dict[str, Any]) -> int | None:
    tokens, length, total = args["MAX_INPUT_TOKENS"], args["MAX_INPUT_LENGTH"], args["MAX_TOTAL_TOKENS"]
    if tokens is not None and length is not None:
        raise _invalid(
            f"Both `max_input_tokens` ({tokens}) and `max_input_length` ({length}) are set. Please define only "
            "`max_input_tokens` as `max_input_length is deprecated for naming consistency."
        )
    max_input_tokens: int | None = length if tokens is None else tokens
    if max_input_tokens is not None and total is not None and max_input_tokens >= total:
        raise _invalid(f"`max_input_tokens`({max_input_tokens}) must be < `max_total_tokens`({total})")
    return max_input_tokens


def _check_ngrok_and_adapters(args: dict[str, Any]) -> None:
    if args["NGROK"] == "true":
        for name, text in (("NGROK_AUTHTOKEN", "ngrok-authtoken"), ("NGROK_EDGE", "ngrok-edge")):
            if args[name] is None:
                raise _invalid(f"`{text}` must be set when using ngrok tunneling")
    for adapter in (args["LORA_ADAPTERS"] or "").split(","):
        if "=" not in adapter and adapter.count("@") > 1:
            raise _invalid(f"Invalid LoRA adapter format: {adapter.strip()}")


def _shards(args: dict[str, Any]) -> int:
    shards: int | None = args["NUM_SHARD"]
    if args["SHARDED"] == "true" and shards is not None and shards <= 1:
        raise _invalid("`sharded` is true but `num_shard` <= 1")
    if shards is not None and shards < 1:
        raise _invalid("`num_shard` cannot be < 1")
    return shards or 1


def _check_router(args: dict[str, Any], max_input_tokens: int | None) -> tuple[int, int]:
    total: int = args["MAX_TOTAL_TOKENS"] or max(_MEASURED_MAX_TOTAL_TOKENS, (max_input_tokens or 0) + 1)
    tokens = total - 1 if max_input_tokens is None else max_input_tokens
    if args["MAX_BATCH_SIZE"] == 0:
        raise crashed("`max_batch_size` must be > 0")
    if tokens >= total:
        raise crashed("`max_input_tokens` must be < `max_total_tokens`")
    prefill = args["MAX_BATCH_PREFILL_TOKENS"] or _DEFAULT_PREFILL_TOKENS
    batch = max(_MEASURED_BATCH_TOKENS, total)
    if tokens > prefill and args["SPECULATE"]:
        raise crashed(f"`max_batch_prefill_tokens` must be >= `max_input_tokens`. Given: {prefill} and {tokens}")
    if prefill > batch:
        raise crashed(f"`max_batch_prefill_tokens` must be <= `max_batch_total_tokens`. Given: {prefill} and {batch}")
    return tokens, total


def crashed(message: str) -> LaunchError:
    """The error of a router that ends at its start."""
    return LaunchError(f"{_invalid(message)}\nWebserver Crashed\nError: WebserverFailed")


def _pipeline_tag(model_id: str, environment: Mapping[str, str]) -> str | None:
    """The model's pipeline tag on the Hub, guessed from its name; None if the model is not from the Hub."""
    if environment.get("HF_HUB_OFFLINE") == "1" or model_id.startswith("/"):
        return None
    name = model_id.lower()
    if re.search(r"(?:^|[/-])(?:flan-)?t5(?:-|$)", name):
        return "text2text-generation"
    if re.search(r"gemma-3-(?:4|12|27)b|vision|-vl-|idefics|llava|paligemma", name):
        return "image-text-to-text"
    return "text-generation"
