"""One job at a time for each folder: an object that its holder renews as long as it lives.

The lock is stale once it has not been renewed for some minutes, by S3's clock: nobody has to ask who the holder was or
whether it is still there, so that a CodeBuild job and a terminal lock each other out as well.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from weights_copier.failure import StagingError
from weights_copier.s3 import Bucket, Content


@dataclass(frozen=True)
class LockTimes:
    """Seconds.

    Args:
        renew: Between two renewals by the holder.
        stale: Without a renewal, after which another job may take over.
        poll: Between two looks of a job that waits.
    """

    renew: float = 60
    stale: float = 300
    poll: float = 10


@dataclass(frozen=True)
class _Object:
    """The lock's object.

    Args:
        bucket: The bucket.
        key: Its key.
        holder: Who writes it, for others to read.
        id: What is different for each process.
    """

    bucket: Bucket
    key: str
    holder: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def write(self, state: str, etag: str | None) -> str | None:
        """Write it if it is still the one with this ETag, or if there is none and `etag` is None; see Bucket.put_if."""
        # With a word that is never the same: a renewal has to change the ETag, or nobody who takes over notices it.
        body = json.dumps({"state": state, "holder": self.holder, "id": self.id, "written": uuid.uuid4().hex}).encode()
        written = self.bucket.put_if(self.key, body, etag)
        if written is None and (found := self.read()) and _field(found, "id") == self.id:
            return found.etag  # S3 had done it already, and its answer was lost
        return written

    def read(self) -> Content | None:
        """What it says, if it is there."""
        return self.bucket.get(self.key) if self.bucket.has(self.key) else None


class Lock:
    """A lock that this process holds, from `acquire` until the end of the with statement.

    Args:
        place: The lock's object.
        etag: Its ETag as this process wrote it.
        times: How often to renew it.
        on_loss: Called once if another process has taken the lock over, or it cannot be renewed any more.

    Attributes:
        loss: Why it is not held any more, in words.
    """

    def __init__(self, place: _Object, etag: str, times: LockTimes, on_loss: Callable[[], object]) -> None:
        self._place = place
        self._etag = etag
        self._times = times
        self._on_loss = on_loss
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lock", daemon=True)
        self.loss: str | None = None

    def __enter__(self) -> Lock:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self.loss is not None:
            return
        try:
            self._place.write("released", self._etag)
        except StagingError:
            if error is None:  # else what happened before counts; the lock becomes stale by itself
                raise

    def _renew(self) -> None:
        """Show that the holder lives. One failure is no loss: the lock outlives several."""
        failures = 0
        while not self._over.wait(self._times.renew):
            try:
                etag = self._place.write("held", self._etag)
            except StagingError as error:
                failures += 1
                if failures * self._times.renew >= self._times.stale:
                    self._lose(f"the lock could not be renewed: {error.words}")
                    return
                continue
            if etag is None:
                self._lose(f"another job has taken over the lock {self._place.bucket.url(self._place.key)}")
                return
            self._etag, failures = etag, 0

    def _lose(self, words: str) -> None:
        self.loss = words
        self._on_loss()


def acquire(
    bucket: Bucket,
    key: str,
    holder: str,
    *,
    is_done: Callable[[], bool],
    note: Callable[[str], object],
    wait: Callable[[float], object],
    on_loss: Callable[[], object],
    times: LockTimes,
) -> Lock | None:
    """The lock, once nobody else holds it.

    Args:
        bucket: The bucket.
        key: Key of the lock's object.
        holder: Who asks for it.
        is_done: Whether what the lock is for has been done by somebody else, so that it is not needed any more.
        note: Gets a line when there is a wait.
        wait: Waits some seconds.
        on_loss: See `Lock`.
        times: How often to look.

    Returns:
        The lock, or None if `is_done` said yes first.
    """
    place = _Object(bucket, key, holder)
    said = False
    while True:
        etag = place.write("held", None)
        if etag is None and (found := place.read()) is not None:
            etag = _take_over(place, found, note, times)
            if etag is None and not said:
                note(f"waiting for {_holder_of(found)}, which copies the same files")
                said = True
        if etag is not None:
            return Lock(place, etag, times, on_loss)
        if is_done():
            return None
        wait(times.poll)


def _take_over(place: _Object, found: Content, note: Callable[[str], object], times: LockTimes) -> str | None:
    """The ETag of the lock if it was free or stale and this process was the first to take it."""
    is_free = _field(found, "state") == "released"
    if not is_free and found.age < times.stale:
        return None
    etag = place.write("held", found.etag)
    if etag is not None and not is_free:
        note(f"taking over from {_holder_of(found)}, which has shown no sign of life for {found.age:.0f} s")
    return etag


def _holder_of(found: Content) -> str:
    return _field(found, "holder") or "a job without a name"


def _field(found: Content, name: str) -> str:
    try:
        return str(json.loads(found.body)[name])
    except (ValueError, KeyError, TypeError):
        return ""
