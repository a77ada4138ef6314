"""What the chunks of a chat completion add to its only choice."""

from typing import Any

from front_door.errors import ApiError
from front_door.generation.events import Delta
from front_door.http.json import parse_object
from front_door.http.json_schema import STRING, Field, array, struct
from front_door.protocols.openai.relay import Progress, unknown_form

_CALL = struct({"id": Field(STRING), "function": Field(struct({"name": Field(STRING), "arguments": Field(STRING)}))})
_MESSAGE = struct(
    {
        "content": Field(STRING),
        "reasoning": Field(STRING),
        "reasoning_content": Field(STRING),
        "tool_calls": Field(array(_CALL, "an array")),
    }
)
_LOGPROBS = struct({"content": Field(array(struct({"token": Field(STRING, is_required=True)}), "an array"))})
_MIXED_CALLS = "The model's server mixed the parts of several tool calls."


class ChatDeltas:
    """Reads chunks, and a response that is not streamed.

    Args:
        request_id: The id of the client's request, for calls to which the server gives none.
        progress: Receives the stop sequence.
    """

    def __init__(self, request_id: str, progress: Progress) -> None:
        self._request_id = request_id
        self._progress = progress
        self._calls: list[object] = []
        self._arguments: list[str] = []

    @property
    def lacks_arguments(self) -> bool:
        """Whether the last call has none so far, or a part of them."""
        return bool(self._calls) and not parse_object("".join(self._arguments).encode())

    def read(self, chunk: dict[str, Any]) -> list[Delta]:
        """What a chunk adds.

        Raises:
            ApiError: It is no chunk of a chat, or it goes on with a call that others follow already.
        """
        deltas: list[Delta] = []
        for choice in chunk.get("choices") or ():
            message = choice.get("delta", choice.get("message")) or {}
            logprobs = choice.get("logprobs") or {}
            if _MESSAGE(message, "") or _LOGPROBS(logprobs, ""):
                raise unknown_form()
            # vLLM's name, and SGLang's.
            stop = choice.get("stop_reason", choice.get("matched_stop"))
            if isinstance(stop, str):
                self._progress.stop_sequence = stop
            deltas += self._read_message(message, tuple(logprobs.get("content") or ()))
        return deltas

    def _read_message(self, message: dict[str, Any], logprobs: tuple[dict[str, Any], ...]) -> list[Delta]:
        deltas = []
        if reasoning := message.get("reasoning") or message.get("reasoning_content"):
            deltas.append(Delta(reasoning=reasoning))
        text, calls = message.get("content") or "", message.get("tool_calls") or ()
        if text or (logprobs and not calls and not reasoning):
            deltas.append(Delta(text, logprobs))
        return deltas + [self._read_call(call) for call in calls]

    def _read_call(self, call: dict[str, Any]) -> Delta:
        function = call.get("function") or {}
        arguments = function.get("arguments") or ""
        index = call.get("index", len(self._calls))
        if self._calls and self._calls[-1] == index:
            self._arguments.append(arguments)
            return Delta(arguments=arguments)
        if index in self._calls or not function.get("name"):
            raise ApiError("upstream", _MIXED_CALLS, log_detail="mixed calls")
        self._calls.append(index)
        self._arguments = [arguments]
        call_id = call.get("id") or f"call_{self._request_id}_{len(self._calls)}"
        return Delta(tool_name=function["name"], call_id=call_id, arguments=arguments)
