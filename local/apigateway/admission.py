"""Access control: stage throttling, signature, authorizer, and the API key with its throttling and quota."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from local.apigateway.authorizer import Authorizers
from local.apigateway.event import authorizer_event
from local.apigateway.iam import identify
from local.apigateway.sigv4 import SignedRequest
from local.apigateway.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.apigateway.api import Method, RestApi
    from local.apigateway.authorizer import Decision
    from local.apigateway.context import Context
    from local.apigateway.event import Request
    from local.apigateway.integration import Function
    from local.apigateway.routing import Route

API_KEY_HEADER = "x-api-key"


class Admission:
    """Admits or rejects requests, with the checks in API Gateway's order.

    Args:
        api: The API.
        functions: Finds a function by name.
        secrets: The secret access keys by access key id, to verify signatures.
        usage: API keys and limits. Default: those of the API.
    """

    def __init__(
        self,
        api: RestApi,
        functions: Callable[[str], Function],
        *,
        secrets: Mapping[str, str] | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._api = api
        self._authorizers = Authorizers(functions)
        self._secrets = secrets or {}
        self._usage = usage or Usage(api)

    async def admit(self, method: Method, route: Route, request: Request, context: Context) -> dict[str, Any] | None:
        """Admits a request.

        Args:
            method: The method of the API.
            route: The resource of the method, and the path parameters.
            request: The request.
            context: Receives the variables about the client and the authorizer.

        Returns:
            The context of the authorizer, or None if the method has none.

        Raises:
            GatewayError: The request is rejected.
        """
        self._usage.admit_method(route.resource.path, method.verb)
        headers = request.header_map()
        decision: Decision | None = None
        if method.iam:
            self._identify(request, context)
        elif method.authorizer is not None:
            started = time.monotonic()
            event = authorizer_event(request, route, self._api, context, self._method_arn(request))
            decision = await self._authorizers.authorize(method.authorizer, headers, event)
            elapsed = int((time.monotonic() - started) * 1000)
            context.variables |= {f"authorizer.{name}": value for name, value in decision.variables().items()}
            context.variables |= {"authorizer.status": 200, "authorizer.latency": elapsed}
        if method.api_key_required:
            usage_key = headers.get(API_KEY_HEADER)
            if self._api.key_source == "AUTHORIZER":
                usage_key = decision.usage_key if decision else None
            key = self._usage.admit_key(usage_key)
            context.variables |= {"identity.apiKey": key.value, "identity.apiKeyId": key.id}
        return decision.variables() if decision else None

    def _identify(self, request: Request, context: Context) -> None:
        headers = [(name, value.encode("latin-1").decode(errors="surrogateescape")) for name, value in request.headers]
        signed = SignedRequest(request.verb, request.raw_path, request.query_string, headers, request.body)
        identity = identify(signed, self._api, self._secrets)
        context.variables |= {f"identity.{name}": value for name, value in identity.items()}

    def _method_arn(self, request: Request) -> str:
        api = self._api
        api_arn = f"arn:{api.partition}:execute-api:{api.region}:{api.account}:{api.id}"
        return f"{api_arn}/{api.stage}/{request.verb}/{request.path.lstrip('/')}"
