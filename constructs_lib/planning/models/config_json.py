"""Turns a model's config.json into what the plan has to know about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from constructs_lib.planning.models.architectures import architecture, model_type_of
from constructs_lib.planning.models.compression import Compression, read_compression
from constructs_lib.planning.models.facts import BYTES_PER_PARAMETER, Dtype, Gating, ModelFacts, compressed_bits
from constructs_lib.planning.models.layer_groups import groups_from_config, latent_width_from_config
from constructs_lib.planning.models.parameter_count import text_parameters
from constructs_lib.planning.models.positions import rope_type
from constructs_lib.planning.models.purpose import purpose_problem
from constructs_lib.planning.models.shape import ConfigJsonError, Shape, read_shape, text_section
from constructs_lib.planning.models.vision import gemma3_parameters, mllama_parameters
from constructs_lib.planning.validation.problem import Problem

__all__ = ["ConfigJsonError", "Published", "facts_from_config"]

_AGREEMENT = 0.02


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is known about a model besides its config.json.

    Args:
        weight_bytes: Size of its weights in bytes. Default: not known.
        settings_in_config: See `ModelFacts`.
        licence: Licence by the model card. Default: unknown.
        gating: Whether the hub wants a token.
        source: Where all of it comes from.
        date: Day (ISO) on which it was read.
    """

    weight_bytes: int | None = None
    settings_in_config: bool = False
    licence: str = "unknown"
    gating: Gating = "no"
    source: str = "config.json"
    date: str | None = None


def facts_from_config(hub_id: str, config: Mapping[str, Any], published: Published | None = None) -> ModelFacts:
    """What the plan has to know about a model.

    The parameters are counted from the shape. Where the size of the weights is known and differs from that by more
    than 2 %, or the architecture cannot be counted, the size decides.

    Args:
        hub_id: Repository on the hub, or any name for weights of your own.
        config: Its config.json.
        published: What is known besides it.

    Raises:
        ConfigJsonError: The config.json lacks something, its model writes no text, or TGI could not load the weights.
    """
    published = published or Published()
    if problem := purpose_problem(config):
        raise ConfigJsonError([problem])
    shape = read_shape(config)
    compression = read_compression(config)
    dtype = _dtype(config, compression)
    positions = shape.positions
    return ModelFacts(
        hub_id=hub_id,
        parameters=_parameters(config, shape, _weighed(shape, published.weight_bytes, dtype, compression), compression),
        layers=shape.layers,
        hidden=shape.hidden,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        max_positions=positions.longest,
        checkpoint_dtype=dtype,
        model_type=model_type_of(hub_id, config),
        licence=published.licence,
        gating=published.gating,
        intermediate=shape.intermediate,
        vocabulary=shape.vocabulary,
        tied_embeddings=shape.tied,
        experts=shape.experts,
        experts_per_token=shape.experts_per_token,
        quantization=compression.kind if compression else None,
        bits=compression.bits if compression else None,
        group_size=compression.group_size if compression else None,
        settings_in_config=published.settings_in_config,
        act_order=compression.act_order if compression else False,
        alibi=shape.is_on("alibi"),
        rope=rope_type(shape.config),
        sliding_window=shape.sliding_window,
        cache_width=architecture(shape.model_type).config.cached_head,
        trained_positions=positions.trained if positions.trained < positions.longest else None,
        latent_width=latent_width_from_config(shape.config),
        layer_groups=groups_from_config(shape.config, shape.layers),
        reads_images="vision_config" in config,
        auto_map=bool(config.get("auto_map")),
        weight_bytes=published.weight_bytes,
        source=published.source,
        date=published.date,
    )


def counted_parameters(config: Mapping[str, Any], shape: Shape) -> int | None:
    """Parameters counted from the shape; None for an architecture whose layers are not known here."""
    tower = architecture(str(config.get("model_type"))).vision_tower
    if tower == "mllama":
        return mllama_parameters(config, shape)
    text = text_parameters(shape)
    if text is not None and tower == "siglip" and "vision_config" in config:
        return gemma3_parameters(config, text, shape)
    return None if "vision_config" in config else text


def _parameters(config: Mapping[str, Any], shape: Shape, weighed: int | None, compression: Compression | None) -> int:
    """The size of compressed weights decides only where nothing else does: its bits are known roughly."""
    counted = counted_parameters(config, shape)
    if counted is None and weighed is None:
        raise ConfigJsonError(
            [
                Problem(
                    "model_type",
                    config.get("model_type"),
                    "has layers that cannot be counted here, and the size of its weights is not known",
                    "Use a model with a model.safetensors.index.json, or describe it with ModelFacts(…).",
                )
            ]
        )
    if counted is None:
        return weighed or 0
    differs = weighed is not None and compression is None and abs(weighed - counted) > _AGREEMENT * counted
    return weighed if differs and weighed else counted


def _weighed(shape: Shape, weight_bytes: int | None, dtype: Dtype, compression: Compression | None) -> int | None:
    """Parameters by the size of the weights; the embeddings of compressed ones are in half precision."""
    if weight_bytes is None or compression is None:
        return round(weight_bytes / BYTES_PER_PARAMETER[dtype]) if weight_bytes else None
    words = (1 if shape.tied else 2) * shape.vocabulary * shape.hidden
    bits = compressed_bits(compression.kind, compression.bits, compression.group_size)
    return words + max(0, round((weight_bytes - 2 * words) * 8 / bits))


def _dtype(config: Mapping[str, Any], compression: Compression | None) -> Dtype:
    """The type of the weights; a config.json without one means float32, like its class."""
    if compression and compression.kind == "fp8":
        return "float8"
    text = text_section(config)
    sections = [config] if text is None else [config, text]
    said = [section.get(name) for section in sections for name in ("torch_dtype", "dtype")]
    found = next((word for word in said if word is not None), "float32")
    word = str(found).removeprefix("torch.").replace("float8_e4m3fn", "float8")
    for dtype in get_args(Dtype):
        if word == dtype:
            return dtype  # type: ignore[no-any-return]
    raise ConfigJsonError(
        [Problem("torch_dtype", found, f"must be one of {', '.join(BYTES_PER_PARAMETER)}", "Correct the config.json.")]
    )
