"""Requests in TGI's words, what the front door sent to a real vLLM for each, and what that answered.

A file has those of one version, recorded by `python -m tests.engines.record`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.vllm.reference import Chosen

RECORDED = Path(__file__).parent / "recorded"
VERSIONS = ("0.30.0", "0.27.1")


@dataclass(frozen=True)
class Exchange:
    """One call of vLLM's /invocations.

    Attributes:
        sent: The body.
        status: Of the answer.
        content_type: Of the answer.
        body: The answer, as it was sent.
    """

    sent: dict[str, Any]
    status: int
    content_type: str
    body: str

    @property
    def is_error(self) -> bool:
        """Whether the container has refused the request; in a stream too, the error is all of the answer."""
        return self.status != 200 or self.body.startswith('data: {"error"')

    def chosen(self) -> list[Chosen]:
        """The tokens of each choice."""
        if self.content_type.startswith("text/event-stream"):
            frames = [frame.removeprefix("data: ") for frame in self.body.split("\n\n")]
            chunks = [json.loads(frame) for frame in frames if frame.startswith("{")]
        else:
            chunks = [json.loads(self.body)]
        parts = [choice for chunk in chunks for choice in chunk["choices"]]
        return [_chosen([part for part in parts if part["index"] == at]) for at in sorted({p["index"] for p in parts})]


def _chosen(parts: list[dict[str, Any]]) -> Chosen:
    prompt: list[int] = next(part["prompt_token_ids"] for part in parts if part["prompt_token_ids"])
    ids = [token for part in parts for token in part["token_ids"]]
    logprobs = [each for part in parts for each in part["logprobs"]["token_logprobs"]]
    at = len(logprobs) - len(ids)  # those of the prompt, if it is echoed
    return Chosen(prompt, ids, logprobs[at:], logprobs[:at])


@dataclass(frozen=True)
class Pair:
    """A request in TGI's words, with what it became.

    Attributes:
        name: Unique in its file.
        path: The route.
        body: The request.
        exchanges: The calls, in their order.
    """

    name: str
    path: str
    body: dict[str, Any]
    exchanges: list[Exchange]

    @property
    def parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.get("parameters") or {}
        return found

    @property
    def is_stream(self) -> bool:
        """Whether the client asked for a stream."""
        return self.path == "/generate_stream" or bool(self.body.get("stream"))


@dataclass(frozen=True)
class Recording:
    """The pairs of a version.

    Attributes:
        version: Of vLLM.
        facts: What the front door knew of the model.
        pairs: The pairs.
    """

    version: str
    facts: dict[str, Any]
    pairs: list[Pair]


def path_of(version: str, folder: Path = RECORDED) -> Path:
    """The file of a version."""
    return folder / f"generate-{version}.json"


def read_recording(version: str) -> Recording:
    """The pairs of a version."""
    kept = json.loads(path_of(version).read_text(encoding="utf-8"))
    pairs = [
        Pair(each["name"], each["path"], each["body"], [Exchange(**exchange) for exchange in each["exchanges"]])
        for each in kept["pairs"]
    ]
    return Recording(version, kept["facts"], pairs)


def write_recording(recording: Recording, folder: Path = RECORDED) -> None:
    """Write the pairs of a version."""
    lines = ",\n".join(_render(pair) for pair in recording.pairs)
    text = f'{{"facts": {json.dumps(recording.facts)},\n"pairs": [\n{lines}\n]}}\n'
    path_of(recording.version, folder).write_text(text, encoding="utf-8")


def _render(pair: Pair) -> str:
    return ",\n ".join(_members(pair))


def _members(pair: Pair) -> Iterator[str]:
    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    exchanges = ",\n  ".join(text(vars(each)) for each in pair.exchanges)
    yield f'{{"name": {text(pair.name)}, "path": {text(pair.path)}'
    yield f'"body": {text(pair.body)}'
    yield f'"exchanges": [{exchanges}]}}'
