"""Counts what the front door parses of a real server's stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from front_door.generation.events import Delta
from front_door.protocols.native_answer import NativeAnswer

from tests.conformance.emulated_front_door import Response, start_front_door
from tests.engines.engine import Engine
from tests.engines.recording import RecordingProxy
from tests.engines.stack import MODEL, serving_facts


def count_parsed(
    engine: Engine, path: str, body: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[Response, int, int]:
    """Stream an answer through a front door in this process.

    Returns:
        The response, how many events the server has sent, and how many of them were parsed.
    """
    parsed: list[bytes] = []
    read = NativeAnswer.read

    def counted(self: NativeAnswer, events: bytes) -> list[Delta]:
        parsed.append(events)
        return read(self, events)

    monkeypatch.setattr(NativeAnswer, "read", counted)
    proxy = RecordingProxy(engine.server.url)
    with start_front_door(MODEL, container=proxy.create_app(), **serving_facts(engine.version)) as client:
        response = client.post(path, {"model": MODEL, "stream": True, **body})
    (exchange,) = proxy.exchanges
    return response, exchange.body.count("\n\n"), len(parsed)
