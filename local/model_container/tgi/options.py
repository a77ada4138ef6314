"""The launcher's options, read from the environment like clap 4.5.32 (launcher/src/main.rs of TGI 3.3.6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class LaunchError(Exception):
    """The container exits with this message on standard error."""


@dataclass(frozen=True, slots=True)
class _Option:
    parse: Callable[[str], Any]
    default: Any = None
    flag: bool = False


def _bounded(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if text == "":
            raise ValueError("cannot parse integer from empty string")
        if not re.fullmatch(r"\+?[0-9]+", text):
            raise ValueError("invalid digit found in string")
        if int(text) > high:
            if high == 65535:
                raise ValueError(f"{int(text)} is not in {low}..={high}")
            raise ValueError("number too large to fit in target type")
        return int(text)

    return parse


def parse_float(text: str) -> float:
    """Parses a number; raises ValueError with Rust's message."""
    if text == "":
        raise ValueError("cannot parse float from empty string")
    try:
        return float(text)
    except ValueError:
        raise ValueError("invalid float literal") from None


class _NotPossibleError(ValueError):
    pass


def _one_of(*values: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in values:
            raise _NotPossibleError(", ".join(values))
        return text

    return parse


def _sizes(text: str) -> list[int]:
    return [USIZE(part) for part in text.split(",")]


USIZE, _U32, _U16 = _bounded(0, 2**64 - 1), _bounded(0, 2**32 - 1), _bounded(0, 65535)
_BOOL = _one_of("true", "false")
QUANTIZATIONS = ("awq", "compressed-tensors", "eetq", "exl2", "gptq", "marlin", "bitsandbytes", "bitsandbytes-nf4",
                 "bitsandbytes-fp4", "fp8")  # fmt: skip
_OPTIONS: dict[str, _Option] = {
    "MODEL_ID": _Option(str),
    "REVISION": _Option(str),
    "VALIDATION_WORKERS": _Option(USIZE, 2),
    "SHARDED": _Option(_BOOL),
    "NUM_SHARD": _Option(USIZE),
    "QUANTIZE": _Option(_one_of(*QUANTIZATIONS)),
    "SPECULATE": _Option(USIZE),
    "DTYPE": _Option(_one_of("float16", "bfloat16")),
    "KV_CACHE_DTYPE": _Option(_one_of("fp8_e4m3fn", "fp8_e5m2")),
    "TRUST_REMOTE_CODE": _Option(_BOOL, "false", flag=True),
    "MAX_CONCURRENT_REQUESTS": _Option(USIZE, 128),
    "MAX_BEST_OF": _Option(USIZE, 2),
    "MAX_STOP_SEQUENCES": _Option(USIZE, 4),
    "MAX_TOP_N_TOKENS": _Option(_U32, 5),
    "MAX_INPUT_TOKENS": _Option(USIZE),
    "MAX_INPUT_LENGTH": _Option(USIZE),
    "MAX_TOTAL_TOKENS": _Option(USIZE),
    "WAITING_SERVED_RATIO": _Option(parse_float, 0.3),
    "MAX_BATCH_PREFILL_TOKENS": _Option(_U32),
    "MAX_BATCH_TOTAL_TOKENS": _Option(_U32),
    "MAX_WAITING_TOKENS": _Option(USIZE, 20),
    "MAX_BATCH_SIZE": _Option(USIZE),
    "CUDA_GRAPHS": _Option(_sizes),
    "PROMETHEUS_PORT": _Option(_U16, 9000),
    "DISABLE_CUSTOM_KERNELS": _Option(_BOOL, "false", flag=True),
    "CUDA_MEMORY_FRACTION": _Option(parse_float, 1.0),
    "ROPE_SCALING": _Option(_one_of("linear", "dynamic")),
    "ROPE_FACTOR": _Option(parse_float),
    "JSON_OUTPUT": _Option(_BOOL, "false", flag=True),
    "CORS_ALLOW_ORIGIN": _Option(str),
    "API_KEY": _Option(str),
    "WATERMARK_GAMMA": _Option(parse_float),
    "WATERMARK_DELTA": _Option(parse_float),
    "NGROK": _Option(_BOOL, "false", flag=True),
    "NGROK_AUTHTOKEN": _Option(str),
    "NGROK_EDGE": _Option(str),
    "DISABLE_GRAMMAR_SUPPORT": _Option(_BOOL, "false", flag=True),
    "MAX_CLIENT_BATCH_SIZE": _Option(USIZE, 4),
    "LORA_ADAPTERS": _Option(str),
    "USAGE_STATS": _Option(_one_of("on", "off", "no-stack"), "on"),
    "PAYLOAD_LIMIT": _Option(USIZE, 2_000_000),
    "ENABLE_PREFILL_LOGPROBS": _Option(_BOOL, "false", flag=True),
    "GRACEFUL_TERMINATION_TIMEOUT": _Option(USIZE, 90),
}


def parse_options(environment: Mapping[str, str]) -> dict[str, Any]:
    """Reads the options by variable.

    Raises:
        LaunchError: A value is invalid; with clap's message.
    """
    args: dict[str, Any] = {}
    for name, option in _OPTIONS.items():
        text = environment.get(name)
        try:
            args[name] = option.default if text is None else option.parse(text)
        except ValueError as error:
            flag = "--" + name.lower().replace("_", "-") + ("" if option.flag else f" <{name}>")
            reason = f"\n  [possible values: {error}]" if isinstance(error, _NotPossibleError) else f": {error}"
            raise LaunchError(
                f"error: invalid value '{text}' for '{flag}'{reason}\n\nFor more information, try '--help'."
            ) from error
    return args
