"""TGI's environment: from options to variables, and which further variables a caller may set.

Sources: TGI `sagemaker-entrypoint.sh` and `launcher/src/main.rs` at their tags; sagemaker-python-sdk
`_build_for_tgi` for the cache folder.
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext, Environment
from constructs_lib.planning.engines.hub_token import HUB_TOKEN_OWNERS
from constructs_lib.planning.engines.option_table import option_variables
from constructs_lib.planning.engines.tgi.batch_limits import batch_setting
from constructs_lib.planning.engines.tgi.context import attention_of
from constructs_lib.planning.engines.tgi.foreign_variables import READ
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS, QUANTIZATION_SINCE
from constructs_lib.planning.engines.tgi.options import Attention, Quantization, UsageStats
from constructs_lib.planning.engines.tgi.prefill import prefill_setting
from constructs_lib.planning.engines.tgi.sharding import num_shard
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.validation.unknown import Unknown

MODEL_FOLDER = "/opt/ml/model"
"""Where SageMaker mounts weights from S3."""

CACHE_FOLDER = "/tmp"  # noqa: S108 - the instance's storage volume inside a SageMaker container
HUB_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Both are set: TGI reads the first from 2.1.0 on, older versions the second."""

_PAGED_SWITCHES_OFF: Version = (2, 4, 0)
"""First version whose launcher switches prefix caching off for paged attention; with both, the server of 2.3 stops
(`launcher/src/main.rs` and `server/text_generation_server/models/globals.py` at v2.3.1 and v2.4.0)."""

PAYLOAD_LIMIT_SINCE: Version = (2, 4, 1)
FIXED_PAYLOAD_LIMIT = 2_097_152

MODEL_OWNERS = HUB_TOKEN_OWNERS | {
    "MODEL_ID": "Model.from_hub(…)",
    "HF_MODEL_ID": "Model.from_hub(…)",
    "REVISION": "Model.from_hub(…, revision=…)",
    "HF_MODEL_REVISION": "Model.from_hub(…, revision=…)",
    "HF_HUB_OFFLINE": "Model.from_s3(…)",
    "HF_HOME": "options.huggingface_hub_cache",
    "DISABLE_USAGE_STATS": "options.usage_stats",
    "DISABLE_CRASH_REPORTS": "options.usage_stats",
}
"""The arguments that set variables of the model and of what TGI reports."""

_FOREIGN_OWNERS = MODEL_OWNERS | {
    "NUM_SHARD": "options.num_shard",
    "QUANTIZE": "options.quantize",
    "TRUST_REMOTE_CODE": "options.trust_remote_code",
}
_REFUSED = {
    "API_KEY": "makes TGI demand an Authorization header that SageMaker never forwards: every request would get 401",
    "PORT": "is SageMaker's: it reaches the container on port 8080",
    "HOSTNAME": "is SageMaker's: it reaches the container on every interface",
} | dict.fromkeys(
    ("NGROK", "NGROK_AUTHTOKEN", "NGROK_EDGE", "NGROK_DOMAIN", "NGROK_USERNAME", "NGROK_PASSWORD"),
    "opens a public tunnel around SageMaker's authorization (and stops TGI 3 with a panic)",
)
_OWNERS = (
    _FOREIGN_OWNERS
    | {option.variable: f"options.{option.keyword}" for option in OPTIONS}
    | {option.older[0]: f"options.{option.keyword}" for option in OPTIONS if option.older}
)


def owner(variable: str) -> str | None:
    """The argument that sets a variable, as the caller writes it; None for one that callers may set."""
    return _OWNERS.get(variable)


def refusal(variable: str) -> str | None:
    """Why a variable must not be set at all; None if it may."""
    return _REFUSED.get(variable)


VARIABLES = READ | _OWNERS.keys()
"""Every variable that TGI reads and that is not refused."""


def render_environment(ctx: EngineContext, fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
    """The container's variables (see `Engine.environment`)."""
    return (
        _model_variables(ctx.model, ctx.version)
        | {"SM_NUM_GPUS": str(num_shard(ctx))}
        | _option_variables(fitted)
        | default_variables(ctx)
        | _derived_variables(fitted, memory)
    )


def _model_variables(model: ModelChoice, version: Version) -> Environment:
    """The variables that say which weights to serve."""
    if model.source == "s3":
        # TGI's router takes exactly "1" for an offline hub.
        return _model_id(MODEL_FOLDER, version) | {"HF_HUB_OFFLINE": "1"}
    variables = _model_id(_as_variable(model.hub_id), version)
    return variables | {"HF_MODEL_REVISION": _as_variable(model.revision)} if model.revision is not None else variables


def _model_id(model_id: str | Unknown, version: Version) -> Environment:
    # Before 0.8 the entrypoint checked HF_MODEL_ID but did not pass it on.
    return {"HF_MODEL_ID": model_id} | ({"MODEL_ID": model_id} if version < (0, 8, 0) else {})


def _option_variables(ctx: EngineContext) -> Environment:
    variables = option_variables(OPTIONS, ctx.values, ctx.version)
    variables.pop("USAGE_STATS", None)  # whose variables depend on the version
    if ctx.version < (0, 7, 0) and "HF_MODEL_QUANTIZE" in variables:
        variables["HF_MODEL_QUANTIZE"] = "true"  # the option was a flag then, for bitsandbytes
    return variables


def default_variables(ctx: EngineContext) -> Environment:
    """What a careful operator sets although TGI has another default.

    The cache folder is the one with room (TGI's own differs by version, and /data has none on SageMaker); request
    bodies may be as large as SageMaker lets them be; nothing is reported to Hugging Face.
    """
    values = ctx.values
    variables: Environment = {"HF_HOME": _as_variable(values.get("huggingface_hub_cache", CACHE_FOLDER))}
    if "huggingface_hub_cache" not in values:
        variables["HUGGINGFACE_HUB_CACHE"] = CACHE_FOLDER
    if ctx.version >= PAYLOAD_LIMIT_SINCE and "payload_limit" not in values:
        variables["PAYLOAD_LIMIT"] = str(MAX_BODY_BYTES)
    return variables | _usage_stats(_as_variable(values.get("usage_stats", UsageStats.OFF)), ctx.version)


def _usage_stats(choice: str | Unknown, version: Version) -> Environment:
    if version < (2, 2, 0):
        return {}
    if version >= (2, 3, 0):
        return {"USAGE_STATS": choice}
    no_reports: Environment = {"DISABLE_CRASH_REPORTS": "true"} if choice != UsageStats.ON else {}
    return no_reports | ({"DISABLE_USAGE_STATS": "true"} if choice == UsageStats.OFF else {})


def _derived_variables(fitted: EngineContext, memory: MemoryPlan | None) -> Environment:
    """What would have to be set by hand for these options, this model or this GPU."""
    variables: Environment = {}
    if compression := _published_compression(fitted):
        variables["HF_MODEL_QUANTIZE"] = compression
    attention = attention_of(fitted)
    if attention and "attention" not in fitted.values:
        variables["ATTENTION"] = attention
    if attention == Attention.PAGED and fitted.version < _PAGED_SWITCHES_OFF and "prefix_caching" not in fitted.values:
        variables["USE_PREFIX_CACHING"] = "false"
    prefill = fitted.number("max_batch_prefill_tokens") or prefill_setting(fitted)
    if prefill is not None:
        variables["MAX_BATCH_PREFILL_TOKENS"] = str(prefill)
    batch = batch_setting(fitted, memory) if memory else None
    if batch is not None:
        variables["MAX_BATCH_TOTAL_TOKENS"] = str(batch)
    return variables


def _published_compression(ctx: EngineContext) -> str | None:
    """The format of AWQ and GPTQ weights, for TGI before 2.0 and for models without quantization_config.

    Those versions detect no format (`get_model` at v1.4.5), and no version reads one from quantize_config.json. With a
    dtype it stays unsaid, because `cli.py` takes only one of the two.
    """
    kind = ctx.facts.quantization if ctx.facts else None
    known = kind in ("awq", "gptq") and ctx.version >= QUANTIZATION_SINCE[Quantization(kind)]
    return kind if known and not ctx.given("quantize") and not ctx.given("dtype") else None


def _as_variable(value: object) -> str | Unknown:
    return value if isinstance(value, Unknown) else str(value)
