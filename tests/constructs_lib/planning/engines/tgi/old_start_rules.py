"""The limits with which TGI before 3.0 starts, written independently of the library.

Sources: `launcher/src/main.rs` (struct Args, main) at v0.8.2, v0.9.3, v1.4.5, v2.0.2, v2.3.1 and v2.4.0, and what
checks the rest: `router/src/validation.rs` at v0.8.2, `backends/v3/src/main.rs` and `lib.rs` at v2.4.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Version = tuple[int, int, int]


def faults(environment: Mapping[str, str], version: Version, positions: int, *, flash: bool) -> list[str]:
    """Why TGI would not start with the limits of that environment.

    Args:
        environment: The container's variables.
        version: Version of TGI, before 3.0.
        positions: max_position_embeddings of the model's config.json.
        flash: Whether TGI runs the model with flash attention.
    """
    if version < (0, 9, 0):
        return list(_prompt(_number(environment, "MAX_INPUT_LENGTH", 1000), _number(environment, TOTAL, 1512)))
    if version < (2, 0, 0):
        longest, total = _number(environment, "MAX_INPUT_LENGTH", 1024), _number(environment, TOTAL, 2048)
        prefill = _number(environment, PREFILL, 4096)
    else:
        default = min(4096, positions)
        longest, total = _number(environment, "MAX_INPUT_TOKENS", default - 1), _number(environment, TOTAL, default)
        requests = environment.get("MAX_BATCH_SIZE")
        prefill = _number(environment, PREFILL, longest * int(requests) if requests else longest + 50)
    batch = _batch(environment, version)
    found = list(_prompt(longest, total))
    if longest > prefill and not _chunks(environment, version, flash=flash):
        found.append("max_batch_prefill_tokens must be >= max_input_tokens")
    if batch is not None and prefill > batch and (version < (2, 4, 0) or not flash):
        found.append("max_batch_prefill_tokens must be <= max_batch_total_tokens")
    if batch is not None and total > batch:
        found.append("max_total_tokens must be <= max_batch_total_tokens")
    return found


TOTAL, PREFILL = "MAX_TOTAL_TOKENS", "MAX_BATCH_PREFILL_TOKENS"


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    return int(environment.get(name, default))


def _batch(environment: Mapping[str, str], version: Version) -> int | None:
    given = environment.get("MAX_BATCH_TOTAL_TOKENS")
    return int(given) if given else (16_000 if version < (0, 9, 4) else None)


def _prompt(longest: int, total: int) -> Iterator[str]:
    if longest >= total:
        yield "max_input_tokens must be < max_total_tokens"


def _chunks(environment: Mapping[str, str], version: Version, *, flash: bool) -> bool:
    asked = version >= (2, 4, 0) and environment.get("PREFILL_CHUNKING") == "true"
    return asked and flash and environment.get("SPECULATE", "0") == "0"
