"""Write constructs_lib/planning/models/config_defaults.json from the installed transformers (`make defaults`)."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from constructs_lib.planning.models.config_fields import FIELDS, NESTED, TEXT_SECTIONS

TARGET = Path(__file__).parent.parent / "constructs_lib" / "planning" / "models" / "config_defaults.json"
ABOUT = (
    "types: what the configuration classes of transformers assume for fields that a config.json leaves out, by"
    " model_type; of the fields that planning reads. text_config is the text part of a model that has several."
    " others: each model_type that makes something else than text, by what it works on. Written by"
    " scripts/generate_config_defaults.py."
)
_OTHERS = {
    "sound": (
        "AUDIO_CLASSIFICATION",
        "CTC",
        "SPEECH_SEQ_2_SEQ",
        "TEXT_TO_SPECTROGRAM",
        "TEXT_TO_WAVEFORM",
    ),
    "embeddings": (
        "MASKED_LM",
        "QUESTION_ANSWERING",
        "SEQUENCE_CLASSIFICATION",
        "TEXT_ENCODING",
        "TOKEN_CLASSIFICATION",
    ),
    "images": (
        "BACKBONE",
        "DEPTH_ESTIMATION",
        "IMAGE_CLASSIFICATION",
        "MASKED_IMAGE_MODELING",
        "OBJECT_DETECTION",
        "SEMANTIC_SEGMENTATION",
        "UNIVERSAL_SEGMENTATION",
        "ZERO_SHOT_IMAGE_CLASSIFICATION",
    ),
}
"""The tables of modeling_auto with what each kind of model is for. A model in the tables of several kinds is of the
first; one that also writes text is none, unless it hears, or fills gaps in a text as BERT does."""
_TIED = "tie_word_embeddings"


def generate() -> dict[str, Any]:
    """The defaults of each architecture that transformers can generate text with."""
    types: dict[str, dict[str, Any]] = {}
    for config in _configurations():
        _add(config, types)
    source = f"transformers {importlib.metadata.version('transformers')}"
    return {"about": ABOUT, "source": source, "types": dict(sorted(types.items())), "others": _others()}


def _table(name: str) -> set[str]:
    table: Mapping[str, str] = getattr(modeling_auto, f"MODEL_FOR_{name}_MAPPING_NAMES")
    return set(table)


def _others() -> dict[str, list[str]]:
    tables = {kind: set[str]().union(*map(_table, names)) for kind, names in _OTHERS.items()}
    translates = _table("SEQ_TO_SEQ_CAUSAL_LM") | _table("IMAGE_TEXT_TO_TEXT")
    writes = translates | (_table("CAUSAL_LM") - _table("MASKED_LM"))
    sound = tables["sound"] - _table("IMAGE_TEXT_TO_TEXT")
    embeddings = tables["embeddings"] - writes - sound
    images = tables["images"] - writes - sound - embeddings
    return {"sound": sorted(sound), "embeddings": sorted(embeddings), "images": sorted(images)}


def _configurations() -> Iterator[PretrainedConfig]:
    """A configuration of each architecture, with nothing but defaults."""
    names = _table("CAUSAL_LM") | _table("SEQ_TO_SEQ_CAUSAL_LM") | _table("IMAGE_TEXT_TO_TEXT")
    for name in sorted(names & set(CONFIG_MAPPING.keys())):
        kind = CONFIG_MAPPING[name]
        if not getattr(kind, "is_composition", False) or TEXT_SECTIONS[0] in kind.sub_configs:
            yield kind()


def _add(config: PretrainedConfig, types: dict[str, dict[str, Any]]) -> None:
    if config.model_type in types:
        return
    found = types[config.model_type] = _defaults(type(config), config)
    text = getattr(config, TEXT_SECTIONS[0], None)
    if isinstance(text, PretrainedConfig):
        _add(type(text)(), types)
        assumed = types[text.model_type]
        differs = {name: value for name, value in _read(text.to_dict()) if assumed.get(name, value) != value}
        found[TEXT_SECTIONS[0]] = {"model_type": text.model_type} | differs


def _defaults(kind: type[PretrainedConfig], config: PretrainedConfig) -> dict[str, Any]:
    """Defaults that stand in the signature; what a class derives from other fields has none there."""
    signature = {name: one.default for name, one in inspect.signature(kind.__init__).parameters.items()}
    nested = (getattr(config, name, None) for name in NESTED)
    inner = {name: value for one in nested if isinstance(one, PretrainedConfig) for name, value in _read(one.to_dict())}
    tied = {_TIED: config.tie_word_embeddings}
    return dict(sorted({**inner, **dict(_read(signature)), **tied}.items()))


def _read(values: Mapping[str, Any]) -> Iterator[tuple[str, int | bool | str]]:
    return ((name, value) for name, value in values.items() if name in FIELDS and isinstance(value, int | str))


def _one_row_a_line(catalogue: dict[str, Any]) -> str:
    text = json.dumps(catalogue, indent=1)
    row = re.compile(r"^  (\"[^\"]+\": )(\{.*?^  \})", re.DOTALL | re.MULTILINE)
    text = re.sub(r"\[[^\[\]]*\]", lambda found: json.dumps(json.loads(found.group())), text)
    return row.sub(lambda found: f"  {found[1]}{json.dumps(json.loads(found[2]))}", text) + "\n"


def main() -> None:
    """Write the defaults and print the number of architectures."""
    catalogue = generate()
    TARGET.write_text(_one_row_a_line(catalogue), encoding="utf-8")
    sys.stderr.write(f"{catalogue['source']}: {len(catalogue['types'])} architectures → {TARGET}\n")


if __name__ == "__main__":
    main()
