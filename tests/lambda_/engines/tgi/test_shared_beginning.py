"""Requests with one prompt begin with the same bytes, by which SageMaker can choose the instance that has it cached."""

import json
from typing import Any

from front_door.http.json import compact
from hypothesis import given
from hypothesis import strategies as st

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.bodies import chat_bodies, completion_bodies
from tests.lambda_.sagemaker_double import SageMakerDouble, error

Body = dict[str, Any]

FACTS = {"max_stop_sequences": 4, "max_top_n_tokens": 5}
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
SAMPLING = {
    "temperature": st.sampled_from([0, 0.7, 1.5]),
    "top_p": st.sampled_from([0.1, 1]),
    "seed": st.integers(0, 2**32),
    "stop": st.lists(TEXTS, min_size=1, max_size=4),
    "max_tokens": st.integers(1, 500),
    "stream": st.booleans(),
    "user": TEXTS,
    "model": st.sampled_from(["llama", "meta-llama/Llama-3.1-8B-Instruct"]),
    "n": st.integers(1, 3),
}
CHAT_PARAMETERS = st.fixed_dictionaries({}, optional={**SAMPLING, "tool_choice": st.sampled_from(["auto", "required"])})
COMPLETION_PARAMETERS = st.fixed_dictionaries({}, optional={**SAMPLING, "echo": st.booleans()})
NATIVE_PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0.5, 1.5]),
        "seed": st.integers(0, 2**32),
        "max_new_tokens": st.integers(1, 500),
        "do_sample": st.booleans(),
        "stop": st.lists(TEXTS, max_size=3),
    },
)

CALL = {"type": "function", "function": {"name": "look_up", "arguments": '{"city":"Köln"}'}}
PARTS = st.lists(st.builds(lambda text: {"type": "text", "text": text}, TEXTS), min_size=1, max_size=3)
MESSAGES = st.lists(
    st.one_of(
        st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "user"]), TEXTS),
        st.builds(lambda parts: {"role": "user", "content": parts}, PARTS),
        st.builds(
            lambda text, call: {"role": "assistant", "content": text, "tool_calls": [{"id": call, **CALL}]},
            TEXTS,
            TEXTS,
        ),
        st.builds(lambda call: {"role": "assistant", "tool_calls": [{"id": call, **CALL}]}, TEXTS),
        st.builds(lambda call, text: {"role": "tool", "tool_call_id": call, "content": text}, TEXTS, TEXTS),
    ),
    min_size=1,
    max_size=5,
)
TOOLS = st.lists(
    st.builds(
        lambda name, text: {
            "type": "function",
            "function": {
                "name": name,
                "description": text,
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
        },
        st.sampled_from(["look_up", "order", "cancel"]),
        TEXTS,
    ),
    max_size=3,
    unique_by=lambda tool: tool["function"]["name"],
)


def shuffled(value: Any, order: int) -> Any:
    """The same JSON as another client might write it: members of objects in another order."""
    if isinstance(value, list):
        return [shuffled(each, order) for each in value]
    if not isinstance(value, dict):
        return value
    names = sorted(value, reverse=bool(order % 2))
    return {name: shuffled(value[name], order // 2) for name in names}


def begins_with(prompt: Body, body: Body) -> bool:
    """Whether the body's first bytes are those of some members, however many more follow."""
    return compact(body).startswith(compact(prompt)[:-1])


@given(TOOLS, MESSAGES, CHAT_PARAMETERS, CHAT_PARAMETERS)
def test_chats_with_the_same_prompt_differ_behind_it_only(
    tools: list[Body], messages: list[Body], first: Body, second: Body
) -> None:
    shared: Body = {"messages": messages, **({"tools": tools} if tools else {})}
    if not tools:
        first, second = (
            {name: value for name, value in each.items() if name != "tool_choice"} for each in (first, second)
        )
    bodies = [*chat_bodies({**first, **shared}, FACTS), *chat_bodies({**shared, **second}, FACTS)]
    prompt = {name: bodies[0][name] for name in ("tools", "messages") if name in bodies[0]}
    assert prompt.keys() == shared.keys()
    assert all(begins_with(prompt, body) for body in bodies)


@given(TOOLS, MESSAGES, MESSAGES, CHAT_PARAMETERS)
def test_a_conversation_that_grows_keeps_its_beginning(
    tools: list[Body], messages: list[Body], more: list[Body], parameters: Body
) -> None:
    shared = {"tools": tools} if tools else {}
    if not tools:
        parameters.pop("tool_choice", None)
    before = chat_bodies({"messages": messages, **shared}, FACTS)[0]
    after = chat_bodies({"messages": [*messages, *more], **shared, **parameters}, FACTS)[0]
    prompt = {name: before[name] for name in ("tools", "messages") if name in before}
    assert compact(after).startswith(compact(prompt)[:-2] + b",")


def test_a_chats_tools_come_first_as_in_its_prompt_and_what_says_how_to_use_them_last() -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    body = {"tool_prompt": "Use it", "messages": [{"role": "user", "content": "Hi"}], "tools": [tool], "seed": 1}
    (sent,) = chat_bodies(body, FACTS)
    assert list(sent) == ["tools", "messages", "seed", "tool_choice", "tool_prompt", "stream", "stream_options"]


@given(st.lists(PARTS, min_size=1, max_size=3), st.integers(0, 7))
def test_the_order_of_members_in_a_clients_messages_does_not_matter(contents: list[list[Body]], order: int) -> None:
    messages = [{"role": "user", "name": "ann", "content": content} for content in contents]
    bodies = [chat_bodies({"messages": each}, FACTS)[0] for each in (messages, shuffled(messages, order))]
    assert compact(bodies[0]) == compact(bodies[1])


@given(TEXTS, COMPLETION_PARAMETERS, COMPLETION_PARAMETERS)
def test_completions_of_the_same_prompt_differ_behind_it_only(prompt: str, first: Body, second: Body) -> None:
    bodies = completion_bodies({**first, "prompt": prompt}, FACTS) + completion_bodies(
        {"prompt": prompt, **second}, FACTS
    )
    assert all(begins_with({"prompt": prompt}, body) for body in bodies)


@given(TEXTS, st.integers(0, 5), st.integers(0, 5))
def test_completions_with_log_probabilities_begin_with_the_prompt_too(prompt: str, first: int, second: int) -> None:
    bodies = [completion_bodies({"logprobs": each, "prompt": prompt}, FACTS)[0] for each in (first, second)]
    assert all(begins_with({"inputs": prompt}, body) for body in bodies)


def test_requests_to_tgis_own_routes_begin_with_the_prompt(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.repeats = True
    sagemaker.replies.append(error(400, "ValidationError", message="no"))

    @given(TEXTS, NATIVE_PARAMETERS, NATIVE_PARAMETERS, st.sampled_from(["/", "/generate", "/generate_stream"]))
    def check(prompt: str, first: Body, second: Body, path: str) -> None:
        sagemaker.received.clear()
        api.send(path, {"stream": True, "parameters": first, "inputs": prompt})
        api.send("/generate", {"inputs": prompt, "parameters": second})
        sent = [received.body for received in sagemaker.received]
        assert len(sent) == 2
        assert all(body.startswith(compact({"inputs": prompt})[:-1]) for body in sent)

    check()


@given(MESSAGES)
def test_how_a_client_escapes_its_text_does_not_matter(messages: list[Body]) -> None:
    spellings = [
        json.dumps(messages, ensure_ascii=escaped, indent=indent) for escaped in (True, False) for indent in (None, 2)
    ]
    sent = {compact(chat_bodies({"messages": json.loads(each)}, FACTS)[0]) for each in spellings}
    assert len(sent) == 1
