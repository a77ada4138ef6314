"""A client of a deployed front door: OpenAI's protocol over the standard library, streamed as it arrives."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any, NoReturn

from constructs_lib.cli.front_door_errors import CHECK_URL, FrontDoorError, refusal, unreachable

_MAX_ERROR_BYTES = 65_536
_DATA, _DONE = b"data:", b"[DONE]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A part of a streamed answer.

    Args:
        text: What is added to the answer.
        thought: What is added to the model's thoughts, which come before it.
        finish_reason: Why the answer ends here; None before its end.
        usage: The token counts, in the last part; None before.
        notice: What is waited for, instead of a part.
    """

    text: str = ""
    thought: str = ""
    finish_reason: str | None = None
    usage: Mapping[str, Any] | None = None
    notice: str = ""


@dataclass(frozen=True, kw_only=True)
class FrontDoor:
    """A deployed front door.

    Args:
        url: Its URL, without `/v1` and without a slash at the end.
        headers: What each request carries, such as `Authorization`.
        seconds: How long to wait for the connection and for each next byte. A front door that streams sends one at
            least every 10 seconds.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60

    def models(self) -> list[str]:
        """The names of its models.

        Raises:
            FrontDoorError: It does not say.
        """
        with self._open("GET", "/v1/models", b"") as response:
            body = response.read()
        try:
            return [str(each["id"]) for each in json.loads(body)["data"]]
        except (ValueError, TypeError, KeyError) as error:
            raise FrontDoorError(f"{self.url} answers, but not as a front door does", CHECK_URL) from error

    def chat(self, request: Mapping[str, Any]) -> Iterator[Delta]:
        """Stream an answer. Closing the iterator closes the connection.

        Args:
            request: The body of `POST /v1/chat/completions`, without `stream`.

        Raises:
            FrontDoorError: It refuses, cannot be reached, or the answer ends in the middle.
        """
        # An answer always has its counts at the end: how many tokens a second there were is read from them.
        body = {**request, "stream": True, "stream_options": {"include_usage": True}}
        with self._open("POST", "/v1/chat/completions", json.dumps(body).encode()) as response:
            is_whole = False
            for data in _events(response):
                if data == _DONE:
                    return
                delta = _delta(data)
                is_whole = is_whole or delta.finish_reason is not None
                yield delta
        if not is_whole:
            raise FrontDoorError("the answer ended in the middle", "Ask again.", is_cut=True)

    @contextmanager
    def _open(self, method: str, path: str, body: bytes) -> Iterator[HTTPResponse]:
        """A response with status 200."""
        url = f"{self.url}{path}"
        headers = {"User-Agent": "tgi-endpoint", "Accept": "text/event-stream, application/json", **self.headers}
        if body:
            headers["Content-Type"] = "application/json"
        began = False
        try:
            request = urllib.request.Request(url, body or None, headers, method=method)  # noqa: S310 - the URL is checked
            with _opener().open(request, timeout=self.seconds) as response:
                began = True
                yield response
        except urllib.error.HTTPError as error:
            with error:
                self._refuse(error)
        except (OSError, HTTPException) as error:
            raise unreachable(self.url, error, self.seconds, began=began) from error

    def _refuse(self, error: urllib.error.HTTPError) -> NoReturn:
        try:
            body = error.read(_MAX_ERROR_BYTES)
        except (OSError, HTTPException):
            body = b""
        raise refusal(self.url, error.code, dict(error.headers.items()), body, has_key=bool(self.headers)) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A front door does not redirect, and a key is for it alone."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: the redirect is the error."""


def _opener() -> urllib.request.OpenerDirector:
    context = ssl.create_default_context()
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirects)


def _events(response: HTTPResponse) -> Iterator[bytes]:
    """The data of each server-sent event."""
    kept = b""
    while part := response.read1(65_536):
        *lines, kept = (kept + part).split(b"\n")
        for line in lines:
            if line.startswith(_DATA):
                yield line.removeprefix(_DATA).strip()
    if kept.startswith(_DATA):
        yield kept.removeprefix(_DATA).strip()


def _delta(data: bytes) -> Delta:
    try:
        event = json.loads(data)
        if "error" in event:
            raise _in_band(event["error"])
        choice: dict[str, Any] = next(iter(event.get("choices") or ()), {})
        delta = choice.get("delta") or {}
        return Delta(
            text=delta.get("content") or "",
            # vLLM's name, and that of SGLang and older versions of vLLM.
            thought=delta.get("reasoning") or delta.get("reasoning_content") or "",
            finish_reason=choice.get("finish_reason"),
            usage=event.get("usage"),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise FrontDoorError("the answer has an event that is none of OpenAI's protocol", "", is_cut=True) from error


def _in_band(error: Any) -> FrontDoorError:
    message = error.get("message") if isinstance(error, Mapping) else error
    return FrontDoorError(f"the answer ended with an error: {message}".rstrip("."), "", is_cut=True)
