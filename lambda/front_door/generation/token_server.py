"""What a client that speaks TGI asks of a container that does not: its requests and responses are translated."""

from collections.abc import Mapping
from typing import Any, Protocol

from front_door.config import Model
from front_door.errors import ApiError
from front_door.generation.generate_request import GenerateRequest
from front_door.generation.tokens import TokenReader


class TokenServer(Protocol):
    """An engine (`engines.base.Engine`) whose container completes a prompt and reports the tokens.

    Attributes:
        display_name: Its name in messages.
    """

    display_name: str

    def generate_problems(self, request: GenerateRequest, facts: Mapping[str, Any]) -> list[str]:
        """What the container cannot do of a request: sentences in TGI's form, each beginning with the parameter."""

    def generate_body(self, request: GenerateRequest) -> dict[str, Any]:
        """The body for the container, without a number of tokens; to be streamed if `can_stream` allows it.

        It begins with the prompt: SageMaker may choose the instance by the first bytes.
        """

    def create_token_reader(self, request: GenerateRequest, max_tokens: int) -> TokenReader:
        """A reader for the response to a body of at most `max_tokens` tokens."""

    def differences(self, request: GenerateRequest, facts: Mapping[str, Any]) -> tuple[str, ...]:
        """In which parameters an answer is not what TGI's would be, by the names of docs/migrate.md."""

    def address(self, body: dict[str, Any], model: Model, route: str) -> tuple[Model, dict[str, Any]]:
        """The model as it is invoked, and the body with the name that the container has for it or its adapter."""

    def answered_by(self, model: Model) -> str | None:
        """The name that answers have if the adapter gives them; None if nothing else could."""

    def with_max_tokens(self, body: dict[str, Any], max_tokens: int) -> dict[str, Any]:
        """A body with a number of tokens to generate at most."""

    def without_streaming(self, body: dict[str, Any]) -> dict[str, Any]:
        """A body for a response that is not streamed."""

    def can_stream(self, body: dict[str, Any]) -> bool:
        """Whether the container can stream its response to a body."""

    def event_error(self, event: dict[str, Any]) -> ApiError | None:
        """The error that an event is; None if it is a part of an answer."""

    def in_tgi_words(self, error: ApiError, request: GenerateRequest) -> ApiError:
        """An error of the container as TGI would report it; any other error as it is."""
