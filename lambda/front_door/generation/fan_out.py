"""Concurrent requests to a model, for a response with more than one choice."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Protocol

from front_door.errors import ApiError
from front_door.sagemaker import connection


class Events(Protocol):
    """Complete events; see `ModelStream`."""

    @property
    def is_event_stream(self) -> bool: ...  # noqa: D102
    def __iter__(self) -> Iterator[bytes]: ...


class WholeResponse:
    """A response that is not streamed, as if it were one event.

    Args:
        invocation: Yields keep-alives, and returns the body.
    """

    is_event_stream = True

    def __init__(self, invocation: Generator[bytes, None, bytes]) -> None:
        self._invocation = invocation

    def __iter__(self) -> Iterator[bytes]:
        """Keep-alives and the body."""
        yield (yield from self._invocation)


Open = Callable[[], Events]
_Item = tuple[int, bytes | None, BaseException | None]
# Each is at most what one read from a socket completes. More than the two that each of eight streams may add after all
# is over, so that no thread waits for a reader that has gone.
_MAX_WAITING = 32


def merge_streams(streams: Sequence[Open]) -> Iterator[tuple[int, bytes]]:
    """Open some streams at once and yield their events as they arrive, each with the index of its stream.

    Yields empty events (keep-alives) while none arrive. While nobody reads, the streams wait, apart from a few events.
    One error ends all: the other streams stop at their next event.

    Raises:
        ApiError: The first error of any stream.
    """
    items: queue.Queue[_Item] = queue.Queue(_MAX_WAITING)
    is_over = threading.Event()
    for index, open_stream in enumerate(streams):
        threading.Thread(target=_run, args=(open_stream, index, items, is_over), daemon=True).start()
    running = len(streams)
    try:
        while running:
            try:
                index, events, error = items.get(timeout=connection.KEEP_ALIVE_SECONDS)
            except queue.Empty:
                yield 0, b""
                continue
            if error is not None:
                raise error
            if events is None:
                running -= 1
            else:
                yield index, events
    finally:
        is_over.set()
        while not items.empty():
            items.get()


def _run(open_stream: Open, index: int, items: "queue.Queue[_Item]", is_over: threading.Event) -> None:
    try:
        stream = open_stream()
        for events in stream:
            if is_over.is_set():
                return
            if not events:
                continue
            if not stream.is_event_stream:
                message = "The model did not stream its response."
                raise ApiError("upstream", message, log_detail="no events")
            items.put((index, events, None))
        items.put((index, None, None))
    except BaseException as error:  # noqa: BLE001 - raised again by the thread that reads the items
        items.put((index, None, error))
