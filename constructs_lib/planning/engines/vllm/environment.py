"""The environment of vLLM's container: from options to variables, and which further variables a caller may set.

Sources: aws/deep-learning-containers `scripts/docker/vllm` and `scripts/docker/huggingface/vllm` at e0ecedea;
model-hosting-container-standards 0.1.16 `supervisor` (PROCESS_AUTO_RECOVERY, LOG_LEVEL, STANDARD_AUTO_INSTALL_REQ);
vLLM `vllm/envs.py` at 0.13.0 to 0.30.0.
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext, Environment
from constructs_lib.planning.engines.hub_token import HUB_TOKEN_OWNERS
from constructs_lib.planning.engines.other_servers import unread_sentences
from constructs_lib.planning.engines.sagemaker_arguments import MODEL_FOLDER
from constructs_lib.planning.engines.vllm.arguments import OWNERS, REFUSED
from constructs_lib.planning.engines.vllm.images import PREFIX, SUPERVISED_SINCE, entrypoint_of, is_hugging_faces
from constructs_lib.planning.engines.vllm.launcher_options import OF_THE_IMAGE, OPTIONS
from constructs_lib.planning.engines.vllm.memory_settings import VllmContainer, tensor_parallel
from constructs_lib.planning.engines.vllm.options import VllmLogLevel
from constructs_lib.planning.engines.vllm.queue import queue_limit
from constructs_lib.planning.engines.vllm.releases import Kind, has
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.validation.unknown import Unknown

CACHE_FOLDER = "/tmp"  # noqa: S108 - the instance's storage volume inside a SageMaker container
HUB_TOKEN_VARIABLES = ("HF_TOKEN",)

_READY_TIMEOUT_SINCE: Version = (0, 14, 0)
_OWNERS = HUB_TOKEN_OWNERS | {
    "HF_MODEL_ID": "Model.from_hub(…)",
    "HF_MODEL_REVISION": "Model.from_hub(…, revision=…)",
    "HF_REVISION": "Model.from_hub(…, revision=…)",
    "HF_HUB_OFFLINE": "Model.from_s3(…)",
    "SM_NUM_GPUS": "options.tensor_parallel_size",
    "HF_MODEL_TRUST_REMOTE_CODE": "options.trust_remote_code",
    "HF_MODEL_QUANTIZE": "options.quantization",
    "VLLM_NO_USAGE_STATS": "options.usage_stats",
    "VLLM_DO_NOT_TRACK": "options.usage_stats",
    "DO_NOT_TRACK": "options.usage_stats",
    "VLLM_LOGGING_LEVEL": "options.log_level",
    "LOG_LEVEL": "options.log_level",
    "PROCESS_AUTO_RECOVERY": "options.process_auto_recovery",
    "HF_ENABLE_LMCACHE": "options.lmcache",
    "VLLM_ENGINE_READY_TIMEOUT_S": "startup_timeout",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "options.allow_runtime_lora_updating",
}
_REFUSED = {
    "VLLM_API_KEY": REFUSED["api_key"],
    "SAGEMAKER_MODEL_PATH": "moves the folder of the weights, which SageMaker mounts at /opt/ml/model",
    "SUPERVISOR_CONFIG_PATH": "replaces the configuration of the supervisor that starts vLLM",
}

VARIABLES = frozenset(
    (
        *_OWNERS,
        *(f"{PREFIX}{name.upper()}" for name in OWNERS),
        "HF_HOME",
        "STANDARD_AUTO_INSTALL_REQ",
        "STANDARD_PIP_ARGS",
        "PROCESS_MAX_START_RETRIES",
        "HF_ENABLE_OPTIMIZATIONS",
        "HF_ENABLE_EXPANDABLE_SEGMENTS",
        "HF_LMCACHE_CPU_FRACTION",
        "VLLM_ALLOW_LONG_MAX_MODEL_LEN",
    )
)
"""Every variable that some image reads and that is not refused, as far as it may be misspelt."""


def owner(variable: str) -> str | None:
    """The argument that sets a variable, as the caller writes it; None for one that callers may set."""
    if not variable.startswith(PREFIX):
        return _OWNERS.get(variable)
    argument = variable.removeprefix(PREFIX).lower()
    if argument in REFUSED:
        return None
    return OWNERS.get(argument.removeprefix("no_"), f"options.extra_args[{argument!r}]")


def refusal(variable: str) -> str | None:
    """Why a variable must not be set at all; None if it may."""
    if variable.startswith(PREFIX):
        return REFUSED.get(variable.removeprefix(PREFIX).lower())
    return _REFUSED.get(variable)


def unread(variable: str, version: Version) -> str | None:
    """Why vLLM ignores a variable, and what to use instead, as sentences; None if it may read it."""
    del version
    return unread_sentences(
        variable, server="vLLM", besides=("vLLM", "AWS's image of vLLM"), meant=_MEANT, owners=OWNERS
    )


_MEANT = {
    "max_total_tokens": "options.max_model_len",
    "context_length": "options.max_model_len",
    "max_batch_size": "options.max_num_seqs",
    "max_rolling_batch_size": "options.max_num_seqs",
    "max_running_requests": "options.max_num_seqs",
    "max_concurrent_requests": "options.max_num_queued_reqs",
    "max_queued_requests": "options.max_num_queued_reqs",
    "max_batch_prefill_tokens": "options.max_num_batched_tokens",
    "chunked_prefill_size": "options.max_num_batched_tokens",
    "cuda_memory_fraction": "options.gpu_memory_utilization",
    "mem_fraction_static": "options.gpu_memory_utilization",
    "num_shard": "options.tensor_parallel_size",
    "tensor_parallel_degree": "options.tensor_parallel_size",
    "tp": "options.tensor_parallel_size",
    "tp_size": "options.tensor_parallel_size",
    "quantize": "options.quantization",
    "prefix_caching": "options.enable_prefix_caching",
    "lora_adapters": "options.lora_modules",
    "lora_paths": "options.lora_modules",
    "speculate": "options.speculative_config",
    "usage_stats": "options.usage_stats",
    "model_id": "Model.from_hub(…)",
    "model_path": "Model.from_hub(…)",
}
"""What an argument of another server is called here, by its name without the prefix."""


def render_environment(ctx: EngineContext) -> Environment:
    """The container's variables (see `Engine.environment`).

    Args:
        ctx: The context with the options that make the model fit.
    """
    return (
        _model_variables(ctx)
        | _option_variables(ctx)
        | _default_variables(ctx)
        | _image_variables(ctx)
        | _extra_variables(ctx)
    )


def _model_variables(ctx: EngineContext) -> Environment:
    """Which weights to serve. The tokenizer has the revision of the weights, unless another one is given."""
    model, entrypoint = ctx.model, entrypoint_of(ctx)
    if model.source == "s3":
        return {**entrypoint.variables("model", MODEL_FOLDER), "HF_HUB_OFFLINE": "1"}
    variables = entrypoint.variables("model", _as_variable(model.hub_id))
    return variables | (entrypoint.variables("revision", _as_variable(model.revision)) if model.revision else {})


def _option_variables(ctx: EngineContext) -> Environment:
    variables: Environment = {}
    for option in OPTIONS:
        value = ctx.values.get(option.keyword)
        if value is not None and option.keyword not in OF_THE_IMAGE:
            has_no_form = has(Kind.FLAGS, option.keyword, ctx.version)
            variables |= entrypoint_of(ctx).variables(option.keyword, value, on_by_default=has_no_form)
    return variables


def _default_variables(ctx: EngineContext) -> Environment:
    """What a careful operator sets although vLLM has another default, and what follows from other options."""
    defaults: dict[str, object] = {
        "tensor_parallel_size": tensor_parallel(ctx, VllmContainer()),
        "generation_config": "vllm",
        "max_num_queued_reqs": queue_limit(ctx),
        "enable_auto_tool_choice": ctx.given("tool_call_parser") or None,
        "enable_lora": ctx.given("lora_modules") or ctx.given("allow_runtime_lora_updating") or None,
    }
    variables: Environment = {}
    for keyword, value in defaults.items():
        if value is not None and keyword not in ctx.values:
            variables |= entrypoint_of(ctx).variables(keyword, value)
    return variables


def _image_variables(ctx: EngineContext) -> Environment:
    """What programs of the image read besides the arguments of the server."""
    values, supervised = ctx.values, ctx.values.get("process_auto_recovery") is True
    variables: Environment = {"HF_HOME": CACHE_FOLDER}
    if values.get("allow_runtime_lora_updating") is True:
        variables["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "true"
    if values.get("usage_stats") is not True:
        variables["VLLM_NO_USAGE_STATS"] = "1"
    if ctx.version >= SUPERVISED_SINCE:
        variables["PROCESS_AUTO_RECOVERY"] = _switch(values.get("process_auto_recovery", False), "true", "false")
    if is_hugging_faces(ctx) or values.get("lmcache") is False:
        variables["HF_ENABLE_LMCACHE"] = _switch(values.get("lmcache", False), "1", "0")
    if ctx.version >= _READY_TIMEOUT_SINCE and ctx.startup_seconds is not None:
        variables["VLLM_ENGINE_READY_TIMEOUT_S"] = _as_variable(ctx.startup_seconds)
    if ctx.network_isolation:
        variables |= {"HF_HUB_OFFLINE": "1", "STANDARD_AUTO_INSTALL_REQ": "false"}
    level = values.get("log_level")
    if level is not None:
        variables["VLLM_LOGGING_LEVEL"] = level if isinstance(level, Unknown) else str(level).upper()
    if isinstance(level, str) and supervised:
        variables["LOG_LEVEL"] = "warn" if level == VllmLogLevel.WARNING else str(level)
    return variables


def _extra_variables(ctx: EngineContext) -> Environment:
    extra, entrypoint = ctx.values.get("extra_args"), entrypoint_of(ctx)
    variables: Environment = {}
    for name, text in extra.items() if isinstance(extra, dict) else ():
        is_flag = isinstance(text, str) and text.lower() == "true"
        variables |= entrypoint.variables(name, True) if is_flag else {entrypoint.variable(name): text}
    return variables


def _switch(value: object, on: str, off: str) -> str | Unknown:
    if isinstance(value, Unknown):
        return value
    return on if value is True else off


def _as_variable(value: object) -> str | Unknown:
    return value if isinstance(value, Unknown) else str(value)
