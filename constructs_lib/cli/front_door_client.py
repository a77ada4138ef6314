"""A client of a deployed front door: OpenAI's protocol over the standard library, streamed as it arrives."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse, InvalidURL
from typing import Any, NoReturn

from constructs_lib.cli.front_door_errors import CHECK_URL, FrontDoorError, hide, refusal, unreachable

_MAX_ERROR_BYTES = 65_536
_MAX_BYTES = 4 * 2**20
"""Of the list of models, and of one event."""

_DATA, _DONE = b"data:", b"[DONE]"
_EVENT_STREAM = "text/event-stream"


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
            body = response.read(_MAX_BYTES)
        try:
            return [str(each["id"]) for each in json.loads(body)["data"]]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise self._foreign() from error

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
            is_whole, is_foreign = False, response.headers.get_content_type() != _EVENT_STREAM
            for data in _events(response):
                if data == _DONE:
                    return
                delta, is_foreign = self._delta(data), False
                is_whole = is_whole or delta.finish_reason is not None
                yield delta
        if is_foreign:
            raise self._foreign()
        if not is_whole:
            raise FrontDoorError("the answer ended in the middle", "Ask again.", is_cut=True)

    @contextmanager
    def _open(self, method: str, path: str, body: bytes) -> Iterator[HTTPResponse]:
        """A response with status 200."""
        url = f"{self.url}{path}"
        headers = {"User-Agent": "tgi-endpoint", "Accept": f"{_EVENT_STREAM}, application/json", **self.headers}
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
        except InvalidURL as error:
            raise self._no_url() from error
        except (OSError, HTTPException) as error:
            raise unreachable(self.url, error, self.seconds, began=began) from error
        except ValueError as error:
            if began:
                raise
            raise self._no_url() from error

    def _refuse(self, error: urllib.error.HTTPError) -> NoReturn:
        try:
            body = error.read(_MAX_ERROR_BYTES)
        except (OSError, HTTPException):
            body = b""
        raise refusal(self.url, error.code, dict(error.headers.items()), body, self._secrets) from None

    @property
    def _secrets(self) -> tuple[str, ...]:
        """What is never shown, also if the front door says it."""
        return tuple(value.removeprefix("Bearer ") for value in self.headers.values())

    def _delta(self, data: bytes) -> Delta:
        try:
            event = json.loads(data)
            if "error" in event:
                raise self._in_band(event["error"])
            choice: dict[str, Any] = next(iter(event.get("choices") or ()), {})
            delta = choice.get("delta") or {}
            return Delta(
                text=_text(delta.get("content")),
                # vLLM's name, and that of SGLang and older versions of vLLM.
                thought=_text(delta.get("reasoning") or delta.get("reasoning_content")),
                finish_reason=_text(choice.get("finish_reason")) or None,
                usage=None if event.get("usage") is None else dict(event["usage"]),
            )
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise _no_event() from error

    def _in_band(self, error: Any) -> FrontDoorError:
        said = hide(str(error.get("message") if isinstance(error, Mapping) else error), self._secrets)
        return FrontDoorError(f"the answer ended with an error: {said}".rstrip("."), "", is_cut=True)

    def _foreign(self) -> FrontDoorError:
        return FrontDoorError(f"{self.url} answers, but not as a front door does", CHECK_URL)

    def _no_url(self) -> FrontDoorError:
        # What the standard library says has the proxy's password in it.
        fix = f"{CHECK_URL} The proxy is HTTPS_PROXY, or HTTP_PROXY for http."
        return FrontDoorError(f"{self.url} cannot be asked: its host or that of the proxy is none", fix)


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
        if len(kept) > _MAX_BYTES:
            raise _no_event()
        for line in lines:
            if line.startswith(_DATA):
                yield line.removeprefix(_DATA).strip()
    if kept.startswith(_DATA):
        yield kept.removeprefix(_DATA).strip()


def _text(value: Any) -> str:
    """A text of an event, without halves of characters, which no stream takes.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, str | None):
        raise TypeError
    return (value or "").encode("utf-8", "replace").decode()


def _no_event() -> FrontDoorError:
    return FrontDoorError("the answer has an event that is none of OpenAI's protocol", "", is_cut=True)
