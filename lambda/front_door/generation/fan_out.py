"""Several requests to a model at the same time, for an answer with several choices."""

import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from front_door.errors import Failure
from front_door.sagemaker import connection

if TYPE_CHECKING:
    from front_door.config import Model
    from front_door.context import Call

_Told = tuple[int, bytes | None, BaseException | None]


def merged(call: "Call", model: "Model", bodies: list[dict[str, Any]]) -> Iterator[tuple[int, bytes]]:
    """The events of several requests as they come, each with the index of its request; empty while none come.

    One that fails ends all: the others stop with what comes to them next.

    Raises:
        Failure: As the first that fails.
    """
    told: queue.SimpleQueue[_Told] = queue.SimpleQueue()
    is_over = threading.Event()
    for index, body in enumerate(bodies):
        threading.Thread(target=_run, args=(call, model, body, index, told, is_over), daemon=True).start()
    running = len(bodies)
    try:
        while running:
            try:
                index, events, error = told.get(timeout=connection.HEARTBEAT_SECONDS)
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


def _run(
    call: "Call",
    model: "Model",
    body: dict[str, Any],
    index: int,
    told: "queue.SimpleQueue[_Told]",
    is_over: threading.Event,
) -> None:
    try:
        stream = call.stream(model, body)
        for events in stream:
            if is_over.is_set():
                return
            if not events:
                continue
            if not stream.is_events:
                raise Failure("upstream", "The model answered in one piece where it was to stream.", cause="no events")
            told.put((index, events, None))
        told.put((index, None, None))
    except BaseException as error:  # noqa: BLE001 - raised again where the events are read
        told.put((index, None, error))
