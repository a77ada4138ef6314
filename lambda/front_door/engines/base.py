"""What an engine is: the program in a model's container, as the front door talks to it."""

from collections.abc import Mapping
from typing import Any, Protocol

from front_door.errors import ApiError
from front_door.generation.choice import Choice
from front_door.generation.request import GenerationRequest, Problems


class Engine(Protocol):
    """Translates between `generation` and what a container speaks.

    Everything but these members is the same for all engines: routes, retries, streaming, error responses.

    Attributes:
        native_protocol: The client protocol that the container speaks itself (`tgi` or `openai`): its routes pass
            requests and responses on unchanged.
        not_streamable: What makes a request one that the container cannot stream, for the message of a timeout.
    """

    native_protocol: str
    not_streamable: str

    def build_bodies(
        self, request: GenerationRequest, facts: Mapping[str, Any], problems: Problems
    ) -> list[dict[str, Any]]:
        """The body for each choice of the response, to be streamed, without a number of tokens.

        Args:
            request: The client's request.
            facts: What is known about the model.
            problems: Receives what the engine cannot do.
        """

    def with_max_tokens(self, body: dict[str, Any], max_tokens: int) -> dict[str, Any]:
        """A body with a number of tokens to generate at most."""

    def without_streaming(self, body: dict[str, Any]) -> dict[str, Any]:
        """A body for a response that is not streamed."""

    def create_choice(self, request: GenerationRequest, max_tokens: int) -> Choice:
        """A reader for the events of one choice.

        Args:
            request: The client's request.
            max_tokens: The number of tokens that the container was asked for.
        """

    def container_error(self, status: int, text: str) -> ApiError:
        """The error in an error response of the container; sets `may_retry` if nothing was generated.

        Args:
            status: The HTTP status, 400 to 599.
            text: The body.
        """

    def first_error(self, events: bytes) -> ApiError | None:
        """The error that some complete events begin with; None if they begin with anything else."""

    def stream_error(self, event: dict[str, Any]) -> ApiError:
        """The error in an event that has an `error`."""

    def tokens_left(self, error: ApiError) -> int | None:
        """How many tokens fit behind the prompt, if that is what the error is about and if any do."""
