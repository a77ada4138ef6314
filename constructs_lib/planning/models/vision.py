"""How many parameters the vision part of a model has: the models that read images and that the catalogue has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from constructs_lib.planning.models.parameter_count import cross_attention_parameters, llama_parameters
from constructs_lib.planning.models.shape import Shape

# SiglipVisionConfig and MllamaVisionConfig of transformers 4.51.0, for what a config.json leaves out.
_SIGLIP = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "image_size": 224,
    "patch_size": 16,
    "num_channels": 3,
}
_MLLAMA = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_global_layers": 8,
    "image_size": 448,
    "patch_size": 14,
    "num_channels": 3,
    "max_num_tiles": 4,
    "vision_output_dim": 7680,
}
_MLLAMA_ASPECT_RATIOS = 8


def gemma3_parameters(config: Mapping[str, Any], text: int, shape: Shape) -> int:
    """Gemma 3 with its SigLIP encoder and the projection of images into text."""
    vision = _vision(config, _SIGLIP)
    hidden = vision["hidden_size"]
    patches = (vision["image_size"] // vision["patch_size"]) ** 2
    embeddings = _patches(vision) + hidden + patches * hidden
    layers = vision["num_hidden_layers"] * _encoder_layer(vision)
    projector = hidden * shape.hidden + hidden
    return text + embeddings + layers + 2 * hidden + projector


def mllama_parameters(config: Mapping[str, Any], shape: Shape) -> int:
    """Llama 3.2 Vision: Llama's layers, those that look at the image, and the encoder of the image."""
    vision = _vision(config, _MLLAMA)
    hidden, tiles = vision["hidden_size"], vision["max_num_tiles"]
    patches = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    ratios = _MLLAMA_ASPECT_RATIOS + 1
    positions = patches * hidden + ratios * tiles * patches * hidden + 2 * ratios * tiles * hidden
    depth = vision["num_hidden_layers"] + vision["num_global_layers"]
    encoder = _patches(vision) + positions + depth * (_encoder_layer(vision) - 4 * hidden) + 4 * hidden
    projector = vision["vision_output_dim"] * shape.hidden + shape.hidden
    crossed = shape.config.get("cross_attention_layers")
    across = len(crossed) if isinstance(crossed, list) else 0
    return (
        llama_parameters(shape, shape.layers - across)
        + across * cross_attention_parameters(shape)
        + encoder
        + projector
    )


def _patches(vision: Mapping[str, int]) -> int:
    return vision["num_channels"] * vision["patch_size"] ** 2 * vision["hidden_size"]


def _encoder_layer(vision: Mapping[str, int]) -> int:
    """Attention and two layers of feed-forward, all with biases, and two norms."""
    hidden, wide = vision["hidden_size"], vision["intermediate_size"]
    return 4 * (hidden * hidden + hidden) + 2 * hidden * wide + wide + hidden + 4 * hidden


def _vision(config: Mapping[str, Any], defaults: Mapping[str, int]) -> dict[str, int]:
    section = config.get("vision_config")
    given = section if isinstance(section, Mapping) else {}
    return {name: given[name] if isinstance(given.get(name), int) else default for name, default in defaults.items()}
