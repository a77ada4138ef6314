"""Any container that speaks OpenAI's protocol; what is particular to one server is in a class of its own beside it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from front_door.config import Model

if TYPE_CHECKING:
    from front_door.errors import ApiError
    from front_door.generation.generate_request import GenerateRequest
    from front_door.generation.tokens import TokenReader
    from front_door.http.json_schema import Type


class OpenAiEngine:
    """An `Engine`, `OpenAiServer` and `TokenServer` whose `/invocations` accepts OpenAI's chats and completions."""

    display_name = "a container of its own"
    native_protocol = "openai"
    not_streamable = "prompt_logprobs, use_beam_search"
    answers: tuple[str, ...] = ("chat", "completions")
    regex_member: str | None = None
    way_to_tools = "declare it with `tools=True` if it does"

    def member_types(self, route: str) -> "Mapping[str, Type] | None":
        """See `OpenAiServer`; what the container accepts is not known here."""
        return None

    def refusal(self, name: str) -> str | None:
        """See `OpenAiServer`."""
        return None

    def address(self, body: dict[str, Any], model: Model, route: str) -> tuple[Model, dict[str, Any]]:
        """See `OpenAiServer`; an adapter is named as vLLM's own server reads it, else the model by its hub id."""
        if model.adapter_component is not None:
            return model, body
        return model, {**body, "model": model.adapter or model.model_id or model.name}

    def answered_by(self, model: Model) -> str | None:
        """See `OpenAiServer`."""
        return None

    def cheapest_body(self, routes: tuple[str, ...]) -> dict[str, Any]:
        """See `Engine`."""
        prompt = {"prompt": "Hi"} if "completions" in routes else {"messages": [{"role": "user", "content": "Hi"}]}
        return {**prompt, "stream": True, "max_tokens": 1}

    def with_max_tokens(self, body: dict[str, Any], max_tokens: int) -> dict[str, Any]:
        """See `Engine`."""
        return {**body, "max_tokens": max_tokens}

    def without_streaming(self, body: dict[str, Any]) -> dict[str, Any]:
        """See `Engine`."""
        return {name: value for name, value in body.items() if name not in ("stream", "stream_options")}

    def can_stream(self, body: dict[str, Any]) -> bool:
        """See `Engine`."""
        return body.get("prompt_logprobs") is None and not body.get("use_beam_search")

    def container_error(self, status: int, text: str) -> "ApiError":
        """See `Engine`."""
        from front_door.engines.openai.errors import container_error

        return container_error(status, text)

    def first_error(self, events: bytes) -> "ApiError | None":
        """See `Engine`."""
        if b'"error"' not in events and b'"code"' not in events:
            return None
        from front_door.engines.openai.errors import first_error

        return first_error(events)

    def stream_error(self, event: dict[str, Any]) -> "ApiError":
        """See `Engine`."""
        from front_door.engines.openai.errors import stream_error

        return stream_error(event)

    def event_error(self, event: dict[str, Any]) -> "ApiError | None":
        """See `OpenAiServer`."""
        from front_door.engines.openai.errors import is_error, stream_error

        return stream_error(event) if is_error(event) else None

    def tokens_left(self, error: "ApiError") -> int | None:
        """See `Engine`."""
        from front_door.engines.openai.errors import tokens_left

        return tokens_left(error)

    def generate_problems(self, request: "GenerateRequest", facts: Mapping[str, Any]) -> list[str]:
        """See `TokenServer`."""
        from front_door.engines.openai.generate_body import own_problems

        return own_problems(request)

    def generate_body(self, request: "GenerateRequest") -> dict[str, Any]:
        """See `TokenServer`."""
        from front_door.engines.openai.generate_body import own_body

        return own_body(request)

    def differences(self, request: "GenerateRequest", facts: Mapping[str, Any]) -> tuple[str, ...]:
        """See `TokenServer`."""
        from front_door.engines.openai.generate_body import own_differences

        return own_differences(request, facts)

    def create_token_reader(self, request: "GenerateRequest", max_tokens: int) -> "TokenReader":
        """See `TokenServer`."""
        from front_door.engines.openai.token_reader import OpenAiTokenReader

        return OpenAiTokenReader(request, max_tokens)

    def in_tgi_words(self, error: "ApiError", request: "GenerateRequest") -> "ApiError":
        """See `TokenServer`."""
        from front_door.engines.openai.generate_errors import in_tgi_words

        return in_tgi_words(error, request)
