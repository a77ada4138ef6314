"""What a protocol asks of a container that speaks OpenAI's protocol: requests and responses are passed on."""

from collections.abc import Mapping
from typing import Any, Protocol

from front_door.config import Model
from front_door.errors import ApiError
from front_door.http.json_schema import Type


class OpenAiServer(Protocol):
    """An engine (`engines.base.Engine`) whose requests need no translation.

    Attributes:
        display_name: Its name in messages.
        answers: The routes whose requests it answers on `/invocations`: `chat`, `completions`.
        regex_member: The member of a request that is a regular expression for the text; None if there is none.
        way_to_tools: How its owner makes it read tool calls, for messages.
    """

    display_name: str
    answers: tuple[str, ...]
    regex_member: str | None
    way_to_tools: str

    def member_types(self, route: str) -> Mapping[str, Type] | None:
        """The members of a request that are its own, and their types; None if it takes every name.

        Args:
            route: `chat` or `completions`.
        """

    def refusal(self, name: str) -> str | None:
        """What to use in place of a member that it ignores although clients rely on it; None if it may be sent."""

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

    def first_error(self, events: bytes) -> ApiError | None:
        """The error that some complete events begin with; None if they begin with anything else."""

    def event_error(self, event: dict[str, Any]) -> ApiError | None:
        """The error that an event is; None if it is a part of an answer."""
