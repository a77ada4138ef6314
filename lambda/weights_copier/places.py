"""Where the files of one commit, their manifest and their lock are in the bucket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from weights_copier.patterns import are_default


@dataclass(frozen=True)
class Places:
    """Keys in the bucket.

    Args:
        folder: What the keys of the files begin with; it ends in a slash, as SageMaker's S3Prefix demands. The rest of
            a key is the file's path in the repository, unchanged.
        manifest: Key of the manifest, which is written last. It is outside of the folder: SageMaker would download it.
        lock: Key of the lock.
    """

    folder: str
    manifest: str
    lock: str


def places_of(
    repository: str, revision: str, include: Iterable[str], exclude: Iterable[str], prefix: str = ""
) -> Places:
    """The keys for one commit and one set of patterns.

    Other patterns than the default ones get a folder of their own, as SageMaker downloads all that a folder has.

    Args:
        repository: Repository on the hub.
        revision: Its commit, 40 hexadecimal digits.
        include: Patterns of files to copy.
        exclude: Patterns of files to leave out.
        prefix: What all keys begin with: nothing, or a path that ends in a slash.
    """
    suffix = "" if are_default(include, exclude) else f"-{_digest(include, exclude)}"
    name = f"{repository}/{revision}{suffix}"
    return Places(f"{prefix}models/{name}/", f"{prefix}manifests/{name}.json", f"{prefix}locks/{name}.json")


def _digest(include: Iterable[str], exclude: Iterable[str]) -> str:
    """Eight hexadecimal digits that stand for the patterns, whatever their order."""
    text = json.dumps([sorted(set(include)), sorted(set(exclude))])
    return hashlib.sha256(text.encode()).hexdigest()[:8]
