"""The call of the final tool in OpenAI's chunks, as the content of the message; see `generation.final_answer`."""

from typing import Any

from front_door.generation.events import Delta
from front_door.generation.final_answer import FinalAnswerReader
from front_door.generation.request import FinalAnswer


class FinalChunks:
    """Rewrites the choices of chunks, and of responses that are not streamed.

    Args:
        answer: The tool.
    """

    def __init__(self, answer: FinalAnswer) -> None:
        self._answer = answer
        self._readers: dict[int, FinalAnswerReader] = {}

    def rewrite(self, choices: list[Any]) -> bool:
        """Put the arguments of the call into the content; returns whether there was anything of it."""
        changed = [self._rewrite_one(choice) for choice in choices]
        return any(changed)

    def _rewrite_one(self, choice: dict[str, Any]) -> bool:
        reader = self._readers.setdefault(choice.get("index", 0), FinalAnswerReader(self._answer))
        message = choice.get("delta", choice.get("message"))
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        is_changed = False
        if isinstance(message, dict) and isinstance(calls, list):
            others = []
            for call in calls:
                function = call.get("function") or {}
                text = "".join(delta.text for delta in reader.read([_delta(function)]))
                if reader.is_called:
                    message["content"] = (message.get("content") or "") + text
                    is_changed = True
                else:
                    others.append(call)
            if is_changed:
                del message["tool_calls"]
                if others:
                    message["tool_calls"] = others
        if reader.is_called and choice.get("finish_reason") == "tool_calls":
            choice["finish_reason"], is_changed = "stop", True
        return is_changed


def _delta(function: dict[str, Any]) -> Delta:
    return Delta(tool_name=function.get("name"), arguments=function.get("arguments") or "")
