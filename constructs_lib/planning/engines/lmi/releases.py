"""What a version of LMI has in its image.

Sources: deepjavalibrary/djl-serving serving/docs/lmi/release_notes.md, serving/docker/lmi-container-requirements.txt
and its history; aws/deep-learning-containers docs/src/data/djl-inference at e0ecedea.
"""

from __future__ import annotations

from constructs_lib.planning.images.catalogue import Version

OLDEST: Version = (15, 0, 0)
"""First version with the asynchronous handler (`djl_python/lmi_vllm/vllm_async_service.py`), which answers chats and
streams in one way; older ones have rolling batches."""

ASYNC_BY_NAME: Version = (17, 0, 0)
"""First version that takes that handler without being told its name."""

WRITES_FALSE: Version = (27, 0, 0)
"""First version that makes `--no-…` of a `false` (`construct_vllm_args_list`, 2026-06-15); before, it is dropped."""

NESTED_ERRORS: tuple[Version, Version] = ((16, 0, 0), (26, 0, 0))
"""First version whose vLLM puts its errors into an object that LMI did not know, and first that knows it
(`request_response_utils.py`, 2026-05-20)."""

_VLLM: dict[int, Version] = {
    10: (0, 4, 2),
    11: (0, 5, 3),
    12: (0, 6, 2),
    13: (0, 6, 3),
    14: (0, 6, 3),
    15: (0, 8, 4),
    16: (0, 10, 2),
    17: (0, 11, 1),
    18: (0, 12, 0),
    19: (0, 14, 0),
    20: (0, 15, 1),
    21: (0, 16, 0),
    22: (0, 17, 0),
    23: (0, 18, 0),
    24: (0, 19, 0),
    25: (0, 20, 1),
    26: (0, 22, 1),
    27: (0, 23, 1),
    28: (0, 26, 0),
}
"""The version of vLLM in each; those of 10 to 13 by their dates."""

NEWEST_KNOWN = max(_VLLM)
_NEWEST_VLLM: Version = (0, 30, 0)
"""The newest version of vLLM that a version of LMI which is not in the table may have."""

_NEWEST_LMI = 29
"""The newest version of LMI of which that can be said."""


def vllm_version(version: Version) -> Version:
    """The version of vLLM; of an LMI that is newer than the table, the newest of the table."""
    return _VLLM.get(version[0]) or _VLLM[NEWEST_KNOWN if version[0] > NEWEST_KNOWN else min(_VLLM)]


def possible_vllm(version: Version) -> tuple[Version, Version | None]:
    """The version of vLLM, and the newest that it may be where it is not known."""
    return vllm_version(version), None if is_known(version) else _NEWEST_VLLM


def is_known(version: Version) -> bool:
    """Whether the table has the version."""
    return version[0] in _VLLM


def is_later(version: Version) -> bool:
    """Whether a version is so new that its vLLM may have anything."""
    return version[0] > _NEWEST_LMI
