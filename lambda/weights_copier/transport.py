"""GET over HTTPS, one answer for one request: no redirect is followed, and no status is an exception.

The token goes to the hub's own origin (scheme, host and port) and to no other. Certificates are verified with the
system's authorities, or those that SSL_CERT_FILE names; HTTPS_PROXY and NO_PROXY count.
"""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse
from ssl import SSLCertVerificationError
from typing import Any
from urllib.error import URLError
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import HTTPErrorProcessor, Request, build_opener

from weights_copier.failure import StagingError, one_line
from weights_copier.request import is_url

REDIRECTS = (301, 302, 303, 307, 308)
_TIMEOUT_SECONDS = 30
_PORTS = {"http": 80, "https": 443}
_KEPT = "%/:?#[]@!$&'()*+,;=~"
"""What a URL may have besides letters, digits and `-._`: what is escaped already stays as it is."""


class UnreachableError(Exception):
    """No answer came, or not all of it.

    Args:
        url: What was asked for.
        error: What happened.
    """

    def __init__(self, url: str, error: Exception) -> None:
        reason = getattr(error, "reason", error)
        self.host = host_of(url)
        self.detail = one_line(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__)
        super().__init__(f"{self.host}: {self.detail}")


class _EveryStatus(HTTPErrorProcessor):
    """Hands on every answer as it is, also redirects and refusals."""

    def http_response(self, request: Request, response: Any) -> Any:
        return response

    https_response = http_response


class Transport:
    """Sends requests for a hub and for whatever it redirects to.

    Args:
        hub: URL of the hub.
        token: Its token.
        timeout: Seconds to wait for a connection, and for each part of an answer.
    """

    def __init__(self, hub: str, token: str | None, timeout: float = _TIMEOUT_SECONDS) -> None:
        self._hub = _origin(hub)
        self._token = token
        self._timeout = timeout
        self._opener = build_opener(_EveryStatus)

    def is_hub(self, url: str) -> bool:
        """Whether the URL is at the hub's own origin."""
        return _origin(url) == self._hub

    def get(self, url: str, headers: dict[str, str] | None = None) -> HTTPResponse:
        """Ask for a URL; the caller closes the answer.

        Raises:
            StagingError: The server's certificate is not valid.
            UnreachableError: No answer came.
        """
        about = {"User-Agent": "tgi-endpoint-cdk", "Accept-Encoding": "identity", **(headers or {})}
        if self._token and self.is_hub(url):
            about["Authorization"] = f"Bearer {self._token}"
        request = Request(url, headers=about)  # noqa: S310 - the scheme was checked, by the request or `redirected`
        try:
            answer: HTTPResponse = self._opener.open(request, timeout=self._timeout)
        except (URLError, OSError, HTTPException) as error:
            if isinstance(getattr(error, "reason", error), SSLCertVerificationError):
                raise StagingError(
                    f"the certificate of {host_of(url)} is not valid: {getattr(error, 'reason', error)}"
                ) from error
            raise UnreachableError(url, error) from error
        return answer

    def redirected(self, url: str, answer: HTTPResponse) -> str:
        """Where an answer redirects to.

        Raises:
            StagingError: To nowhere, or to what is not HTTPS. From loopback to loopback HTTP will do.
        """
        location = answer.headers.get("Location")
        if not location:
            raise StagingError(f"{host_of(url)} redirects to nowhere")
        target = joined(url, location)
        if target is None:
            raise StagingError(f"{host_of(url)} redirects to what is no URL")
        scheme = urlsplit(target).scheme
        if not is_url(target) or (scheme == "http" and urlsplit(url).scheme != "http"):
            raise StagingError(f"{host_of(url)} redirects to {scheme}://{host_of(target)}, which is not HTTPS")
        return target

    def without_token(self, text: str) -> str:
        """What a server said, without the token if it repeats it."""
        return text.replace(self._token, "(token)") if self._token else text


def joined(url: str, reference: str) -> str | None:
    """The URL that a reference in an answer of `url` means, in ASCII and without white space; None if it is none."""
    try:
        target = quote(urljoin(url, reference), safe=_KEPT)
        _origin(target)
    except ValueError:
        return None
    return target


def host_of(url: str) -> str:
    """The host in a URL, with the port if it names one."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
