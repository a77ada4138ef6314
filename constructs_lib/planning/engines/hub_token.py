"""The variables that programs read the hub's token from."""

from __future__ import annotations

HUB_TOKEN_NAMES = (
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_API_TOKEN",
    "HUGGINGFACE_HUB_TOKEN",
    "HUGGINGFACEHUB_API_TOKEN",
)

HUB_TOKEN_OWNERS = dict.fromkeys(HUB_TOKEN_NAMES, "Model.from_hub(…, token=secret)")
"""The argument of a construct that sets them."""
