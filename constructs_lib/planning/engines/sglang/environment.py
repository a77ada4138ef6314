"""The environment of SGLang's container: from options to variables, and which further variables a caller may set.

Sources: aws/deep-learning-containers `scripts/docker/sglang/sagemaker_entrypoint.sh` at e0ecedea; SGLang
`python/sglang/srt/arg_groups/fields` at 0.5.20 for the defaults.
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext, Environment
from constructs_lib.planning.engines.hub_token import HUB_TOKEN_OWNERS
from constructs_lib.planning.engines.other_servers import unread_sentences
from constructs_lib.planning.engines.sagemaker_arguments import MODEL_FOLDER
from constructs_lib.planning.engines.sglang.arguments import OWNERS, REFUSED
from constructs_lib.planning.engines.sglang.images import HUGGING_FACE
from constructs_lib.planning.engines.sglang.launcher_options import ENTRYPOINT, OPTIONS
from constructs_lib.planning.engines.sglang.options import SamplingDefaults
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.validation.unknown import Unknown

CACHE_FOLDER = "/tmp"  # noqa: S108 - the instance's storage volume inside a SageMaker container
HUB_TOKEN_VARIABLES = ("HF_TOKEN",)

MAX_QUEUED_REQUESTS = 128
"""Requests that wait where the caller sets no limit: SGLang has none, and TGI takes 128 at one time."""

_OWNERS = HUB_TOKEN_OWNERS | {
    "HF_MODEL_ID": "Model.from_hub(…)",
    "HF_MODEL_REVISION": "Model.from_hub(…, revision=…)",
    "HF_REVISION": "Model.from_hub(…, revision=…)",
    "HF_HUB_OFFLINE": "Model.from_s3(…)",
    "SM_NUM_GPUS": "options.tp_size",
    "HF_MODEL_TRUST_REMOTE_CODE": "options.trust_remote_code",
    "HF_MODEL_QUANTIZE": "options.quantization",
}

VARIABLES = frozenset((*_OWNERS, "HF_HOME", *(ENTRYPOINT.variable(name) for name in OWNERS)))
"""Every variable that some image reads and that is not refused."""


def owner(variable: str) -> str | None:
    """The argument that sets a variable, as the caller writes it; None for one that callers may set."""
    if not variable.startswith(ENTRYPOINT.prefix):
        return _OWNERS.get(variable)
    argument = ENTRYPOINT.option(variable)
    return None if argument in REFUSED else OWNERS.get(argument, f"options.extra_args[{argument!r}]")


def refusal(variable: str) -> str | None:
    """Why a variable must not be set at all; None if it may."""
    return REFUSED.get(ENTRYPOINT.option(variable)) if variable.startswith(ENTRYPOINT.prefix) else None


def unread(variable: str, version: Version) -> str | None:
    """Why SGLang ignores a variable, and what to use instead, as sentences; None if it may read it."""
    return unread_sentences(variable, server="SGLang", besides=("SGLang",), meant=_MEANT, owners=OWNERS)


_MEANT = {
    "max_model_len": "options.context_length",
    "max_total_tokens": "options.context_length",
    "max_num_seqs": "options.max_running_requests",
    "max_rolling_batch_size": "options.max_running_requests",
    "max_batch_size": "options.max_running_requests",
    "max_concurrent_requests": "options.max_queued_requests",
    "max_num_batched_tokens": "options.chunked_prefill_size",
    "gpu_memory_utilization": "options.mem_fraction_static",
    "cuda_memory_fraction": "options.mem_fraction_static",
    "tensor_parallel_degree": "options.tp_size",
    "num_shard": "options.tp_size",
    "quantize": "options.quantization",
    "model_id": "Model.from_hub(…)",
    "lora_modules": "options.lora_paths",
    "lora_adapters": "options.lora_paths",
}
"""What an argument of another server is called here, by its name without the prefix."""


def render_environment(ctx: EngineContext) -> Environment:
    """The container's variables (see `Engine.environment`).

    Args:
        ctx: The context with the options that make the model fit.
    """
    return _model_variables(ctx) | _option_variables(ctx) | _default_variables(ctx) | _extra_variables(ctx)


def _model_variables(ctx: EngineContext) -> Environment:
    """Which weights to serve."""
    model = ctx.model
    if model.source == "s3":
        return _model_path(ctx, MODEL_FOLDER) | {"HF_HUB_OFFLINE": "1"}
    variables = _model_path(ctx, _as_variable(model.hub_id))
    return variables | (ENTRYPOINT.variables("revision", _as_variable(model.revision)) if model.revision else {})


def _model_path(ctx: EngineContext, path: str | Unknown) -> Environment:
    """AWS's image ignores HF_MODEL_ID. The entrypoint of Hugging Face's is not published, so that has both."""
    both: Environment = {"HF_MODEL_ID": path} if ctx.images == HUGGING_FACE else {}
    return ENTRYPOINT.variables("model_path", path) | both


def _option_variables(ctx: EngineContext) -> Environment:
    variables: Environment = {}
    for option in OPTIONS:
        value, name = ctx.values.get(option.keyword), option.name_in(ctx.version)
        if value is not None:
            argument = ENTRYPOINT.option(name)
            text = value if isinstance(value, bool | Unknown) else option.rule.to_env(value)
            variables |= ENTRYPOINT.variables(argument, text)
    return variables


def _default_variables(ctx: EngineContext) -> Environment:
    """What a careful operator sets although SGLang has another default."""
    values = ctx.values
    variables: Environment = {"HF_HOME": CACHE_FOLDER}
    if "tp_size" not in values:
        variables |= ENTRYPOINT.variables("tp_size", str(ctx.engine.memory_model.shards(ctx)))
    if "max_queued_requests" not in values:
        variables |= ENTRYPOINT.variables("max_queued_requests", str(MAX_QUEUED_REQUESTS))
    if "sampling_defaults" not in values:
        variables |= ENTRYPOINT.variables("sampling_defaults", SamplingDefaults.OPENAI.value)
    if "enable_metrics" not in values:
        variables |= ENTRYPOINT.variables("enable_metrics", True)
    return variables


def _extra_variables(ctx: EngineContext) -> Environment:
    extra = ctx.values.get("extra_args")
    return {ENTRYPOINT.variable(name): text for name, text in extra.items()} if isinstance(extra, dict) else {}


def _as_variable(value: object) -> str | Unknown:
    return value if isinstance(value, Unknown) else str(value)
