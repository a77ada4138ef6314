"""Records the answers of a TGI to the exchanges' requests: `python -m tests.conformance.record URL`.

The TGI has to be started with the settings that `test_recorded_container` has, on a model with any weights. An answer
about `past_key_values` is a failure of TGI's server for CPUs, which cannot generate two texts at once: it is left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.conformance.exchanges import CHARACTERS, EXCHANGES, HEADERS, RECORDED, Answer, Exchange


def record(url: str, files: list[str], folder: Path = RECORDED) -> None:
    """Send the requests of some files and write the answers.

    Raises:
        ValueError: An answer has headers of no known kind.
    """
    for file in files:
        sent = [(exchange, exchange.send(url)) for exchange in EXCHANGES[file]]
        kept = [to_recorded(exchange, answer) for exchange, answer in sent if "past_key_values" not in answer.body]
        (folder / f"{file}.json").write_text("[\n" + ",\n".join(map(_render, kept)) + "\n]\n", encoding="utf-8")


def to_recorded(exchange: Exchange, answer: Answer) -> Exchange:
    """The exchange with another answer, as it is kept."""
    reduced = exchange.reduced(answer)
    characters = reduced["headers"].pop(CHARACTERS, None)
    kind = next((kind for kind, headers in HEADERS.items() if headers == reduced["headers"]), None)
    if kind is None:
        raise ValueError(f"{exchange.name}: headers.json has no kind with {reduced['headers']}")
    kept: dict[str, Any] = {"status": answer.status, "headers": kind}
    if characters is not None:
        kept["characters"] = int(characters)
    body = {"bytes": answer.body} if exchange.is_openai and answer.status == 200 else {"body": reduced["body"]}
    return Exchange(exchange.name, exchange.request, kept | body)


def _render(exchange: Exchange) -> str:
    name, request, answer = (
        json.dumps(each, ensure_ascii=False) for each in (exchange.name, exchange.request, exchange.answer)
    )
    return f'{{"name": {name},\n "request": {request},\n "answer": {answer}}}'


if __name__ == "__main__":
    record(sys.argv[1], list(EXCHANGES))
