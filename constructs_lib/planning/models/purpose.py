"""Whether a config.json is of a model that writes text; TGI serves no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from constructs_lib.planning.models.config_defaults import other_purpose
from constructs_lib.planning.validation.problem import Problem

_TEI = (
    "Use a model that generates text. This one is for SageMaker's image of Text Embeddings Inference (huggingface-tei)."
)
_TOOLKIT = "Use a model that generates text. This one is for SageMaker's image huggingface-pytorch-inference."
_PROBLEMS = {
    "sound": ("is of a model that works on sound", _TOOLKIT),
    "embeddings": ("is of an encoder, which makes embeddings or classifies text", _TEI),
    "images": ("is of a model that works on images and writes no text", _TOOLKIT),
}
_WRITES = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
_CLASSIFIES = ("ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")


def purpose_problem(config: Mapping[str, Any]) -> Problem | None:
    """Why a model writes no text; None if it may.

    Its class decides (`architectures`), since decoders are also trained to classify or to embed, and encoders can be
    given a language model's head; without one its `model_type`.
    """
    model_type, classes = config.get("model_type"), _classes(config)
    kind = other_purpose(str(model_type))
    if any(name.endswith(_CLASSIFIES) for name in classes):
        return _problem("architectures", classes[0], "embeddings")
    if kind and kind != "sound" and any(name.endswith(_WRITES) for name in classes):
        return None
    if kind:
        return _problem("model_type", model_type, kind)
    if classes and all(_has_no_head(name) for name in classes) and not _brings_language_model(config):
        return _problem("architectures", classes[0], "embeddings")
    return None


def _problem(keyword: str, value: object, kind: str) -> Problem:
    return Problem(keyword, value, *_PROBLEMS[kind])


def _classes(config: Mapping[str, Any]) -> list[str]:
    classes = config.get("architectures")
    return [name for name in classes if isinstance(name, str)] if isinstance(classes, list) else []


def _has_no_head(name: str) -> bool:
    """Classes such as MistralModel or T5EncoderModel stop before the vocabulary."""
    return name.endswith("Model") and not name.endswith(("LMHeadModel", "ChatModel"))


def _brings_language_model(config: Mapping[str, Any]) -> bool:
    auto_map = config.get("auto_map")
    return isinstance(auto_map, Mapping) and any("CausalLM" in name or "Seq2SeqLM" in name for name in auto_map)
