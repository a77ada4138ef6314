"""One HTTP request, read from API Gateway's REST proxy event."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from front_door.errors import ApiError
from front_door.http.json import not_json, type_name

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_MAX_REQUEST_ID_LENGTH = 64  # of SageMaker's InferenceId
_JSON_TYPE = re.compile(r"application/(?:[\w.!#$&^-]+\+)?json\s*(?:;.*)?", re.IGNORECASE | re.ASCII)


@dataclass(slots=True)
class Request:
    """Method, path and headers as the client sent them; the body still encoded as in the event.

    Attributes:
        method: In upper case.
        path: Without the stage.
        headers: All values of each header, by its name in lower case.
        resource: The path template that API Gateway matched.
        parameters: The values of its variables.
    """

    method: str
    path: str
    headers: dict[str, list[str]]
    resource: str | None
    parameters: dict[str, str]
    _body: str
    _is_base64: bool
    _json: dict[str, Any] | None = None

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Request":
        """Read an event; takes the body out of it.

        Raises:
            ApiError: The event is not an HTTP request, such as an invocation from the Lambda console.
        """
        method, path = event.get("httpMethod"), event.get("path")
        if not isinstance(method, str) or not isinstance(path, str):
            raise ApiError("bad_request", "The event is not an HTTP request of API Gateway.")
        pairs = event.get("multiValueHeaders") or {k: [value] for k, value in (event.get("headers") or {}).items()}
        headers: dict[str, list[str]] = {}
        for name, values in pairs.items():
            headers.setdefault(name.lower(), []).extend(values)
        resource, parameters = event.get("resource"), event.get("pathParameters") or {}
        body, is_base64 = event.pop("body", None) or "", bool(event.get("isBase64Encoded"))
        return cls(method.upper(), path, headers, resource, parameters, body, is_base64)

    def header(self, name: str) -> str | None:
        """The first value of a header, by its name in lower case."""
        values = self.headers.get(name)
        return values[0] if values else None

    def accepts_html_page(self) -> bool:
        """Whether a browser requests the page at the root."""
        return self.method in ("GET", "HEAD") and self.path == "/" and "text/html" in (self.header("accept") or "")

    def client_request_id(self) -> str | None:
        """The client's own id of the request, as far as SageMaker accepts it as InferenceId: 64 ASCII characters."""
        value = self.header("idempotency-key") or self.header("x-request-id") or ""
        return _NOT_PRINTABLE.sub("", value)[:_MAX_REQUEST_ID_LENGTH] or None

    def body(self) -> bytes:
        """The body's bytes.

        Raises:
            ApiError: The event does not carry them in a readable form.
        """
        try:
            if self._is_base64:
                return base64.b64decode(self._body, validate=True)
            return self._body.encode()
        except ValueError:
            raise ApiError("bad_request", "The request body did not arrive as bytes of UTF-8 text.") from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object, which takes the place of the body in memory.

        Raises:
            ApiError: The content type is not JSON, or the body is not one JSON object.
        """
        if self._json is None:
            self._json = self._read_json()
            self._body = ""
        return self._json

    def _text(self) -> str:
        """The body as text; raises ApiError or UnicodeDecodeError if it is none."""
        data = self.body()
        return data.decode() if self._is_base64 else self._body

    def _read_json(self) -> dict[str, Any]:
        types = self.headers.get("content-type", [])
        if not types or not all(_JSON_TYPE.fullmatch(value.strip()) for value in types):
            raise ApiError("unsupported_media_type", "Expected request with `Content-Type: application/json`")
        try:
            value = json.loads(self._text(), parse_constant=_reject_constant)
        except UnicodeDecodeError as error:
            raise not_json(f"invalid UTF-8 at byte {error.start}") from None
        except json.JSONDecodeError as error:
            raise not_json(f"{error.msg} at line {error.lineno} column {error.colno}") from None
        except RecursionError:
            raise not_json("recursion limit exceeded") from None
        except ValueError:
            raise not_json("number out of range") from None
        if not isinstance(value, dict):
            raise ApiError("bad_request", f"The request body must be a JSON object, not {type_name(value)}.")
        return value


def _reject_constant(name: str) -> None:
    raise ValueError(name)
