"""How the images of a version make arguments of variables."""

from __future__ import annotations

from constructs_lib import InstanceType
from constructs_lib.planning.engine import EngineContext, Settings
from constructs_lib.planning.engines.sagemaker_arguments import Entrypoint
from constructs_lib.planning.engines.vllm.engine import VLLM
from constructs_lib.planning.engines.vllm.images import entrypoint_of
from constructs_lib.planning.images.catalogue import ImageFamily, Version, parse_version
from constructs_lib.planning.models.facts import ModelChoice


def version_of(text: str) -> Version:
    """A version as numbers."""
    version = parse_version(text)
    assert version is not None
    return version


def context(version: str, family: ImageFamily, values: Settings) -> EngineContext:
    """A model of the hub with some options."""
    return EngineContext(
        engine=VLLM,
        values=values,
        unknown={},
        version=version_of(version),
        model=ModelChoice(source="hub", hub_id="org/model", revision="main"),
        facts=None,
        instance=InstanceType.G6_12XLARGE,
        family=family,
        startup_seconds=600,
    )


def entrypoint(version: str, family: ImageFamily = VLLM.images) -> Entrypoint:
    """The entrypoint of the images of a version."""
    return entrypoint_of(context(version, family, {}))
