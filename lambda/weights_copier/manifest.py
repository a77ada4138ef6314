"""The list of what was copied. It is written last: once it is there, every file in it is there, whole and verified."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from weights_copier.request import StagingRequest

VERSION = 1


@dataclass(frozen=True)
class Entry:
    """A file in the manifest.

    Args:
        path: Its path in the repository, and below the folder in the bucket.
        size: Its bytes.
        digest: The kind and the digest that the hub promised and the bytes had, such as `sha256:…`.
        etag: The ETag of its object.
    """

    path: str
    size: int
    digest: str
    etag: str


def write_manifest(request: StagingRequest, entries: Iterable[Entry]) -> bytes:
    """The manifest as JSON."""
    files = [{**vars(entry)} for entry in sorted(entries, key=lambda entry: entry.path)]
    content = {
        "version": VERSION,
        **_identity(request),
        "total_bytes": sum(int(file["size"]) for file in files),
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "files": files,
    }
    return json.dumps(content, indent=1, ensure_ascii=False).encode()


def read_manifest(body: bytes | str, request: StagingRequest) -> dict[str, Entry] | None:
    """The files of a manifest by path, or None if it is not the manifest of this request.

    Args:
        body: Content of the object.
        request: What was asked for: repository, commit and patterns have to be the same.
    """
    try:
        content: Mapping[str, Any] = json.loads(body)
        if content["version"] != VERSION or any(content[name] != value for name, value in _identity(request).items()):
            return None
        entries = [Entry(file["path"], file["size"], file["digest"], file["etag"]) for file in content["files"]]
    except (ValueError, KeyError, TypeError):
        return None
    return {entry.path: entry for entry in entries}


def _identity(request: StagingRequest) -> dict[str, object]:
    return {
        "repository": request.repository,
        "revision": request.revision,
        "include": sorted(set(request.include)),
        "exclude": sorted(set(request.exclude)),
    }
