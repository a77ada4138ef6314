"""The text ends before a stop sequence, wherever the tokens are cut; nothing else is lost or repeated."""

from itertools import accumulate

import pytest
from front_door.generation.events import Delta, StopSequences
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.events import DONE, HI, Read, completion_text, text, used
from tests.lambda_.sagemaker_double import SageMakerDouble, parts

LETTERS = st.text("ab\n", max_size=4)


def until(text: str, stops: tuple[str, ...]) -> str:
    found = [at for at in map(text.find, stops) if at >= 0]
    return text[: min(found)] if found else text


def expected_text(tokens: list[str], stops: tuple[str, ...]) -> str:
    """The text at the end of the token that completes a sequence, cut before the first one in it."""
    whole = list(accumulate(tokens))
    return until(next((text for text in whole if until(text, stops) != text), whole[-1] if whole else ""), stops)


@settings(max_examples=500)
@given(st.lists(LETTERS, max_size=8), st.lists(LETTERS.filter(bool), min_size=1, max_size=3))
def test_the_text_ends_before_the_first_sequence(tokens: list[str], sequences: list[str]) -> None:
    stops = StopSequences(tuple(sequences))
    result: list[str] = []
    expected = expected_text(tokens, tuple(sequences))
    for token in tokens:
        result += [delta.text for delta in stops.filter(Delta(token))]
        assert expected.startswith("".join(result))
    ended = stops.found is not None
    result += [delta.text for delta in stops.flush()]
    assert "".join(result) == expected
    assert ended == any(sequence in "".join(tokens) for sequence in sequences)


def test_only_a_possible_beginning_of_a_sequence_is_held_back() -> None:
    stops = StopSequences(("###", "END"))
    assert [delta.text for delta in stops.filter(Delta("Hello"))] == ["Hello"]
    assert stops.filter(Delta(" #")) == []
    assert stops.filter(Delta("#")) == []
    assert [delta.text for delta in stops.filter(Delta(" E"))] == [" #", "#"]
    assert [delta.text for delta in stops.flush()] == [" E"]


def test_log_probabilities_stay_with_their_token() -> None:
    stops = StopSequences(("END",))
    entries = [({"token": token},) for token in ("a", " E", "ND")]
    assert stops.filter(Delta("a", entries[0])) == [Delta("a", entries[0])]
    assert stops.filter(Delta(" E", entries[1])) == []
    assert stops.filter(Delta("ND", entries[2])) == [Delta(" ", entries[1])]


CHAT = [text("Un"), text(" été."), text("\n\nFin"), text(" de", "stop"), used(9, 5), DONE]
COMPLETION = [completion_text("Un"), completion_text(" été."), completion_text("\n\nFin", "stop_sequence"), DONE]


@pytest.mark.parametrize(
    ("path", "body", "events"),
    [
        ("/v1/chat/completions", HI, CHAT),
        ("/v1/completions", {"prompt": "Hi"}, COMPLETION),
    ],
)
@pytest.mark.parametrize(
    ("stop", "expected", "reason"),
    [("\n", "Un été.", "stop"), (["xyz", "té"], "Un é", "stop"), ("Un", "", "stop"), ("\n\nFin de vie", None, "stop")],
)
def test_a_stop_sequence_is_not_in_the_text(
    api: ApiClient,
    sagemaker: SageMakerDouble,
    path: str,
    body: dict[str, object],
    events: list[bytes],
    stop: str | list[str],
    expected: str | None,
    reason: str,
) -> None:
    if expected is None:
        expected = "Un été.\n\nFin" + (" de" if path.startswith("/v1/chat") else "")
    sagemaker.replies += [parts(*events)] * 2
    choice = api.send(path, {**body, "stop": stop}).json()["choices"][0]
    result = choice["text"] if "text" in choice else choice["message"]["content"]
    read = Read.of(api.send(path, {**body, "stop": stop, "stream": True}).body)
    assert (result, choice["finish_reason"]) == (expected, reason)
    assert (read.text(), read.finish_reasons(), read.is_done) == (expected, [reason], True)
    assert sagemaker.received[0].json()["stop"] == ([stop] if isinstance(stop, str) else stop)


def test_a_text_that_was_cut_at_a_sequence_has_stopped_even_if_tgi_went_on(
    api: ApiClient, sagemaker: SageMakerDouble
) -> None:
    """TGI looks for a sequence only at the end of a token."""
    sagemaker.replies.append(parts(text("a.b"), text("c", "length"), used(), DONE))
    choice = api.send("/v1/chat/completions", {**HI, "stop": "."}).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("a", "stop")
