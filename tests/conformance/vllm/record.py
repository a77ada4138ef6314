"""Records the answers of a vLLM to the exchanges' requests: `python -m tests.conformance.vllm.record FILE URL`.

FILE is one of those in recorded/. vLLM has to be started with the settings that `test_recorded_container` has for it,
on a model of the name tiny/llama with any weights. `git diff` shows what another version answers differently.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.conformance.vllm.exchanges import EXCHANGES, RECORDED, Exchange


def record(file: str, url: str, folder: Path = RECORDED) -> None:
    """Send the requests of a file and write the answers."""
    sent = [Exchange(each.name, each.request, each.send(url)) for each in EXCHANGES[file]]
    (folder / f"{file}.json").write_text("[\n" + ",\n".join(map(_render, sent)) + "\n]\n", encoding="utf-8")


def _render(exchange: Exchange) -> str:
    name, request, answer = (
        json.dumps(each, ensure_ascii=False) for each in (exchange.name, exchange.request, exchange.answer)
    )
    return f'{{"name": {name},\n "request": {request},\n "answer": {answer}}}'


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2])
