"""Imports the OpenAPI document of a REST API, with API Gateway's rules as far as they are known.

The error messages are those that API Gateway is known to use.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.apigateway.api import GatewayResponse, Integration, Method
from local.apigateway.definition.paths import ResourceTree
from local.apigateway.definition.security import SecuritySchemes
from local.apigateway.definition.uri import BUFFERED, STREAM, read_uri
from local.apigateway.responses import TYPES
from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.apigateway.api import Resource

    Object = Mapping[str, Any]

ANY = "x-amazon-apigateway-any-method"
VERBS = {verb: verb.upper() for verb in ("get", "put", "post", "delete", "patch", "options", "head")} | {ANY: "ANY"}
KEY_SOURCES = ("HEADER", "AUTHORIZER")
VALIDATORS = ("x-amazon-apigateway-request-validator", "x-amazon-apigateway-request-validators")
MAPPINGS = ("'", "context.", "method.request.header.")
# Limits of Regional APIs. A buffered timeout over 29 seconds requires a quota increase.
BUFFERED_MILLIS = range(50, 29_001)
STREAM_MILLIS = range(50, 900_001)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedApi:
    """The parts of an API that its OpenAPI document defines."""

    root: Resource
    key_source: str
    gateway_responses: Mapping[str, GatewayResponse]
    binary_media_types: Sequence[str]


def import_api(document: Object, name: str) -> ImportedApi:
    """Imports an OpenAPI document as API Gateway does.

    Args:
        document: The document, without CloudFormation functions.
        name: The logical id of the API, for the error message.

    Raises:
        UserError: API Gateway would reject the document, or the emulation cannot serve it; lists all problems.
    """
    importer = _Importer(document)
    imported = importer.run()
    if importer.problems:
        problems = "".join(f"\n  {problem}" for problem in dict.fromkeys(importer.problems))
        raise UserError(f"Errors found during import of the Body of {name}:{problems}", "Correct the API's Body.")
    return imported


class _Importer:
    def __init__(self, document: Object) -> None:
        self.problems: list[str] = []
        self._document = document
        self._security = SecuritySchemes(document.get("components", {}).get("securitySchemes", {}), self.problems)

    def run(self) -> ImportedApi:
        version = str(self._document.get("openapi", self._document.get("swagger", "")))
        if not version.startswith("3.0."):
            self.problems.append(f"openapi {version or 'missing'}: must be 3.0.1, as API Gateway imports OpenAPI 3.0")
        self._check_no_validation(self._document, "the document")
        source = str(self._document.get("x-amazon-apigateway-api-key-source", "HEADER")).upper()
        if source not in KEY_SOURCES:
            self.problems.append(f"x-amazon-apigateway-api-key-source {source}: must be HEADER or AUTHORIZER")
        return ImportedApi(
            root=self._tree(),
            key_source=source,
            gateway_responses=dict(self._gateway_responses()),
            binary_media_types=self._document.get("x-amazon-apigateway-binary-media-types", []),
        )

    def _tree(self) -> Resource:
        tree = ResourceTree(self.problems)
        for path, item in self._document.get("paths", {}).items():
            resource = tree.add(path)
            for key, operation in item.items():
                if key in VERBS and resource is not None:
                    method = self._method(path, VERBS[key], operation, item.get("parameters", []))
                    if method is not None:
                        resource.methods[VERBS[key]] = method
                elif key == "trace":
                    where = f"Unable to put method 'TRACE' on resource at path '{path}'"
                    self.problems.append(f"{where}: Invalid HttpMethod specified")
        if not any(resource.methods for resource in tree.root.walk()) and not self.problems:
            self.problems.append("The REST API doesn't contain any methods")
        return tree.root

    def _method(self, path: str, verb: str, operation: Object, shared: list[Object]) -> Method | None:
        where = f"Unable to put method '{verb}' on resource at path '{path}'"
        requirements = operation.get("security", self._document.get("security", []))
        access = self._security.access(requirements, where)
        self._check_no_validation(operation, where)
        integration = self._integration(path, verb, operation)
        self._check_parameters(path, [*shared, *operation.get("parameters", [])], where)
        if integration is None:
            return None
        return Method(
            verb=verb,
            integration=integration,
            iam=access.iam,
            authorizer=access.authorizer,
            api_key_required=access.api_key_required,
        )

    def _check_no_validation(self, entry: Object, where: str) -> None:
        for key in VALIDATORS:
            if key in entry:
                self.problems.append(f"{where}: {key}: the emulated gateway does not validate requests")

    def _check_parameters(self, path: str, entries: list[Object], where: str) -> None:
        for entry in map(self._deref, entries):
            name = entry.get("name")
            if entry.get("in") == "path" and f"{{{name}}}" not in path and f"{{{name}+}}" not in path:
                self.problems.append(f"{where}: the path has no parameter '{name}'")

    def _integration(self, path: str, verb: str, operation: Object) -> Integration | None:
        entry = operation.get("x-amazon-apigateway-integration")
        if entry is None:
            self.problems.append(f"No integration defined for method '{verb}' on resource at path '{path}'")
            return None
        found = _integration(entry)
        if isinstance(found, str):
            self.problems.append(f"Unable to put integration on '{verb}' for resource at path '{path}': {found}")
            return None
        return found

    def _gateway_responses(self) -> Iterator[tuple[str, GatewayResponse]]:
        for kind, entry in self._document.get("x-amazon-apigateway-gateway-responses", {}).items():
            where = f"Unable to put gateway response '{kind}'"
            if kind not in TYPES:
                self.problems.append(f"{where}: Invalid gateway response type specified")
            for name, source in entry.get("responseParameters", {}).items():
                if not name.startswith("gatewayresponse.header.") or not str(source).startswith(MAPPINGS):
                    self.problems.append(f"{where}: Invalid mapping expression specified: {name} = {source}")
            status = str(entry.get("statusCode", "400"))
            if not (status.isdecimal() and 200 <= int(status) <= 599):
                self.problems.append(f"{where}: Invalid Response status code specified: {status}")
                continue
            yield (
                kind,
                GatewayResponse(
                    status=int(status) if "statusCode" in entry else None,
                    headers={
                        name.removeprefix("gatewayresponse.header."): value
                        for name, value in entry.get("responseParameters", {}).items()
                    },
                    templates=entry.get("responseTemplates", {}),
                ),
            )

    def _deref(self, entry: Object) -> Object:
        """The entry, or the entry that its `$ref` refers to."""
        reference = entry.get("$ref")
        if reference is None:
            return entry
        found: Any = self._document
        for step in str(reference).removeprefix("#/").split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            self.problems.append(f"{reference}: not found in the document")
            return {}
        return found


def _integration(entry: Object) -> Integration | str:
    kind, uri = str(entry.get("type", "")).upper(), str(entry.get("uri"))
    if kind != "AWS_PROXY":
        return f"type {entry.get('type')}: the emulated gateway supports only Lambda proxy integrations (aws_proxy)"
    function = read_uri(uri)
    if function is None:
        return f"Invalid ARN specified in the request: {uri}"
    if entry.get("httpMethod") != "POST":
        return f"httpMethod {entry.get('httpMethod')}: must be POST for Lambda functions"
    mode = str(entry.get("responseTransferMode", "BUFFERED"))
    if mode not in ("BUFFERED", "STREAM"):
        return f"responseTransferMode {mode}: must be BUFFERED or STREAM"
    stream = mode == "STREAM"
    if function.action != (STREAM if stream else BUFFERED):
        return f"API Gateway rejects this URI when responseTransferMode is {mode}: {uri}"
    millis = entry.get("timeoutInMillis", 29_000)
    if millis not in (STREAM_MILLIS if stream else BUFFERED_MILLIS):
        maximum = (STREAM_MILLIS if stream else BUFFERED_MILLIS)[-1]
        return f"Timeout should be between 50 ms and {maximum} ms: {millis}"
    return Integration(function_name=function.name, stream=stream, timeout_seconds=millis / 1000)
