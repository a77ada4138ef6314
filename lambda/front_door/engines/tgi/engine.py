"""The engine TGI; imports what only some requests need with the first of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from front_door.errors import ApiError
    from front_door.generation.choice import Choice
    from front_door.generation.request import GenerationRequest, Problems


class TgiEngine:
    """Talks to TGI's `/invocations`, which accepts its own requests and, by their members, OpenAI's."""

    display_name = "TGI"
    native_protocol = "tgi"
    not_streamable = (
        "best_of > 1, decoder_input_details, logprobs with echo, a tool call of which the stream lost a part"
    )

    def build_bodies(
        self, request: "GenerationRequest", facts: Mapping[str, Any], problems: "Problems"
    ) -> list[dict[str, Any]]:
        """See `Engine`."""
        from front_door.engines.tgi.request import build_bodies

        return build_bodies(request, facts, problems)

    def cheapest_body(self, routes: tuple[str, ...]) -> dict[str, Any]:
        """See `Engine`."""
        return {"prompt": "Hi", "stream": True, "max_tokens": 1}

    def with_max_tokens(self, body: dict[str, Any], max_tokens: int) -> dict[str, Any]:
        """See `Engine`."""
        if "parameters" in body:
            return {**body, "parameters": {**body["parameters"], "max_new_tokens": max_tokens}}
        return {**body, "max_tokens": max_tokens}

    def without_streaming(self, body: dict[str, Any]) -> dict[str, Any]:
        """See `Engine`."""
        return {name: value for name, value in body.items() if name not in ("stream", "stream_options")}

    def can_stream(self, body: dict[str, Any]) -> bool:
        """See `Engine`."""
        return not body.get("parameters", {}).get("decoder_input_details")

    def create_choice(self, request: "GenerationRequest", max_tokens: int, body: dict[str, Any]) -> "Choice":
        """See `Engine`."""
        if "inputs" in body:
            from front_door.engines.tgi.generate import GenerateChoice

            return GenerateChoice(request, max_tokens, body["inputs"])
        from front_door.engines.tgi.events import ChatChoice, CompletionChoice

        return (CompletionChoice if request.messages is None else ChatChoice)(request, max_tokens)

    def container_error(self, status: int, text: str) -> "ApiError":
        """See `Engine`."""
        from front_door.engines.tgi.errors import container_error

        return container_error(status, text)

    def first_error(self, events: bytes) -> "ApiError | None":
        """See `Engine`."""
        if b'"error"' not in events:
            return None
        from front_door.engines.tgi.errors import first_error

        return first_error(events)

    def stream_error(self, event: dict[str, Any]) -> "ApiError":
        """See `Engine`."""
        from front_door.engines.tgi.errors import stream_error

        return stream_error(event)

    def tokens_left(self, error: "ApiError") -> int | None:
        """See `Engine`."""
        from front_door.engines.tgi.errors import tokens_left

        return tokens_left(error)
