"""Tokens from the completions of vLLM."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_door.engines.openai import token_reader
from front_door.engines.openai.token_reader import OpenAiTokenReader
from front_door.generation.generate_request import GenerateRequest
from front_door.generation.tokens import Token

from tests.lambda_.protocols.openai.events import DONE, sse
from tests.lambda_.protocols.tgi.vllm_completions import EOS, HEAD, PROMPT, Piece, choice, chunk, plain, stream

STREAM = GenerateRequest("Hi", stream=True)
DETAILS = GenerateRequest("Hi", details=True)
HALF = Piece(131, "", "")


def read(events: list[bytes], request: GenerateRequest = STREAM, max_tokens: int = 99) -> OpenAiTokenReader:
    reader = OpenAiTokenReader(request, max_tokens)
    for event in events:
        reader.read(event)
    return reader


def tokens_of(events: list[bytes]) -> list[Token]:
    reader = OpenAiTokenReader(STREAM, 99)
    return [token for event in events for token in reader.read(event)]


def test_each_token_has_its_text_log_probability_and_id() -> None:
    events = stream([Piece(7, " Un", " Un", -0.5), Piece(8, " été\n", " été\n", -1.5e-07), EOS])
    assert tokens_of(events) == [
        Token(b" Un", b"-0.5", b"7"),
        Token(" été\\n".encode(), b"-1.5e-07", b"8"),
        Token(b"<|eot_id|>", b"-0.5", b"1", special=b"true"),
    ]


def test_the_text_is_complete_with_the_token_that_ends_it() -> None:
    reader = read(stream([*plain(" Un", ' "été"'), EOS]))
    (sequence,) = reader.sequences
    assert (sequence.text, sequence.finish_reason) == (' Un \\"été\\"'.encode(), "eos_token")
    assert (sequence.generated_tokens, reader.input_length, sequence.seed) == (3, len(PROMPT), None)
    assert (reader.usage["completion_tokens"], sequence.tokens) == (3, [])


def test_most_events_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []

    def parse_object(data: bytes) -> Any:
        parsed.append(data)
        return json.loads(data)

    monkeypatch.setattr(token_reader, "parse_object", parse_object)
    events = stream([*plain(*[f' {at}\t"' for at in range(20)]), EOS])
    for together in ([events[0], b"".join(events[1:9]), *events[9:]], [b"".join(events)]):
        parsed.clear()
        assert read(together).sequences[0].generated_tokens == 21
        assert [b"data: " + data + b"\n\n" for data in parsed] == [events[0], *events[20:22]]


@pytest.mark.parametrize("texts", [(" \\u0007",), ("\\u00e9",)])
def test_other_escapes_are_those_of_tgi(texts: tuple[str, ...]) -> None:
    first, event, *_ = stream(plain(" a", *texts, "b"))
    escaped = event.replace(b"\\\\u", b"\\u")  # as a server that writes ASCII does
    assert escaped != event
    _, token = tokens_of([first, escaped])
    expected = json.dumps(json.loads(f'"{texts[0]}"'), ensure_ascii=False)[1:-1]
    assert token.text == expected.encode()


@pytest.mark.parametrize(
    ("reason", "stop_reason", "expected"),
    [
        ("length", None, "length"),
        ("stop", None, "eos_token"),
        ("stop", 128008, "eos_token"),
        ("stop", "b", "stop_sequence"),
        ("tool_calls", None, "eos_token"),
    ],
)
def test_the_end_has_tgis_name(reason: str, stop_reason: object, expected: str) -> None:
    assert read(stream(plain("a", "b"), reason, stop_reason)).sequences[0].finish_reason == expected


@pytest.mark.parametrize("stop_reason", [None, "b"])
def test_an_end_at_the_last_token_that_is_allowed_is_for_length(stop_reason: object) -> None:
    reader = read(stream(plain("a", "b"), "stop", stop_reason), max_tokens=2)
    assert reader.sequences[0].finish_reason == "length"


def test_an_empty_stop_sequence_ends_the_text_behind_one_token() -> None:
    request = STREAM._replace(stop=("",))
    assert read(stream(plain("a"), "length"), request).sequences[0].finish_reason == "stop_sequence"
    assert read(stream(plain("a"), "length"), request, max_tokens=1).sequences[0].finish_reason == "length"


@pytest.mark.parametrize("end", [[HALF], [HALF, EOS]])
def test_there_is_no_text_if_it_ends_inside_a_character(end: list[Piece]) -> None:
    reader = read(stream([*plain("a"), *end], "length"))
    assert (reader.sequences[0].text, reader.sequences[0].generated_tokens) == (b"", 1 + len(end))


def test_a_character_of_several_tokens_is_the_text_of_the_last() -> None:
    tokens = tokens_of(stream([*plain("a"), HALF, HALF, Piece(5, "🧸", "🧸"), EOS]))
    assert [token.text.decode() for token in tokens] == ["a", "", "", "🧸", "<|eot_id|>"]
    assert [token.special for token in tokens] == [b""] * 4 + [b"true"]


def test_a_stop_token_that_is_text_stays_text() -> None:
    """As TGI's, such as a second one of generation_config.json: `include_stop_str_in_output` keeps it."""
    tokens = tokens_of(stream(plain(" a", "."), "stop", 17))
    assert [token.special for token in tokens] == [b"", b""]


@pytest.mark.parametrize("sizes", [(3,), (1, 2), (2, 1)])
def test_a_chunk_may_have_several_tokens(sizes: tuple[int, ...]) -> None:
    pieces = [*plain(" a"), HALF, Piece(5, "é", "é"), EOS]
    assert tokens_of(stream(pieces, sizes=sizes)) == tokens_of(stream(pieces))


def test_tokens_behind_a_stop_string_do_not_count() -> None:
    pieces = [Piece(1, " a", " a"), Piece(2, " text", " tex"), Piece(3, " more", "")]
    reader = read(stream(pieces, "stop", "ex", sizes=[3]), DETAILS)
    (sequence,) = reader.sequences
    assert [token.text for token in sequence.tokens] == [b" a", b" tex"]
    assert (sequence.text, sequence.generated_tokens) == (b" a tex", 2)


def test_comments_and_events_after_the_end_are_skipped() -> None:
    first, *rest = stream([*plain("a", "b"), EOS])
    reader = OpenAiTokenReader(STREAM, 99)
    assert reader.read(b": keep-alive\n\n") == []
    assert len(reader.read(first + b": keep-alive\n\n" + rest[0])) == 2
    reader.read(b"".join(rest[1:]))
    assert reader.read(rest[0]) == []
    assert reader.sequences[0].generated_tokens == 3


def test_lines_may_end_with_a_carriage_return() -> None:
    events = [event.replace(b"\n", b"\r\n") for event in stream([*plain("a", "b"), EOS])]
    assert read([b"".join(events)]).sequences[0].text == b"ab"


def test_the_best_of_several_texts_is_read_from_a_stream() -> None:
    one, two = (
        [chunk(choice([piece], index=index)) for piece in pieces]
        for index, pieces in enumerate([plain("a"), plain("x", "y")])
    )
    ends = [chunk(choice([EOS], "stop", index=index)) for index in (1, 0)]
    request = DETAILS._replace(details=False, best_of=2, samples=True, seed=40)
    reader = read([*two, one[0], *ends, chunk(None, 5), DONE], request)
    assert [(each.text, each.generated_tokens, each.seed) for each in reader.sequences] == [
        (b"a", 2, 40),
        (b"xy", 3, 41),
    ]
    assert [len(each.tokens) for each in reader.sequences] == [2, 3]
    assert reader.usage["completion_tokens"] == 5


def test_texts_that_are_not_sampled_are_all_the_same() -> None:
    reader = read(stream(plain("a"), "length"), DETAILS._replace(best_of=2))
    assert [each.text for each in reader.sequences] == [b"a", b"a"]


def test_the_tokens_of_an_echoed_prompt_are_its_prefill() -> None:
    request = DETAILS._replace(details=False, decoder_input_details=True)
    echoed = choice([*plain("a"), EOS], "stop", prompt_token_ids=PROMPT)
    echoed["logprobs"]["tokens"][:0] = ["<|begin_of_text|>", "What", "?"]
    echoed["logprobs"]["token_logprobs"][:0] = [None, -6.5, -3.75]
    reader = read([chunk(echoed, 2), DONE], request)
    assert reader.sequences[0].prefill == [
        Token(b"<|begin_of_text|>", b"null", b"0"),
        Token(b"What", b"-6.5", b"1047"),
        Token(b"?", b"-3.75", b"34"),
    ]
    assert [token.text for token in reader.sequences[0].tokens] == [b"a", b"<|eot_id|>"]


def test_a_response_that_is_not_streamed_has_the_same_tokens() -> None:
    pieces = [*plain(" a"), HALF, Piece(5, "é", "é"), EOS]
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    body = sse({**HEAD, "choices": [choice(pieces, "stop", prompt_token_ids=PROMPT)], "usage": usage})
    reader = OpenAiTokenReader(DETAILS, 99)
    reader.read_buffered(body.removeprefix(b"data: "))
    assert reader.sequences[0].tokens == tokens_of(stream(pieces))
    assert (reader.input_length, reader.sequences[0].text) == (3, " aé".encode())


def test_the_length_of_the_prompt_is_known_by_its_ids_too() -> None:
    reader = OpenAiTokenReader(STREAM, 99)
    reader.read(sse({**HEAD, "choices": [choice(plain("a"), prompt_token_ids=PROMPT)]}))
    assert reader.input_length == 3


def test_a_server_without_token_ids_gives_text_alone() -> None:
    text = {"index": 0, "text": "Un été", "finish_reason": None}
    events = [
        sse({**HEAD, "choices": [text]}),
        sse({**HEAD, "choices": [{**text, "text": "", "finish_reason": "stop"}]}),
    ]
    (sequence,) = read(events, GenerateRequest("Hi")).sequences
    assert (sequence.text, sequence.finish_reason) == ("Un été".encode(), "eos_token")


@pytest.mark.parametrize(
    "request_",
    [
        STREAM,
        DETAILS,
        GenerateRequest("Hi", best_of=2, samples=True),
        GenerateRequest("Hi", decoder_input_details=True),
    ],
)
def test_without_token_ids_there_are_no_details(request_: GenerateRequest) -> None:
    error = read([sse({**HEAD, "choices": [{"index": 0, "text": "a", "logprobs": None}]})], request_).error
    assert error is not None
    assert (error.kind, error.status) == ("engine_cannot", 501)
    assert error.message == (
        "The model's container does not report the ids and log probabilities of tokens, which TGI's streams, `details`"
        " and `best_of` need: leave them out, or use /v1/completions."
    )


def test_an_error_in_the_stream_ends_the_reading() -> None:
    failed = sse({"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}})
    reader = read([*stream(plain("a", "b"))[:1], failed, *stream(plain("c"))])
    assert reader.error is not None
    assert (reader.error.message, reader.error.log_detail) == ("The model's server failed.", "in-band")
    assert (reader.sequences[0].finish_reason, reader.sequences[0].generated_tokens) == (None, 1)


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_an_answer_that_was_given_up_is_incomplete(reason: str) -> None:
    error = read(stream(plain("a"), reason)).error
    assert error is not None
    assert (error.kind, error.log_detail) == ("incomplete_generation", f"finish reason {reason}")


@pytest.mark.parametrize(
    "changed",
    [
        {"text": None},
        {"index": 1},
        {"index": -1},
        {"index": "0"},
        {"token_ids": [1, 2]},
        {"token_ids": [-1]},
        {"token_ids": [2**53]},
        {"logprobs": {"tokens": ["a"], "token_logprobs": [None]}},
        {"logprobs": {"tokens": ["a"], "token_logprobs": []}},
        {"logprobs": {"tokens": [7], "token_logprobs": [-1.0]}},
        {"logprobs": {"tokens": ["a"], "token_logprobs": [-1e39]}},
    ],
)
def test_an_event_of_another_form_is_the_servers_error(changed: dict[str, Any]) -> None:
    error = read([chunk({**choice(plain("a")), **changed})]).error
    assert error is not None
    assert (error.kind, error.log_detail) == ("upstream", "form of an event")


@pytest.mark.parametrize(("old", "new"), [(b"-0.25", b"-%d" % 10**39), (b"[301]", b"[%d]" % 10**20), (b":3}", b":-3}")])
def test_so_is_one_with_a_number_that_none_can_be(old: bytes, new: bytes) -> None:
    first, second, _, counts, _ = stream(plain("a", "b", "c"))
    changed = [each.replace(old, new) for each in (second, counts)]
    assert changed != [second, counts]
    error = read([first, *changed]).error
    assert error is not None
    assert error.log_detail == "form of an event"


@pytest.mark.parametrize("event", [b"data: {}\n\n", b'data: {"choices":7}\n\n', b"data: nonsense\n\n"])
def test_so_is_one_without_choices(event: bytes) -> None:
    error = read([event]).error
    assert error is not None
    assert error.log_detail == "form of an event"
