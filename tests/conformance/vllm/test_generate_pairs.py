"""What the front door makes of a real vLLM's tokens is what TGI makes of them: texts, ids, counts, ends and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from tests.conformance.emulated_front_door import FrontDoorClient, Response, start_front_door
from tests.conformance.tgi_schema import violations
from tests.conformance.vllm.expected import differing
from tests.conformance.vllm.generate_pairs import VERSIONS, Exchange, Pair, Recording, read_recording
from tests.conformance.vllm.vocabulary import read_vocabulary

VOCABULARY = read_vocabulary()
RECORDINGS = {version: read_recording(version) for version in VERSIONS}
PAIRS = [(version, pair) for version, recording in RECORDINGS.items() for pair in recording.pairs]


class Replay:
    """A container that expects the recorded calls of one request, and gives their answers."""

    def __init__(self) -> None:
        self._left: list[Exchange] = []
        self.received: list[dict[str, Any]] = []

    def replay(self, pair: Pair) -> None:
        """Expect the calls of this request from now on."""
        self._left, self.received = list(pair.exchanges), []

    def create_app(self) -> web.Application:
        """The web application of the container."""
        app = web.Application()
        app.router.add_post("/invocations", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.received.append(body)
        exchange = self._left.pop(0)
        return web.Response(
            status=exchange.status, body=exchange.body.encode(), headers={"content-type": exchange.content_type}
        )


@pytest.fixture(scope="module", params=VERSIONS)
def replayed(request: pytest.FixtureRequest) -> Iterator[tuple[Recording, Replay, FrontDoorClient]]:
    recording, replay = RECORDINGS[request.param], Replay()
    with start_front_door("llama", container=replay.create_app(), **recording.facts) as client:
        yield recording, replay, client


def without_drawn_seed(pair: Pair, body: dict[str, Any]) -> dict[str, Any]:
    """A body for the container without the seed, unless it is the client's."""
    return body if pair.parameters.get("seed") is not None else {**body, "seed": None}


@pytest.mark.parametrize("name", [pair.name for pair in RECORDINGS[VERSIONS[0]].pairs])
def test_an_answer_is_what_tgi_makes_of_the_same_tokens(
    replayed: tuple[Recording, Replay, FrontDoorClient], name: str
) -> None:
    recording, replay, client = replayed
    pair = next(pair for pair in recording.pairs if pair.name == name)
    replay.replay(pair)
    response = client.post(pair.path, pair.body)
    sent = [exchange.sent for exchange in pair.exchanges]
    assert [without_drawn_seed(pair, body) for body in replay.received] == [
        without_drawn_seed(pair, body) for body in sent
    ], "record again: python -m tests.engines.record"
    if pair.exchanges[-1].is_error:
        assert_refused(pair, response)
    else:
        assert differing(VOCABULARY, pair, replay.received[-1], response) == []


def assert_refused(pair: Pair, response: Response) -> None:
    """An error is one of TGI's: also in a stream whose request the server has refused."""
    error = response.events()[0] if response.content_type == "text/event-stream" else response.json()
    assert list(violations("ErrorResponse", error)) == []
    assert error["error_type"] in ("validation", "generation")
    assert response.status == (200 if pair.is_stream else {"validation": 422, "generation": 424}[error["error_type"]])


def test_the_recorded_requests_have_every_parameter_and_end() -> None:
    parameters = {name for _, pair in PAIRS for name in pair.parameters}
    assert parameters == {
        *("best_of", "decoder_input_details", "details", "do_sample", "frequency_penalty", "grammar"),
        *("max_new_tokens", "repetition_penalty", "return_full_text", "seed", "stop", "temperature", "top_k", "top_p"),
        "truncate",
    }
    texts = "".join(exchange.body for _, pair in PAIRS for exchange in pair.exchanges)
    ends = ('"finish_reason":"stop","stop_reason":null', '"stop_reason":" trains"', '"finish_reason":"length"')
    errors = ('"code": 400', '"code": 500', '"code":400')  # in a stream, and in place of one
    assert [each for each in (*ends, *errors) if each not in texts] == []
