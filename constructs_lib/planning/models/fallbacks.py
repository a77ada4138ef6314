"""What TGI runs an architecture with for which it has no class of its own.

Source: the end of `get_model` in `server/text_generation_server/models/__init__.py` at each tag: transformers' decoders
in static batches on one GPU ("sharded is not supported for AutoModel"), from 3.2 on those with an attention backend
with TGI's paged attention on any number of GPUs, and encoder-decoders in static batches on one GPU.
"""

from __future__ import annotations

from dataclasses import replace

from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.models.architecture import Architecture, Backend, Implementation
from constructs_lib.planning.models.transformers import has_since, transformers_classes

ENCODER_DECODER_LIMITS_UNTIL: Version = (2, 4, 1)
"""`Model.warmup` counts the prompt's tokens after the first step since v2.4.1 (`models/model.py`), but an
encoder-decoder has dropped them by then (`models/seq2seq_lm.py`, generate_token), unless one token was all it was asked
for: TypeError: 'NoneType' object is not iterable."""

_REMOTE_CODE_SINCE: Version = (0, 7, 0)
_FLASH_SINCE: Version = (3, 2, 0)

_BROKEN_SINCE: Version = (3, 1, 1)
_FAULT = "it asks each class of transformers for is_backend_compatible, which its transformers 4.48.3 does not have"

TRANSFORMERS_FLASH = Implementation(name="TransformersFlash fallback", backend=Backend.TRANSFORMERS_FLASH, flash=True)
_DECODER = Implementation(name="CausalLM fallback (no flash)", backend=Backend.CAUSAL_LM, flash=False)
_ENCODER_DECODER = replace(_DECODER, name="Seq2SeqLM fallback (no flash)")
NOTHING = Implementation(name="none", backend=Backend.UNKNOWN, flash=False)


def fallback(row: Architecture, version: Version, *, remote_code: bool) -> Implementation:
    """What a version of TGI runs an architecture with that it has no class for.

    Args:
        row: What is known of the architecture.
        version: The version.
        remote_code: Whether the repository brings a decoder's code and TGI may run it.
    """
    classes = transformers_classes(row.model_type)
    nothing = replace(NOTHING, flash=classes.attention is not None)
    decodes = row.tgi.left_to_transformers and has_since(classes.causal_lm, version)
    if decodes or (remote_code and version >= _REMOTE_CODE_SINCE):
        if _BROKEN_SINCE <= version < _FLASH_SINCE:
            return replace(nothing, fault=_FAULT)
        return TRANSFORMERS_FLASH if version >= _FLASH_SINCE and has_since(classes.attention, version) else _DECODER
    if has_since(classes.seq2seq, version):
        return replace(_ENCODER_DECODER, takes_limits=version < ENCODER_DECODER_LIMITS_UNTIL)
    return nothing
