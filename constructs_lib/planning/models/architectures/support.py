"""What the rows have in common."""

from __future__ import annotations

from typing import Any

from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.models.architecture import Backend, Implementation, Layers, Reads, TgiSupport

LLAMA = Layers(kind="llama")

HIDDEN_BY_HEADS: Reads = {"head_dim": None}
"""Classes that divide the hidden size by the heads, whatever head_dim config.json has."""

LLAMA_READS: Reads = {
    **HIDDEN_BY_HEADS,
    "grouped_heads": (0, 9, 3),
    "tied_embeddings": (2, 0, 3),
    "yarn": (2, 2, 0),  # until then LlamaConfig of transformers refuses it (4.43 was the first that does not)
}
"""What Llama's class reads, at `custom_modeling/flash_llama_modeling.py`."""

GPTQ_FIRST: Reads = {"awq": (2, 1, 1)}
"""Classes that took the settings of GPTQ alone (`weights._set_gptq_params`) until v2.1.1 had one loader."""


def own(since: Version, name: str, *, flash: bool = True, **rest: Any) -> Implementation:
    """A class of TGI's own."""
    return Implementation(name=name, backend=Backend.OWN, flash=flash, since=since, **rest)


def flash(since: Version, name: str, **rest: Any) -> TgiSupport:
    """One class, with paged attention."""
    return TgiSupport(implementations=(own(since, name),), **rest)


def bfloat16(since: Version, name: str, **rest: Any) -> TgiSupport:
    """One class, with paged attention and bfloat16 as its type."""
    return flash(since, f"{name} (default bf16)", bfloat16=True, **rest)


def static(since: Version, name: str, **rest: Any) -> TgiSupport:
    """One class, with static padded batches."""
    return TgiSupport(implementations=(own(since, f"{name} (no flash)", flash=False),), **rest)


def vision(since: Version, name: str, *, chunks_since: Version | None = None, **rest: Any) -> TgiSupport:
    """One class for text and images, with paged attention.

    Args:
        since: First version that has it.
        name: Its name.
        chunks_since: First version that splits its prompts (`support_chunking` in `get_model`). Default: none does.
        rest: See `TgiSupport`.
    """
    whole = own(since, f"VlmCausalLM {name} (no chunking)", chunks_prefill=False, reads_images=True)
    classes = (whole, own(chunks_since, f"VlmCausalLM {name}", reads_images=True)) if chunks_since else (whole,)
    return TgiSupport(implementations=classes, launcher_reads_sizes=False, **rest)
