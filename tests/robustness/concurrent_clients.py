"""Many clients at once over plain sockets, in one thread: some read, some dawdle, some vanish."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

READ_BYTES = 65536
SIPPED_BYTES = 200
SIP_SECONDS = 0.02


@dataclass
class Client:
    """One client.

    Args:
        request: What it sends.
        manner: `reads`, `sips`, `never reads`, or how it goes: `leaves` or `resets`.
        until: Goes after so many bytes of the answer; 0: as soon as it may, without reading any.
        delay: When it comes, in seconds.
        holds: How many bytes the system holds for it that it has not read; 0: as many as it likes.
    """

    request: bytes
    manner: str
    until: int = 0
    delay: float = 0.0
    holds: int = 0
    answer: bytearray = field(default_factory=bytearray)
    is_done: bool = False
    socket: socket.socket | None = None
    next_sip: float = 0.0

    @property
    def stays(self) -> bool:
        return self.manner in ("reads", "sips")

    def come(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        if self.holds:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.holds)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(self.request)
        self.socket.setblocking(False)

    def go(self) -> None:
        assert self.socket is not None
        if self.manner == "resets":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.is_done = True

    def read(self) -> None:
        """Take what is there; done at the end of the answer."""
        assert self.socket is not None
        if self.manner == "sips" and time.monotonic() < self.next_sip:
            return
        data = self.socket.recv(SIPPED_BYTES if self.manner == "sips" else READ_BYTES)
        self.next_sip = time.monotonic() + SIP_SECONDS
        self.answer += data
        if not data or (not self.stays and len(self.answer) >= self.until):
            self.go()


def come_and_go(port: int, clients: list[Client], *, seconds: float, may_go: Callable[[], bool] = lambda: True) -> None:
    """Let every client do what it does; ends when all are done but those that never read.

    Args:
        port: Where they go.
        clients: They.
        seconds: How long all of it may take.
        may_go: Whether those may go that read nothing. A request that was sent and is taken back before the gateway
            has looked at it may be one or none.

    Raises:
        TimeoutError: Some are not done in time.
    """
    started = time.monotonic()
    coming = sorted(clients, key=lambda client: client.delay)
    leaving = [
        client for client in clients if not client.stays and client.until == 0 and client.manner != "never reads"
    ]
    with selectors.DefaultSelector() as selector:
        while coming or leaving or selector.get_map():
            now = time.monotonic() - started
            if now > seconds:
                raise TimeoutError(f"{len(selector.get_map())} clients are still waiting")
            while coming and coming[0].delay <= now:
                _enter(selector, coming.pop(0), port)
            while leaving and not coming and may_go():
                leaving.pop().go()
            for key, _ in selector.select(0.01):
                client: Client = key.data
                client.read()
                if client.is_done:
                    selector.unregister(key.fileobj)
            time.sleep(0.001)


def _enter(selector: selectors.BaseSelector, client: Client, port: int) -> None:
    client.come(port)
    if client.manner == "never reads" or (not client.stays and client.until == 0):
        return
    assert client.socket is not None
    selector.register(client.socket, selectors.EVENT_READ, client)
