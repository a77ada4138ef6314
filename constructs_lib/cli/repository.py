"""What a repository or folder has, by the names of its files, if it is not a model that TGI can load.

Source: TGI 3.3.6 `server/text_generation_server/utils/hub.py` (`_weight_hub_files_from_model_info`: which files are
weights) and `cli.py` (`download_weights`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from constructs_lib.planning.validation.problem import Problem

CONFIG, ADAPTER, DIFFUSION = "config.json", "adapter_config.json", "model_index.json"
QUANTIZATION_FILES = ("quantize_config.json", "quant_config.json")
_WEIGHTS = (".safetensors", ".bin")
_NO_WEIGHTS = ("adapter", "args", "arguments", "ggml", "optimizer", "scheduler", "training", "/")
"""In the name of a file: not weights of the model, or not where TGI looks for them."""

_OTHER_FORMATS = {
    "gguf": "GGUF files, which llama.cpp reads; the engines read safetensors",
    "ggml": "GGML files, which llama.cpp reads; the engines read safetensors",
    "onnx": "ONNX files; the engines read safetensors",
    "nemo": "files of NVIDIA NeMo; the engines read safetensors",
}


def repository_problem(
    name: str,
    files: Collection[str],
    read: Callable[[str], Mapping[str, Any] | None],
    base: str | None = None,
) -> Problem | None:
    """Why the files are not a model that TGI can load; None if they may be.

    Args:
        name: The repository or folder.
        files: The names of its files.
        read: Reads one of them that is JSON; None if it cannot be read.
        base: The model that it was made from, by its card. Default: not known.
    """
    original = base or "the id of the repository that they were made from"
    if _is_adapter(files):
        return _adapter_problem(name, read(ADAPTER) or {})
    if DIFFUSION in files and CONFIG not in files:
        message = "is a diffusion model, which makes images (model_index.json)"
        return Problem("model", name, message, "Give the id of a model that generates text.")
    if any(_weighs(file) for file in files):
        return None
    for format_name, words in _OTHER_FORMATS.items():
        if any(_is_of(file, format_name) for file in files):
            return Problem("model", name, f"has {words}", f"Give {original}, and compress with options.quantize.")
    return None


def _is_adapter(files: Collection[str]) -> bool:
    """An adapter may lie beside the config.json of its base model, but not beside weights of its own."""
    return ADAPTER in files and (CONFIG not in files or not any(_weighs(file) for file in files))


def _weighs(file: str) -> bool:
    return file.endswith(_WEIGHTS) and not any(word in file.lower() for word in _NO_WEIGHTS)


def _is_of(file: str, format_name: str) -> bool:
    """GGML files have `.bin` behind the name of their format."""
    name = file.lower()
    return name.endswith(f".{format_name}") or (name.endswith(".bin") and f".{format_name}" in name)


def _adapter_problem(name: str, adapter: Mapping[str, Any]) -> Problem:
    base = adapter.get("base_model_name_or_path")
    of = base if isinstance(base, str) and base else "its base model"
    return Problem(
        "model",
        name,
        f"is an adapter of {of} and has no weights of its own (adapter_config.json)",
        f"Serve {of} with options.lora_adapters, or merge the adapter into the weights (merge_and_unload of peft) and"
        " add the result.",
    )
