"""Choices from the events of TGI's OpenAI routes (router/src/chat.rs, router/src/server.rs, 3.3.6)."""

import os
from typing import TYPE_CHECKING, Any

from front_door.engines.tgi.errors import stream_error
from front_door.errors import ApiError
from front_door.generation.choice import Choice
from front_door.generation.events import Delta, TextFrame
from front_door.generation.request import GenerationRequest
from front_door.http.json import parse_object
from front_door.http.json_schema import NUMBER, STRING, Field, array, instance, struct

if TYPE_CHECKING:
    from front_door.generation.members import Members

_INTEGER = instance(int, "an integer")
_TOKEN = {"token": Field(STRING, is_required=True), "logprob": Field(NUMBER)}
_FUNCTION = struct({"name": Field(STRING), "arguments": Field(STRING)})
_MESSAGE = struct(
    {
        "content": Field(STRING),
        "tool_calls": Field(array(struct({"function": Field(_FUNCTION, is_required=True)}), "an array")),
    }
)
_LOGPROBS = struct(
    {"content": Field(array(struct({**_TOKEN, "top_logprobs": Field(array(struct(_TOKEN), "an array"))}), "an array"))}
)
_CHOICE = struct(
    {
        "finish_reason": Field(STRING),
        "text": Field(STRING),
        "delta": Field(_MESSAGE),
        "message": Field(_MESSAGE),
        "logprobs": Field(_LOGPROBS),
    }
)
_USAGE = struct(
    {"prompt_tokens": Field(_INTEGER, is_required=True), "completion_tokens": Field(_INTEGER, is_required=True)}
)
_EVENT = struct(
    {
        "usage": Field(_USAGE),
        "system_fingerprint": Field(STRING),
        "choices": Field(array(_CHOICE, "an array"), is_required=True),
    }
)
"""Everything that is read of an event."""

# TGI uses its own names in streamed completions (router/src/lib.rs, FinishReason).
FINISH_REASONS = {"eos_token": "stop", "stop_sequence": "stop"}
_LOST_ARGUMENTS = "The model's server lost a part of the tool call. Try again, or without `stream`."
_NO_CALL = "Tool error: the model's answer is not a call of a tool: try again, or set `tool_choice` to `{instead}`"
_CUT_CALL = "Tool error: max_tokens ({limit}) ended the answer before the name of the tool: raise it"
# OpenAI's value for a token that is not among the likely ones; TGI's minus infinity is a null in JSON.
VERY_UNLIKELY = -9999.0


class TgiChoice(Choice):
    """Reads what all of TGI's OpenAI routes have in common."""

    def read_event(self, data: bytes) -> list[Delta]:
        """Read one event's data, or set `error`."""
        event = parse_object(data)
        if event is not None and "error" in event:
            self.error = stream_error(event)
            return []
        if event is None or _EVENT(event, ""):
            self.error = unknown_form()
            return []
        self.usage = event.get("usage") or self.usage
        self.fingerprint = event.get("system_fingerprint") or self.fingerprint
        deltas = []
        for choice in event.get("choices") or ():
            # No event has a reason while TGI looks for the name of a tool, or after a tool call.
            reason = choice.get("finish_reason") or ""
            self.finish_reason = FINISH_REASONS.get(reason, reason) or self.finish_reason
            deltas += self.read_choice(choice)
        return deltas

    def read_choice(self, choice: dict[str, Any]) -> list[Delta]:
        """What a choice in an event adds."""
        raise NotImplementedError


class CompletionChoice(TgiChoice):
    """Reads a completion."""

    text_frame = TextFrame(
        b'"choices":[{"index":0,"text":"',
        b'","logprobs":null,"finish_reason":""}],"model":',
    )

    def read_choice(self, choice: dict[str, Any]) -> list[Delta]:
        """What a choice in an event adds."""
        # With this reason the text is the token that ended the generation, such as </s>.
        text = "" if choice.get("finish_reason") == "eos_token" else choice.get("text") or ""
        return [Delta(text)] if text else []


class ChatChoice(TgiChoice):
    """Reads a chat completion: text, or a call of one tool."""

    text_frame: TextFrame | None = TextFrame(
        b'"choices":[{"index":0,"delta":{"role":"assistant","content":"',
        b'"},"logprobs":null,"finish_reason":null}],"usage":null}',
    )

    def __init__(self, request: GenerationRequest, max_tokens: int) -> None:
        super().__init__(request, max_tokens)
        self._request = request
        self._tool_name: str | None = None
        self._arguments = ""
        self._is_empty = True
        self._required: list[str] = []
        self._members: Members | None = None
        if request.response_format is not None:
            from front_door.engines.tgi.grammar import unwrap

            self._members = unwrap(request.response_format)
            if self._members is not None:
                self.text_frame = None

    def read_choice(self, choice: dict[str, Any]) -> list[Delta]:
        """What a choice in an event adds."""
        self._is_empty = False
        delta = choice.get("delta") or choice.get("message") or {}
        deltas = [self._read_call(call["function"]) for call in delta.get("tool_calls") or ()]
        text = delta.get("content") or ""
        if text and self._members is not None:
            text = self._members.read(text)
        entries = [] if deltas else (choice.get("logprobs") or {}).get("content") or []
        # The text of a special token, such as the one that ends the generation, is left out.
        logprobs = tuple(openai_logprob(each) for each in entries if text or not each["token"])
        return [*deltas, Delta(text, logprobs)] if text or logprobs else deltas

    def finish(self) -> list[Delta]:
        """Handle the end of the stream; sets `is_done` or `error`."""
        # TGI streams nothing of an answer in which it finds no call, and not even its end: only the number of tokens.
        if self._is_empty and self._request.tools and self.error is None:
            self.error = self._no_call()
            return []
        deltas = super().finish()
        if self._tool_name is None or self.error is not None or self.finish_reason == "length":
            return deltas
        self.finish_reason = "tool_calls"
        # TGI does not stream the last brace of a call without arguments.
        for ending in ("", "}"):
            arguments = parse_object((self._arguments + ending).encode())
            if arguments is not None and all(name in arguments for name in self._required):
                return [*deltas, Delta(arguments=ending)] if ending else deltas
        # TGI streams arguments only from the first token that begins after the tool's name; without streaming it
        # returns all of them.
        self.error = ApiError("upstream", _LOST_ARGUMENTS, log_detail="lost arguments")
        self.is_done, self.can_retry_buffered = False, True
        return deltas

    def _no_call(self) -> ApiError:
        """TGI's error for an answer without a call, which it reports only if it does not stream."""
        if self.usage is not None and self.usage["completion_tokens"] >= self.max_tokens:
            message = _CUT_CALL.format(limit=self.max_tokens)
            return ApiError("tool_error", message, param="max_tokens", log_detail="cut before the call")
        is_optional = self._request.tool_choice == "auto" or self._request.final_answer is not None
        message = _NO_CALL.format(instead="none" if is_optional else "auto")
        return ApiError("tool_error", message, log_detail="no call")

    def _read_call(self, function: dict[str, Any]) -> Delta:
        name = call_id = None
        if self._tool_name is None:
            name = self._tool_name = str(function.get("name"))
            call_id = f"call_{os.urandom(12).hex()}"
            from front_door.engines.tgi.tools import arguments_of

            if (tool := arguments_of(self._request, name)) is not None:
                self._members, self._required = tool.members(), tool.required
        arguments = function.get("arguments") or ""
        if self._members is not None:
            arguments = self._members.read(arguments)
        self._arguments += arguments
        return Delta(tool_name=name, call_id=call_id, arguments=arguments)


def unknown_form() -> ApiError:
    """The error of an event that is not TGI's."""
    return ApiError("upstream", "The model sent an event of an unknown form.", log_detail="form of an event")


def openai_logprob(entry: dict[str, Any]) -> dict[str, Any]:
    """A token's log probability in OpenAI's form, with those of its alternatives."""
    return {**_one_logprob(entry), "top_logprobs": [_one_logprob(other) for other in entry.get("top_logprobs") or ()]}


def _one_logprob(entry: dict[str, Any]) -> dict[str, Any]:
    token, value = entry["token"], entry.get("logprob")
    # A token that is only a part of a character has no text, and its bytes are unknown.
    return {
        "token": token,
        "logprob": VERY_UNLIKELY if value is None else value,
        "bytes": list(token.encode()) if token else None,
    }
