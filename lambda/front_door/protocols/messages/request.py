"""Anthropic's requests as chats."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from front_door.generation.openai_server import OpenAiServer
from front_door.generation.request import Problems
from front_door.http.json import not_writable
from front_door.protocols.messages.content import Chat
from front_door.protocols.messages.schema import COUNT_TOKENS, MESSAGES, valid_members

_SAME = ("max_tokens", "temperature", "top_p")
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
# SGLang has the first one alone, which is enough for it.
_CONTINUES = {"continue_final_message": True, "add_generation_prompt": False}


class MessagesRequest(NamedTuple):
    """A request as the model gets it.

    Attributes:
        chat: The body of a chat completion.
        names: Where members of the chat are in the client's request.
        stream: Whether the client wants a stream.
        shows_thinking: Whether it wants to see what the model thinks.
    """

    chat: dict[str, Any]
    names: dict[str, str]
    stream: bool
    shows_thinking: bool

    @property
    def max_tokens(self) -> int:
        """How long the answer may get."""
        return int(self.chat["max_tokens"])

    @property
    def stop_sequences(self) -> Sequence[str]:
        """What ends the answer."""
        stop: Sequence[str] = self.chat.get("stop", ())
        return stop


def read_message(body: Mapping[str, Any], server: OpenAiServer | None, problems: Problems) -> MessagesRequest:
    """Read the body of `POST /v1/messages`.

    Args:
        body: The client's body.
        server: The engine, if it speaks OpenAI's protocol itself; None: TGI.
        problems: Receives what is wrong.

    Raises:
        ApiError: What the prompt is made of is invalid.
    """
    valid = valid_members(body, MESSAGES, problems)
    chat = {name: valid[name] for name in _SAME if name in valid}
    if top_k := valid.get("top_k"):
        if server is None:
            problems.add("top_k", "top_k is not supported by this model's server: leave it out")
        else:
            chat["top_k"] = top_k
    if stop := valid.get("stop_sequences"):
        chat["stop"] = stop
    prompt, names = _read_prompt(valid, server, problems)
    thinking = valid.get("thinking", {"type": "disabled"})
    shows = thinking["type"] != "disabled" and thinking.get("display") != "omitted"
    return MessagesRequest({**prompt, **chat}, names, bool(valid.get("stream")), shows)


def read_count(body: Mapping[str, Any], server: OpenAiServer | None, problems: Problems) -> MessagesRequest:
    """Read the body of `POST /v1/messages/count_tokens` as a message of one token; see `read_message`."""
    prompt, names = _read_prompt(valid_members(body, COUNT_TOKENS, problems), server, problems)
    return MessagesRequest({**prompt, "max_tokens": 1}, names, stream=False, shows_thinking=False)


def _read_prompt(
    valid: Mapping[str, Any], server: OpenAiServer | None, problems: Problems
) -> tuple[dict[str, Any], dict[str, str]]:
    """The members of the chat that are in the prompt, and where they are in the client's request."""
    if any(problems.is_about(name) for name in ("messages", "system", "tool")):
        problems.raise_if_any()
    turns = Chat()
    try:
        turns.add_system(valid)
        turns.add_turns(valid["messages"])
    except (ValueError, RecursionError) as error:
        raise not_writable(error) from None
    names = {"stop": "stop_sequences", **turns.names}
    chat = {**_read_tools(valid, names), "messages": turns.messages, **_read_format(valid, names)}
    if not turns.messages:
        problems.add("messages", "messages: there is nothing in them that the model reads, add a text of the user")
    elif turns.messages[-1]["role"] == "assistant":
        chat |= _read_beginning(chat, server, problems, names[f"messages[{len(turns.messages) - 1}]"])
    return chat, names


def _read_format(valid: Mapping[str, Any], names: dict[str, str]) -> dict[str, Any]:
    form, path = valid.get("output_config", {}).get("format"), "output_config.format"
    if form is None:
        form, path = valid.get("output_format"), "output_format"
    if form is None:
        return {}
    names["response_format"] = names["response_format.json_schema"] = path
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "response", "schema": form["schema"]}}}


def _read_beginning(
    chat: Mapping[str, Any], server: OpenAiServer | None, problems: Problems, path: str
) -> dict[str, Any]:
    """What lets the model continue the last message, which is the beginning of its answer.

    TGI does so by itself (router/src/infer/chat_template.rs, 3.3.6), but writes about tools behind that beginning.
    """
    last = chat["messages"][-1]
    if last.get("tool_calls"):
        problems.add(path, f"{path}: a `tool_use` needs a `tool_result` in the user's message behind it")
    elif last["content"].strip() != last["content"]:
        problems.add(path, f"{path}: the last message begins or ends with white space, which the model's server strips")
    elif "response_format" in chat:
        sentence = "the beginning of an answer is not supported with a format: end with a message of the user"
        problems.add(path, f"{path}: {sentence}")
    if server is None:
        if "tools" in chat and chat.get("tool_choice") != "none":
            sentence = "the beginning of an answer is not supported beside tools by this model's server"
            problems.add(path, f"{path}: {sentence}: end with a message of the user")
        return {}
    members = server.member_types("chat") or {}
    if "continue_final_message" not in members:
        sentence = "this model's server may not continue the beginning of an answer: end with a message of the user"
        problems.add(path, f"{path}: {sentence}")
    return {name: value for name, value in _CONTINUES.items() if name in members}


def _read_tools(valid: Mapping[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The members of a chat that say which tools the model may call.

    Args:
        valid: The valid members of the client's request.
        names: Receives where members of the chat are in the client's request.
    """
    members: dict[str, Any] = {}
    if tools := valid.get("tools"):
        members["tools"] = [_function(tool) for tool in tools]
        for at in range(len(tools)):
            names[f"tools[{at}].function"] = f"tools[{at}]"
            names[f"tools[{at}].function.parameters"] = f"tools[{at}].input_schema"
    choice = valid.get("tool_choice")
    if choice is not None:
        members["tool_choice"] = _CHOICES.get(choice["type"]) or {
            "type": "function",
            "function": {"name": choice["name"]},
        }
        if choice.get("disable_parallel_tool_use"):
            members["parallel_tool_calls"] = False
    return members


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": tool["name"], "parameters": tool["input_schema"]}
    if tool.get("description") is not None:
        function["description"] = tool["description"]
    return {"type": "function", "function": function}
