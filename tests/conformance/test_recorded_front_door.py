"""Through the front door, requests have the answers that follow from those recorded from TGI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.model_container.launcher import read_settings
from tests.conformance.emulated_front_door import FrontDoorClient, start_front_door
from tests.conformance.exchanges import ALL, Exchange
from tests.conformance.front_door_rules import DIFFERENCES, LISTED, differing_parts
from tests.conformance.test_recorded_container import environment


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str | None, FrontDoorClient]]:
    """A client of a front door for each tool that the recorded model called."""
    with ExitStack() as stack:
        yield {
            tool: stack.enter_context(start_front_door("llama", limits=read_settings(environment(tool))))
            for tool in {exchange.tool for exchange in ALL}
        }


@pytest.mark.parametrize("exchange", ALL, ids=lambda exchange: exchange.name)
def test_the_front_door_answers_as_tgi(clients: dict[str | None, FrontDoorClient], exchange: Exchange) -> None:
    client = clients[exchange.tool]
    response = client.request(exchange.request["method"], exchange.path, exchange.body, **exchange.headers)
    differing = differing_parts(exchange, response)
    if exchange.name not in LISTED:
        assert differing == {}
        return
    difference, status = LISTED[exchange.name]
    assert response.status == status
    assert sorted(differing) == sorted(difference.differs), "front_door.json says what differs"
    if difference.differs == ["body"]:
        found, expected = differing["body"]
        assert list(found) == list(expected), "values differ, members do not"
    assert not exchange.is_openai or "body" not in differing, "whatever the status, the body has OpenAI's form"


def test_the_differences_are_of_recorded_exchanges() -> None:
    assert LISTED.keys() <= {exchange.name for exchange in ALL}
    assert sum(len(difference.exchanges) for difference in DIFFERENCES) == len(LISTED)
