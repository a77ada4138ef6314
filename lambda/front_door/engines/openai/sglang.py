"""SGLang's server, whose route on SageMaker answers chats alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from front_door.config import Model
from front_door.engines.openai.engine import OpenAiEngine

if TYPE_CHECKING:
    from front_door.http.json_schema import Type

_REFUSED = {
    **dict.fromkeys(("guided_json", "structured_outputs"), "use `response_format`, `regex` or `ebnf`"),
    "guided_regex": "use `regex`",
    "guided_grammar": "use `ebnf`",
    "lora_path": "name the adapter in `model`: `name:adapter`",
    "best_of": "use `n`",
}


class SglangEngine(OpenAiEngine):
    """Its `/invocations` is `/v1/chat/completions` (srt/entrypoints/http_server.py, 0.5.8 and 0.5.20)."""

    display_name = "SGLang"
    answers = ("chat",)
    regex_member = "regex"
    way_to_tools = "deploy it with `tool_call_parser`"

    def member_types(self, route: str) -> "Mapping[str, Type] | None":
        """See `OpenAiServer`."""
        from front_door.engines.openai.members import SGLANG

        return SGLANG

    def refusal(self, name: str) -> str | None:
        """See `OpenAiServer`."""
        return _REFUSED.get(name)

    def address(self, body: dict[str, Any], model: Model, route: str) -> tuple[Model, dict[str, Any]]:
        """See `OpenAiServer`; what is before the colon is not read."""
        return (model, body) if model.adapter is None else (model, {**body, "model": f"{model.name}:{model.adapter}"})
