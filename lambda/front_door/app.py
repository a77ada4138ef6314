"""From an event to its answer."""

import functools
import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from front_door import config
from front_door.context import Call
from front_door.errors import Failure, Protocol, protocol_of
from front_door.http import cors
from front_door.http.request import Request
from front_door.http.response import Response
from front_door.request_log import Journal
from front_door.routes import ROUTES, Route, found
from front_door.sagemaker.client import SageMaker

if TYPE_CHECKING:
    from front_door.lambda_runtime.loop import Invocation


class App:
    """Answers requests for the models of one configuration."""

    def __init__(self, settings: config.Config) -> None:
        self._config = settings
        self.sagemaker = SageMaker(settings)

    def handle(self, event: dict[str, Any], context: "Invocation") -> Response:
        """See `handle` below."""
        journal = Journal(event, context.request_id)
        protocol = _protocol(event)
        request = None
        try:
            request = Request.of(event)
            journal.called(request.client_request_id())
            response = self._answer(request, event, context, journal)
        except Failure as failure:
            journal.failed(failure)
            response = protocol.response(failure)
        except Exception as error:  # noqa: BLE001 - told as a 500 without a word about its inside
            journal.crashed(error)
            response = protocol.response(Failure("internal", "The front door failed."))
        response.headers["x-request-id"] = journal.request_id
        if request is not None:
            response.headers.update(cors.headers(request, self._config.cors_origins))
        journal.note(status=response.status)
        if isinstance(response.body, list):
            journal.write()
        return response

    def _answer(self, request: Request, event: dict[str, Any], context: "Invocation", journal: Journal) -> Response:
        routes, variables = found(request.path, request.resource, request.parameters)
        if not routes:
            names = ", ".join(dict.fromkeys(route.path for route in ROUTES))
            raise Failure("not_found", f"There is no {request.path[:200]} here; the routes are {names}.")
        if request.method == "OPTIONS" and self._config.cors_origins:
            return cors.preflight(routes)
        if self._config.asks_for_keys and not (self._config.has_playground and request.is_for_page()):
            _check_key(event)
        route = routes.get(request.method)
        if route is None:
            allowed = ", ".join(routes)
            path = next(iter(routes.values())).path
            message = f"{path} takes {allowed}, not {request.method[:20]}."
            raise Failure("method_not_allowed", message, headers={"Allow": allowed})
        journal.note(route=f"{route.method} {route.path}")
        variables = {name: unquote(value) for name, value in variables.items()}
        call = Call(request, variables, self._config, self.sagemaker, context.deadline, journal)
        return _function(route)(call)


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


def _check_key(event: dict[str, Any]) -> None:
    """API Gateway has checked the key; should it ever let in a request for which it knows none, it ends here."""
    identity = (event.get("requestContext") or {}).get("identity") or {}
    if not identity.get("apiKeyId"):
        raise Failure("invalid_api_key", "The request carries no API key that this API knows.", cause="no API key")


def _protocol(event: dict[str, Any]) -> Protocol:
    """What the client speaks, also where it asks for what there is not."""
    resource = event.get("resource")
    return protocol_of(str(event.get("path") if resource in (None, "/{proxy+}") else resource))


@functools.cache
def _app() -> App:
    return App(config.from_environment(os.environ))


def _function(route: Route) -> Callable[[Call], Response]:
    module, _, name = route.answer.rpartition(".")
    function: Callable[[Call], Response] = getattr(import_module(f"front_door.{module}"), name)
    return function
