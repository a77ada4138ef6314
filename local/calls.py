"""Calls from the threads of the control plane into the event loop, and from there to the control plane."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, TypeVar

from local.deployment.stacks.data_plane import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

Result = TypeVar("Result")


class Calls:
    """The calls that have not ended; to be made in the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._running: set[Future[Any]] = set()
        self._threads: set[asyncio.Task[Any]] = set()
        self._stopped = False

    def result_of(self, work: Coroutine[None, None, Result]) -> Result:
        """The result of work in the event loop; called from another thread.

        Raises:
            StoppedError: The cloud stops, or has stopped.
        """
        with self._lock:
            if self._stopped:
                work.close()
                raise StoppedError
            call = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._running.add(call)
        try:
            return call.result()
        except CancelledError as error:
            raise StoppedError from error
        finally:
            with self._lock:
                self._running.discard(call)

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """The result of work in a thread of its own, which `stop` waits for, as it cannot be cancelled."""
        task = asyncio.create_task(asyncio.to_thread(work))
        self._threads.add(task)
        task.add_done_callback(self._threads.discard)
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Cancels what runs, refuses what comes, and waits for the threads: the control plane still answers them."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for call in running:
            call.cancel()
        await asyncio.gather(*self._threads, return_exceptions=True)
