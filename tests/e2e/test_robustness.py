"""Hostile requests to the deployed API: each gets a client error or a normal response, and none is logged."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.e2e.deployed_cloud import Cloud

pytestmark = pytest.mark.xdist_group("e2e")

CANARY = "c4n4ry"
ROUTES = {
    "/generate": {"inputs": CANARY},
    "/": {"inputs": CANARY},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": CANARY}]},
    "/v1/completions": {"prompt": CANARY},
}
VALUES = {
    "deep": "[" * 50_000 + "]" * 50_000,
    "1e400": "1e400",
    "10**5000": "1" + "0" * 5000,
    "NaN": "NaN",
    "half a character": '"\\ud800"',
    "NUL": '"\\u0000"',
    "an object": "{}",
    "null": "null",
    "a boolean": "true",
}


def status_of(cloud: Cloud, path: str, body: bytes, **headers: str) -> int:
    """The status of a response, which must not be a 5xx and must have an error body if it is a 4xx."""
    response = cloud.request("POST", path, body, headers=headers)
    assert response.status < 500, response.body
    if response.status >= 400:
        error = response.json()["error"]
        assert error["message"] if path.startswith("/v1/") else error
    return response.status


@pytest.mark.parametrize("path", ROUTES)
def test_hostile_bodies_are_rejected(cloud: Cloud, path: str) -> None:
    good = json.dumps(ROUTES[path])
    (name,) = ROUTES[path]
    for value in VALUES.values():
        assert status_of(cloud, path, f'{{"{name}":{value}}}'.encode()) in (200, 400, 422)
        assert status_of(cloud, path, f'{{"unknown":{value},{good[1:]}'.encode()) in (200, 400)
    for body in (b"", b"\xff\xfe", b'{"inputs":"\xed\xa0\x80"}', good.encode("utf-16"), b"[]", f'"{CANARY}"'.encode()):
        assert status_of(cloud, path, body) in (200, 400)
    assert status_of(cloud, path, good.encode(), **{"Content-Type": "text/plain"}) == 415
    assert status_of(cloud, path, good.encode(), **{"Content-Encoding": "gzip"}) == 415
    assert status_of(cloud, path, good.encode(), **{"X-Request-Id": "é\t" * 100}) == 200


def test_the_last_of_two_members_of_a_name_counts(cloud: Cloud) -> None:
    assert status_of(cloud, "/generate", b'{"inputs":7,"inputs":"x"}') == 200
    assert status_of(cloud, "/generate", b'{"inputs":"x","inputs":7}') == 422


@pytest.mark.parametrize(
    "key",
    [
        *("", "Bearer", "Bearer ", "Basic a2V5", "bearer {key}x", "Bearer {key},Bearer {key}", "Bearer{key}"),
        *("{key}", "Bearer {key}é", "Bearer " + "a" * 5_000, "Bearer ' OR 1=1 --", "Bearer {key}\tx"),
    ],
)
def test_invalid_credentials_are_rejected(cloud: Cloud, key: str) -> None:
    header = key.format(key=cloud.api_key) if "{" in key else key
    response = cloud.request("POST", "/generate", ROUTES["/generate"], key=None, headers={"Authorization": header})
    assert response.status in (401, 403)
    assert cloud.api_key.encode() not in response.body


def test_two_authorization_headers_cannot_bypass_the_invalid_one(cloud: Cloud) -> None:
    """The last header is checked, so the request is admitted only if that has a valid key."""
    parts = urlsplit(cloud.url)
    body = json.dumps(ROUTES["/generate"])
    for keys in (("x" * 40, cloud.api_key), (cloud.api_key, "x" * 40)):
        cloud.limiter.take()
        connection = cloud.connect()
        connection.putrequest("POST", f"{parts.path}/generate")
        for key in keys:
            connection.putheader("Authorization", f"Bearer {key}")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        status = connection.getresponse().status
        connection.close()
        assert status in ((200,) if keys[-1] == cloud.api_key else (401, 403))


def test_request_smuggling_is_rejected(cloud: Cloud) -> None:
    """With both Transfer-Encoding and Content-Length, which disagree on the end of the body."""
    parts = urlsplit(cloud.url)
    inner = f"GET {parts.path}/v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {cloud.api_key}\r\n\r\n"
    head = (
        f"POST {parts.path}/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {cloud.api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(inner) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(f"{head}0\r\n\r\n{inner}".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 400
        assert b'"data"' not in response.read()


def test_nothing_of_the_requests_is_logged(cloud: Cloud) -> None:
    """In the access log, the output of the function and the messages of the emulation, including the tests above."""
    cloud.request("GET", f"/{CANARY}?{CANARY}={CANARY}", headers={"User-Agent": CANARY, "Cookie": CANARY})
    assert CANARY not in cloud.log()
