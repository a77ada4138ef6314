"""What clients speak: one folder per protocol, and the routes that belong to none."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from front_door.protocols.base import Protocol


def of(path: str) -> "Protocol":
    """The protocol of a client that calls this path, also if there is no such route."""
    model, has_version, route = path.partition("/v1/")
    if has_version and (not model or model.startswith("/models/")):
        if route.split("/")[0] == "messages":
            from front_door.protocols.messages.errors import ANTHROPIC

            return ANTHROPIC
        from front_door.protocols.openai.errors import OPENAI

        return OPENAI
    from front_door.protocols.tgi.errors import TGI

    return TGI
