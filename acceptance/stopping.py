"""What signals do: the first one stops the work, and none stops the deletion after it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from local.commands.progress import Progress

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(BaseException):
    """A signal has stopped the work. Not an Exception, so that no probe takes it for a failure of its own.

    Attributes:
        code: The exit status: 128 and the number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.code = 128 + number


class Stopping:
    """The handler of the signals: the first one raises, unless the deletion has begun."""

    def __init__(self, progress: Progress) -> None:
        self._raises = True
        self._progress = progress

    def stop_raising(self) -> None:
        """From here on a signal only says that the deletion is not stopped."""
        self._raises = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Raises StoppedError, once."""
        if self._raises:
            self._raises = False
            raise StoppedError(number)
        self._progress.print("Still deleting: what is not deleted costs money. This takes some minutes.")


@contextmanager
def stop_on_signals(progress: Progress) -> Iterator[Stopping]:
    """Takes the signals over until the block ends, and then gives them back."""
    stopping = Stopping(progress)
    before = {number: signal.signal(number, stopping) for number in SIGNALS}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
