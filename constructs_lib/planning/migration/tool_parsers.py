"""How well-known models write tool calls, by the name that each engine has for it.

TGI needs no such name, as a grammar makes the model write calls in one form; other servers read the model's own.

Sources: vLLM 0.30.0 docs/features/tool_calling.md; SGLang 0.5.20 docs/advanced_features/tool_parser.ipynb.
"""

from __future__ import annotations

import re

_MODELS = (
    (r"llama-3\.[1-3].*-instruct", "llama3_json", "llama3"),
    (r"qwen2\.5-(?!vl|coder|math).*-instruct|qwen3-\d+(\.\d+)?b$|qwq-32b$", "hermes", "qwen25"),
    (r"mistral-7b-instruct-v0\.3|mistral-nemo-instruct|mistral-(small|large)-.*instruct", "mistral", "mistral"),
    (r"hermes-(2-pro|3)-", "hermes", "hermes"),
)
"""A pattern of the repository's name without its owner; what vLLM and LMI, and what SGLang call its parser."""


def tool_parser(hub_id: object, engine: str) -> str | None:
    """The parser for the tool calls of a model; None if none is known.

    Args:
        hub_id: Repository on the hub.
        engine: `vllm`, `sglang` or `lmi`.
    """
    name = hub_id.rpartition("/")[2].lower() if isinstance(hub_id, str) else ""
    for pattern, vllm, sglang in _MODELS:
        if re.search(pattern, name):
            return sglang if engine == "sglang" else vllm
    return None
