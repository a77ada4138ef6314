"""The exchanges recorded from the real TGI: reads and sends them.

A file has the exchanges of one route; `headers.json` has the kinds of headers, by the names that the answers use.
The answers to OpenAI's routes have all of their bytes, since they are replayed; the others are reduced (see `answers`).
"""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conformance.answers import compact, reduce_body, reduce_headers

RECORDED = Path(__file__).with_name("recorded")
HEADERS: dict[str, dict[str, str]] = json.loads((RECORDED / "headers.json").read_text(encoding="utf-8"))
FILES = ("service", "generate", "generate_stream", "compat_generate", "invocations", "chat", "completions")
CHARACTERS = "x-compute-characters"


@dataclass(frozen=True)
class Answer:
    """An answer as it was sent."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def content_type(self) -> str:
        """The type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass(frozen=True)
class Exchange:
    """A request, and what TGI answered.

    Attributes:
        name: Unique among all exchanges.
        request: `method`, `path`, `headers` (none or a content type) and the body as `json`, `text` or `hex`.
        answer: `status`, the kind of `headers`, `characters` of the prompt, and the `bytes` or the reduced `body`.
    """

    name: str
    request: dict[str, Any]
    answer: dict[str, Any]

    @property
    def path(self) -> str:
        path: str = self.request["path"]
        return path

    @property
    def json(self) -> dict[str, Any]:
        """The request's JSON object; empty if it has none."""
        value = self.request.get("json")
        return value if isinstance(value, dict) else {}

    @property
    def body(self) -> bytes | None:
        """The request's body."""
        if "json" in self.request:
            return json.dumps(self.request["json"]).encode()
        if "hex" in self.request:
            return bytes.fromhex(self.request["hex"])
        text = self.request.get("text")
        return None if text is None else str(text).encode()

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers."""
        default = {"content-type": "application/json"} if self.body is not None else {}
        return self.request.get("headers", default)

    @property
    def is_openai(self) -> bool:
        """Whether the request is for a chat or a completion, whatever its route."""
        if self.request["method"] != "POST" or self.path == "/chat_tokenize":
            return False
        return self.path.startswith("/v1/") or (
            "inputs" not in self.json and bool({"messages", "prompt"} & set(self.json))
        )

    @property
    def tool(self) -> str | None:
        """What the model wrote where it could call a tool, as the toy's setting of that name."""
        text = self.answer.get("bytes") or compact(self.answer["body"])
        called = re.search(r'"function":\{(?:"description":null,)?"name":"(\w+)"', text)
        if called:
            return called[1]
        is_empty = "{ }" in text or (self.json.get("tools") and '"choices":[{' not in text and "[DONE]" in text)
        return "" if is_empty else None

    def expected(self) -> dict[str, Any]:
        """The reduced answer: `status`, `headers`, `body`."""
        answer = self.answer
        headers = dict(HEADERS[answer["headers"]])
        if "characters" in answer:
            headers[CHARACTERS] = str(answer["characters"])
        if "bytes" not in answer:
            return {"status": answer["status"], "headers": headers, "body": answer["body"]}
        return self.reduced(Answer(answer["status"], headers, answer["bytes"]))

    def reduced(self, answer: Answer) -> dict[str, Any]:
        """Another answer to the same request, reduced."""
        body = reduce_body(answer.content_type, answer.body, self.json)
        return {"status": answer.status, "headers": reduce_headers(answer.headers), "body": body}

    def send(self, url: str) -> Answer:
        """Send the request to a server."""
        parts = urlsplit(url)
        assert parts.hostname
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            connection.putrequest(self.request["method"], self.path)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            if self.body is not None:
                connection.putheader("content-length", str(len(self.body)))
            connection.endheaders(self.body)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read().decode())
        finally:
            connection.close()


def read_exchanges(file: str) -> list[Exchange]:
    """The exchanges of one file."""
    return [Exchange(**each) for each in json.loads((RECORDED / f"{file}.json").read_text(encoding="utf-8"))]


EXCHANGES = {file: read_exchanges(file) for file in FILES}
ALL = [exchange for exchanges in EXCHANGES.values() for exchange in exchanges]
