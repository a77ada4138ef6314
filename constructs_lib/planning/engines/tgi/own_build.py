"""Builds and forks of TGI whose entrypoint may be another than AWS's."""

from __future__ import annotations

from constructs_lib.planning.engine import Environment

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
