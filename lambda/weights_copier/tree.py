"""The files of a commit: paths, sizes and digests, as the hub lists them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from weights_copier.failure import StagingError
from weights_copier.hub import Hub
from weights_copier.transport import joined

_MAX_PAGES = 1000
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
_HEX = re.compile(r"[0-9a-f]+")
_DIGITS = {"sha256": 64, "git-sha1": 40}


@dataclass(frozen=True)
class RemoteFile:
    """A file of the commit.

    Args:
        path: Its path in the repository.
        size: Its bytes.
        kind: `sha256` of the content (LFS files), or `git-sha1`: git's name for the blob, the SHA-1 of `blob`, a space,
            the size, a zero byte and the content.
        digest: The digest, hexadecimal.
    """

    path: str
    size: int
    kind: str
    digest: str

    def hasher(self) -> Any:
        """A hash object that has the digest once it has read the content."""
        if self.kind == "sha256":
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)


def read_tree(hub: Hub) -> list[RemoteFile]:
    """All files of the commit.

    Raises:
        StagingError: The hub refuses, or its answer is not understood.
    """
    request = hub.request
    url = f"{hub.url}/api/models/{quote(request.repository)}/tree/{request.revision}?recursive=true&expand=false"
    files: list[RemoteFile] = []
    for _ in range(_MAX_PAGES):
        entries, answer = hub.read_json(url)
        files += _files(entries)
        following = _NEXT.search(answer.headers.get("Link") or "")
        if following is None:
            return files
        target = joined(url, following[1])
        if target is None or not hub.transport.is_hub(target):
            raise StagingError("the hub's list of files goes on at another host")
        url = target
    raise StagingError(f"the hub's list of files of {request.repository} never ends")


def _files(entries: Any) -> Iterator[RemoteFile]:
    if not isinstance(entries, list):
        raise StagingError("the hub's list of files is not a list")
    for entry in entries:
        if isinstance(entry, dict) and entry.get("type") == "directory":
            continue
        try:
            yield _file(entry)
        except (KeyError, TypeError, UnicodeEncodeError) as error:
            raise StagingError(f"the hub's list of files has an entry without size or digest: {entry!r}") from error


def _file(entry: Any) -> RemoteFile:
    lfs = entry.get("lfs") if isinstance(entry, dict) else None
    kind, digest = ("sha256", lfs["oid"]) if lfs else ("git-sha1", entry["oid"])
    path, size = entry["path"], (lfs or entry)["size"]
    if not isinstance(path, str) or type(size) is not int or size < 0:
        raise TypeError
    path.encode()  # JSON can have half a character, which no URL and no key can
    if not _HEX.fullmatch(digest) or len(digest) != _DIGITS[kind]:
        raise TypeError
    return RemoteFile(path, size, kind, digest)
