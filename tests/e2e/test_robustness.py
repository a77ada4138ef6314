"""What no honest client sends to the deployed API has an answer of gateway or function, and no word in a log."""

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


def told(cloud: Cloud, path: str, body: bytes, **headers: str) -> int:
    """The status of an answer, which is one of the API or its protocol's, and never a failure."""
    answer = cloud.ask("POST", path, body, headers=headers)
    assert answer.status < 500, answer.body
    if answer.status >= 400:
        error = answer.json()["error"]
        assert error["message"] if path.startswith("/v1/") else error
    return answer.status


@pytest.mark.parametrize("path", ROUTES)
def test_hostile_bodies_are_refused_by_the_gateway_or_the_function(cloud: Cloud, path: str) -> None:
    good = json.dumps(ROUTES[path])
    (name,) = ROUTES[path]
    for value in VALUES.values():
        assert told(cloud, path, f'{{"{name}":{value}}}'.encode()) in (200, 400, 422)
        assert told(cloud, path, f'{{"unknown":{value},{good[1:]}'.encode()) in (200, 400)
    for body in (b"", b"\xff\xfe", b'{"inputs":"\xed\xa0\x80"}', good.encode("utf-16"), b"[]", f'"{CANARY}"'.encode()):
        assert told(cloud, path, body) in (200, 400)
    assert told(cloud, path, good.encode(), **{"Content-Type": "text/plain"}) == 415
    assert told(cloud, path, good.encode(), **{"Content-Encoding": "gzip"}) == 200
    assert told(cloud, path, good.encode(), **{"X-Request-Id": "é\t" * 100}) == 200


def test_a_member_that_comes_twice_means_the_same_to_gateway_and_function(cloud: Cloud) -> None:
    """The gateway validates the last of them, and the function reads the last of them."""
    assert told(cloud, "/generate", b'{"inputs":7,"inputs":"x"}') == 200
    assert told(cloud, "/generate", b'{"inputs":"x","inputs":7}') == 400


@pytest.mark.parametrize(
    "key",
    [
        *("", "Bearer", "Bearer ", "Basic a2V5", "bearer {key}x", "Bearer {key},Bearer {key}", "Bearer  {key}"),
        *("{key}", "Bearer {key}é", "Bearer " + "a" * 5_000, "Bearer ' OR 1=1 --", "Bearer {key}\tx"),
    ],
)
def test_what_is_no_key_lets_nobody_in(cloud: Cloud, key: str) -> None:
    header = key.format(key=cloud.api_key) if "{" in key else key
    answer = cloud.ask("POST", "/generate", ROUTES["/generate"], key=None, headers={"Authorization": header})
    assert answer.status in (401, 403)
    assert cloud.api_key.encode() not in answer.body


def test_two_keys_are_no_way_around_the_one_that_is_wrong(cloud: Cloud) -> None:
    """Whichever of them is looked at, the other one is not what lets a request in."""
    parts = urlsplit(cloud.url)
    body = json.dumps(ROUTES["/generate"])
    for keys in (("x" * 40, cloud.api_key), (cloud.api_key, "x" * 40)):
        cloud.pace.take()
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


def test_a_request_inside_of_a_request_is_never_answered(cloud: Cloud) -> None:
    """With chunks and a length, of which one may end the body and the other not."""
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


def test_nothing_of_it_was_logged(cloud: Cloud) -> None:
    """The access log, the function's lines and the emulation's own words, with all that came before."""
    cloud.ask("GET", f"/{CANARY}?{CANARY}={CANARY}", headers={"User-Agent": CANARY, "Cookie": CANARY})
    assert CANARY not in cloud.told()
