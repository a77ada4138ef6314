"""What the name of a version may be: one that Semantic Versioning and PEP 440 read alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def problems(version: str, released: Iterable[str], *, breaks: bool) -> Iterator[str]:
    """What is wrong with the version of a release, one line each.

    Args:
        version: The version.
        released: The versions before it.
        breaks: Whether it breaks programs that use the last one.
    """
    if not _VERSION.fullmatch(version):
        yield (
            f"VERSION={version!r}: must be three numbers, as Semantic Versioning and PEP 440 both have them,"
            " such as 1.2.0"
        )
        return
    newest = max((Version(each) for each in released), default=None)
    if newest is None:
        return
    if Version(version) <= newest:
        yield f"VERSION={version}: must be greater than {newest}, the last release; the next ones are {_next(newest)}"
    elif breaks and not _may_break(Version(version), newest):
        yield (
            f"VERSION={version}: the public API breaks programs that use {newest} (make public-api lists how), so"
            f" Semantic Versioning requires {_breaking(newest)}"
        )


def _may_break(version: Version, last: Version) -> bool:
    return (version.major, version.minor * (last.major == 0)) > (last.major, last.minor * (last.major == 0))


def _breaking(last: Version) -> str:
    return f"0.{last.minor + 1}.0" if last.major == 0 else f"{last.major + 1}.0.0"


def _next(last: Version) -> str:
    return f"{last.major}.{last.minor}.{last.micro + 1} and {last.major}.{last.minor + 1}.0"
