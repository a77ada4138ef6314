"""Whatever goes wrong, in whatever order: what is in the bucket is what the hub promised, or it is not listed."""

from __future__ import annotations

import hashlib
import random

import pytest
from weights_copier.failure import StagingError

from local.hub import Answer, Cut, Drop, Fault, Gzip, IgnoreRange, Redirect, WrongBytes, WrongRange
from tests.lambda_.weights_copier.conftest import FILES, KIB, STAGED, Cloud, Copier

FAULTS: list[Fault] = [
    WrongBytes(),
    IgnoreRange(),
    WrongRange(),
    Gzip(),
    Drop(),
    Cut(after=0),
    Cut(after=60 * KIB),
    Answer(200),
    Answer(200, {}, b"<html>an error page</html>"),
    Answer(206, {"Content-Range": "bytes 0-0/1"}, b"x"),
    Answer(403),
    Answer(404, {"X-Error-Code": "EntryNotFound"}),
    Answer(416),
    Answer(429, {"Retry-After": "9"}),
    Answer(503),
    Redirect("/elsewhere"),
]


def digest_of(kind: str, content: bytes) -> str:
    if kind == "sha256":
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def words_of(copier: Copier) -> str:
    """Why a copy failed; nothing if it did not."""
    try:
        copier.run()
    except StagingError as error:
        return error.words
    return ""


@pytest.mark.parametrize("seed", range(12))
def test_no_mixture_of_faults_publishes_a_wrong_byte(copier: Copier, cloud: Cloud, seed: int) -> None:
    chosen = random.Random(seed)
    for _ in range(chosen.randrange(1, 12)):
        side = chosen.choice(["hub", "cdn"])
        path = chosen.choice(["", "model.safetensors", "tokenizer.json", "/tree/"])
        copier.hub.faults.add(chosen.choice(FAULTS), on=side, path=path, times=chosen.choice([1, 2, 6]))
    for _ in range(3):
        words = words_of(copier)
        assert len(words) <= 300
        assert cloud.uploads == []
        if copier.manifest in cloud.keys:
            assert {path: cloud.read(copier.folder + path) for path in STAGED} == {path: FILES[path] for path in STAGED}
        else:
            assert words
        for key in (key for key in cloud.keys if key.startswith(copier.folder)):
            ((kind, promised),) = cloud.client.head_object(Bucket=cloud.name, Key=key)["Metadata"].items()
            assert digest_of(kind, cloud.read(key)) == promised
    copier.hub.faults.clear()
    copier.run()
    assert {path: cloud.read(copier.folder + path) for path in STAGED} == {path: FILES[path] for path in STAGED}
