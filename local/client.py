"""How one calls the deployed API, whatever it asks of its callers."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.apigateway.iam import SERVICE
from local.apigateway.routing import match
from local.deployment.control_plane import CREDENTIALS
from local.errors import UserError

if TYPE_CHECKING:
    from local.apigateway.api import ApiKey, Method, RestApi

# What tells which access the API has: the models are for everyone who may call at all.
PATH = "/v1/models"


class Caller:
    """Calls an API as the emulated account's own user, or with the first of its keys.

    Args:
        api: The API.

    Raises:
        UserError: The API asks for a key of a usage plan, and there is none.
    """

    def __init__(self, api: RestApi) -> None:
        self._api = api
        method = _method(api)
        self.signs = method is not None and method.iam
        self.asks_authorizer = method is not None and method.authorizer is not None
        self.needs_key = method is not None and method.api_key_required
        self.needs_token = self.asks_authorizer and not self.needs_key
        self.keys = _by_name(api.planned_keys()) if self.needs_key else {}
        if self.needs_key and not self.keys:
            raise UserError(
                "The deployed API has no key in a usage plan, so nobody may call it.",
                'Give its FrontDoor a consumer: door.add_consumer("team-a").',
            )

    @property
    def api_key(self) -> str | None:
        """The value of the first key; None where access is not by keys."""
        return next(iter(self.keys.values()), None)

    def headers(self, verb: str, url: str, body: bytes = b"", **headers: str) -> dict[str, str]:
        """The headers of a request, with what lets it in.

        An API that asks an authorizer of its own gets nothing: only its owner knows whom that lets in.
        """
        if self.signs:
            request = AWSRequest(verb, url, headers, body)
            credentials = Credentials(*(CREDENTIALS[name] for name in CREDENTIALS))
            SigV4Auth(credentials, SERVICE, self._api.region).add_auth(request)
            return dict(request.headers.items())
        return {**headers, **self._key_header()}

    def curl(self) -> str:
        """The options for curl that let a request in."""
        if self.signs:
            key_id, secret, token = CREDENTIALS.values()
            signing = f"--aws-sigv4 aws:amz:{self._api.region}:{SERVICE} --user {key_id}:{secret}"
            return f"{signing} -H {shlex.quote(f'X-Amz-Security-Token: {token}')}"
        if self.needs_token:
            return "-H 'Authorization: Bearer …'"
        return " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self._key_header().items())

    def explain(self) -> str | None:
        """What the JSON line cannot say of how to call the API; no secret that opens anything."""
        if self.signs:
            signing = " ".join(f"{name}={value}" for name, value in CREDENTIALS.items())
            return f"Sign requests for {SERVICE} in {self._api.region} with {signing}, or with curl {self.curl()}"
        return f"Send a token that the deployed authorizer accepts: {self.curl()}" if self.needs_token else None

    def _key_header(self) -> dict[str, str]:
        if self.api_key is None:
            return {}
        by_authorizer = self._api.key_source == "AUTHORIZER"
        return {"Authorization": f"Bearer {self.api_key}"} if by_authorizer else {"X-Api-Key": self.api_key}


def _by_name(keys: list[ApiKey]) -> dict[str, str]:
    """The values by the names of the keys, or by their ids where a name is missing or not one key's alone."""
    names = [key.name for key in keys]
    return {key.name if key.name and names.count(key.name) == 1 else key.id: key.value for key in keys}


def _method(api: RestApi) -> Method | None:
    route = match(api.root, PATH, "GET")
    return route.method if route else None
