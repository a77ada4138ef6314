"""Copies one commit into the bucket: what is wanted, what is there, the rest, and the manifest last."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from weights_copier.failure import CancelledError, StagingError, Stopped
from weights_copier.hub import Hub, HubFile
from weights_copier.lock import Lock, LockTimes, acquire
from weights_copier.manifest import Entry, read_manifest, write_manifest
from weights_copier.progress import Progress, gb
from weights_copier.s3 import Bucket, Listed
from weights_copier.selection import select
from weights_copier.tree import RemoteFile, read_tree
from weights_copier.upload import Flow, copy_file, read_verified


@dataclass(frozen=True)
class Settings:
    """What is the same for every copy.

    Args:
        holder: Who copies, for those who wait.
        flow: How files are read and written.
        lock_times: How the lock is kept.
        go_on: What to do to go on after a stop, in words.
    """

    holder: str
    flow: Flow = field(default_factory=Flow)
    lock_times: LockTimes = field(default_factory=LockTimes)
    go_on: str = "deploy again to go on"


@dataclass(frozen=True)
class Outcome:
    """What a copy has brought.

    Args:
        url: s3:// URL of the folder.
        manifest: s3:// URL of the manifest.
        files: Files of the commit that were asked for.
        total_bytes: Their bytes.
        copied_bytes: Those of them that were not there before.
        seconds: How long it took.
    """

    url: str
    manifest: str
    files: int
    total_bytes: int
    copied_bytes: int
    seconds: float


class Staging:
    """One copy.

    Args:
        hub: The hub, with the request.
        bucket: Where the files go.
        progress: Is told how far it is.
        settings: What is the same for every copy.
    """

    def __init__(self, hub: Hub, bucket: Bucket, progress: Progress, settings: Settings) -> None:
        self._hub = hub
        self._request = hub.request
        self._places = hub.request.places
        self._bucket = bucket
        self._progress = progress
        self._settings = settings

    def run(self) -> Outcome:
        """Copy what is missing.

        Raises:
            StagingError: It could not be finished; what was finished stays and is not copied again.
            Stopped: The process was asked to end; the exception says how far it is.
        """
        began = time.monotonic()
        try:
            files = select(read_tree(self._hub), self._request, self._read)
            if self._is_done(files) or not self._copy_locked(files):
                self._progress.begin(files, files)
        except (Stopped, KeyboardInterrupt) as error:
            self._hub.halt.set()
            raise Stopped(self._stopped()) from error
        return Outcome(
            self._bucket.url(self._places.folder),
            self._bucket.url(self._places.manifest),
            len(files),
            sum(file.size for file in files),
            self._progress.totals.copied_bytes,
            time.monotonic() - began,
        )

    def _read(self, file: RemoteFile) -> bytes:
        return bytes(read_verified(HubFile(self._hub, file.path, file.size), file))

    def _copy_locked(self, files: list[RemoteFile]) -> bool:
        """Copy what is missing, unless somebody else has; answers whether this process did."""
        lock = acquire(
            self._bucket,
            self._places.lock,
            self._settings.holder,
            is_done=lambda: self._is_done(files),
            note=self._progress.note,
            wait=self._hub.halt.wait,
            on_loss=self._hub.halt.set,
            times=self._settings.lock_times,
        )
        if lock is None:
            return False
        with lock:
            if self._is_done(files):
                return False
            self._copy(files, lock)
        return True

    def _copy(self, files: list[RemoteFile], lock: Lock) -> None:
        if left := self._bucket.abort_uploads(self._places.folder):
            self._progress.note(f"aborted {left} uploads that an earlier job had left behind")
        kept = self._finished(files)
        self._progress.begin(files, [file for file in files if file.path in kept])
        try:
            entries = [self._entry(file, kept.get(file.path)) for file in files]
        except CancelledError:
            raise StagingError(lock.loss or "the copy was cancelled") from None
        self._check_copied(self._objects(files), entries)
        if lock.loss:
            raise StagingError(lock.loss)
        self._bucket.put(self._places.manifest, write_manifest(self._request, entries))

    def _entry(self, file: RemoteFile, etag: str | None) -> Entry:
        """The manifest's line for a file, which is copied unless it is there."""
        if etag is None:
            source = HubFile(self._hub, file.path, file.size)
            key = self._places.folder + file.path
            etag = copy_file(source, file, self._bucket, key, self._settings.flow, self._progress.add_bytes)
            self._progress.finish_file(file)
        return Entry(file.path, file.size, _digest(file), etag)

    def _check_copied(self, objects: Mapping[str, Listed], entries: Iterable[Entry]) -> None:
        """See that the folder has what the manifest will say: somebody may have deleted or overwritten a file."""
        for entry in entries:
            if objects.get(entry.path) != Listed(entry.size, entry.etag):
                url = self._bucket.url(self._places.folder + entry.path)
                raise StagingError(f"{url} was deleted or overwritten while files were copied; start it again to go on")

    def _finished(self, files: Iterable[RemoteFile]) -> dict[str, str]:
        """The ETags of files that are whole and verified: that of their size with the digest in their metadata."""
        objects = self._objects(files)
        return {
            file.path: found.etag
            for file in files
            if (found := objects.get(file.path)) is not None
            and found.size == file.size
            and self._bucket.metadata(self._places.folder + file.path).get(file.kind) == file.digest
        }

    def _objects(self, files: Iterable[RemoteFile]) -> dict[str, Listed]:
        """What is in the folder, by path.

        Raises:
            StagingError: Something that does not belong there: SageMaker would download it as well.
        """
        objects = self._listed()
        if strange := sorted(objects.keys() - {file.path for file in files}):
            more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
            url = self._bucket.url(self._places.folder + strange[0])
            raise StagingError(f"{url}{more} does not belong to the commit; remove it, or take another prefix")
        return objects

    def _listed(self) -> dict[str, Listed]:
        start = len(self._places.folder)
        return {key[start:]: found for key, found in self._bucket.objects(self._places.folder).items()}

    def _is_done(self, files: Iterable[RemoteFile]) -> bool:
        """Whether the manifest is of this request, and the folder has its files and nothing else."""
        if not self._bucket.has(self._places.manifest):
            return False
        entries = read_manifest(self._bucket.get(self._places.manifest).body, self._request)
        if entries is None or _promised(entries) != {file.path: (file.size, _digest(file)) for file in files}:
            return False
        return self._listed() == {path: Listed(entry.size, entry.etag) for path, entry in entries.items()}

    def _stopped(self) -> str:
        totals = self._progress.totals
        if not totals.files:
            return f"stopped before the first file; {self._settings.go_on}"
        return (
            f"stopped after {totals.done_files} of {totals.files} files, {gb(totals.done_bytes)};"
            f" {self._settings.go_on}"
        )


def _promised(entries: Mapping[str, Entry]) -> dict[str, tuple[int, str]]:
    return {path: (entry.size, entry.digest) for path, entry in entries.items()}


def _digest(file: RemoteFile) -> str:
    return f"{file.kind}:{file.digest}"
