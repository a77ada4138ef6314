"""From Anthropic's messages to those of a chat."""

import json
from typing import Any

import pytest
from front_door.protocols.messages.content import Chat

PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
LINKED = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
SEEN = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
SEEN_LINKED = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Orléans"}}
CALLED = {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Orléans"}'}}


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": content}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def result(content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **more}


def chat(*messages: dict[str, Any], system: Any = None) -> list[dict[str, Any]]:
    return read(*messages, system=system).messages


def read(*messages: dict[str, Any], system: Any = None) -> Chat:
    found = Chat()
    found.add_system({"system": system, "messages": messages})
    found.add_turns(messages)
    return found


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Hi", "Hi"),
        ([text("Hi")], "Hi"),
        ([{**text("Hi"), "cache_control": {"type": "ephemeral"}, "citations": None}], "Hi"),
        ([text("a"), text(""), text("b")], "a\nb"),
        ([PNG], [SEEN]),
        ([text("a"), text("b"), LINKED, text("c")], [text("a\nb"), SEEN_LINKED, text("c")]),
        ([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}}], "d"),
        (
            [
                {
                    "type": "document",
                    "title": "T",
                    "context": "C",
                    "source": {"type": "content", "content": [text("a"), text("b")]},
                }
            ],
            "T\nC\na\nb",
        ),
        ([{"type": "document", "source": {"type": "content", "content": "a"}}], "a"),
        ([{"type": "search_result", "source": "s", "title": "T", "content": [text("a")]}], "T\ns\na"),
    ],
)
def test_a_users_blocks(content: Any, expected: Any) -> None:
    assert chat({"role": "user", "content": content}) == [{"role": "user", "content": expected}]


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (None, []),
        ("", []),
        ([], []),
        ("Be brief.", ["Be brief."]),
        ([text("Be brief."), {**text("Be kind."), "cache_control": {"type": "ephemeral"}}], ["Be brief.\nBe kind."]),
        ([text("x-anthropic-billing-header: cch=fa690;"), text("Be brief.")], ["Be brief."]),
    ],
)
def test_the_system_prompt(system: Any, expected: list[str]) -> None:
    assert chat(user(text("Hi")), system=system)[:-1] == [{"role": "system", "content": each} for each in expected]


def test_system_messages_in_the_conversation_go_to_its_beginning() -> None:
    messages = [user(text("Hi")), {"role": "system", "content": "Be kind."}, user(text("there"))]
    assert chat(*messages, system="Be brief.") == [
        {"role": "system", "content": "Be brief.\nBe kind."},
        {"role": "user", "content": "Hi\nthere"},
    ]


def test_calls_of_tools_and_their_results() -> None:
    messages = [
        user(text("Weather?")),
        assistant({"type": "thinking", "thinking": "Hm.", "signature": "s"}, text("I look."), CALL),
        user(result([text("20 °C"), text("sunny")]), text("And?")),
        assistant(CALL, {**CALL, "id": "toolu_2"}),
        user(result("no", is_error=True), {"type": "tool_result", "tool_use_id": "toolu_2"}),
    ]
    assert chat(*messages) == [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "20 °C\nsunny"},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": None, "tool_calls": [CALLED, {**CALLED, "id": "toolu_2"}]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "Error: no"},
        {"role": "tool", "tool_call_id": "toolu_2", "content": ""},
    ]


def test_results_come_right_behind_their_calls_and_their_images_in_the_users_message() -> None:
    messages = [
        assistant(CALL),
        user(
            text("See:"),
            result([text("a map"), PNG, {"type": "tool_reference", "tool_name": "zoom"}]),
            LINKED,
        ),
    ]
    found = read(*messages)
    assert found.messages[1:] == [
        {"role": "tool", "tool_call_id": "toolu_1", "content": "a map\nzoom"},
        {"role": "user", "content": [text("See:"), SEEN, SEEN_LINKED]},
    ]
    assert found.names["messages[2].content[1].image_url"] == "messages[1].content[1].content[1]"
    assert found.names["messages[2].content[2].image_url"] == "messages[1].content[2]"


def test_what_follows_in_the_same_role_is_one_message() -> None:
    messages = [
        user(text("a")),
        user(PNG),
        {"role": "user", "content": "b"},
        assistant(text("c")),
        {"role": "assistant", "content": "d"},
        assistant(CALL),
    ]
    assert chat(*messages) == [
        {"role": "user", "content": [text("a"), SEEN, text("b")]},
        {"role": "assistant", "content": "c\nd", "tool_calls": [CALLED]},
    ]


def test_messages_without_anything_for_the_model_are_left_out() -> None:
    thoughts = ({"type": "thinking", "thinking": "Hm.", "signature": ""}, {"type": "redacted_thinking", "data": "x"})
    messages = [user(text("a")), assistant(*thoughts), user(text("b")), user(text("")), assistant()]
    assert chat(*messages) == [{"role": "user", "content": "a\nb"}]


def test_the_clients_messages_are_not_changed() -> None:
    messages = [user(text("a"), text("b"), PNG), user(text("c")), assistant(text("d"), CALL), assistant(text("e"))]
    before = json.dumps(messages)
    chat(*messages, system=[text("s")])
    assert json.dumps(messages) == before


def test_each_message_and_each_part_is_named_by_its_place_in_the_clients_request() -> None:
    messages = [user(text("a")), assistant(text("b"), CALL), user(result("c")), user(PNG)]
    found = read(*messages, system="s")
    assert [found.names[f"messages[{at}]"] for at in range(5)] == [
        "system",
        "messages[0]",
        "messages[1]",
        "messages[2].content[0]",
        "messages[3]",
    ]
    assert found.names["messages[4].content[0].image_url"] == "messages[3].content[0]"
