"""Which files of a repository are copied unless the request says otherwise.

A pattern is one of Python's fnmatch over the whole path, as in huggingface_hub's `allow_patterns`: `*` also matches
`/`, case counts, and a pattern that ends in `/` means everything below that folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

DEFAULT_INCLUDE = (
    "*.safetensors",
    "*.json",
    "*.txt",
    "*.model",
    "*.jinja",
    "*.tiktoken",
    "tokenizer.model.v*",
    "LICENSE*",
)
"""Weights as safetensors, configurations, the tokenizer, chat templates and the licence: no pickles and no code."""

DEFAULT_EXCLUDE = ("original/*", "onnx/*", "openvino/*", "coreml/*")
"""What belongs to the same weights in other formats."""

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
"""Endings of files that run code when they are read."""

_OTHER_WEIGHTS = (".gguf", ".onnx", ".msgpack", ".h5")


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path in a repository matches one of the patterns."""
    return any(fnmatchcase(path, f"{pattern}*" if pattern.endswith("/") else pattern) for pattern in patterns)


def has_weights(path: str) -> bool:
    """Whether a file has weights, by its ending."""
    return path.endswith((".safetensors", *PICKLES, *_OTHER_WEIGHTS))


def are_default(include: Iterable[str], exclude: Iterable[str]) -> bool:
    """Whether the patterns are the default ones, in any order."""
    return set(include) == set(DEFAULT_INCLUDE) and set(exclude) == set(DEFAULT_EXCLUDE)
