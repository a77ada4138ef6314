"""The front door's routes, and from an event to its answer."""

import functools
import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from front_door import config
from front_door.call import Call
from front_door.errors import Failure, protocol_of
from front_door.journal import Journal
from front_door.request import Request
from front_door.response import Response
from front_door.upstream import SageMaker

if TYPE_CHECKING:
    from front_door.runtime import Invocation

# Path → method → the function that answers; its module is loaded with the first request that needs it.
ROUTES: dict[str, dict[str, str]] = {
    "/": {"POST": "tgi.compat_generate"},
    "/generate": {"POST": "tgi.generate"},
    "/generate_stream": {"POST": "tgi.generate_stream"},
    "/health": {"GET": "service.health"},
    "/v1/chat/completions": {"POST": "chat.chat_completions"},
    "/v1/models": {"GET": "service.models"},
}


class App:
    """Answers requests for the models of one configuration."""

    def __init__(self, settings: config.Config) -> None:
        self._config = settings
        self.sagemaker = SageMaker(settings)

    def handle(self, event: dict[str, Any], context: "Invocation") -> Response:
        """See `handle` below."""
        journal = Journal(event, context.request_id)
        protocol = protocol_of(str(event.get("path")))
        try:
            request = Request.of(event)
            answer = _route(request, journal)
            response = answer(Call(request, self._config, self.sagemaker, context.deadline, journal))
        except Failure as failure:
            journal.failed(failure)
            response = protocol.response(failure)
        except Exception as error:  # noqa: BLE001 - told as a 500 without a word about its inside
            journal.crashed(error)
            response = protocol.response(Failure("internal", "The front door failed."))
        response.headers["x-request-id"] = journal.request_id
        journal.note(status=response.status)
        if isinstance(response.body, list):
            journal.write()
        return response


def handle(event: dict[str, Any], context: "Invocation") -> Response:
    """Answer one request.

    Args:
        event: A REST proxy event of API Gateway.
        context: The invocation that it came with.

    Returns:
        The answer; a mistake of the client, a failure upstream and a defect in here are answers too.

    Raises:
        ConfigError: The function's environment is not usable.
    """
    return _app().handle(event, context)


@functools.cache
def _app() -> App:
    return App(config.from_environment(os.environ))


def _route(request: Request, journal: Journal) -> Callable[[Call], Response]:
    methods = ROUTES.get(request.path)
    if methods is None:
        raise Failure("not_found", f"There is no {request.path[:200]} here; the routes are {', '.join(ROUTES)}.")
    name = methods.get(request.method)
    if name is None:
        allowed = ", ".join(methods)
        message = f"{request.path} takes {allowed}, not {request.method[:20]}."
        raise Failure("method_not_allowed", message, headers={"Allow": allowed})
    journal.note(route=f"{request.method} {request.path}")
    module, _, function = name.partition(".")
    answer: Callable[[Call], Response] = getattr(import_module(f"front_door.{module}"), function)
    return answer
