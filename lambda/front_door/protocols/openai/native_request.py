"""Requests for containers that speak OpenAI's protocol themselves: checked, and then passed on as they are.

What is checked is what a front door promises whatever the engine is, and what `/invocations` of these servers reports
badly: they try one type of request after the other, and report what the last one of them lacks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from front_door.config import Model
from front_door.generation.openai_server import OpenAiServer
from front_door.generation.request import FinalAnswer, GenerationRequest, Problems, some_of
from front_door.http.json_schema import STRING, Field, Problem, Type, array, integer, struct, tagged
from front_door.protocols.generation import refuse_images
from front_door.protocols.openai import schema
from front_door.protocols.openai.chat import SCHEMA_MEMBERS, read_response_format, read_tools
from front_door.protocols.openai.other_names import CLIENT_SETTINGS, read_foreign
from front_door.protocols.openai.validation import MAX_CHOICES, is_known_name

# Tools before messages: chat templates have them before the conversation, and SageMaker may choose the instance by the
# first bytes, which a conversation that grows then keeps.
_FIRST = ("tools", "messages", "prompt")
_FORMATS = ("text", "json_object", "json_schema", "structural_tag")


class NativeRequest(NamedTuple):
    """A request as the container gets it.

    Attributes:
        body: Without a number of tokens, unless the client has given one.
        has_max_tokens: Whether it has.
        stream: Whether the client wants a stream.
        keeps_usage: Whether it wants the token counts in it.
        final_answer: The tool that stands for the response format, beside other tools.
    """

    body: dict[str, Any]
    has_max_tokens: bool
    stream: bool
    keeps_usage: bool
    final_answer: FinalAnswer | None


def read_request(
    body: Mapping[str, Any], server: OpenAiServer, model: Model, route: str, problems: Problems, *, strict: bool
) -> NativeRequest:
    """Check a request.

    Args:
        body: The client's body. A null means the default.
        server: The engine.
        model: The model.
        route: `chat` or `completions`.
        problems: Receives what is wrong.
        strict: Whether an unknown name is a problem; otherwise it is left out.
    """
    is_chat = route == "chat"
    valid = _valid_members(body, server, route, problems, strict=strict)
    _check_limits(valid, model, problems, is_chat=is_chat)
    answer = None
    if is_chat:
        if model.facts.get("reads_images") is False and isinstance(valid.get("messages"), list):
            refuse_images(valid["messages"], model, problems)
        valid["messages"] = [_without_nulls(each) for each in valid.get("messages", ())]
        answer = _read_chat(valid, server, model, problems)
    options = valid.pop("stream_options", {})
    stream = bool(valid.pop("stream", False))
    valid.pop("model", None)
    shared = {name: valid.pop(name) for name in _FIRST if name in valid}
    stream_options = {**options, "include_usage": True}
    return NativeRequest(
        {**shared, **valid, "stream": True, "stream_options": stream_options},
        has_max_tokens="max_tokens" in valid or "max_completion_tokens" in valid,
        stream=stream,
        keeps_usage=bool(options.get("include_usage")),
        final_answer=answer,
    )


def prompt_of(body: Mapping[str, Any]) -> tuple[object, ...]:
    """The parts of the prompt in a body for the container."""
    return tuple(body.get(name) for name in _FIRST)


def texts_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """How long each text may get, and how many texts there are."""
    max_tokens = body.get("max_completion_tokens", body.get("max_tokens", 0))
    best_of = body.get("best_of")
    candidates = max(body.get("n", 1), best_of if isinstance(best_of, int) else 1)
    return max_tokens, candidates * _count_prompts(body.get("prompt"))


def _valid_members(
    body: Mapping[str, Any], server: OpenAiServer, route: str, problems: Problems, *, strict: bool
) -> dict[str, Any]:
    """The members that have the right type, without those that are no concern of the container."""
    own = server.member_types(route)
    fields = _CHAT if route == "chat" else _COMPLETION
    known = {**fields, **{name: Field(type_) for name, type_ in (own or {}).items() if name not in fields}}
    valid, others = {}, {}
    required = "messages" if route == "chat" else "prompt"
    if required not in body:
        problems.add(required, f"{required}: missing field `{required}`")
    for name, value in body.items():
        if value is None and name != required:
            continue
        if (instead := server.refusal(name)) is not None and not (name == "best_of" and value == 1):
            problems.add(name, f"{name} is not supported by this model's server: {instead}")
        elif (field := known.get(name)) is None:
            others[name] = value
        elif found := field.type(value, name):
            for path, problem in found:
                problems.add(path, f"{path}: {problem}")
        else:
            valid[name] = value
    if own is not None:
        valid.pop("best_of", None)  # only 1 is left, which is what the server does
    if valid.get("logprobs") is False:
        del valid["logprobs"]
    _read_others(others, valid, problems, is_open=own is None, is_chat=route == "chat", strict=strict)
    return valid


def _read_others(
    others: dict[str, Any], valid: dict[str, Any], problems: Problems, *, is_open: bool, is_chat: bool, strict: bool
) -> None:
    """Read the members that are neither OpenAI's nor the server's own."""
    unknown = []
    for name, value in others.items():
        if name in CLIENT_SETTINGS:
            continue
        if is_open or is_known_name(name, value, problems):
            valid[name] = value
        elif not read_foreign(name, value, valid, problems, is_chat=is_chat):
            unknown.append(name[:100])
    if unknown and strict:
        arguments = "argument" if len(unknown) == 1 else "arguments"
        problems.add(unknown[0], f"Unrecognized request {arguments} supplied: {some_of(unknown)}")


def _check_limits(valid: Mapping[str, Any], model: Model, problems: Problems, *, is_chat: bool) -> None:
    """Check what one request may ask for, by the plan and by the front door."""
    facts = model.facts
    prompts = _count_prompts(valid.get("prompt"))
    n = valid.get("n", 1)
    if n * prompts > MAX_CHOICES:
        which = f"n ({n}) times the number of prompts ({prompts})" if prompts > 1 else f"n ({n})"
        problems.add("n", f"{which} is more than the {MAX_CHOICES} choices that one request may have")
    if valid.get("stream_options") is not None and not valid.get("stream"):
        sentence = "stream_options is allowed with stream only: set `stream` to true or leave it out"
        problems.add("stream_options", sentence)
    if valid.get("max_tokens") == 0 and not valid.get("echo"):
        problems.add("max_tokens", "max_tokens: 0 is allowed with echo only, which returns the prompt")
    stop, limit = valid.get("stop", ()), facts.get("max_stop_sequences")
    if isinstance(stop, list) and isinstance(limit, int) and len(stop) > limit:
        problems.add("stop", f"stop has {len(stop)} sequences, this model accepts at most {limit}")
    name = "top_logprobs" if is_chat else "logprobs"
    top, limit = valid.get(name), facts.get("max_top_n_tokens")
    if isinstance(top, int) and isinstance(limit, int) and top > limit:
        problems.add(name, f"{name} is {top}, this model returns at most {limit} alternatives")
    if is_chat and top is not None and not valid.get("logprobs"):
        problems.add(name, "top_logprobs is allowed with logprobs only: set `logprobs` to true")
    tokens, completion = valid.get("max_tokens"), valid.get("max_completion_tokens")
    if tokens is not None and completion is not None and tokens != completion:
        sentence = "max_tokens and max_completion_tokens are the same parameter and differ: set one of them"
        problems.add("max_tokens", sentence)


def _count_prompts(prompt: object) -> int:
    """How many prompts a completion has; numbers are the tokens of one."""
    return len(prompt) if isinstance(prompt, list) and not any(isinstance(each, int) for each in prompt) else 1


def _read_format(valid: dict[str, Any], server: OpenAiServer, problems: Problems) -> dict[str, Any] | None:
    """Give the response format the form that the container knows; returns it, None if there is none or it has none."""
    form: dict[str, Any] | None = valid.get("response_format")
    if form is None:
        return None
    if form["type"] not in _FORMATS:
        member = "json_schema" if form["type"] == "json" else server.regex_member
        use = f", use `{member}`" if member else ""
        problems.add("response_format.type", f"response_format: `{form['type']}` is TGI's own form{use}")
        return None
    if form["type"] == "json_object" and (named := read_response_format(form)) is not None and named.schema is not None:
        # TGI's clients give it a schema, which these servers pass over.
        form = {"type": "json_schema", "json_schema": {"name": "response", "schema": named.schema}}
        valid["response_format"] = form
    return form


def _read_chat(valid: dict[str, Any], server: OpenAiServer, model: Model, problems: Problems) -> FinalAnswer | None:
    """Give tools and format the form that the container knows; returns the tool that stands for the format."""
    form = _read_format(valid, server, problems)
    tools = read_tools(valid, problems)
    if not valid.get("tools"):
        # Frameworks send an empty list, which these servers reject.
        valid.pop("tools", None)
        valid.pop("tool_choice", None)
        return None
    choice = tools.get("tool_choice")
    if choice != "none" and model.facts.get("tools") is False:
        way = f"{server.way_to_tools}, or leave `tools` out"
        problems.add("tools", f"tools: this model's server does not read tool calls: {way}")
    if choice is None:
        return None
    request = GenerationRequest(messages=[], **tools, logprobs=valid.get("logprobs"))
    if form is not None and form["type"] in ("json_object", "json_schema"):
        from front_door.generation.final_answer import with_final_answer

        request.response_format = read_response_format(form)
        request = with_final_answer(request, problems)
        if request.response_format is None:
            del valid["response_format"]
    if request.final_answer is not None:
        valid["parallel_tool_calls"] = False
    allowed = set(request.allowed_tools) if choice == "auto" or choice == "required" else None
    valid["tools"] = [each for each in request.tools if allowed is None or each["function"]["name"] in allowed]
    if "tool_choice" in valid or request.final_answer is not None:
        valid["tool_choice"] = _named(request.tool_choice)
    return request.final_answer


def _without_nulls(message: dict[str, Any]) -> dict[str, Any]:
    """A message without members that are null, as some clients of TGI send; these servers refuse a null name."""
    return {name: value for name, value in message.items() if value is not None or name == "content"}


def _named(choice: str | dict[str, Any]) -> str | dict[str, Any]:
    """The choice in OpenAI's form; TGI's clients send the bare name of a function."""
    if isinstance(choice, dict) or choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def _message(value: Any, path: str) -> Sequence[Problem]:
    """As for TGI, but that parts of other types than text and images are the server's to read."""
    content = value.get("content") if isinstance(value, dict) else None
    if isinstance(content, list):
        known = ("text", "image_url")
        others = [each for each in content if isinstance(each, dict) and isinstance(each.get("type"), str)]
        others = [each for each in others if each["type"] not in known]
        value = {**value, "content": [each for each in content if each not in others] if others else content}
    return schema.message(value, path)


_MESSAGES = array(_message, "an array of messages")


def _filled(type_: Type) -> Type:
    return lambda value, path: ((path, "must not be empty"),) if value in ("", []) else type_(value, path)


_TEXT = _filled(STRING)
_TOKENS = _filled(array(integer(0, 2**31, "a token id"), "an array of tokens"))
_PROMPTS = array(_TEXT, "a string or an array of strings")


def _messages(value: Any, path: str) -> Sequence[Problem]:
    return ((path, "must be an array with at least one message"),) if value == [] else _MESSAGES(value, path)


def _prompt(value: Any, path: str) -> Sequence[Problem]:
    """Text, or the tokens of one prompt, or an array of either."""
    if isinstance(value, str):
        return _TEXT(value, path)
    if value == []:
        return ((path, "must be a string or an array with at least one string"),)
    if isinstance(value, list) and isinstance(value[0], int):
        return _TOKENS(value, path)
    if isinstance(value, list) and isinstance(value[0], list):
        return array(_TOKENS, "an array of arrays of tokens")(value, path)
    return _PROMPTS(value, path)


def _schema(value: Any, path: str) -> Sequence[Problem]:
    from front_door.protocols.openai.schema_types import type_problems

    return _OBJECT(value, path) or tuple(type_problems(value, path))


_OBJECT = struct({})
_FORMAT = tagged(
    {
        "text": struct({}),
        "json_object": struct({name: Field(schema.schema_or_text) for name in SCHEMA_MEMBERS}),
        "json_schema": struct(
            {
                "json_schema": Field(
                    struct({"name": Field(STRING, is_required=True), "schema": Field(_schema, is_required=True)}),
                    is_required=True,
                    hint=", an object with `name` and `schema`",
                )
            }
        ),
        "structural_tag": struct({}),
    },
    "an object with `type`",
)


def _format(value: Any, path: str) -> Sequence[Problem]:
    """OpenAI's formats; those of TGI that these servers lack are named by `_read_chat`."""
    return () if isinstance(value, dict) and value.get("type") in ("json", "regex") else _FORMAT(value, path)


def _alternatives(value: Any, path: str) -> Sequence[Problem]:
    """False is what a chat's `logprobs` may be."""
    return () if value is False else integer(0, 2**31, "a number of alternatives")(value, path)


_POSITIVE = integer(1, 2**31, "a number of tokens, at least 1")
_COMMON = {
    "max_tokens": Field(_POSITIVE),
    "seed": Field(integer(-(2**63), 2**63, "an integer of 64 bits with a sign")),
    "logit_bias": Field(struct({})),
}
_CHAT = {name: field for name, field in schema.CHAT.items() if name != "tool_prompt"} | {
    **_COMMON,
    "messages": Field(_messages, is_required=True),
    "max_completion_tokens": Field(_POSITIVE),
    "response_format": Field(_format),
}
_COMPLETION = {name: field for name, field in schema.COMPLETION.items() if name != "repetition_penalty"} | {
    **_COMMON,
    "max_tokens": Field(integer(0, 2**31, "a number of tokens")),
    "prompt": Field(_prompt, is_required=True),
    "logprobs": Field(_alternatives),
}
