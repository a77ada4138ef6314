"""TGI's environment: from options to variables, and which further variables a caller may set.

Sources: TGI `sagemaker-entrypoint.sh` and `launcher/src/main.rs` at their tags; sagemaker-python-sdk
`_build_for_tgi` for the cache folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS, QUANTIZATION_SINCE, LauncherOption
from constructs_lib.planning.engines.tgi.options import Quantization, UsageStats
from constructs_lib.planning.images.version import Version, dotted
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.sagemaker import MAX_BODY_BYTES, VARIABLE
from constructs_lib.planning.validation.problem import AT_DEPLOYMENT, HIDDEN, Problem
from constructs_lib.planning.validation.rules import problem

MODEL_FOLDER = "/opt/ml/model"
"""Where SageMaker mounts weights from S3."""

CACHE_FOLDER = "/tmp"  # noqa: S108 - the instance's storage volume inside a SageMaker container
TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Both are set: TGI reads the first from 2.1.0 on, older versions the second."""

PAYLOAD_LIMIT_SINCE: Version = (2, 4, 1)
FIXED_PAYLOAD_LIMIT = 2_097_152

_HUB_TOKEN_NAMES = (*TOKEN_VARIABLES, "HF_API_TOKEN", "HUGGINGFACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN")
_FOREIGN_OWNERS = dict.fromkeys(_HUB_TOKEN_NAMES, "Model.from_hub(…, token=secret)") | {
    "MODEL_ID": "Model.from_hub(…)",
    "HF_MODEL_ID": "Model.from_hub(…)",
    "REVISION": "Model.from_hub(…, revision=…)",
    "HF_MODEL_REVISION": "Model.from_hub(…, revision=…)",
    "HF_HUB_OFFLINE": "Model.from_s3(…)",
    "HF_HOME": "options.huggingface_hub_cache",
    "NUM_SHARD": "options.num_shard",
    "QUANTIZE": "options.quantize",
    "TRUST_REMOTE_CODE": "options.trust_remote_code",
    "DISABLE_USAGE_STATS": "options.usage_stats",
    "DISABLE_CRASH_REPORTS": "options.usage_stats",
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
_SECRET_NAME = re.compile(r"KEY|TOKEN(?!S|IZER)|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
_HUB_TOKEN = re.compile(r"hf_[A-Za-z0-9]{16,}")


def owner(variable: str) -> str:
    """The argument that a variable of the environment comes from, as the caller writes it."""
    return _OWNERS.get(variable, f"environment[{variable!r}]")


def option_values(request: EndpointRequest, version: Version) -> tuple[dict[str, object], list[Problem]]:
    """The options that are given and right, and the problems of the others; tokens count as right."""
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for option in OPTIONS:
        value = getattr(request.options, option.keyword)
        if value is None:
            continue
        found = _option_problem(option, value, version, is_token=request.is_token(value))
        if found:
            problems.append(found)
        else:
            values[option.keyword] = value
    return values, problems


def _option_problem(option: LauncherOption, value: object, version: Version, *, is_token: bool) -> Problem | None:
    keyword = f"options.{option.keyword}"
    if not option.is_in(version):
        return Problem(
            keyword,
            AT_DEPLOYMENT if is_token else value,
            f"TGI {dotted(version)} does not have it; {_when(option)}",
            "Leave it out, or change image.",
        )
    if is_token:
        return None
    if found := problem(keyword, value, option.check):
        return found
    if option.keyword == "quantize" and version < (since := QUANTIZATION_SINCE[Quantization(str(value))]):
        return Problem(
            keyword,
            str(value),
            f"TGI {dotted(version)} does not have it; it came with {dotted(since)}",
            "Choose another one, or a newer image.",
        )
    return None


def _when(option: LauncherOption) -> str:
    if option.absent:
        return f"it was gone from {dotted(option.absent[0])} to {dotted(option.absent[1])}"
    if option.until:
        return f"only {dotted(option.since)} to {dotted(option.until)} have it"
    return f"it came with {dotted(option.since)}"


def option_variables(values: Mapping[str, object], request: EndpointRequest, version: Version) -> dict[str, str]:
    """The variables of the given options, in the table's order."""
    texts = {}
    for option in OPTIONS:
        if option.keyword in values and option.keyword != "usage_stats":
            value = values[option.keyword]
            is_token = request.is_token(value)
            texts[option.name_in(version)] = request.token_text(value) if is_token else option.check.text(value)
    if version < (0, 7, 0) and "HF_MODEL_QUANTIZE" in texts:
        texts["HF_MODEL_QUANTIZE"] = "true"  # the option was a flag then, for bitsandbytes
    return texts


def model_variables(request: EndpointRequest, version: Version) -> dict[str, str]:
    """The variables that say which weights to serve."""
    model = request.model
    if model.source == "s3":
        # TGI's router takes exactly "1" for an offline hub.
        return _model_id(MODEL_FOLDER, version) | {"HF_HUB_OFFLINE": "1"}
    variables = _model_id(str(model.hub_id), version)
    return variables | {"HF_MODEL_REVISION": str(model.revision)} if model.revision is not None else variables


def _model_id(model_id: str, version: Version) -> dict[str, str]:
    # Before 0.8 the entrypoint checked HF_MODEL_ID but did not pass it on.
    return {"HF_MODEL_ID": model_id} | ({"MODEL_ID": model_id} if version < (0, 8, 0) else {})


def default_variables(values: Mapping[str, object], version: Version) -> dict[str, str]:
    """What a careful operator sets although TGI has another default.

    The cache folder is the one with room (TGI's own differs by version, and /data has none on SageMaker); request
    bodies may be as large as SageMaker lets them be; nothing is reported to Hugging Face.
    """
    variables = {"HF_HOME": str(values.get("huggingface_hub_cache", CACHE_FOLDER))}
    if "huggingface_hub_cache" not in values:
        variables["HUGGINGFACE_HUB_CACHE"] = CACHE_FOLDER
    if version >= PAYLOAD_LIMIT_SINCE and "payload_limit" not in values:
        variables["PAYLOAD_LIMIT"] = str(MAX_BODY_BYTES)
    return variables | _usage_stats(str(values.get("usage_stats", UsageStats.OFF)), version)


def _usage_stats(choice: str, version: Version) -> dict[str, str]:
    if version < (2, 2, 0):
        return {}
    if version >= (2, 3, 0):
        return {"USAGE_STATS": choice}
    no_reports = {"DISABLE_CRASH_REPORTS": "true"} if choice != UsageStats.ON else {}
    return no_reports | ({"DISABLE_USAGE_STATS": "true"} if choice == UsageStats.OFF else {})


def extra_variables(request: EndpointRequest) -> tuple[dict[str, str], list[Problem]]:
    """The caller's further variables that are right, and the problems of the others."""
    right: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in request.environment.items():
        found = next(_extra_problems(name, value, is_token=request.is_token(value)), None)
        if found:
            problems.append(found)
        elif isinstance(name, str):
            right[name] = request.token_text(value) if request.is_token(value) else value
    return right, problems


def _extra_problems(name: object, value: object, *, is_token: bool) -> Iterator[Problem]:
    keyword = f"environment[{name!r}]"
    if not isinstance(name, str):
        yield Problem(keyword, value, f"a name must be text, not {type(name).__name__}", "Give a str.")
        return
    shown = HIDDEN if _SECRET_NAME.search(name) or is_token else value
    canonical = name.upper().replace("-", "_")
    if canonical in _REFUSED:
        yield Problem(keyword, shown, _REFUSED[canonical], "Leave it out.")
    if canonical in _OWNERS:
        argument = _OWNERS[canonical]
        yield Problem(keyword, shown, f"{canonical} is set by {argument}", f"Use {argument} instead.")
    if not VARIABLE.fullmatch(name) or len(name) > 1024:
        yield Problem(
            keyword, shown, "a name must be letters, digits and underscores, no digit first", "Rename the variable."
        )
    if not is_token:
        yield from _extra_value_problems(keyword, shown, value)


def _extra_value_problems(keyword: str, shown: object, value: object) -> Iterator[Problem]:
    if not isinstance(value, str):
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        fix = f"Write {text!r}." if isinstance(value, bool | int | float) else "Give a str."
        yield Problem(keyword, shown, f"must be text, not {type(value).__name__}", fix)
    elif _HUB_TOKEN.search(value):
        yield Problem(
            keyword,
            HIDDEN,
            "holds a Hugging Face token, which everyone who may describe the model could read",
            "Keep it in Secrets Manager and use Model.from_hub(…, token=secret).",
        )
    elif "\x00" in value or re.search(r"[\ud800-\udfff]", value):
        yield Problem(keyword, shown, "must not have NUL characters or broken Unicode", "Remove them.")
