"""What the hub is asked: JSON, and ranges of files. Each request is tried again as long as that may help."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote

from weights_copier.failure import CancelledError, StagingError
from weights_copier.patience import Patience, TransientError, Tries, seconds_to_wait
from weights_copier.refusals import refusal_words
from weights_copier.request import StagingRequest
from weights_copier.transport import REDIRECTS, Transport, UnreachableError, host_of

_MAX_REDIRECTS = 5
_MAX_JSON_BYTES = 64 * 2**20
_SLICE = 2**17
_PROGRESS = 2**16


class Hub:
    """A hub, for one repository and commit.

    Args:
        request: What is copied, and from where.
        token: The token.
        account: Where the token is from, in words.
        patience: How often a request is tried.
        note: Gets a line when there is a wait.

    Attributes:
        halt: Set when the copy ends early: threads that read or wait give up.
    """

    def __init__(
        self,
        request: StagingRequest,
        token: str | None = None,
        account: str | None = None,
        patience: Patience | None = None,
        note: Callable[[str], object] = lambda line: None,
    ) -> None:
        self.request = request
        self.url = request.hub.rstrip("/")
        self.transport = Transport(request.hub, token)
        self._account = account if token else None
        self._patience = patience or Patience()
        self.halt = threading.Event()
        self._note = note

    def tries(self) -> Tries:
        """The tries of one thing."""
        return Tries(self._patience, self._note, self.halt)

    def read_json(self, url: str) -> tuple[Any, HTTPResponse]:
        """A JSON value at the hub's own origin, and the answer that it came with.

        Raises:
            StagingError: The hub refuses, or does not answer.
        """
        tries = self.tries()
        while True:
            try:
                answer, final = self.open(url)
                with answer:
                    self.check(final, answer, None)
                    return _parse(final, read_at_most(final, answer, _MAX_JSON_BYTES + 1)), answer
            except TransientError as error:
                tries.failed(error)

    def open(self, url: str, headers: dict[str, str] | None = None) -> tuple[HTTPResponse, str]:
        """The answer after all redirects, and the URL that gave it; the caller closes the answer.

        Raises:
            StagingError: The redirects never end, or leave HTTPS.
            TransientError: No answer came.
        """
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                answer = self.transport.get(url, headers)
            except UnreachableError as error:
                raise TransientError(self._unreachable(url, error.detail)) from error
            if answer.status not in REDIRECTS:
                return answer, url
            with answer:
                url = self.transport.redirected(url, answer)
        raise StagingError(f"{host_of(url)} redirects in a circle")

    def check(self, url: str, answer: HTTPResponse, path: str | None) -> None:
        """Raises what an answer without content means.

        Raises:
            StagingError: The hub refuses.
            TransientError: It may answer otherwise the next time.
        """
        status = answer.status
        if status in (200, 206):
            if (encoding := answer.headers.get("Content-Encoding", "identity")) != "identity":
                raise TransientError(f"{host_of(url)} compresses answers ({encoding}) although nobody asked it to")
            return
        if status == 429:
            raise TransientError("hub limits requests", seconds_to_wait(answer.headers), is_limit=True)
        if status < 400 or status >= 500 or status in (408, 416) or not self.transport.is_hub(url):
            raise TransientError(f"{host_of(url)} answers {status}{f' for {path}' if path else ''}")
        words = refusal_words(self.request, self._account, status, answer.headers, path)
        raise StagingError(self.transport.without_token(words))

    def _unreachable(self, url: str, detail: str) -> str:
        if self.transport.is_hub(url):
            return f"the hub cannot be reached: {host_of(url)}: {detail}"
        return f"a host is blocked: {host_of(url)} (redirect target): {detail}"


class HubFile:
    """A file of the commit, which is read in ranges, by several threads at once.

    Args:
        hub: The hub.
        path: The file's path in the repository.
        size: Its bytes.
    """

    def __init__(self, hub: Hub, path: str, size: int) -> None:
        request = hub.request
        self._hub = hub
        self._path = path
        self._size = size
        self._resolve = f"{hub.url}/{quote(request.repository)}/resolve/{request.revision}/{quote(path)}"
        self._signed: str | None = None

    def cancel(self) -> None:
        """Let every thread that reads give up."""
        self._hub.halt.set()

    def read(self, start: int, end: int) -> bytearray:
        """The bytes from `start` up to, and not including, `end`. What has arrived before a cut is kept.

        Raises:
            CancelledError: The copy ends early.
            StagingError: They cannot be had.
        """
        content = bytearray()
        tries = self._hub.tries()
        while True:
            if self._hub.halt.is_set():
                raise CancelledError
            before = len(content)
            try:
                self._read_on(content, start, end)
                return content
            except TransientError as error:
                if len(content) - before >= _PROGRESS:
                    tries.progressed()
                tries.failed(error)

    def _read_on(self, content: bytearray, start: int, end: int) -> None:
        start += len(content)
        is_whole = (start, end) == (0, self._size)
        answer, url = self._open({} if is_whole else {"Range": f"bytes={start}-{end - 1}"})
        with answer:
            if not is_whole:
                self._check_range(url, answer, f"bytes {start}-{end - 1}/{self._size}")
            while start < end:
                piece = read_at_most(url, answer, min(_SLICE, end - start))
                if self._hub.halt.is_set():
                    raise CancelledError
                if not piece:
                    raise TransientError(f"{self._path}: {host_of(url)} ended {end - start} bytes too early")
                content += piece
                start += len(piece)
            if read_at_most(url, answer, 1):
                content.clear()
                raise TransientError(f"{self._path}: {host_of(url)} sent more than its {self._size} bytes")

    def _open(self, headers: dict[str, str]) -> tuple[HTTPResponse, str]:
        """The answer; a signed URL that the hub has redirected to is used until it is refused."""
        signed = self._signed
        answer, url = self._hub.open(signed or self._resolve, headers)
        try:
            self._hub.check(url, answer, self._path)
        except BaseException as error:
            answer.close()
            self._signed = None
            if signed is not None and isinstance(error, TransientError) and answer.status == 403:
                raise TransientError(error.words, wait=0) from error  # it has expired: ask the hub for another
            raise
        self._signed = None if self._hub.transport.is_hub(url) else url
        return answer, url

    def _check_range(self, url: str, answer: HTTPResponse, expected: str) -> None:
        found = answer.headers.get("Content-Range")
        if answer.status != 206:
            raise TransientError(f"{self._path}: {host_of(url)} ignores ranges")
        if found != expected:
            raise TransientError(f"{self._path}: {host_of(url)} sent the range {found} instead of {expected}")


def read_at_most(url: str, answer: HTTPResponse, size: int) -> bytes:
    """The next bytes of an answer, at most `size`; none at its end.

    Raises:
        TransientError: The connection broke.
    """
    try:
        return answer.read(size)
    except (OSError, HTTPException) as error:
        unreachable = UnreachableError(url, error)
        raise TransientError(f"{unreachable.host} broke off: {unreachable.detail}") from error


def _parse(url: str, content: bytes) -> Any:
    if len(content) > _MAX_JSON_BYTES:
        raise StagingError(f"{host_of(url)} answers with more than {_MAX_JSON_BYTES} bytes")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise TransientError(f"{host_of(url)} answers with something that is not JSON") from error
