"""The environment of LMI's container: from options to variables, and which further variables a caller may set.

Sources: deepjavalibrary/djl-serving `serving/docker/{lmi.Dockerfile,dockerd-entrypoint-with-cuda-compat.sh}` and
`serving/src/main/java/ai/djl/serving/util/{ConfigManager,ModelStore}.java` at d21927c4.
"""

from __future__ import annotations

import re

from constructs_lib.planning.engine import EngineContext, Environment
from constructs_lib.planning.engines.hub_token import HUB_TOKEN_OWNERS
from constructs_lib.planning.engines.lmi.arguments import OWNERS, REFUSED
from constructs_lib.planning.engines.lmi.launcher_options import ON_BY_DEFAULT, OPTIONS, PREFIX
from constructs_lib.planning.engines.lmi.releases import ASYNC_BY_NAME
from constructs_lib.planning.engines.other_servers import unread_sentences
from constructs_lib.planning.validation.unknown import Unknown

HUB_TOKEN_VARIABLES = ("HF_TOKEN",)
"""The only variable whose value LMI does not print."""

SEQUENCES = 256
"""Requests at one time where nothing else is said: vLLM's own number for GPUs below 70 GiB; LMI's is 32."""

LONGEST_STREAM = 480
"""Seconds that SageMaker keeps a stream open (AWS's guide, InvokeEndpointWithResponseStream)."""

_OWNERS = HUB_TOKEN_OWNERS | {
    "HF_MODEL_ID": "Model.from_hub(…)",
    "HF_REVISION": "Model.from_hub(…, revision=…)",
    "HF_MODEL_REVISION": "Model.from_hub(…, revision=…)",
    "HF_HUB_OFFLINE": "Model.from_s3(…)",
    # Names of TGI's, which the entrypoint translates.
    "HF_MODEL_QUANTIZE": "options.quantize",
    "HF_MODEL_TRUST_REMOTE_CODE": "options.trust_remote_code",
    "SM_NUM_GPUS": "options.tensor_parallel_degree",
    "MAX_BATCH_PREFILL_TOKENS": "options.max_rolling_batch_prefill_tokens",
    "MAX_BATCH_SIZE": "options.max_rolling_batch_size",
    "ENABLE_CUDA_GRAPHS": "options.enforce_eager",
    "CUDA_MEMORY_FRACTION": "options.gpu_memory_utilization",
    # Names that LMI has for some options.
    "MODEL_LOADING_TIMEOUT": "options.model_loading_timeout",
    "SAGEMAKER_STARTUP_TIMEOUT": "options.model_loading_timeout",
    "PREDICT_TIMEOUT": "options.predict_timeout",
    "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "options.predict_timeout",
}
_OWNERS |= {
    option.variable: f"options.{option.keyword}" for option in OPTIONS if not option.variable.startswith(PREFIX)
}

_PRINTED = re.compile(r"(?:SERVING|PYTHON|DJL_|HF_|OPTION_).*|.*SAGEMAKER.*")
_SECRET = re.compile(r"KEY|TOKEN(?!S|IZER)|SECRET|PASSW|CREDENTIAL|AUTH")
_READ = ("MAX_CONCURRENT_REQUESTS", "PIPELINE_PARALLEL_DEGREE", "HF_TASK", "HF_HOME", "SERVING_JOB_QUEUE_SIZE")

VARIABLES = frozenset((*_OWNERS, *_READ, *(f"{PREFIX}{name.upper()}" for name in OWNERS)))
"""Every variable that some version reads and that is not refused."""


def owner(variable: str) -> str | None:
    """The argument that sets a variable, as the caller writes it; None for one that callers may set."""
    if not variable.startswith(PREFIX):
        return _OWNERS.get(variable)
    name = variable.removeprefix(PREFIX).lower()
    return None if name in REFUSED else OWNERS.get(name, f"options.extra_args[{name!r}]")


def refusal(variable: str) -> str | None:
    """Why a variable must not be set at all; None if it may."""
    if variable.startswith(PREFIX):
        return REFUSED.get(variable.removeprefix(PREFIX).lower())
    if variable == "PIPELINE_PARALLEL_DEGREE":
        return REFUSED["pipeline_parallel_degree"]
    if variable not in _OWNERS and _PRINTED.fullmatch(variable) and _SECRET.search(variable):
        return "would be printed to the container's log: of all variables LMI hides the value of HF_TOKEN alone"
    return None


def unread(variable: str) -> str | None:
    """Why LMI ignores a variable, and what to use instead, as sentences; None if it may read it."""
    if variable in _READ:
        return None
    return unread_sentences(variable, server="LMI", besides=("DJL LMI", "vLLM"), meant=_MEANT, owners=OWNERS)


_MEANT = {
    "max_total_tokens": "options.max_model_len",
    "context_length": "options.max_model_len",
    "max_running_requests": "options.max_rolling_batch_size",
    "chunked_prefill_size": "options.max_rolling_batch_prefill_tokens",
    "mem_fraction_static": "options.gpu_memory_utilization",
    "num_shard": "options.tensor_parallel_degree",
    "tp": "options.tensor_parallel_degree",
    "tp_size": "options.tensor_parallel_degree",
    "model_path": "Model.from_hub(…)",
    "lora_modules": "options.enable_lora",
    "lora_adapters": "options.enable_lora",
    "lora_paths": "options.enable_lora",
}
"""What an argument of another server is called here, by its name without the prefix."""


def render_environment(ctx: EngineContext) -> Environment:
    """The container's variables (see `Engine.environment`).

    Args:
        ctx: The context with the options that make the model fit.
    """
    return _model_variables(ctx) | _option_variables(ctx) | _default_variables(ctx) | _extra_variables(ctx)


def _model_variables(ctx: EngineContext) -> Environment:
    """Which weights to serve: one source, as LMI loads what lies in /opt/ml/model beside what HF_MODEL_ID names.

    With two models it answers 400 "Parameter model_name is required." (`InferenceRequestHandler.java`).
    """
    if ctx.model.source == "s3":
        return {"HF_HUB_OFFLINE": "1"}
    variables: Environment = {"HF_MODEL_ID": _as_variable(ctx.model.hub_id)}
    return variables | ({"HF_REVISION": _as_variable(ctx.model.revision)} if ctx.model.revision is not None else {})


def _option_variables(ctx: EngineContext) -> Environment:
    variables: Environment = {}
    for option in OPTIONS:
        value = ctx.values.get(option.keyword)
        if value is None or (value is False and option.keyword not in ON_BY_DEFAULT):
            continue
        variables[option.variable] = value if isinstance(value, Unknown) else option.rule.to_env(value)
    return variables


def _default_variables(ctx: EngineContext) -> Environment:
    """What a careful operator sets although LMI has another default, and what other options need."""
    values, shards = ctx.values, str(ctx.engine.memory_model.shards(ctx))
    defaults: dict[str, str | Unknown] = {
        "tensor_parallel_degree": shards,
        "max_rolling_batch_size": str(SEQUENCES),
        "generation_config": "vllm",
        "predict_timeout": str(LONGEST_STREAM),
        "chunked_read_timeout": str(LONGEST_STREAM),
    }
    if ctx.startup_seconds is not None:
        defaults["model_loading_timeout"] = _as_variable(ctx.startup_seconds)
    variables = {one.variable: defaults[one.keyword] for one in OPTIONS if one.keyword in defaults}
    given = {one.variable for one in OPTIONS if one.keyword in values}
    return {name: text for name, text in variables.items() if name not in given} | _mode(ctx) | _parsers(ctx)


def _mode(ctx: EngineContext) -> Environment:
    """The asynchronous mode, also for a model whose config.json LMI cannot read when it starts."""
    variables: Environment = {"OPTION_ROLLING_BATCH": "disable", "OPTION_ASYNC_MODE": "true"}
    if ctx.version < ASYNC_BY_NAME:
        variables["OPTION_ENTRYPOINT"] = "djl_python.lmi_vllm.vllm_async_service"
    return variables


def _parsers(ctx: EngineContext) -> Environment:
    """The switches without which vLLM does not use the parsers."""
    variables: Environment = {}
    if ctx.given("tool_call_parser"):
        variables["OPTION_ENABLE_AUTO_TOOL_CHOICE"] = "true"
    if ctx.given("reasoning_parser") and ctx.version < (16, 0, 0):
        variables["OPTION_ENABLE_REASONING"] = "true"
    return variables


def _extra_variables(ctx: EngineContext) -> Environment:
    extra = ctx.values.get("extra_args")
    return {f"{PREFIX}{name.upper()}": text for name, text in extra.items()} if isinstance(extra, dict) else {}


def _as_variable(value: object) -> str | Unknown:
    return value if isinstance(value, Unknown) else str(value)
