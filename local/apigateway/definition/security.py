"""The access control of methods: the security schemes and requirements of an API's document.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.apigateway.api import Authorizer
from local.apigateway.definition.uri import BUFFERED, read_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

API_KEY_HEADER = "x-api-key"
TTL_SECONDS = range(3601)
_HEADER = "method.request.header."


@dataclass(frozen=True, slots=True)
class Access:
    """What a method requires: a signature, an authorizer, an API key, a key with one of the others, or nothing."""

    iam: bool = False
    authorizer: Authorizer | None = None
    api_key_required: bool = False


class SecuritySchemes:
    """The document's `components.securitySchemes`.

    Args:
        schemes: The schemes by name.
        problems: Receives a message for everything that API Gateway would reject or the emulation does not support.
    """

    def __init__(self, schemes: Mapping[str, Mapping[str, Any]], problems: list[str]) -> None:
        self._problems = problems
        self._access: dict[str, Access] = {}
        for name, scheme in schemes.items():
            found = self._read(name, scheme)
            if isinstance(found, Access):
                self._access[name] = found
            else:
                problems.append(f"Unable to create authorizer '{name}': {found}")
                self._access[name] = Access()

    def access(self, requirements: list[Mapping[str, Any]], where: str) -> Access:
        """The access control of a list of security requirements; API Gateway applies all schemes in the list."""
        names = [name for requirement in requirements for name in requirement]
        for name in names:
            if name not in self._access:
                self._problems.append(f"{where}: security scheme '{name}' is not defined in components.securitySchemes")
        found = [self._access[name] for name in names if name in self._access]
        authorizers = [access for access in found if access.iam or access.authorizer]
        if len(authorizers) > 1:
            self._problems.append(f"{where}: security has several authorizers, a method can have only one")
        return Access(
            iam=any(access.iam for access in authorizers),
            authorizer=next((access.authorizer for access in authorizers if access.authorizer), None),
            api_key_required=any(access.api_key_required for access in found),
        )

    def _read(self, name: str, scheme: Mapping[str, Any]) -> Access | str:
        kind = scheme.get("x-amazon-apigateway-authtype", "")
        if scheme.get("type") != "apiKey" or scheme.get("in") != "header" or not scheme.get("name"):
            return "the security scheme must have the type apiKey, in: header, and a name"
        if kind == "awsSigv4":
            return Access(iam=True)
        if "x-amazon-apigateway-authorizer" in scheme:
            found = _authorizer(name, scheme["name"], scheme["x-amazon-apigateway-authorizer"])
            return found if isinstance(found, str) else Access(authorizer=found)
        if kind:
            return f"x-amazon-apigateway-authtype {kind} requires x-amazon-apigateway-authorizer"
        if scheme["name"].lower() != API_KEY_HEADER:
            return f"the header of an API key must be {API_KEY_HEADER}, not {scheme['name']}"
        return Access(api_key_required=True)


def _authorizer(name: str, header: str, entry: Mapping[str, Any]) -> Authorizer | str:
    kind = entry.get("type")
    if kind not in ("token", "request"):
        return f"type {kind}: the emulated gateway supports only the types token and request"
    function = read_uri(str(entry.get("authorizerUri")))
    if function is None or function.action != BUFFERED:
        return f"Invalid Authorizer URI: {entry.get('authorizerUri')}"
    ttl = entry.get("authorizerResultTtlInSeconds", 300)
    if ttl not in TTL_SECONDS:
        return f"authorizerResultTtlInSeconds {ttl}: must be from 0 to 3600"
    source = entry.get("identitySource", "" if kind == "request" else f"{_HEADER}{header}")
    sources = [each.strip() for each in source.split(",")] if source else []
    if not all(each.startswith(_HEADER) for each in sources):
        return f"identitySource {source}: the emulated gateway supports only headers"
    if not sources and ttl:
        return "Identity source is required for a REQUEST authorizer whose results are cached"
    if kind == "request" and "identityValidationExpression" in entry:
        return "identityValidationExpression: only authorizers of the type token have one"
    if kind == "token" and len(sources) != 1:
        return f"identitySource {source}: must be one header"
    try:
        re.compile(entry.get("identityValidationExpression", ""))
    except re.error as error:
        return f"identityValidationExpression: {error}"
    return Authorizer(
        id=name,
        function_name=function.name,
        headers=tuple(each.removeprefix(_HEADER).lower() for each in sources),
        ttl_seconds=float(ttl),
        validation=entry.get("identityValidationExpression"),
        is_request=kind == "request",
    )
