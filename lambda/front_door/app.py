"""From an API Gateway event to the response: finds the route, calls it, turns what it raises into an error response."""

import functools
import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from front_door import config, protocols
from front_door.context import RequestContext, check_engines
from front_door.errors import ApiError
from front_door.http import cors
from front_door.http.request import Request
from front_door.http.response import Response
from front_door.request_log import RequestLog
from front_door.routes import ROUTES, Route, match
from front_door.sagemaker.client import SageMaker

if TYPE_CHECKING:
    from front_door.lambda_runtime.loop import Invocation
    from front_door.limits.admission import Admission, Limiter
    from front_door.routing.attempts import Attempts
    from front_door.sagemaker.hold import Hold


# What OpenAI's clients ask for below /v1/responses/: an earlier response, its input, its end.
_NOTHING_STORED = (
    ": no response is stored, so that none can be read, listed, continued, cancelled or deleted, and every request to"
    " /v1/responses brings its whole conversation in `input`"
)


class App:
    """Handles requests for the models of one configuration; raises ConfigError if a model's engine is unknown."""

    def __init__(self, settings: config.Config) -> None:
        check_engines(settings)
        self._config = settings
        self._is_routed = any(model.routing is not None for model in settings.models.values())
        self.sagemaker = SageMaker(settings)
        self.limiter = self._create_limiter()

    def handle(self, event: dict[str, Any], invocation: "Invocation") -> Response:
        """See `handle` below."""
        log = RequestLog(event, invocation.request_id)
        if "tgi_endpoint" in event and "httpMethod" not in event:
            return self._run_smoke_test(event, invocation, log)
        if self._config.is_mirror:
            from front_door.routing.copies import answer_copy

            return answer_copy(event, self._config, log, lambda: self._handle(event, invocation, log))
        return self._handle(event, invocation, log)

    def _handle(self, event: dict[str, Any], invocation: "Invocation", log: RequestLog) -> Response:
        request = admission = None
        try:
            if self.limiter is not None:
                admission = self.limiter.admit(event, log, invocation.deadline)
            body = event.get("body") if self._config.mirror_function else None
            request = Request.from_event(event)
            log.set_client_request_id(request.client_request_id())
            attempts = self._attempts(request, log)
            if attempts is None or self._config.mirror_function is None:
                response = self._respond(request, event, invocation, log, attempts, admission)
            else:
                from front_door.routing.copies import Copy

                copy = Copy(
                    {**event, "body": body},
                    attempts,
                    self._config,
                    self.sagemaker,
                    log,
                    is_buffered=invocation.is_buffered,
                )
                body = None  # a large one is not copied, and not kept
                response = copy.follow(self._respond(request, event, invocation, log, attempts, admission))
        except ApiError as error:
            log.add_error(error)
            response = _error_response(event, error, log.request_id)
        except Exception as defect:  # noqa: BLE001 - a 500 that says nothing about the cause
            log.add_defect(defect)
            response = _error_response(event, ApiError("internal", "The front door failed."), log.request_id)
        response.headers["x-request-id"] = log.request_id
        if request is not None:
            cors.add_headers(response, request, self._config.cors_origins)
        log.add(status=response.status)
        if isinstance(response.body, list):
            log.write()
        if admission is not None:
            response.body = admission.follow(response.body)
        return response

    def _respond(
        self,
        request: Request,
        event: dict[str, Any],
        invocation: "Invocation",
        log: RequestLog,
        attempts: "Attempts | None",
        admission: "Admission | None",
    ) -> Response:
        routes, variables = match(request.path, request.resource, request.parameters)
        routes = {method: route for method, route in routes.items() if self._serves(route)}
        if request.method == "OPTIONS" and self._config.cors_origins:
            return cors.preflight(request, routes)
        if not routes:
            names = ", ".join(dict.fromkeys(route.path for route in ROUTES if self._serves(route)))
            why = _NOTHING_STORED if "/v1/responses/" in request.path else ""
            raise ApiError("not_found", f"There is no {request.path[:200]} here{why}; the routes are {names}.")
        is_page = self._config.playground_page and request.accepts_html_page()
        if self._config.requires_api_key and not self._config.is_mirror and not is_page:
            _check_api_key(event)
        # HEAD gets the response to GET: API Gateway leaves the body out, and turns a streamed one without any into 502.
        route = routes.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            allowed = ", ".join(routes).replace("GET", "GET, HEAD")
            path = next(iter(routes.values())).path
            message = f"{path} accepts {allowed}, not {request.method[:20]}."
            raise ApiError("method_not_allowed", message, headers={"Allow": allowed})
        log.add(route=f"{route.method} {route.path}")
        variables = {name: unquote(value) for name, value in variables.items()}
        hold = self._hold(invocation.deadline)
        ctx = RequestContext(
            request,
            variables,
            self._config,
            self.sagemaker,
            invocation.deadline,
            log,
            hold,
            attempts,
            admission=admission,
        )
        return _answer(_load_handler(route), ctx)

    def _run_smoke_test(self, event: dict[str, Any], invocation: "Invocation", log: RequestLog) -> Response:
        """Respond to a test of a model: no key is asked for, and no metric counts it as a client's request."""
        from front_door.protocols import smoke_test

        log.leave_unmetered()
        try:
            test = smoke_test.read_event(event)
            deadline = min(test.until, invocation.deadline)
            attempts = self._attempts(test.request, log, test.target)
            ctx = RequestContext(
                test.request,
                {},
                self._config,
                self.sagemaker,
                deadline,
                log,
                attempts=attempts,
                variant=test.variant,
            )
            response = _answer(lambda ctx: smoke_test.complete(ctx, test.target), ctx)
        except ApiError as error:
            log.add_error(error)
            response = smoke_test.error_response(error)
        except Exception as defect:  # noqa: BLE001 - the log has the cause
            log.add_defect(defect)
            response = smoke_test.error_response(ApiError("internal", "The front door failed."))
        log.add(status=response.status)
        log.write()
        return response

    def _attempts(self, request: Request, log: RequestLog, target: str | None = None) -> "Attempts | None":
        """The endpoints for a request: those of its caller, or one by its name."""
        if not self._is_routed:
            return None
        from front_door.routing.attempts import Attempts, by_caller, by_name, mirror_of

        if self._config.is_mirror:
            return Attempts(mirror_of, log, repeats=False)
        if target is not None:
            return Attempts(by_name(target), log)
        return Attempts(by_caller(request.header("x-session-id") or log.consumer or log.request_id), log)

    def _serves(self, route: Route) -> bool:
        return self._config.has_wake_route or not route.wakes

    def _create_limiter(self) -> "Limiter | None":
        if self._config.callers is None:
            return None
        from front_door.limits.admission import Limiter

        return Limiter(self._config, self._config.callers, self.sagemaker)

    def _hold(self, deadline: float) -> "Hold | None":
        if not self._config.holds_clients:
            return None
        from front_door.sagemaker.hold import Hold

        return Hold(deadline)


def handle(event: dict[str, Any], invocation: "Invocation") -> Response:
    """Respond to one request.

    Args:
        event: A REST proxy event of API Gateway, or the event of a smoke test.
        invocation: The Lambda invocation.

    Returns:
        The response; client errors, upstream errors and defects of this function are responses too.

    Raises:
        ConfigError: The function's environment is invalid.
    """
    return _app().handle(event, invocation)


def _answer(handler: Callable[[RequestContext], Response], ctx: RequestContext) -> Response:
    """The response of a handler, which is called for one endpoint after another as long as they refuse the request."""
    while True:
        try:
            return handler(ctx)
        except ApiError as error:
            if ctx.attempts is None:
                raise
            ctx.attempts.go_on(error)


def _check_api_key(event: dict[str, Any]) -> None:
    """API Gateway has checked the key; this rejects any request that it lets in without one."""
    identity = (event.get("requestContext") or {}).get("identity") or {}
    if not identity.get("apiKeyId"):
        message = "The request has no API key that is valid for this API."
        raise ApiError("invalid_api_key", message, log_detail="no API key")


def _error_response(event: dict[str, Any], error: ApiError, request_id: str) -> Response:
    """The error in the client's protocol, also if there is no such route."""
    error.request_id = request_id
    resource = event.get("resource")
    path = str(event.get("path") if resource in (None, "/{proxy+}") else resource)
    return protocols.of(path).error_response(error)


@functools.cache
def _app() -> App:
    return App(config.from_environment(os.environ))


def _load_handler(route: Route) -> Callable[[RequestContext], Response]:
    module, _, name = route.handler.rpartition(".")
    function: Callable[[RequestContext], Response] = getattr(import_module(f"front_door.{module}"), name)
    return function
