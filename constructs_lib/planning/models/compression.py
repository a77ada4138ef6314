"""How the weights of a model were compressed before they were published, by its config.json.

Which engine reads which format is the engine's rule; formats that none of them reads are refused here.

Sources: TGI 3.3.6, `get_model` in `server/text_generation_server/models/__init__.py` (which formats it detects) and
`_get_quantizer_config` in `utils/quantization.py` (from which files and fields it reads bits and groups).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.planning.models.shape import ConfigJsonError
from constructs_lib.planning.validation.problem import Problem

# From quant_method to TGI's name for it.
_KINDS = {
    "awq": "awq",
    "gptq": "gptq",
    "exl2": "exl2",
    "fp8": "fp8",
    "fbgemm_fp8": "fp8",
    "compressed-tensors": "compressed-tensors",
    "mxfp4": "mxfp4",
}

# Those of NVIDIA's ModelOpt, by its quant_algo.
_MODELOPT_KINDS = {"FP8": "fp8", "NVFP4": "nvfp4"}

_OTHER_AWQ = ("gemv", "gemv_fast", "marlin")
"""Layouts other than the one that `layers/awq/quantize/cuda.py` gives to its GEMM kernel."""

_FIX = "Use a repository with AWQ, GPTQ, EXL2, FP8 or compressed-tensors weights, or with uncompressed ones."
_FIXES = {
    "bitsandbytes": "Use the repository with the uncompressed weights and set options.quantize to bitsandbytes-nf4,"
    " with which TGI compresses them while loading.",
}


@dataclass(frozen=True, kw_only=True)
class Compression:
    """How weights are compressed.

    Args:
        kind: TGI's name for the format.
        bits: Bits of a weight, rounded up. None: not stated.
        group_size: Weights that share one scale; -1 for a whole column. None: not stated.
        act_order: Whether GPTQ sorted the columns by their activations.
    """

    kind: str
    bits: int | None = None
    group_size: int | None = None
    act_order: bool = False


def read_compression(config: Mapping[str, Any]) -> Compression | None:
    """How a config.json says that its weights are compressed; None if they are not.

    Raises:
        ConfigJsonError: TGI does not read that format.
    """
    section = config.get("quantization_config") or config.get("compression_config")
    if not isinstance(section, Mapping):
        return None
    method = section.get("quant_method")
    kind = _kind(section, method)
    if kind is None:
        message = "is not a format of published weights that this library knows"
        raise ConfigJsonError([Problem("quant_method", method, message, _FIXES.get(str(method), _FIX))])
    layout = str(section.get("version", "gemm"))
    if method == "awq" and layout.lower() in _OTHER_AWQ:
        fix = "Use a repository whose AWQ weights are laid out for GEMM, or quantize again with version='GEMM'."
        raise ConfigJsonError(
            [Problem("version", layout, "is a layout of AWQ weights that this library does not know", fix)]
        )
    scheme = _scheme(section)
    return Compression(
        kind=kind,
        bits=_bits(scheme.get("bits", scheme.get("num_bits"))),
        group_size=_group(scheme.get("group_size", _block(section))),
        act_order=scheme.get("desc_act") is True or scheme.get("actorder") == "group",
    )


def _kind(section: Mapping[str, Any], method: object) -> str | None:
    if method == "modelopt":
        return _MODELOPT_KINDS.get(str(section.get("quant_algo")))
    return _KINDS.get(str(method))


def has_quantization(config: Mapping[str, Any]) -> bool:
    """Whether a config.json itself says how the weights are compressed."""
    return bool(config.get("quantization_config") or config.get("compression_config"))


def with_quantization_file(config: Mapping[str, Any], content: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The config.json with what quantize_config.json (AutoGPTQ) or quant_config.json (AutoAWQ) says.

    TGI reads them if config.json has no quantization_config.
    """
    if not content or has_quantization(config):
        return config
    is_awq = "w_bit" in content or "zero_point" in content
    section = {
        "quant_method": content.get("quant_method") or ("awq" if is_awq else "gptq"),
        "bits": content.get("w_bit", content.get("bits")),
        "group_size": content.get("q_group_size", content.get("group_size")),
        "version": content.get("version", "gemm"),
        "desc_act": content.get("desc_act", False),
    }
    return {**config, "quantization_config": section}


def _scheme(section: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields that describe weights; compressed-tensors has them by group of layers."""
    groups = section.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = first.get("weights") if isinstance(first, Mapping) else None
    return weights if isinstance(weights, Mapping) else section


def _block(section: Mapping[str, Any]) -> object:
    """Inputs that share one scale in FP8 weights with a scale for each block."""
    block = section.get("weight_block_size")
    return block[1] if isinstance(block, list) and len(block) == 2 else None


def _bits(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return math.ceil(value) if 0 < value <= 16 else None


def _group(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and (value > 0 or value == -1) else None
