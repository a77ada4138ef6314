"""Builds and forks of TGI that may differ from the version that they are based on."""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext, Environment
from constructs_lib.planning.engines.tgi.hub_formats import hub_format_problems
from constructs_lib.planning.engines.tgi.version_rules import version_problems
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import PlanWarning, shown

_LAUNCHER_NAMES = {
    "HF_MODEL_ID": "MODEL_ID",
    "HF_MODEL_REVISION": "REVISION",
    "SM_NUM_GPUS": "NUM_SHARD",
    "HF_MODEL_QUANTIZE": "QUANTIZE",
    "HF_MODEL_TRUST_REMOTE_CODE": "TRUST_REMOTE_CODE",
}
"""What `sagemaker-entrypoint.sh` reads, and what it passes to the launcher as (TGI 3.3.6)."""

SAGEMAKER_PORT = "8080"


def launcher_variables(environment: Environment) -> Environment:
    """The launcher's own names of what AWS's entrypoint translates, for an image whose entrypoint does not."""
    named: Environment = {name: environment[given] for given, name in _LAUNCHER_NAMES.items() if given in environment}
    return named | {"PORT": SAGEMAKER_PORT}


def own_build_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """What the version as it was published could not run; whether the build can is not known."""
    for found in (*version_problems(ctx), *hub_format_problems(ctx)):
        yield PlanWarning(
            "tgi-endpoint:ownBuildUnchecked",
            f"{found.keyword}={shown(found.value)}: {found.message}. That is so for TGI"
            f" {format_version(ctx.version)} as it was published; whether your build differs is not known.",
        )
