"""Which files of a commit are copied, and which trees SageMaker would refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from weights_copier.failure import StagingError
from weights_copier.patterns import has_weights, matches
from weights_copier.request import StagingRequest
from weights_copier.tree import RemoteFile

INDEX = "model.safetensors.index.json"
_MAX_NAME = 255
_MAX_KEY = 1024
_MISTRAL = ("consolidated*",)


def select(
    files: Sequence[RemoteFile], request: StagingRequest, read: Callable[[RemoteFile], bytes]
) -> list[RemoteFile]:
    """The files to copy, the smallest first, so that what is wrong with access is known at once.

    With model.safetensors.index.json, of the safetensors exactly those that it names: servers that load every file of a
    folder find the same tensors twice else. Without it, `consolidated*` (Mistral's own format) is left out beside
    model.safetensors, for the same reason.

    Args:
        files: All files of the commit.
        request: Its patterns.
        read: The verified content of a small file.

    Raises:
        StagingError: No file is left, none has weights, the index names one that is not there, or SageMaker would
            refuse the folder.
    """
    chosen = [file for file in files if matches(file.path, request.include) and not matches(file.path, request.exclude)]
    if not chosen:
        raise StagingError(f"no file of {request.repository} matches {', '.join(request.include)}")
    index = next((file for file in chosen if file.path == INDEX), None)
    if index is not None:
        chosen = _of_index(chosen, files, _shards(read(index)), request)
    elif any(file.path == "model.safetensors" for file in chosen):
        chosen = [file for file in chosen if not matches(file.path, _MISTRAL)]
    if not any(has_weights(file.path) for file in chosen):
        raise StagingError(
            f"no safetensors in {request.repository}; to copy its other weights, name them among the files to include"
        )
    _check_names([file.path for file in chosen], request.places.folder)
    return sorted(chosen, key=lambda file: (file.size, file.path))


def _of_index(
    chosen: Iterable[RemoteFile], files: Iterable[RemoteFile], shards: set[str], request: StagingRequest
) -> list[RemoteFile]:
    kept = [file for file in chosen if not file.path.endswith(".safetensors") or file.path in shards]
    kept = [file for file in kept if not matches(file.path, _MISTRAL) or file.path in shards]
    if missing := sorted(shards - {file.path for file in kept}):
        is_there = missing[0] in {file.path for file in files}
        why = "the patterns leave out" if is_there else f"commit {request.revision} lacks"
        raise StagingError(f"{request.repository}: {INDEX} names {missing[0]}, which {why}")
    return kept


def _shards(content: bytes) -> set[str]:
    try:
        return set(json.loads(content)["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StagingError(f"{INDEX} has no weight_map, so it does not say which files belong to the model") from error


def _check_names(paths: Sequence[str], folder: str) -> None:
    """What SageMaker's S3Prefix and S3 itself refuse."""
    taken = set(paths)
    for path in paths:
        if why := _wrong_name(path):
            raise StagingError(f"SageMaker refuses the file name {path!r}: {why}")
        parents = {path[:at] for at, character in enumerate(path) if character == "/"}
        if both := sorted(parents & taken):
            raise StagingError(f"SageMaker refuses {both[0]!r}: it is a file and a folder")
        if len((folder + path).encode()) > _MAX_KEY:
            raise StagingError(f"S3 refuses the key {path!r}: with its folder it has more than {_MAX_KEY} bytes")


def _wrong_name(path: str) -> str | None:
    names = path.split("/")
    if not all(name.strip() for name in names):
        return "a part of it is blank"
    if {".", ".."} & set(names):
        return "a part of it is . or .."
    if any(len(name.encode()) > _MAX_NAME for name in names):
        return f"a part of it has more than {_MAX_NAME} bytes"
    if any(ord(character) < ord(" ") or character == "\x7f" for character in path):
        return "it has a control character"
    return None
