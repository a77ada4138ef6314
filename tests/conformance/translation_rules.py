"""What differs from TGI for a client that speaks TGI to a model on vLLM.

`tgi_differences.json` lists all of it, for docs/migrate.md and for the tests: everything else is as TGI answers it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.emulated_front_door import Response
from tests.conformance.exchanges import ALL, Exchange
from tests.conformance.front_door_rules import LISTED as OF_THE_FRONT_DOOR
from tests.conformance.front_door_rules import differing_parts

FILE = Path(__file__).with_name("tgi_differences.json")
EXCHANGES = [exchange for exchange in ALL if not exchange.is_openai]
"""Those that were recorded from TGI in its own words."""


@dataclass(frozen=True)
class Difference:
    """Something that a client of TGI gets otherwise.

    Attributes:
        name: The parameter, or what it is about.
        tgi: What TGI does.
        answer: What a model on vLLM does.
        why: Why.
        when: With which requests, if the header names it.
        header: The names in `x-tgi-difference` of an answer to which it may apply; None: the client sees it.
        differs: Which parts of the recorded answers differ: `status`, `headers` and `body`.
        exchanges: The status of each recorded exchange that shows it.
    """

    name: str
    tgi: str
    answer: str
    why: str
    when: str = ""
    header: str | None = None
    differs: list[str] = field(default_factory=list)
    exchanges: dict[str, int] = field(default_factory=dict)


DIFFERENCES = [Difference(**each) for each in json.loads(FILE.read_text(encoding="utf-8"))]
LISTED = {name: (difference, status) for difference in DIFFERENCES for name, status in difference.exchanges.items()}


def tables() -> dict[str, list[list[str]]]:
    """The tables of docs/migrate.md, by their first lines."""

    def code(names_: str) -> str:
        return ", ".join(f"`{name}`" for name in names_.split(", "))

    refused = [each for each in DIFFERENCES if "status" in each.differs]
    others = [each for each in DIFFERENCES if each not in refused and each.header is None]
    return {
        "name | when | TGI | vLLM": [
            [code(each.header), each.when, each.tgi, each.answer] for each in DIFFERENCES if each.header
        ],
        "refused | TGI | why": [[each.name, each.tgi, each.why] for each in refused],
        "else | TGI | vLLM": [[each.name, each.tgi, each.answer] for each in others],
    }


def check(exchange: Exchange, response: Response) -> None:
    """Check that an answer differs from the recorded one of TGI in what is listed alone.

    Raises:
        AssertionError: It does not.
    """
    differing = differing_parts(exchange, response)
    if exchange.name in LISTED:
        difference, status = LISTED[exchange.name]
        assert (response.status, sorted(differing)) == (status, sorted(difference.differs)), (
            difference.name,
            differing,
        )
        return
    if exchange.name in OF_THE_FRONT_DOOR:
        own, status = OF_THE_FRONT_DOOR[exchange.name]
        assert response.status == status
        # Fewer, where an answer that TGI cannot stream is assembled from a stream of vLLM's.
        differing = {part: values for part, values in differing.items() if part not in own.differs}
    assert differing == {}


def names(header: str | None) -> list[str]:
    """The names in a value of `x-tgi-difference`."""
    return header.split(", ") if header else []


def announced(response: Response | Any) -> list[str]:
    """Those of an answer."""
    return names(response.headers.get("x-tgi-difference"))
