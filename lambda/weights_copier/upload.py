"""Copies one file: ranges in order, one hasher, and parts that become an object only if size and digest are right."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from weights_copier.failure import StagingError
from weights_copier.hub import HubFile
from weights_copier.s3 import Bucket
from weights_copier.tree import RemoteFile

MAX_PARTS = 9_000
"""S3 allows 10,000."""

_SHOWN_DIGITS = 16
_NAMES = {"sha256": "SHA-256", "git-sha1": "git's SHA-1"}


@dataclass(frozen=True)
class Flow:
    """How a file is read and written.

    Args:
        part_bytes: Bytes of a part, unless the file needs larger ones.
        reads: Parts that are read at once, ahead of the one that is hashed.
        writes: Parts that are uploaded at once. Memory is at most (reads + writes + 1) parts.
    """

    part_bytes: int = 64 * 2**20
    reads: int = 4
    writes: int = 2

    def part_of(self, size: int) -> int:
        """Bytes of a part of a file of this size."""
        return max(self.part_bytes, -(-size // MAX_PARTS))


def copy_file(
    source: HubFile, file: RemoteFile, bucket: Bucket, key: str, flow: Flow, on_bytes: Callable[[int], object]
) -> str:
    """Copy one file.

    Args:
        source: The file at the hub.
        file: Its size and digest.
        bucket: Where it goes.
        key: Its key there.
        flow: How.
        on_bytes: Called with the number of further bytes that were read.

    Returns:
        The ETag of the object.

    Raises:
        StagingError: The bytes are not those that the hub promised; there is no object then.
    """
    part = flow.part_of(file.size)
    metadata = {file.kind: file.digest}
    if file.size <= part:
        content = read_verified(source, file)
        on_bytes(len(content))
        return bucket.put(key, content, metadata)
    with _upload(bucket, key, metadata) as upload_id:
        parts, crc32 = _copy_parts(source, file, bucket, key, upload_id, part, flow, on_bytes)
        return bucket.complete(key, upload_id, parts, file.size, crc32, metadata)


def read_verified(source: HubFile, file: RemoteFile) -> bytearray:
    """The whole content of a small file.

    Raises:
        StagingError: It is not what the hub promised.
    """
    content = source.read(0, file.size)
    hasher = file.hasher()
    hasher.update(content)
    _check(file, hasher)
    return content


def _copy_parts(
    source: HubFile,
    file: RemoteFile,
    bucket: Bucket,
    key: str,
    upload_id: str,
    part: int,
    flow: Flow,
    on_bytes: Callable[[int], object],
) -> tuple[list[dict[str, Any]], int]:
    """The parts in the bucket and the CRC-32 of them all, once the digest has been found right."""
    hasher, crc32 = file.hasher(), 0
    written: list[dict[str, Any]] = []
    behind: deque[Future[dict[str, Any]]] = deque()
    with _pool(flow.writes) as writers, closing(_in_order(source, file.size, part, flow.reads)) as contents:
        for number, content in enumerate(contents, start=1):
            hasher.update(content)
            crc32 = zlib.crc32(content, crc32)
            on_bytes(len(content))
            behind.append(writers.submit(bucket.put_part, key, upload_id, number, content))
            if len(behind) >= flow.writes:
                written.append(behind.popleft().result())
        _check(file, hasher)
        written += [future.result() for future in behind]
    return written, crc32


def _in_order(source: HubFile, size: int, part: int, reads: int) -> Generator[bytearray, None, None]:
    """The parts of a file in their order, several of which are read at once."""
    ahead: deque[Future[bytearray]] = deque()
    starts = iter(range(0, size, part))
    with _pool(reads) as readers:
        try:
            while True:
                for start in islice(starts, reads - len(ahead)):
                    ahead.append(readers.submit(source.read, start, min(start + part, size)))
                if not ahead:
                    return
                yield ahead.popleft().result()
        except BaseException:
            source.cancel()
            raise


@contextmanager
def _upload(bucket: Bucket, key: str, metadata: dict[str, str]) -> Iterator[str]:
    """An upload that is aborted unless it is completed; its parts would be paid for."""
    upload_id = bucket.begin(key, metadata)
    try:
        yield upload_id
    except BaseException:
        with suppress(StagingError):  # what happened before counts; the next copy aborts it, or the bucket's own rule
            bucket.abort(key, upload_id)
        raise


@contextmanager
def _pool(size: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that have ended when the block has; what they have not begun by then, they never do."""
    pool = ThreadPoolExecutor(size)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _check(file: RemoteFile, hasher: Any) -> None:
    found = hasher.hexdigest()
    if found != file.digest:
        name = _NAMES[file.kind]
        raise StagingError(
            f"{file.path}: {name} is {found[:_SHOWN_DIGITS]}…, the hub promised {file.digest[:_SHOWN_DIGITS]}…;"
            " nothing was published"
        )
