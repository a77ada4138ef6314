"""The exchanges recorded from a real vLLM 0.32: reads and sends them.

A file has those of one server. The answers are reduced (see `answers`).
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conformance.vllm.answers import reduce_body, reduce_headers

RECORDED = Path(__file__).with_name("recorded")
FILES = ("plain", "adapters_and_tools", "defaults_and_key", "dead")


@dataclass(frozen=True)
class Exchange:
    """A request, and what vLLM answered.

    Attributes:
        name: Unique in its file.
        request: `method`, `path`, `headers` beside the content type, and the body as `json`, `text` or `hex`.
        answer: `status`, `headers` and `body`, reduced.
    """

    name: str
    request: dict[str, Any]
    answer: dict[str, Any]

    @property
    def body(self) -> bytes | None:
        """The request's body."""
        if "json" in self.request:
            return json.dumps(_expand(self.request["json"])).encode()
        if "hex" in self.request:
            return bytes.fromhex(self.request["hex"])
        text = self.request.get("text")
        return None if text is None else str(text).encode()

    def send(self, url: str, names: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Sends the request to a server; returns its answer, reduced.

        Args:
            url: The server's.
            names: What the server has in the place of texts of the record.
        """
        names = names or {}
        parts = urlsplit(url)
        assert parts.hostname
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        body = self.body
        for recorded, own in names.items():
            body = None if body is None else body.replace(recorded.encode(), own.encode())
        headers = dict(self.request.get("headers", {}))
        try:
            connection.putrequest(self.request["method"], self.request["path"])
            for name, value in headers.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            found = response.getheaders()
            text = response.read().decode()
        finally:
            connection.close()
        for recorded, own in names.items():
            text = text.replace(own, recorded)
        return reduce_answer(response.status, found, text)


def reduce_answer(status: int, headers: list[tuple[str, str]], body: str) -> dict[str, Any]:
    """An answer, reduced."""
    kept = reduce_headers(headers)
    return {"status": status, "headers": kept, "body": reduce_body(kept.get("content-type", ""), body)}


def _expand(value: Any) -> Any:
    """The JSON value with its long texts, which are recorded as `{"repeat": […, number]}`."""
    if isinstance(value, dict):
        if value.keys() == {"repeat"}:
            text, number = value["repeat"]
            return text * number
        return {key: _expand(each) for key, each in value.items()}
    return [_expand(each) for each in value] if isinstance(value, list) else value


def read_exchanges(file: str) -> list[Exchange]:
    """The exchanges of one file."""
    return [Exchange(**each) for each in json.loads((RECORDED / f"{file}.json").read_text(encoding="utf-8"))]


EXCHANGES = {file: read_exchanges(file) for file in FILES}
ALL = [(file, exchange) for file, exchanges in EXCHANGES.items() for exchange in exchanges]
