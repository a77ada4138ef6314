"""What the hub has: repositories of one commit, and the digests by which their files are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

_LFS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".model", ".h5", ".onnx")


@dataclass(frozen=True)
class StoredFile:
    """A file of a commit.

    Args:
        path: Its path in the repository.
        content: Its bytes.
        is_lfs: Whether git has a pointer and the CDN the content. Else the hub answers with the content itself.
    """

    path: str
    content: bytes
    is_lfs: bool

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the content, by which LFS knows it."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def pointer(self) -> bytes:
        """What git has instead of the content of an LFS file."""
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n".encode()

    @cached_property
    def oid(self) -> str:
        """The name of the blob that git has: SHA-1 over a header and the bytes."""
        blob = self.pointer if self.is_lfs else self.content
        return hashlib.sha1(b"blob %d\0" % len(blob) + blob, usedforsecurity=False).hexdigest()

    @property
    def etag(self) -> str:
        """How the hub names the content to clients that cache it."""
        return self.sha256 if self.is_lfs else self.oid

    def listed(self) -> dict[str, object]:
        """Its entry in a tree."""
        entry: dict[str, object] = {"type": "file", "oid": self.oid, "size": self.size, "path": self.path}
        if self.is_lfs:
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": len(self.pointer)}
            entry["xetHash"] = hashlib.sha256(b"xet" + self.content).hexdigest()
        return entry


@dataclass
class Repository:
    """A model repository with one commit.

    Args:
        name: Owner and name, such as `team/llama`.
        contents: The files by path. Those with an ending of weights are LFS files; `lfs` says otherwise.
        gated: Whether files are only for accounts on its list. Its description and its tree are public all the same.
        private: Whether it exists only for the tokens that may read it.
        lfs: Paths of the LFS files. Default: by the ending.
        refs: Branches and tags, which all lead to the one commit.

    Attributes:
        files: The files by path.
    """

    name: str
    contents: Mapping[str, bytes]
    gated: bool = False
    private: bool = False
    lfs: frozenset[str] | None = None
    refs: tuple[str, ...] = ("main",)
    files: dict[str, StoredFile] = field(init=False)

    def __post_init__(self) -> None:
        self.files = {
            path: StoredFile(path, content, path in self.lfs if self.lfs is not None else path.endswith(_LFS_SUFFIXES))
            for path, content in self.contents.items()
        }

    @property
    def commit(self) -> str:
        """The name of the commit: a digest of the names and contents, so that the same files have the same commit."""
        names = "\n".join(f"{file.path} {file.oid}" for file in self.files.values())
        return hashlib.sha1(f"{self.name}\n{names}".encode(), usedforsecurity=False).hexdigest()

    def has_revision(self, revision: str) -> bool:
        """Whether this is the commit, or a branch or a tag that leads to it."""
        return revision == self.commit or revision in self.refs

    def tree(self) -> list[dict[str, object]]:
        """All entries, folders as well, in the order of their paths."""
        folders = {"/".join(path.split("/")[:depth]) for path in self.files for depth in range(1, path.count("/") + 1)}
        entries: list[dict[str, object]] = [
            {
                "type": "directory",
                "oid": hashlib.sha1(folder.encode(), usedforsecurity=False).hexdigest(),
                "size": 0,
                "path": folder,
            }
            for folder in folders
        ]
        return sorted(
            [*entries, *(file.listed() for file in self.files.values())], key=lambda entry: str(entry["path"])
        )

    def described(self) -> dict[str, object]:
        """What `GET /api/models/{repo}` says."""
        return {
            "_id": hashlib.sha256(self.name.encode()).hexdigest()[:24],
            "id": self.name,
            "modelId": self.name,
            "sha": self.commit,
            "private": self.private,
            "gated": "manual" if self.gated else False,
            "disabled": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "lastModified": "2026-01-01T00:00:00.000Z",
            "createdAt": "2026-01-01T00:00:00.000Z",
            "siblings": [self._sibling(file) for file in self.files.values()],
        }

    def _sibling(self, file: StoredFile) -> dict[str, object]:
        about: dict[str, object] = {"rfilename": file.path, "size": file.size, "blobId": file.oid}
        if file.is_lfs:
            about["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": len(file.pointer)}
        return about
