"""One request, out of API Gateway's REST proxy event."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from front_door.errors import Failure

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_REQUEST_ID_LENGTH = 64  # of SageMaker's InferenceId
_JSON_TYPE = re.compile(r"application/(?:[\w.!#$&^-]+\+)?json\s*(?:;.*)?", re.IGNORECASE | re.ASCII)


@dataclass(slots=True)
class Request:
    """Method, path and headers as the client sent them; the body still as the event carries it.

    Attributes:
        method: In upper case.
        path: Without the stage.
        headers: All values of each header, by its name in lower case.
        resource: The template of the path that API Gateway has matched.
        parameters: The values of its variables.
    """

    method: str
    path: str
    headers: dict[str, list[str]]
    resource: str | None
    parameters: dict[str, str]
    _body: str
    _is_base64: bool

    @classmethod
    def of(cls, event: dict[str, Any]) -> "Request":
        """Read an event.

        Raises:
            Failure: The event is no HTTP request, such as an invocation from the Lambda console.
        """
        method, path = event.get("httpMethod"), event.get("path")
        if not isinstance(method, str) or not isinstance(path, str):
            raise Failure("bad_request", "The event is not an HTTP request of API Gateway.")
        many = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
        headers: dict[str, list[str]] = {}
        for name, values in many.items():
            headers.setdefault(name.lower(), []).extend(values)
        resource, parameters = event.get("resource"), event.get("pathParameters") or {}
        body, is_base64 = event.get("body") or "", bool(event.get("isBase64Encoded"))
        return cls(method.upper(), path, headers, resource, parameters, body, is_base64)

    def header(self, name: str) -> str | None:
        """The first value of a header, by its name in lower case."""
        values = self.headers.get(name)
        return values[0] if values else None

    def is_for_page(self) -> bool:
        """Whether a browser asks for the page at the root."""
        return (self.method, self.path) == ("GET", "/") and "text/html" in (self.header("accept") or "")

    def client_request_id(self) -> str | None:
        """What the client calls this request, as far as SageMaker takes it for an InferenceId: 64 ASCII characters."""
        told = self.header("idempotency-key") or self.header("x-request-id") or ""
        return _NOT_PRINTABLE.sub("", told)[:_REQUEST_ID_LENGTH] or None

    def body(self) -> bytes:
        """The body's bytes.

        Raises:
            Failure: They cannot be had from the event.
        """
        try:
            if self._is_base64:
                return base64.b64decode(self._body, validate=True)
            return self._body.encode()
        except ValueError:
            raise Failure("bad_request", "The request body did not arrive as bytes of UTF-8 text.") from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            Failure: The content type is not JSON, or the body is not one JSON object.
        """
        types = self.headers.get("content-type", [])
        if not types or not all(_JSON_TYPE.fullmatch(value.strip()) for value in types):
            raise Failure("unsupported_media_type", "Expected request with `Content-Type: application/json`")
        try:
            value = json.loads(self.body().decode(), parse_constant=_no_constant)
        except UnicodeDecodeError as error:
            raise not_json(f"invalid UTF-8 at byte {error.start}") from None
        except json.JSONDecodeError as error:
            raise not_json(f"{error.msg} at line {error.lineno} column {error.colno}") from None
        except RecursionError:
            raise not_json("recursion limit exceeded") from None
        except ValueError:
            raise not_json("number out of range") from None
        if not isinstance(value, dict):
            raise Failure("bad_request", f"The request body must be a JSON object, not {json_type(value)}.")
        return value


def json_type(value: object) -> str:
    """The type of a decoded JSON value in serde's words, without the value."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "floating point", str: "string", list: "sequence", dict: "map"}
    return names[type(value)]


def _no_constant(name: str) -> None:
    raise ValueError(name)


def not_json(reason: str) -> Failure:
    """A body that is not JSON, in the words of axum."""
    return Failure("bad_request", f"Failed to parse the request body as JSON: {reason}")
