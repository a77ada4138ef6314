"""Which arguments a version of vLLM or SGLang has, and which parsers and models one of SGLang.

server_arguments.json is written by scripts/generate_server_arguments.py from the releases on PyPI.
"""

from __future__ import annotations

from functools import cache

from constructs_lib.planning.data_files import read
from constructs_lib.planning.images.catalogue import Version, parse_version


def releases_of(server: str) -> tuple[Version, Version]:
    """The oldest and the newest release of a server, `vllm` or `sglang`, in the table."""
    releases = [parse_version(text) or (0, 0, 0) for text in read("engines/server_arguments")["releases"][server]]
    return min(releases), max(releases)


@cache
def arguments_of(kind: str, first: Version, last: Version | None = None) -> frozenset[str]:
    """The arguments of a server, with underscores, such as `max_model_len`.

    Args:
        kind: A table: `vllm` (the fields of its EngineArgs) or `sglang`; `sglang_tool_call_parser`,
            `sglang_reasoning_parser`, `sglang_model_types` or `sglang_image_types`.
        first: Its version; one between two releases of the table counts as the older.
        last: Another version, where it is not known which of the two and those between them it is. Default: the first.

    Returns:
        What any of these versions has.
    """
    table = read("engines/server_arguments")
    known = {text: parse_version(text) or first for text in table["releases"][kind.partition("_")[0]]}
    newest = last or first
    older = [version for version in known.values() if version <= first]
    oldest = max(older) if older else min(known.values())
    return frozenset(
        name
        for name, spans in table[kind].items()
        for since, until in spans
        if known[since] <= max(newest, oldest) and (until is None or known[until] >= oldest)
    )
