"""Reads the arguments of a server as its own parser does, with the errors of Python's argparse.

arguments.json has the arguments of some versions of vLLM and SGLang, from their wheels; see
scripts/generate_engine_arguments.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from local.model_container.tgi.options import LaunchError

_HUMAN_READABLE = re.compile(r"(-?\d+(?:\.\d+)?)([kKmMgGtT]?)")
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SHORT_INTEGERS = {
    "--max-model-len",
    "--max-num-batched-tokens",
    "--max-num-scheduled-tokens",
    "--kv-cache-memory-bytes",
    "--max-num-queued-tokens",
    "--context-length",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise LaunchError(f"{self.prog}: error: {message}")


def parse_version(text: str) -> tuple[int, ...]:
    """A version as numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def parse(engine: str, version: tuple[int, ...], program: str, arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the arguments of a server.

    Args:
        engine: `vllm` or `sglang`.
        version: Its version. The newest known one that is no newer is read, or else the oldest.
        program: What its messages call it.
        arguments: The arguments.

    Raises:
        LaunchError: It would not start.
    """
    return _parser(engine, _nearest(engine, version), program).parse_args(arguments)


def tool_parsers(engine: str, version: tuple[int, ...]) -> list[str]:
    """The parsers of tool calls that a version has."""
    return list(_having(engine, "tool_parsers", _nearest(engine, version)))


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(Path(__file__).with_name("arguments.json").read_text(encoding="utf-8"))
    return table


def _nearest(engine: str, version: tuple[int, ...]) -> str:
    known: list[str] = _table()[engine]["versions"]
    return next((each for each in reversed(known) if parse_version(each) <= version), known[0])


def _having(engine: str, table: str, version: str) -> dict[str, str]:
    """The kind of everything that a known version has."""
    versions: list[str] = _table()[engine]["versions"]
    at = versions.index(version)
    return {
        name: kind
        for name, spans in _table()[engine][table].items()
        for kind, first, last in spans
        if versions.index(first) <= at <= versions.index(last)
    }


@cache
def _parser(engine: str, version: str, program: str) -> _Parser:
    parser = _Parser(prog=program, add_help=False)
    kinds: dict[str, dict[str, Any]] = {
        "switch": {"action": argparse.BooleanOptionalAction},
        "flag": {"action": "store_true"},
        "append": {"action": "append", "default": []},
        "list": {"nargs": "+" if engine == "vllm" else "*"},
        "integer": {"type": int},
        "number": {"type": float},
        "value": {},
    }
    for flag, kind in _having(engine, "arguments", version).items():
        type_ = {"type": _human_readable_int} if flag in _SHORT_INTEGERS else {}
        parser.add_argument(flag, **(kinds[kind] | type_))
    return parser


def _human_readable_int(text: str) -> int:
    """Reads 1k (a thousand), 1K (1024) and so on; `auto` is -1."""
    if text == "auto":
        return -1
    found = _HUMAN_READABLE.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(
            f"Only integers, or integers with a suffix of k, K, m, M, g, G, t or T are supported, got {text!r}"
        )
    return int(float(found[1]) * _FACTORS[found[2]])
