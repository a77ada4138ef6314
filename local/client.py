"""Credentials for the deployed API, for each of its access methods."""

from __future__ import annotations

import json
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

# Requires what every route of the API requires, so it shows the access method.
PATH = "/v1/models"


class ApiClient:
    """A client of an API: signs as the emulated account's user, or sends the first API key.

    Args:
        api: The API.

    Attributes:
        signs_requests: The API uses IAM authorization.
        has_authorizer: The API has a Lambda authorizer.
        requires_key: The API requires an API key.
        requires_token: A Lambda authorizer decides without an API key.
        keys: API keys by name, or by id if the name is missing or not unique.

    Raises:
        UserError: The API requires an API key, but no usage plan has one.
    """

    def __init__(self, api: RestApi) -> None:
        self._api = api
        method = _method(api)
        self.signs_requests = method is not None and method.iam
        self.has_authorizer = method is not None and method.authorizer is not None
        self.requires_key = method is not None and method.api_key_required
        self.requires_token = self.has_authorizer and not self.requires_key
        self.keys = _by_name(api.usage_plan_keys()) if self.requires_key else {}
        if self.requires_key and not self.keys:
            raise UserError(
                "The deployed API requires an API key, but no usage plan has one.",
                'Add a consumer to its FrontDoor: front_door.add_consumer("team-a").',
            )

    @property
    def api_key(self) -> str | None:
        """The value of the first API key, or None if the API requires none."""
        return next(iter(self.keys.values()), None)

    def headers(self, verb: str, url: str, body: bytes = b"", **headers: str) -> dict[str, str]:
        """The headers of a request, with its signature or API key.

        No token is added for a custom authorizer, as only its owner knows which tokens it accepts.
        """
        if self.signs_requests:
            request = AWSRequest(verb, url, headers, body)
            credentials = Credentials(*(CREDENTIALS[name] for name in CREDENTIALS))
            SigV4Auth(credentials, SERVICE, self._api.region).add_auth(request)
            return dict(request.headers.items())
        return {**headers, **self._key_header()}

    def curl(self) -> str:
        """The curl options for the signature, API key or token of a request."""
        if self.signs_requests:
            key_id, secret, token = CREDENTIALS.values()
            signing = f"--aws-sigv4 aws:amz:{self._api.region}:{SERVICE} --user {key_id}:{secret}"
            return f"{signing} -H {shlex.quote(f'X-Amz-Security-Token: {token}')}"
        if self.requires_token:
            return "-H 'Authorization: Bearer …'"
        return " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self._key_header().items())

    def curl_command(self, url: str, body: object) -> str:
        """The command that posts a JSON body to a URL and shows the response as it arrives."""
        options = [self.curl(), "-H 'Content-Type: application/json'"]
        return " ".join(
            ["curl -N", url, *filter(None, options), "-d", shlex.quote(json.dumps(body, ensure_ascii=False))]
        )

    def instructions(self) -> str | None:
        """How to authenticate if an API key is not enough, else None. Contains no working secret."""
        if self.signs_requests:
            signing = " ".join(f"{name}={value}" for name, value in CREDENTIALS.items())
            return f"Sign requests for {SERVICE} in {self._api.region} with {signing}, or with curl {self.curl()}"
        return f"Send a token that the deployed authorizer accepts: {self.curl()}" if self.requires_token else None

    def _key_header(self) -> dict[str, str]:
        if self.api_key is None:
            return {}
        by_authorizer = self._api.key_source == "AUTHORIZER"
        return {"Authorization": f"Bearer {self.api_key}"} if by_authorizer else {"X-Api-Key": self.api_key}


def _by_name(keys: list[ApiKey]) -> dict[str, str]:
    """The values by name, or by id if the name is missing or not unique."""
    names = [key.name for key in keys]
    return {key.name if key.name and names.count(key.name) == 1 else key.id: key.value for key in keys}


def _method(api: RestApi) -> Method | None:
    route = match(api.root, PATH, "GET")
    return route.method if route else None
