"""What is known of each architecture: one row per `model_type` of a config.json.

Sources: `get_model` in `server/text_generation_server/models/__init__.py` of TGI at each tag from v0.4.0 to v3.3.7 (the
version in a row is the first tag that has the class) and the classes below `models/custom_modeling`; the launcher's
`src/main.rs` at v3.3.6; for Neuron, huggingface/optimum-neuron at its tags, `optimum/exporters/neuron/model_configs*`
and from 0.2.0 on `optimum/neuron/models/inference/auto_models.py`; for layers, the model classes of transformers
4.51.0. config_defaults.json has the defaults of configurations, transformers.json what TGI leaves to transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.models.architecture import Architecture, Implementation, TgiSupport
from constructs_lib.planning.models.architectures import static, text, transformers_only, vision
from constructs_lib.planning.models.fallbacks import fallback
from constructs_lib.planning.models.transformers import PINS

if TYPE_CHECKING:
    from constructs_lib.planning.models.facts import ModelFacts


_ROWS = {row.model_type: row for row in (*text.ROWS, *vision.ROWS, *static.ROWS, *transformers_only.ROWS)}
"""By `model_type`."""

_BIGCODE_BY_TYPE: Version = (0, 7, 0)
"""First version that tells BigCode's models by their model_type, and not by their hub id alone."""


def architecture(model_type: str) -> Architecture:
    """The row of a `model_type`; for one that has none, what TGI and transformers do with an unknown architecture."""
    return _ROWS.get(model_type) or Architecture(model_type=model_type, tgi=TgiSupport())


def types_on_neuron(version: Version) -> list[str]:
    """Every `model_type` that a version of optimum-neuron runs, sorted."""
    return sorted(name for name, row in _ROWS.items() if row.neuron and row.neuron.runs_in(version))


def model_type_of(hub_id: str, config: Mapping[str, Any]) -> str:
    """The row that a model belongs to: `model_type`, but for what TGI tells apart by the hub id."""
    model_type = str(config.get("model_type"))
    return "gpt_bigcode" if model_type == "gpt2" and hub_id.startswith("bigcode/") else model_type


def implementation(facts: ModelFacts, version: Version, *, remote_code: bool = False) -> Implementation:
    """What a version of TGI runs a model with; it knows some by their hub id.

    Args:
        facts: The model.
        version: The version.
        remote_code: Whether the repository brings the model's code and TGI may run it (trust_remote_code).
    """
    row = architecture(facts.model_type)
    if facts.hub_id.startswith("facebook/galactica"):
        own = static.GALACTICA.own(version)
    elif facts.hub_id.startswith("bigcode/"):
        own = row.tgi.own(max(version, _BIGCODE_BY_TYPE))
    else:
        own = row.tgi.own(version)
    if own and (row.tgi.with_alibi or not facts.alibi):
        return own
    return fallback(row, version, remote_code=remote_code)


def first_version(
    facts: ModelFacts, wanted: Callable[[Implementation], bool], *, after: Version, remote_code: bool = False
) -> Version | None:
    """The first version of TGI after another that runs a model in a wanted way; None if there is none yet.

    Args:
        facts: The model.
        wanted: Whether that is the way.
        after: The other version.
        remote_code: See `implementation`.
    """
    tags = {one.since for one in architecture(facts.model_type).tgi.implementations} | {pin.tgi for pin in PINS}
    later = sorted(tag for tag in tags if tag > after)
    return next((tag for tag in later if wanted(implementation(facts, tag, remote_code=remote_code))), None)
