"""What an engine is: the program in a model's container."""

from collections.abc import Mapping
from typing import Any, Protocol

from front_door.errors import ApiError
from front_door.generation.choice import Choice
from front_door.generation.request import GenerationRequest, Problems


class Engine(Protocol):
    """What is needed of every engine, however clients' requests reach it.

    Attributes:
        display_name: Its name in messages, such as `TGI`.
        native_protocol: The client protocol that the container speaks itself, `tgi` or `openai`; its routes pass
            requests and responses on.
        not_streamable: What the container cannot stream, for the message of a timeout.
    """

    display_name: str
    native_protocol: str
    not_streamable: str

    def cheapest_body(self, routes: tuple[str, ...]) -> dict[str, Any]:
        """The smallest request, streamed and for one token, by which a model is started or known to run.

        Args:
            routes: The routes of OpenAI's that the container answers: `chat`, `completions`.
        """

    def with_max_tokens(self, body: dict[str, Any], max_tokens: int) -> dict[str, Any]:
        """A body with a number of tokens to generate at most, behind what is a part of the prompt."""

    def without_streaming(self, body: dict[str, Any]) -> dict[str, Any]:
        """A body for a response that is not streamed."""

    def can_stream(self, body: dict[str, Any]) -> bool:
        """Whether the container can stream its response to a body."""

    def container_error(self, status: int, text: str) -> ApiError:
        """The error in an error response, with status 400 to 599; sets `may_retry` if nothing was generated."""

    def first_error(self, events: bytes) -> ApiError | None:
        """The error that some complete events begin with; None if they begin with anything else."""

    def stream_error(self, event: dict[str, Any]) -> ApiError:
        """The error in an event that has an `error`."""

    def tokens_left(self, error: ApiError) -> int | None:
        """How many tokens fit behind the prompt, if that is what the error is about and if any do.

        If the container does not say how many, a smaller number than it was asked for: it is asked again.
        """


class Translator(Engine, Protocol):
    """Translates between `generation` and what a container speaks; all else is the same for all engines."""

    def build_bodies(
        self, request: GenerationRequest, facts: Mapping[str, Any], problems: Problems
    ) -> list[dict[str, Any]]:
        """A body per choice, to be streamed, without a number of tokens; adds what it cannot do to `problems`.

        It begins with what comes first in the prompt and ends with what is no part of it: SageMaker may choose the
        instance by the first bytes.
        """

    def create_choice(self, request: GenerationRequest, max_tokens: int, body: dict[str, Any]) -> Choice:
        """A reader for the events of one choice, for which the container got `body` and was asked for `max_tokens`."""
