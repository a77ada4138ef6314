"""The models that the rules know, and the caller's choice of one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from constructs_lib.planning.data_files import read
from constructs_lib.planning.models.layer_groups import LayerGroup
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, String, problem

BITS_PER_PARAMETER = {
    "awq": 4.25,
    "compressed-tensors": 8.0,
    "eetq": 8.0,
    "exl2": 5.0,
    "gptq": 4.25,
    "marlin": 4.25,
    "bitsandbytes": 8.0,
    "bitsandbytes-nf4": 4.127,
    "bitsandbytes-fp4": 4.127,
    "fp8": 8.0,
    "mxfp4": 4.25,
    "nvfp4": 4.5,
}
"""By kind of compression, scales included; if publications differ, the higher figure.

The 4-bit kinds of bitsandbytes have a scale for 64 weights, kept in 8 bits, and one in 32 bits for 256 of those (TGI's
`layers/bnb.py` compresses the statistics).
"""

_SCALE_BITS = 16
"""A scale in half precision for each group of weights; a zero point has the bits of a weight."""

BYTES_PER_PARAMETER = {"float32": 4, "bfloat16": 2, "float16": 2, "float8": 1}

_SHAPE = ("parameters", "layers", "hidden", "heads", "kv_heads", "head_dim", "max_positions")
_FURTHER_SHAPE = (
    "intermediate",
    "vocabulary",
    "experts",
    "experts_per_token",
    "weight_bytes",
    "bits",
    "group_size",
    "sliding_window",
    "cache_width",
    "trained_positions",
    "latent_width",
)

UNKNOWN_LICENCE = "not known"
"""The licence of weights of which only the shape is known."""

Dtype = Literal["float32", "bfloat16", "float16", "float8"]
Gating = Literal["yes", "no", "sometimes"]


def compressed_bits(kind: str, bits: int | None, group_size: int | None) -> float:
    """Bits of a compressed weight, its share of the scales included.

    Args:
        kind: A key of `BITS_PER_PARAMETER`.
        bits: Bits of the weight alone; None for the usual ones.
        group_size: Weights that share a scale; -1 for a whole column, None if it is not known.
    """
    if bits is None or group_size is None:
        return max(BITS_PER_PARAMETER[kind], float(bits or 0))
    return bits + ((_SCALE_BITS + bits) / group_size if group_size > 0 else 0.0)


@dataclass(frozen=True)
class ModelFacts:
    """The shape of a model: what decides shards, memory and time to load.

    Args:
        hub_id: Repository on the Hugging Face hub.
        parameters: Number of parameters.
        layers: Hidden layers.
        hidden: Hidden size.
        heads: Attention heads.
        kv_heads: Key-value heads.
        head_dim: Size of one head.
        max_positions: Longest context that its configuration names, in tokens, stretched positions (rope_scaling)
            and model_max_length included.
        checkpoint_dtype: Type of the published weights.
        model_type: `model_type` of its config.json.
        licence: Licence by the model card.
        gating: Whether the hub requires a token of someone with access; `sometimes` means a contact form on some
            revisions.
        intermediate: Size of the feed-forward layers (of one expert). Default: four times the hidden size.
        vocabulary: Number of tokens of the vocabulary. Default: 262144, more than most models have.
        tied_embeddings: Whether the published weights hold the vocabulary's embeddings once, for input and output; TGI
            loads them twice. Default: False.
        experts: Experts of each feed-forward layer. Default: 1.
        experts_per_token: How many of them work on a token. Default: 1.
        quantization: How the published weights are compressed, by TGI's name, such as `awq`. Default: not compressed.
        bits: Bits of a compressed weight. Default: the usual ones of `quantization`.
        group_size: Weights that share one scale; -1 for a whole column. Default: not known.
        settings_in_config: Whether only config.json says how the weights are compressed, without a
            quantize_config.json or quant_config.json. Default: False.
        act_order: Whether GPTQ sorted the columns by their activations (desc_act). Default: False.
        alibi: Whether positions are a bias of the attention scores (ALiBi). Default: False.
        rope: How positions are stretched (rope_type or type of rope_scaling), such as `llama3`. Default: not at all.
        sliding_window: Tokens that a token looks back at, at most, as its config.json says; TGI reads it whatever
            use_sliding_window says. Default: all of them.
        cache_width: Size of the keys, and of the values, that one head keeps of a token. Default: head_dim.
        trained_positions: Longest context before it is stretched. Default: max_positions.
        latent_width: Numbers that a layer keeps of a token in multi-head latent attention. Default: it has none.
        layer_groups: Layers by what they keep of a request. Default: by model_type and sliding_window.
        reads_images: Whether the model has an encoder of images. Default: False.
        auto_map: Whether the repository brings code of its own for the model. Default: False.
        weight_bytes: Size of the published weights in bytes. Default: parameters times the size of their type or kind.
        source: Where the figures come from.
        date: Day (ISO) on which they were read.
    """

    hub_id: str
    parameters: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    max_positions: int
    checkpoint_dtype: Dtype
    model_type: str
    licence: str
    gating: Gating = "no"
    intermediate: int | None = None
    vocabulary: int | None = None
    tied_embeddings: bool = False
    experts: int = 1
    experts_per_token: int = 1
    quantization: str | None = None
    bits: int | None = None
    group_size: int | None = None
    settings_in_config: bool = False
    act_order: bool = False
    alibi: bool = False
    rope: str | None = None
    sliding_window: int | None = None
    cache_width: int | None = None
    trained_positions: int | None = None
    latent_width: int | None = None
    layer_groups: tuple[LayerGroup, ...] = ()
    reads_images: bool = False
    auto_map: bool = False
    weight_bytes: int | None = None
    source: str = "the caller"
    date: str | None = None

    @property
    def gated(self) -> bool:
        """Whether the hub refuses to serve the weights without a token."""
        return self.gating == "yes"

    @property
    def published_quantization(self) -> str | None:
        """How the published weights are compressed, FP8 checkpoints included; None if they are not."""
        return self.quantization or ("fp8" if self.checkpoint_dtype == "float8" else None)

    @property
    def bits_per_parameter(self) -> float:
        """Bits of a published weight in a layer, its share of the scales included."""
        if self.quantization is None:
            return 8.0 * BYTES_PER_PARAMETER[self.checkpoint_dtype]
        return compressed_bits(self.quantization, self.bits, self.group_size)

    @property
    def checkpoint_bytes(self) -> int:
        """Size of the published weights in bytes, which is what is downloaded and read."""
        if self.weight_bytes is not None:
            return self.weight_bytes
        if self.quantization is None:
            return self.parameters * BYTES_PER_PARAMETER[self.checkpoint_dtype]
        tables = 1 if self.tied_embeddings else 2  # the vocabulary's embeddings stay in half precision
        words = min(self.parameters, tables * self.hidden * (self.vocabulary or 0))
        return math.ceil((self.parameters - words) * self.bits_per_parameter / 8) + 2 * words


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """Which weights the endpoint serves.

    Args:
        source: `hub` (downloaded by the container), `s3` (mounted by SageMaker at /opt/ml/model) or `image` (part of
            the image, or fetched by the container in its own way).
        hub_id: Repository on the hub; with `s3` the one that they are a copy of, None if there is none.
        revision: Commit, tag or branch of that repository; None for its main branch.
        has_token: Whether a hub token is given (the token itself is never passed here).
        facts: The model's shape; None takes the catalogue's for a hub id that is in it.
        like: Model of the catalogue that has the same shape, for weights that are not in the catalogue.
        quantization: How weights of the caller's own are compressed, by the engine's options; None if those do not say.
        bucket: Name of their bucket; None for the hub.
        is_archive: Whether S3 has them as one compressed archive.
        accept_eula: Whether the caller accepts the licence agreement of weights that AWS publishes.
        is_staged: Whether the deployment copies them into that bucket first, with the token.
        has_code: Whether the repository's Python files are among what is copied. Default: True.
        is_prescribed: Whether their publisher says on which instance types and with which settings they run, so that
            nothing has to be worked out from their shape.
    """

    source: Literal["hub", "s3", "image"]
    hub_id: str | None = None
    revision: str | None = None
    has_token: bool = False
    facts: ModelFacts | None = None
    like: str | None = None
    quantization: str | None = None
    bucket: str | None = None
    is_archive: bool = False
    accept_eula: bool = False
    is_staged: bool = False
    has_code: bool = True
    is_prescribed: bool = False

    def known_facts(self) -> ModelFacts | None:
        """The facts given, else the catalogue's for the hub id, else those of the model that it is like, else None."""
        if self.facts is not None:
            return self.facts
        facts = self._catalogued()
        if facts is None or self.quantization is None:
            return facts
        return replace(
            facts,
            checkpoint_dtype="float16",
            quantization=self.quantization,
            bits=None,
            group_size=None,
            act_order=False,
            weight_bytes=None,
        )

    @property
    def may_be_compressed(self) -> bool:
        """Whether the caller may have compressed the weights after they got the shape that is known of them."""
        is_catalogued = isinstance(self.hub_id, str) and known_model(self.hub_id) is not None
        return self.facts is None and (
            (self.source == "s3" and not self.is_staged) or (self.like is not None and not is_catalogued)
        )

    def _catalogued(self) -> ModelFacts | None:
        hub_id = self.hub_id if isinstance(self.hub_id, str) else None
        facts = known_model(hub_id) if hub_id else None
        like = known_model(self.like) if isinstance(self.like, str) else None
        if facts or not like:
            return facts
        # Who may download the weights, and who may use them, is a matter of their own repository.
        return replace(like, hub_id=hub_id or like.hub_id, licence=UNKNOWN_LICENCE, gating="no")


def known_model(hub_id: str) -> ModelFacts | None:
    """The catalogue's facts of a hub model, chat variants and distills included; None if it is not in the catalogue.

    Args:
        hub_id: Repository on the hub, such as `meta-llama/Llama-3.1-8B-Instruct`. Case is ignored, as on the hub.
    """
    return _by_id().get(hub_id.lower())


def known_models() -> tuple[ModelFacts, ...]:
    """Every model of the catalogue, aliases after the rows."""
    return tuple(_by_id().values())


def facts_problems(facts: object) -> Iterator[Problem]:
    """What is wrong with a description of a model."""
    if not isinstance(facts, ModelFacts):
        yield Problem("model.facts", facts, "must be ModelFacts", "Describe the model with ModelFacts(…).")
        return
    yield from _size_problems(facts)
    yield from _group_problems(facts.layer_groups)
    if facts.quantization is not None and facts.quantization not in list(BITS_PER_PARAMETER):
        yield Problem(
            "model.facts.quantization",
            facts.quantization,
            f"must be one of {', '.join(BITS_PER_PARAMETER)}",
            "Use the quant_method of its config.json, or leave it out for uncompressed weights.",
        )
    for name in ("hub_id", "model_type"):
        if found := problem(f"model.facts.{name}", getattr(facts, name), String()):
            yield found
    if facts.checkpoint_dtype not in list(BYTES_PER_PARAMETER):
        yield Problem(
            "model.facts.checkpoint_dtype",
            facts.checkpoint_dtype,
            f"must be one of {', '.join(BYTES_PER_PARAMETER)}",
            "Use the type of the published weights.",
        )


def _size_problems(facts: ModelFacts) -> Iterator[Problem]:
    for name in _SHAPE:
        if found := problem(f"model.facts.{name}", getattr(facts, name), Integer(1, 10**15)):
            yield found
    for name in _FURTHER_SHAPE:
        value = getattr(facts, name)
        if name == "group_size" and value == -1:  # one group for each column
            continue
        if value is not None and (found := problem(f"model.facts.{name}", value, Integer(1, 10**15))):
            yield found


def _group_problems(groups: object) -> Iterator[Problem]:
    keyword = "model.facts.layer_groups"
    if not isinstance(groups, tuple) or not all(isinstance(group, LayerGroup) for group in groups):
        yield Problem(keyword, groups, "must be a tuple of LayerGroup", "Write (LayerGroup(layers=…), …).")
        return
    for group in groups:
        for name, value in vars(group).items():
            if (value is not None or name == "layers") and (
                found := problem(f"{keyword}.{name}", value, Integer(1, 10**15))
            ):
                yield found


@cache
def _by_id() -> dict[str, ModelFacts]:
    catalogue = read("models/models")
    rows = {row["hub_id"]: row for row in catalogue["rows"]}
    for alias in catalogue["aliases"]:
        shape = rows[alias["same_as"]]
        rows[alias["hub_id"]] = shape | {key: value for key, value in alias.items() if key != "same_as"}
    return {hub_id.lower(): _from_row(row) for hub_id, row in rows.items()}


def _from_row(row: dict[str, Any]) -> ModelFacts:
    return facts_from_row({"gating": row["gated"], **{key: value for key, value in row.items() if key != "gated"}})


def facts_from_row(row: Mapping[str, Any]) -> ModelFacts:
    """The facts whose fields are JSON values.

    Raises:
        TypeError: A field is unknown.
    """
    groups = tuple(LayerGroup(**group) for group in row.get("layer_groups", ()))
    return ModelFacts(**{**row, "layer_groups": groups})
