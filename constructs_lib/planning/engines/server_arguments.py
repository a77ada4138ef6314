"""Which arguments a version of vLLM or SGLang has.

server_arguments.json is written by scripts/generate_server_arguments.py from the releases on PyPI.
"""

from __future__ import annotations

from functools import cache

from constructs_lib.planning.data_files import read
from constructs_lib.planning.images.catalogue import Version, parse_version


@cache
def arguments_of(server: str, first: Version, last: Version | None = None) -> frozenset[str]:
    """The arguments of a server, with underscores, such as `max_model_len`.

    Args:
        server: `vllm` (the fields of its EngineArgs) or `sglang`.
        first: Its version; one between two releases of the table counts as the older.
        last: Another version, where it is not known which of the two and those between them it is. Default: the first.

    Returns:
        What any of these versions has.
    """
    table = read("engines/server_arguments")
    known = {text: parse_version(text) or first for text in table["releases"][server]}
    newest = last or first
    older = [version for version in known.values() if version <= first]
    oldest = max(older) if older else min(known.values())
    return frozenset(
        name
        for name, spans in table[server].items()
        for since, until in spans
        if known[since] <= max(newest, oldest) and (until is None or known[until] >= oldest)
    )
