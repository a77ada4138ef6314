"""Many concurrent clients over plain sockets in one thread: some read, some read slowly, some disconnect."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

READ_BYTES = 65536
SLOW_READ_BYTES = 200
SLOW_READ_SECONDS = 0.02


@dataclass
class Client:
    """A client.

    Args:
        request: The bytes that it sends.
        behavior: `reads`, `reads slowly`, `never reads`, or how it disconnects: `closes` or `resets`.
        disconnect_after: The bytes of the response after which it disconnects; 0: before it has read any.
        delay: Seconds until it connects.
        receive_buffer: Bytes that the system buffers for it; 0: the system's default.
    """

    request: bytes
    behavior: str
    disconnect_after: int = 0
    delay: float = 0.0
    receive_buffer: int = 0
    response: bytearray = field(default_factory=bytearray)
    is_done: bool = False
    socket: socket.socket | None = None
    next_read: float = 0.0

    @property
    def reads_to_end(self) -> bool:
        return self.behavior in ("reads", "reads slowly")

    def connect(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(self.request)
        self.socket.setblocking(False)

    def disconnect(self) -> None:
        assert self.socket is not None
        if self.behavior == "resets":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.is_done = True

    def read(self) -> None:
        """Read what has arrived; done at the end of the response."""
        assert self.socket is not None
        if self.behavior == "reads slowly" and time.monotonic() < self.next_read:
            return
        data = self.socket.recv(SLOW_READ_BYTES if self.behavior == "reads slowly" else READ_BYTES)
        self.next_read = time.monotonic() + SLOW_READ_SECONDS
        self.response += data
        if not data or (not self.reads_to_end and len(self.response) >= self.disconnect_after):
            self.disconnect()


def run_clients(
    port: int, clients: list[Client], *, seconds: float, may_disconnect: Callable[[], bool] = lambda: True
) -> None:
    """Run all clients until they are done, except for those that never read.

    Args:
        port: The server's port.
        clients: The clients.
        seconds: The time limit for all of them.
        may_disconnect: Whether the clients may disconnect that read nothing. The gateway may or may not process a
            request whose client disconnects before the gateway has read it.

    Raises:
        TimeoutError: Some are not done in time.
    """
    started = time.monotonic()
    arriving = sorted(clients, key=lambda client: client.delay)
    leaving = [
        client
        for client in clients
        if not client.reads_to_end and client.disconnect_after == 0 and client.behavior != "never reads"
    ]
    with selectors.DefaultSelector() as selector:
        while arriving or leaving or selector.get_map():
            now = time.monotonic() - started
            if now > seconds:
                raise TimeoutError(f"{len(selector.get_map())} clients are still waiting")
            while arriving and arriving[0].delay <= now:
                _connect(selector, arriving.pop(0), port)
            while leaving and not arriving and may_disconnect():
                leaving.pop().disconnect()
            for key, _ in selector.select(0.01):
                client: Client = key.data
                client.read()
                if client.is_done:
                    selector.unregister(key.fileobj)
            time.sleep(0.001)


def _connect(selector: selectors.BaseSelector, client: Client, port: int) -> None:
    client.connect(port)
    if client.behavior == "never reads" or (not client.reads_to_end and client.disconnect_after == 0):
        return
    assert client.socket is not None
    selector.register(client.socket, selectors.EVENT_READ, client)
