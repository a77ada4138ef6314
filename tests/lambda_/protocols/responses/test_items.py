"""Items of a conversation as the messages of a chat."""

from __future__ import annotations

from typing import Any

import pytest
from front_door.protocols.responses.items import Messages

HI = {"role": "user", "content": "Hi"}


def messages(*items: dict[str, Any], instructions: str | None = None) -> list[dict[str, Any]]:
    return Messages(instructions, list(items)).messages


def message(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": list(parts)}


def text(value: str, kind: str = "input_text") -> dict[str, Any]:
    return {"type": kind, "text": value}


def call(call_id: str, name: str = "weather") -> dict[str, Any]:
    return {"type": "function_call", "id": "fc_1", "call_id": call_id, "name": name, "arguments": "{}"}


def output(call_id: str, value: object = "Sunny.") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": value}


def called(*call_ids: str, content: str | None = None) -> dict[str, Any]:
    function = {"name": "weather", "arguments": "{}"}
    calls = [{"id": call_id, "type": "function", "function": function} for call_id in call_ids]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def test_a_text_is_the_message_of_a_user() -> None:
    read = Messages("Be brief.", "Hi")
    assert read.messages == [{"role": "system", "content": "Be brief."}, HI]
    assert read.names == {"messages[0]": "instructions", "messages[1]": "input"}


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_message_may_leave_its_type_out_and_be_a_text(role: str) -> None:
    assert messages({"role": role, "content": "Hi"}) == [{"role": role, "content": "Hi"}]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_system_messages_that_follow_each_other_are_one(role: str) -> None:
    items = [
        message(role, text("a"), text("b")),
        {"role": "developer", "content": "c"},
        HI,
        {"role": role, "content": "d"},
    ]
    assert messages(*items, instructions="Be brief.") == [
        {"role": "system", "content": "Be brief.\n\na\nb\n\nc"},
        HI,
        {"role": "system", "content": "d"},
    ]


def test_messages_of_users_that_follow_each_other_are_one() -> None:
    image = {"type": "input_image", "image_url": "https://example.com/a.png"}
    read = Messages(None, [HI, {"role": "user", "content": "there"}, message("user", text("this"), image), HI])
    shown = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert read.messages == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi\n\nthere"},
                {"type": "text", "text": "this"},
                shown,
                {"type": "text", "text": "Hi"},
            ],
        }
    ]
    assert read.names["messages[0].content[2]"] == "input[2].content[1]"
    assert messages(HI, {"role": "assistant", "content": "a"}, HI)[::2] == [HI, HI]


def test_the_parts_of_an_answer_are_one_text() -> None:
    refusal = {"type": "refusal", "refusal": " No."}
    answer = message("assistant", text("Hi.", "output_text"), refusal)
    assert messages(answer) == [{"role": "assistant", "content": "Hi. No."}]


def test_images_stay_at_their_place() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"}
    plain = {"type": "input_image", "image_url": "https://x/y.png"}
    items = (
        message("user", text("What?"), image, plain),
        {"role": "assistant", "content": "x"},
        message("user", text("a"), text("b")),
    )
    assert messages(*items)[::2] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            ],
        },
        {"role": "user", "content": "a\nb"},
    ]


def test_calls_that_follow_each_other_are_one_message_with_the_text_before_them() -> None:
    answer = message("assistant", text("Let me see.", "output_text"))
    read = messages(HI, answer, call("c1"), call("c2"), output("c1"), output("c2"))
    assert read == [
        HI,
        called("c1", "c2", content="Let me see."),
        {"role": "tool", "tool_call_id": "c1", "content": "Sunny."},
        {"role": "tool", "tool_call_id": "c2", "content": "Sunny."},
    ]


def test_calls_of_several_turns_are_several_messages() -> None:
    read = messages(HI, call("c1"), output("c1"), call("c2"), output("c2"))
    assert [each["role"] for each in read] == ["user", "assistant", "tool", "assistant", "tool"]
    assert (read[1], read[3]) == (called("c1"), called("c2"))


def test_text_behind_a_call_belongs_to_the_same_message() -> None:
    answer = message("assistant", text("I ask.", "output_text"))
    assert messages(call("c1"), answer, answer)[0] == called("c1", content="I ask.I ask.")


def test_reasoning_is_passed_over() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    reference = {"type": "item_reference", "id": "rs_1"}
    assert messages(HI, reasoning, call("c1"), reference, {"id": "rs_2"}, call("c2")) == [HI, called("c1", "c2")]


def test_the_output_of_a_call_may_have_parts() -> None:
    image = {"type": "input_image", "image_url": "https://x/y.png"}
    read = Messages(None, [output("c1", [text("a"), text("b")]), output("c2", [text("a"), image])])
    assert read.messages[0]["content"] == "a\nb"
    assert read.messages[1]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
    ]
    assert read.names["messages[1].content"] == "input[1].output"


def test_names_say_where_a_message_comes_from() -> None:
    developer = {"role": "developer", "content": "a"}
    read = Messages("Be brief.", [developer, HI, call("c1"), call("c2"), output("c1"), {**HI}])
    assert read.names == {
        "messages[0]": "instructions",
        "messages[1]": "input[1]",
        "messages[2]": "input[2]",
        "messages[3]": "input[4]",
        "messages[3].content": "input[4].output",
        "messages[4]": "input[5]",
    }
