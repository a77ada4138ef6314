"""vLLM's server, as in the images of AWS and Hugging Face."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from front_door.config import Model
from front_door.engines.openai.engine import OpenAiEngine

if TYPE_CHECKING:
    from front_door.generation.generate_request import GenerateRequest
    from front_door.http.json_schema import Type

_PATHS = {"chat": "/v1/chat/completions", "completions": "/v1/completions"}
_REFUSED = {
    "guided_json": "use `response_format` or `structured_outputs`",
    **dict.fromkeys(("guided_regex", "guided_choice", "guided_grammar", "structural_tag"), "use `structured_outputs`"),
    **dict.fromkeys(("guided_decoding_backend", "guided_whitespace_pattern"), "leave it out"),
    "best_of": "use `n`",
}


class VllmEngine(OpenAiEngine):
    """Its `/invocations` puts the name of SageMaker's adapter, or none, in the place of the body's `model`."""

    display_name = "vLLM"
    regex_member = "structured_outputs"
    way_to_tools = "deploy it with `tool_call_parser`"

    def member_types(self, route: str) -> "Mapping[str, Type] | None":
        """See `OpenAiServer`."""
        from front_door.engines.openai.members import VLLM, VLLM_CHAT

        return VLLM_CHAT if route == "chat" else VLLM

    def refusal(self, name: str) -> str | None:
        """See `OpenAiServer`; vLLM answers as if these names were not there."""
        return _REFUSED.get(name)

    def address(self, body: dict[str, Any], model: Model, route: str) -> tuple[Model, dict[str, Any]]:
        """See `OpenAiServer`.

        Only its own paths read `model`. The middleware of AWS's AL2023 images and of Hugging Face's takes them from
        CustomAttributes (`SageMakerRouteMiddleware`, aws/deep-learning-containers).
        """
        if model.adapter is None or model.adapter_component is not None:
            return model, body
        return replace(model, attributes=f"route={_PATHS[route]}"), {**body, "model": model.adapter}

    def answered_by(self, model: Model) -> str | None:
        """See `OpenAiServer`; without the middleware the model answers without its adapter."""
        return None if model.adapter_component is not None else model.adapter

    def generate_problems(self, request: "GenerateRequest", facts: Mapping[str, Any]) -> list[str]:
        """See `TokenServer`."""
        from front_door.engines.openai.generate_body import problems

        return problems(request)

    def generate_body(self, request: "GenerateRequest") -> dict[str, Any]:
        """See `TokenServer`."""
        from front_door.engines.openai.generate_body import vllm_body

        return vllm_body(request)

    def differences(self, request: "GenerateRequest", facts: Mapping[str, Any]) -> tuple[str, ...]:
        """See `TokenServer`."""
        from front_door.engines.openai.generate_body import differences

        return differences(request, facts)
