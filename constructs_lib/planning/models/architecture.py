"""What a row about an architecture says; `architectures/` has the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from constructs_lib.planning.images.catalogue import Version

KvHeads = Literal["configured", "falcon", "bigcode"]
Positions = Literal["learned", "rotary", "alibi", "relative"]
LayerKind = Literal["bloom", "deepseek", "falcon", "gpt2", "gptj", "llama", "mpt", "neox", "opt", "phi", "t5"]
HeadNorms = Literal["per_head_dim", "use_qk_norm"]
VisionTower = Literal["mllama", "siglip"]

Reads = Mapping[str, Version | None]
"""From which version on a class handles a trait of models: `awq` or `quantize` (weights compressed so, or at all),
`grouped_heads` (fewer key-value heads than attention heads), `head_dim` (other than hidden size by heads),
`tied_embeddings`, or a type of rope_scaling. None: no version does."""


class Backend(StrEnum):
    """Whose code runs a model inside TGI."""

    OWN = "own"
    """A class of TGI's own."""
    TRANSFORMERS_FLASH = "TransformersFlash"
    """The model class of transformers with TGI's paged attention; can be shared by several GPUs."""
    CAUSAL_LM = "CausalLM"
    """Plain transformers, in static padded batches on one GPU."""
    UNKNOWN = "unknown"
    """Neither runs the architecture: it cannot start, unless its repository brings the code."""


@dataclass(frozen=True, kw_only=True)
class Implementation:
    """What TGI runs an architecture with.

    Args:
        name: TGI's model class, or what takes its place.
        backend: Whose code that is.
        flash: Whether it has paged attention; False means static padded batches. Of an unknown architecture, whether
            the class has it with which a later transformers runs it.
        since: First version of TGI that runs it so. Default: every version.
        remote_config: Whether only the repository has the configuration class, so that trust_remote_code is needed.
        chunks_prefill: Whether TGI 3 splits its long prompts over several batches.
        takes_limits: Whether it starts with max_input_tokens and max_total_tokens set.
        reads_images: Whether images of a prompt reach the model; to others they are text, their URL or base64.
        fault: Why it does not start, if it is named and yet cannot.
    """

    name: str
    backend: Backend
    flash: bool
    since: Version = (0, 0, 0)
    remote_config: bool = False
    chunks_prefill: bool = True
    takes_limits: bool = True
    reads_images: bool = False
    fault: str | None = None

    @property
    def runs(self) -> bool:
        """Whether TGI can run the architecture."""
        return self.backend is not Backend.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class TgiSupport:
    """How TGI runs an architecture.

    Args:
        implementations: TGI's own classes, the newest last; `fallbacks.py` has what versions before the first do.
        reads: From which version on these classes handle a trait of a model; None if none does. Default: all do.
        left_to_transformers: Whether TGI can run the class of transformers instead, which needs a cache of keys and
            values.
        with_alibi: Whether these classes have positions as a bias of the scores (ALiBi).
        most_shards: GPUs that may share the model. Default: as its heads allow.
        windowed: Whether its class limits attention to the sliding window, if config.json names one.
        always_windowed: Whether some of its layers do so always.
        default_prefill: TGI's max_batch_prefill_tokens if it works none out from the GPU's speed.
        launcher_reads_sizes: Whether TGI's launcher finds the sizes in config.json from which it works out a prefill.
            It expects the names that Llama has, and gives up on vision models.
        launcher_reads_positions: Whether it finds the longest context there.
        replicates_kv_heads: Whether each shard keeps all key-value heads, so that only the attention heads are split.
        bfloat16: Whether TGI computes in bfloat16 unless it is given a type.
        softcap: Whether it caps attention scores, which only kernels for Ampere GPUs and newer do.
        masks_images: Whether it holds whole attention masks, because images see each other.
        needs_flashdecoding: Whether TGI's launcher chooses flashdecoding for it instead of flashinfer.
        ends_at_positions: Whether TGI's class fails beyond the longest context, whatever the kind of positions.
        decodes_from_one_token: Whether the prompt goes through an encoder, so that a prefill has one token of logits.
    """

    implementations: tuple[Implementation, ...] = ()
    reads: Reads = field(default_factory=dict)
    left_to_transformers: bool = True
    with_alibi: bool = True
    most_shards: int | None = None
    windowed: bool = False
    always_windowed: bool = False
    default_prefill: int = 4096
    launcher_reads_sizes: bool = True
    launcher_reads_positions: bool = True
    replicates_kv_heads: bool = False
    bfloat16: bool = False
    softcap: bool = False
    masks_images: bool = False
    needs_flashdecoding: bool = False
    ends_at_positions: bool = False
    decodes_from_one_token: bool = False

    def own(self, version: Version) -> Implementation | None:
        """TGI's own class in a version; None if it has none yet."""
        return next((one for one in reversed(self.implementations) if one.since <= version), None)


@dataclass(frozen=True, kw_only=True)
class NeuronSupport:
    """How optimum-neuron runs an architecture, by its version in AWS's images of TGI for Neuron.

    Args:
        since: First version that runs it. Default: the first that does so without an exported model.
        until: First version that does no longer. Default: all later ones run it.
        converts_heads_since: First version that makes its key-value heads attention heads where the cores are no
            multiple of them. Default: none does.
    """

    since: Version = (0, 0, 19)
    until: Version | None = None
    converts_heads_since: Version | None = None

    def runs_in(self, version: Version) -> bool:
        """Whether that version runs it."""
        return version >= self.since and (self.until is None or version < self.until)

    def converts_heads_in(self, version: Version) -> bool:
        """Whether that version may make its key-value heads attention heads."""
        return self.converts_heads_since is not None and version >= self.converts_heads_since


@dataclass(frozen=True, kw_only=True)
class ConfigJson:
    """How an architecture's config.json differs from the others'.

    Args:
        defaults: What holds for fields that its config.json leaves out, where transformers 4.51.0 has no configuration
            class for it or TGI's own differs; config_defaults.json has the rest.
        kv_heads: How the key-value heads are described: by their number, by Falcon's switches, or by BigCode's.
        layers: Names of the number of layers that are looked for first.
        stretch_included: Whether max_position_embeddings counts a linear rope_scaling already.
        cached_head: Size of the keys, and of the values, that a head keeps, where it is not that of the head.
    """

    defaults: Mapping[str, Any] = field(default_factory=dict)
    kv_heads: KvHeads = "configured"
    layers: tuple[str, ...] = ()
    stretch_included: bool = False
    cached_head: int | None = None


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Which layers an architecture has, for counting its parameters.

    Args:
        kind: The family of layers.
        norms: Norms of each layer; for the kind `llama` only.
        head_norms: Norms of queries and keys: one per head size, or those that `use_qk_norm` switches on.
        qkv_bias: Whether queries, keys and values always have biases.
    """

    kind: LayerKind
    norms: int = 2
    head_norms: HeadNorms | None = None
    qkv_bias: bool = False


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What is known of one `model_type`.

    Args:
        model_type: `model_type` of the config.json.
        tgi: How TGI runs it.
        neuron: How optimum-neuron does. Default: it does not.
        config: How its config.json is read.
        layers: Its layers. Default: not known, so its parameters cannot be counted.
        vision_tower: The encoder of its images. Default: none that can be counted.
        gated: Whether the feed-forward layers have a gate, so three matrices instead of two.
        positions: How a layer knows where a token is: a learned table, which ends at the longest context; rotary
            embeddings or ALiBi, with which answers get worse beyond it; relative positions, which do not end, or none.
    """

    model_type: str
    tgi: TgiSupport
    neuron: NeuronSupport | None = None
    config: ConfigJson = ConfigJson()
    layers: Layers | None = None
    vision_tower: VisionTower | None = None
    gated: bool = True
    positions: Positions = "rotary"
