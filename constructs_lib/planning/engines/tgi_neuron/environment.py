"""The environment of TGI for Neuron: from options to variables, and which further variables a caller may set.

Sources: the entrypoints in awslabs/llm-hosting-container huggingface/pytorch/optimum/docker/{3.3.4,3.3.6}/Dockerfile,
and for older images huggingface/optimum-neuron text-generation-inference/sagemaker-entrypoint.sh; TGI v3.3.6
`backends/neuron/server/text_generation_server/{tgi_env,model}.py`.
"""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext, Environment
from constructs_lib.planning.engines.option_table import option_variables
from constructs_lib.planning.engines.tgi.environment import MODEL_FOLDER, MODEL_OWNERS, default_variables
from constructs_lib.planning.engines.tgi.environment import refusal as tgi_refusal
from constructs_lib.planning.engines.tgi_neuron.absent import ABSENT_VARIABLES
from constructs_lib.planning.engines.tgi_neuron.launcher_options import OPTIONS
from constructs_lib.planning.engines.tgi_neuron.sizes import derived_settings
from constructs_lib.planning.engines.tgi_neuron.versions import ONE_NAME_FOR_SIZES, with_tgi_version
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.unknown import Unknown

_REFUSES = {"DISABLE_GRAMMAR_SUPPORT": "true", "MAX_BEST_OF": "1", "MAX_TOP_N_TOKENS": "0"}
"""What makes the router refuse a grammar, best_of and top_n_tokens, which the server would ignore."""

_OLDER_SIZES = {"HF_BATCH_SIZE": "MAX_BATCH_SIZE", "HF_SEQUENCE_LENGTH": "MAX_TOTAL_TOKENS"}

_OWNERS = (
    MODEL_OWNERS
    | {option.variable: f"options.{option.keyword}" for option in OPTIONS}
    | {option.older[0]: f"options.{option.keyword}" for option in OPTIONS if option.older}
    | {"HF_BATCH_SIZE": "options.max_batch_size", "HF_SEQUENCE_LENGTH": "options.max_total_tokens"}
)

VARIABLES = frozenset(_OWNERS)
"""Every variable that some version reads."""


def owner(variable: str) -> str | None:
    """The argument that sets a variable, as the caller writes it; None for one that callers may set."""
    return _OWNERS.get(variable)


def refusal(variable: str) -> str | None:
    """Why a variable must not be set at all; None if it may."""
    return ABSENT_VARIABLES.get(variable) or tgi_refusal(variable)


def render_environment(ctx: EngineContext) -> Environment:
    """The container's variables (see `Engine.environment`)."""
    like_tgi = with_tgi_version(ctx)
    variables = option_variables(OPTIONS, {**ctx.values, **derived_settings(ctx)}, like_tgi.version)
    variables.pop("USAGE_STATS", None)  # whose variables depend on the version
    if ctx.version < ONE_NAME_FOR_SIZES:
        variables |= {older: variables[name] for older, name in _OLDER_SIZES.items() if name in variables}
    return _model_variables(ctx.model) | variables | default_variables(like_tgi) | _REFUSES


def _model_variables(model: ModelChoice) -> Environment:
    """The variables that say which model to serve, by the names of every image.

    The image 0.3.0 reads MODEL_ID and REVISION, those before it HF_MODEL_ID and HF_MODEL_REVISION.
    """
    if model.source == "s3":
        return _both("MODEL_ID", MODEL_FOLDER) | {"HF_HUB_OFFLINE": "1"}
    revision: object = model.revision
    return _both("MODEL_ID", model.hub_id) | ({} if revision is None else _both("REVISION", revision))


def _both(name: str, value: object) -> Environment:
    text = value if isinstance(value, Unknown) else str(value)
    prefixed = f"HF_{name}" if name == "MODEL_ID" else f"HF_MODEL_{name}"
    return {name: text, prefixed: text}
