"""Whatever a valid message has, the chat that it becomes is valid on every engine; whatever is wrong is named."""

import json
from typing import Any

from front_door.engines.openai.sglang import SglangEngine
from front_door.engines.openai.vllm import VllmEngine
from front_door.engines.tgi.engine import TgiEngine
from front_door.errors import ApiError
from front_door.generation.final_answer import with_final_answer
from front_door.generation.request import Problems
from front_door.protocols.messages.request import read_count, read_message
from front_door.protocols.openai.chat import parse_chat
from front_door.protocols.openai.native_request import read_request
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_.conftest import LLAMA

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)
CACHED = st.sampled_from([{}, {"cache_control": {"type": "ephemeral"}}, {"cache_control": None}])
TEXT = st.builds(lambda text, more: {"type": "text", "text": text, **more}, WORDS, CACHED)
IMAGE = st.sampled_from(
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
    ]
)
DOCUMENT = st.builds(
    lambda data, title: {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": data},
        "title": title,
    },
    WORDS,
    st.none() | WORDS,
)
NAMES = st.from_regex(r"[a-z][a-zA-Z0-9_-]{0,20}", fullmatch=True).filter(lambda name: name != "no_tool")
RESULT = st.builds(
    lambda content, more: {"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **more},
    WORDS | st.just("") | st.lists(TEXT | IMAGE | DOCUMENT, max_size=3),
    st.sampled_from([{}, {"is_error": True}, {"is_error": False}]),
)
CALL = st.builds(
    lambda name, members: {"type": "tool_use", "id": "toolu_1", "name": name, "input": members},
    NAMES,
    st.dictionaries(WORDS, st.none() | st.booleans() | st.integers() | WORDS | st.lists(WORDS), max_size=3),
)
THOUGHT = st.sampled_from(
    [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "redacted_thinking", "data": "x"}]
)
TURN = (
    st.builds(
        lambda content: {"role": "user", "content": content},
        WORDS | st.lists(TEXT | IMAGE | DOCUMENT | RESULT, min_size=1, max_size=4),
    )
    | st.builds(
        lambda content: {"role": "assistant", "content": content}, WORDS | st.lists(TEXT | CALL | THOUGHT, max_size=4)
    )
    | st.builds(lambda content: {"role": "system", "content": content}, WORDS | st.lists(TEXT, max_size=2))
)
SCHEMA = st.builds(
    lambda names: {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": names},
    st.lists(NAMES, min_size=1, max_size=3, unique=True),
)
TOOLS = st.lists(
    st.builds(
        lambda name, schema, more: {"name": name, "input_schema": schema, **more},
        NAMES,
        SCHEMA | st.just({"type": "object"}),
        st.sampled_from([{}, {"type": "custom"}, {"type": "bash_20250124"}, {"description": "d", "strict": True}]),
    ),
    max_size=3,
    unique_by=lambda tool: str(tool["name"]),
)
LAST = st.sampled_from([{"role": "user", "content": "And now?"}])
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "system": WORDS | st.lists(TEXT, max_size=3),
    "tools": TOOLS,
    "stop_sequences": st.lists(WORDS, max_size=4, unique=True),
    "temperature": st.floats(0, 1) | st.integers(0, 1),
    "top_p": st.floats(0, 1),
    "thinking": st.sampled_from([{"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive"}]),
    "output_config": st.builds(lambda schema: {"format": {"type": "json_schema", "schema": schema}}, SCHEMA),
    "metadata": st.just({"user_id": "u"}),
    "stream": st.booleans(),
}
BODIES = st.builds(
    lambda turns, last, options: {"max_tokens": 50, "messages": [*turns, last], **options},
    st.lists(TURN, max_size=5),
    LAST,
    st.fixed_dictionaries({}, optional=OPTIONS),
)


@settings(deadline=None)
@given(BODIES)
def test_a_valid_message_is_a_valid_chat_on_every_engine(body: dict[str, Any]) -> None:
    before = json.dumps(body)
    for server in (None, VllmEngine(), SglangEngine()):
        for read in (read_message, read_count):
            problems = Problems()
            request = read(body, server, problems)
            if server is None:
                parsed = with_final_answer(parse_chat(request.chat, problems, strict=True), problems)
                TgiEngine().build_bodies(parsed, {}, problems)
            else:
                read_request(request.chat, server, LLAMA, "chat", problems, strict=True)
            problems.raise_if_any()
            places = {name.partition("[")[0].partition(".")[0] for name in request.names.values()}
            assert places <= {"messages", "system", "tools", "stop_sequences", "output_config"}
    assert json.dumps(body) == before


WRONG = [None, True, 0, -1, 1.5, "", "x", [], [1], [[]], {}, {"type": "x"}, [{"type": "x"}], [{"role": "user"}]]


@settings(deadline=None)
@given(BODIES, st.sampled_from([*OPTIONS, "messages", "max_tokens", "tool_choice", "unknown"]), st.sampled_from(WRONG))
def test_a_member_of_any_value_is_valid_or_refused_by_its_name(body: dict[str, Any], name: str, value: Any) -> None:
    refusal = refusal_of({**body, name: value})
    if refusal is not None:
        assert refusal.status == 400
        assert (refusal.param or "").startswith(name)
        assert name in refusal.message


def refusal_of(body: dict[str, Any]) -> ApiError | None:
    problems = Problems()
    try:
        read_message(body, VllmEngine(), problems)
        problems.raise_if_any()
    except ApiError as error:
        return error
    return None
