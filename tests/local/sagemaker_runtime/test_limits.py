"""The request limits of the service's API model."""

import gzip
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import botocore
import pytest
from aiohttp import web

from local.sagemaker_runtime import Endpoints, Faults, create_app
from local.sagemaker_runtime.limits import HEADERS, MAX_BODY_BYTES, MAX_RESPONSE_BYTES
from tests.local.model_container.servers import KEY, SECRET, Servers, call, client_of, signed

PATH = "/endpoints/echo/invocations"


@pytest.fixture(scope="module")
def url():
    async def echo(request):
        inference_id = request.headers.get("x-amzn-sagemaker-inference-id", "")
        return web.json_response({"id": inference_id}, headers={"X-Amzn-SageMaker-Inference-Id": "out"})

    app = web.Application(client_max_size=2**30)
    app.router.add_post("/invocations", echo)
    with Servers() as servers:
        yield servers.serve(create_app(Endpoints.of({"echo": servers.serve(app)}), Faults(), secrets={KEY: SECRET}))


def members(operation):
    folder = Path(botocore.__file__).parent / "data" / "sagemaker-runtime" / "2017-05-13"
    model = json.loads(gzip.decompress((folder / "service-2.json.gz").read_bytes()))
    for name, member in model["shapes"][f"{operation}Input"]["members"].items():
        yield name, member, model["shapes"][member["shape"]]


@pytest.mark.parametrize("operation", ["InvokeEndpoint", "InvokeEndpointWithResponseStream"])
def test_the_limits_are_those_of_botocores_model(operation):
    for name, member, shape in members(operation):
        if name == "Body":
            assert shape["max"] == MAX_BODY_BYTES
        elif member["location"] == "header":
            limit = HEADERS[member["locationName"].lower()]
            assert (limit.member.lower(), limit.min_length, limit.max_length) == (
                name.lower(),
                shape.get("min", 0),
                shape["max"],
            )


def send(url, **headers):
    named = {f"x-amzn-sagemaker-{name.replace('_', '-')}": value for name, value in headers.items()}
    return call("POST", url + PATH, b"{}", signed(url + PATH, **named))


@pytest.mark.parametrize("value", ["x", "x" * 64, "a b~", "-"])
def test_an_inference_id_of_1_to_64_printable_characters_is_forwarded_but_not_returned(url, value):
    response = send(url, inference_id=value)
    assert (response.status, response.json) == (200, {"id": value})
    assert "x-amzn-sagemaker-inference-id" not in response.headers


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            {"inference_id": "x" * 65},
            "'inferenceId' failed to satisfy constraint: Member must have length less than or",
        ),
        (
            {"inference_id": "a\tb"},
            "'inferenceId' failed to satisfy constraint: Member must satisfy regular expression",
        ),
        ({"custom_attributes": "x" * 1025}, "'customAttributes' failed to satisfy constraint: Member must have length"),
        ({"target_variant": "a_b"}, "'targetVariant' failed to satisfy constraint: Member must satisfy regular"),
        ({"session_id": "-"}, "'sessionId' failed to satisfy constraint: Member must satisfy regular expression"),
    ],
)
def test_an_invalid_header_is_rejected_without_repeating_its_value(url, headers, message):
    response = send(url, **headers)
    assert (response.status, response.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert response.json["Message"].startswith("1 validation error detected: Value at ")
    assert message in response.json["Message"]


def test_all_invalid_headers_are_reported_together(url):
    message = send(url, inference_id="", custom_attributes="x" * 1025).json["Message"]
    assert message.startswith("3 validation errors detected: ")
    for constraint in (
        "less than or equal to 1024",
        "greater than or equal to 1",
        "satisfy regular expression pattern",
    ):
        assert constraint in message


def test_a_header_that_is_not_utf_8_is_rejected(url):
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        headers = signed(url + PATH, **{"x-amzn-sagemaker-inference-id": "x"}) | {
            "content-length": "2",
            "host": parts.netloc,
        }
        lines = [f"{name}: {value}".encode() for name, value in headers.items()]
        lines = [line.replace(b"id: x", b"id: \xff") for line in lines]
        connection.sendall(b"POST %b HTTP/1.1\r\n%b\r\n\r\n{}" % (PATH.encode(), b"\r\n".join(lines)))
        assert connection.recv(12) == b"HTTP/1.1 403"


def test_the_inference_id_of_a_real_client_is_forwarded(url):
    response = client_of(url).invoke_endpoint(EndpointName="echo", Body=b"{}", InferenceId="req_1 é"[:5])
    assert json.loads(response["Body"].read()) == {"id": "req_1"}


@pytest.mark.parametrize("size", [MAX_RESPONSE_BYTES, None])
def test_a_response_without_an_end_is_an_error_and_is_not_read_on(size):
    sent = 0

    async def flood(request):
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while size is None or sent < size:
            await response.write(bytes(2**20))
            sent += 2**20
        return response

    app = web.Application()
    app.router.add_post("/invocations", flood)
    with Servers() as servers:
        url = servers.serve(create_app(Endpoints.of({"echo": servers.serve(app)}), Faults(), secrets={KEY: SECRET}))
        response = call("POST", url + PATH, b"{}", signed(url + PATH))
    if size is None:
        assert (response.status, response.headers["x-amzn-errortype"]) == (424, "ModelError")
    else:
        assert (response.status, len(response.body)) == (200, size)
    assert sent < 2 * MAX_RESPONSE_BYTES
