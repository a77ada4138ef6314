"""Read JumpStart's public bucket of a Region over HTTPS."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, build_opener

from constructs_lib.cli.errors import CommandError
from constructs_lib.planning.engines.jumpstart.pinned import bucket_name, bucket_url
from constructs_lib.planning.validation.problem import Described, Problem

MANIFEST = "models_manifest.json"
MARKETPLACE_MANIFEST = "proprietary-sdk-manifest.json"

_READ_SECONDS = 20
_TOTAL_SECONDS = 120
_MAX_BYTES = 64 * 2**20
_CHUNK = 2**16
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class Bucket:
    """The bucket of one Region, without credentials: everybody may read it.

    Args:
        region: Code of the Region.
        environment: Environment variables: AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) is the URL of another S3, such as
            a VPC endpoint or a mirror, as the AWS SDKs read it; HTTPS_PROXY and NO_PROXY as everywhere.

    Attributes:
        url: Where its objects are.

    Raises:
        CommandError: The variable is not an HTTP URL.
    """

    def __init__(self, region: str, environment: Mapping[str, str] = os.environ) -> None:
        self._region = region
        given = next((name for name in _ENDPOINTS if environment.get(name)), None)
        self._variable = given or _ENDPOINTS[0]
        endpoint = environment[given].rstrip("/") if given else ""
        if given and urlsplit(endpoint).scheme not in ("http", "https"):
            raise CommandError(Problem(given, endpoint, "is not an HTTP URL", f"Unset {given}."))
        self.url = f"{endpoint}/{bucket_name(region)}" if given else bucket_url(region)

    def read(self, key: str) -> Any:
        """The JSON value of an object; None if there is no such object.

        Raises:
            CommandError: It cannot be read, is too large, or is not JSON.
        """
        url = f"{self.url}/{quote(key)}"
        request = Request(url, headers={"User-Agent": "tgi-endpoint-cdk"})  # noqa: S310 - the scheme is checked above
        try:
            with build_opener().open(request, timeout=_READ_SECONDS) as response:
                content = self._content(url, response)
        except HTTPError as error:
            error.close()
            if error.code in (403, 404):  # S3 answers 403 for what is not there to those who may not list
                return None
            fix = "Try again later." if error.code == 429 or error.code >= 500 else f"Check {self._variable}."
            raise CommandError(Problem("url", url, f"could not be read: the answer was {error.code}", fix)) from error
        except (URLError, OSError, http.client.HTTPException) as error:
            raise CommandError(self._unreachable(error)) from error
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            message = "is not JSON, so something else than S3 has answered"
            raise CommandError(Problem("url", url, message, f"Check the proxy and {self._variable}.")) from error

    def _content(self, url: str, response: http.client.HTTPResponse) -> bytes:
        """The body, unless it is too large or comes too slowly; each single read has a timeout of its own."""
        deadline = time.monotonic() + _TOTAL_SECONDS
        parts, size = [], 0
        while part := response.read1(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > _MAX_BYTES:
                raise CommandError(Problem("url", url, f"is larger than {_MAX_BYTES} bytes", "Check the URL."))
            if time.monotonic() > deadline:
                message = f"took longer than {_TOTAL_SECONDS} s to download"
                raise CommandError(Problem("url", url, message, "Try again later, or check the proxy."))
        expected = response.headers.get("Content-Length")
        if expected is not None and expected.isdigit() and size < int(expected):
            missing = Described(f"{size} of {expected} bytes")
            raise CommandError(Problem("url", missing, f"of {url} arrived before the connection closed", "Try again."))
        return b"".join(parts)

    def _unreachable(self, error: Exception) -> Problem:
        reason = getattr(error, "reason", error)
        detail = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        fix = f"Check the network and the Region, or name another S3 with {self._variable}."
        return Problem("bucket", self.url, f"cannot be reached: {detail}", fix)
