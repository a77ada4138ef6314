"""Repositories whose names say that they hold weights of another program.

Source: TGI 3.3.6 `server/text_generation_server/utils/hub.py` (safetensors, else PyTorch's .bin files that it converts)
and `utils/quantization.py` (no loader for published bitsandbytes). Only the name is known here, so `facts` of such a
repository settle the question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.validation.problem import Problem

_DESCRIBED = "If it has such weights as well, describe it with facts=ModelFacts(…)."
_CONVERTED = f"Use the repository that it was converted from, or one with AWQ or GPTQ weights. {_DESCRIBED}"

_FORMATS = (
    (r"gguf|ggml", "GGUF files, which llama.cpp reads", _CONVERTED),
    (r"(?:^|[-_./])(?:mlx|mlx-community)(?:$|[-_./])", "weights for MLX, which Apple's computers run", _CONVERTED),
    (r"(?:^|[-_./])onnx(?:$|[-_./])|^onnx-community/", "weights in ONNX", _CONVERTED),
    (
        r"(?:^|[-_.])bnb(?:$|[-_.])",
        "weights that bitsandbytes has compressed",
        (
            "Use the repository with the original weights, and options.quantize='bitsandbytes-nf4', which compresses"
            f" them while loading. {_DESCRIBED}"
        ),
    ),
)


def hub_format_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Why a repository of that name has nothing that TGI loads."""
    hub_id: object = ctx.model.hub_id
    if ctx.model.source != "hub" or ctx.model.facts is not None or not isinstance(hub_id, str):
        return
    for pattern, what, fix in _FORMATS:
        if re.search(pattern, hub_id.lower()):
            yield Problem("model", hub_id, f"has {what}, by its name; TGI loads safetensors of transformers", fix)
            return
