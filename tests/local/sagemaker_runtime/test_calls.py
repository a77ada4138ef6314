"""InvokeEndpoint and what both operations have in common, with boto3 and with raw requests."""

import asyncio
import json

import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from local.sagemaker_runtime import FAULTS, Endpoints, Faults, create_app
from tests.local.model_container.servers import KEY, SECRET, call, client_of, signed

PATH = "/endpoints/echo/invocations"


class Echo:
    """A container that records requests and returns a given response."""

    def __init__(self):
        self.requests = []
        self.status = 200
        self.headers = {"content-type": "application/json"}
        self.body = b'{"ok":true}'
        self.seconds = 0.0

    def app(self):
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/invocations", self.respond)
        return app

    async def respond(self, request):
        self.requests.append((request.headers.copy(), await request.read()))
        await asyncio.sleep(self.seconds)
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def url(servers, echo, faults):
    names = {"echo": servers.serve(echo.app()), "nobody": "http://127.0.0.1:1"}
    return servers.serve(create_app(Endpoints.of(names), faults, secrets={KEY: SECRET}))


@pytest.fixture
def client(url):
    return client_of(url)


def client_error(operation, **arguments):
    with pytest.raises(ClientError) as caught:
        operation(**arguments)
    return caught.value.response


def test_the_complete_response_of_the_container_is_returned(client, echo):
    response = client.invoke_endpoint(EndpointName="echo", Body=b"{}", ContentType="application/json")
    assert response["Body"].read() == echo.body
    assert (response["ContentType"], response["InvokedProductionVariant"]) == ("application/json", "AllTraffic")
    assert response["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
def test_only_the_documented_headers_are_forwarded_in_both_directions(client, echo, operation):
    echo.headers |= {"x-prompt-tokens": "5", "X-Amzn-SageMaker-Custom-Attributes": "out", "set-cookie": "a=b"}
    response = getattr(client, operation)(
        EndpointName="echo",
        Body=b'{"a":1}',
        ContentType="application/json",
        Accept="text/event-stream",
        CustomAttributes="in",
        InferenceId="id-1",
        TargetVariant="AllTraffic",
        SessionId="s",
    )
    [(headers, body)] = echo.requests
    names = {name.lower() for name in headers} - {"host", "content-length"}
    attributes = "x-amzn-sagemaker-custom-attributes"
    assert names == {"content-type", "accept", attributes, "x-amzn-sagemaker-inference-id"}
    assert (headers["accept"], headers[attributes], body) == ("text/event-stream", "in", b'{"a":1}')
    assert response["CustomAttributes"] == "out"
    assert not {"x-prompt-tokens", "set-cookie"} & set(response["ResponseMetadata"]["HTTPHeaders"])


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
@pytest.mark.parametrize(("status", "kind"), [(422, "client"), (429, "client"), (424, "client"), (500, "server")])
def test_an_error_status_of_the_container_is_a_model_error(client, echo, operation, status, kind):
    echo.status, echo.body = status, '{"error":"naïve"}'.encode()
    response = client_error(getattr(client, operation), EndpointName="echo", Body=b"{}")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    message = (
        f'Received {kind} error ({status}) from primary with message "{{"error":"naïve"}}". See https://eu-west-1.'
    )
    assert response["Error"]["Message"].startswith(message)
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == '{"error":"naïve"}'
    assert response["LogStreamArn"].endswith(":log-group:/aws/sagemaker/Endpoints/echo")


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
def test_an_unknown_endpoint_is_a_validation_error(client, operation):
    response = client_error(getattr(client, operation), EndpointName="nope", Body=b"{}")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == "Endpoint nope of account 123456789012 not found."


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
def test_an_unreachable_container_is_service_unavailable(client, operation):
    response = client_error(getattr(client, operation), EndpointName="nobody", Body=b"{}")
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503)


def test_a_container_timeout_is_a_model_error_with_status_0(servers, echo, faults):
    echo.seconds = 20
    url = servers.serve(create_app(Endpoints.of({"echo": servers.serve(echo.app())}), faults, invoke_seconds=0.2))
    response = client_error(client_of(url).invoke_endpoint, EndpointName="echo", Body=b"{}")
    assert (response["Error"]["Code"], response["OriginalStatusCode"]) == ("ModelError", 0)
    assert response["Error"]["Message"].startswith("Your invocation timed out while waiting for a response")


def test_a_body_is_limited_to_6_mib(client, echo):
    client.invoke_endpoint(EndpointName="echo", Body=b"x" * 6_291_456)
    response = client_error(client.invoke_endpoint, EndpointName="echo", Body=b"x" * 6_291_457)
    assert response["Error"]["Code"] == "ValidationError"
    assert "less than or equal to 6291456" in response["Error"]["Message"]
    assert len(echo.requests) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"secret": "other"}, "InvalidSignatureException", "The request signature we calculated does not match"),
        ({"key": "AKIDOTHER"}, "UnrecognizedClientException", "The security token included in the request is invalid."),
    ],
)
def test_an_invalid_signature_is_rejected(url, arguments, code, message):
    response = client_error(client_of(url, **arguments).invoke_endpoint, EndpointName="echo", Body=b"{}")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert response["Error"]["Code"] == code
    assert response["Error"]["Message"].startswith(message)


def send(url, headers, body=b"{}"):
    return call("POST", url + PATH, body, headers)


def test_an_unsigned_call_is_rejected(url):
    response = send(url, {})
    assert (response.status, response.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")
    assert response.json == {"Message": "Missing Authentication Token"}


def test_a_call_signed_for_another_service_is_rejected(url):
    response = send(url, signed(url + PATH, service="bedrock"))
    assert (response.status, response.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    assert response.json["Message"] == "Credential should be scoped to correct service: 'sagemaker'. "


def test_the_signature_covers_the_body_the_headers_and_the_time(url):
    headers = signed(url + PATH, **{"x-amzn-sagemaker-custom-attributes": "a  b", "content-type": "application/json"})
    assert send(url, headers).status == 200
    assert send(url, headers, b"[]").status == 403
    assert send(url, {**headers, "x-amzn-sagemaker-custom-attributes": "c"}).status == 403
    old = {**headers, "X-Amz-Date": headers["X-Amz-Date"].replace("T", "T0")[:16] + "Z"}
    assert send(url, old).status == 403
    broken = {**headers, "Authorization": "AWS4-HMAC-SHA256 nonsense"}
    assert send(url, broken).headers["x-amzn-errortype"] == "IncompleteSignatureException"


def test_without_secrets_every_key_is_accepted(servers, echo, faults):
    url = servers.serve(create_app(Endpoints.of({"echo": servers.serve(echo.app())}), faults))
    client_of(url, secret="anything", key="AKIDANYONE").invoke_endpoint(EndpointName="echo", Body=b"{}")
    assert send(url, {}).status == 403


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("throttle", "ThrottlingException", 400),
        ("no-capacity", "ValidationError", 400),
        ("timeout", "ModelError", 424),
        ("model-error", "ModelError", 424),
        ("internal-failure", "InternalFailure", 500),
        ("unavailable", "ServiceUnavailable", 503),
    ],
)
def test_a_fault_is_injected_into_count_calls(client, faults, operation, fault, code, status):
    faults.inject(fault, 2)
    for _ in range(2):
        response = client_error(getattr(client, operation), EndpointName="echo", Body=b"{}")
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    getattr(client, operation)(EndpointName="echo", Body=b"{}")


def test_faults_have_the_messages_that_clients_recognize(client, faults):
    faults.inject("throttle", 1)
    faults.inject("no-capacity", 1)
    faults.inject("timeout", 1)
    faults.inject("model-error", 1)
    throttle, capacity, timeout, model = [
        client_error(client.invoke_endpoint, EndpointName="echo", Body=b"{}") for _ in range(4)
    ]
    assert throttle["Error"]["Message"] == "Rate exceeded"
    assert "has no capacity to process this request" in capacity["Error"]["Message"]
    assert timeout["OriginalStatusCode"] == 0
    assert (model["OriginalStatusCode"], json.loads(model["OriginalMessage"])["error_type"]) == (424, "generation")


@pytest.mark.parametrize("fault", ["stream-broken", "stream-failure", "connection-lost", "stream-timeout"])
def test_stream_faults_fail_buffered_calls_too(client, faults, fault):
    faults.inject(fault, 1)
    code = "ModelError" if fault == "stream-timeout" else "InternalFailure"
    assert client_error(client.invoke_endpoint, EndpointName="echo", Body=b"{}")["Error"]["Code"] == code


def test_faults_are_injected_listed_and_cleared_over_http(url, client):
    response = call("PUT", f"{url}/faults", {"fault": "throttle"})
    assert response.json == {"faults": [{"fault": "throttle", "count": None, "seconds": 5.0}]}
    assert (
        client_error(client.invoke_endpoint, EndpointName="echo", Body=b"{}")["Error"]["Code"] == "ThrottlingException"
    )
    assert call("GET", f"{url}/faults").json == response.json
    assert call("DELETE", f"{url}/faults").status == 204
    client.invoke_endpoint(EndpointName="echo", Body=b"{}")


def test_a_fault_of_one_endpoint_leaves_the_calls_of_others_alone(url, client):
    fault = {"fault": "throttle", "count": 1, "endpoint": "another"}
    assert call("PUT", f"{url}/faults", fault).json == {"faults": [{**fault, "seconds": 5.0}]}
    client.invoke_endpoint(EndpointName="echo", Body=b"{}")
    assert len(call("GET", f"{url}/faults").json["faults"]) == 1
    call("PUT", f"{url}/faults", {**fault, "endpoint": "echo"})
    assert (
        client_error(client.invoke_endpoint, EndpointName="echo", Body=b"{}")["Error"]["Code"] == "ThrottlingException"
    )
    client.invoke_endpoint(EndpointName="echo", Body=b"{}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Expecting property name"),
        (b"[]", 'the body must be an object such as {"fault": "throttle", "count": 1}.'),
        ({"fault": "nope"}, f"fault='nope': unknown fault. Choose one of: {', '.join(FAULTS)}."),
        ({"fault": ["throttle"]}, "unhashable"),
        ({"fault": "throttle", "count": 0}, "count=0: must be an integer of at least 1."),
        ({"fault": "throttle", "count": "2"}, "count='2': must be an integer"),
        ({"fault": "slow-first-token", "seconds": -1}, "seconds=-1: must be a number from 0 to 900."),
        (
            {"fault": "throttle", "times": 2},
            "times: unknown option. Options are at, count, endpoint, fault, frame, seconds, status.",
        ),
        (
            {"fault": "throttle", "at": 2},
            "at=2: not an option of throttle, only of connection-lost, end",
        ),
        ({"fault": "end", "frame": 2}, "frame=2: not an option of end"),
        ({"fault": "end", "at": -1}, "at=-1: must be an integer of at least 0."),
        ({"fault": "model-error", "status": 200}, "status=200: must be an error status from 400 to 599."),
        ({"fault": "refused"}, "applies to connections, not calls."),
        ({"fault": "throttle", "endpoint": 5}, "endpoint=5: must be the name of an endpoint."),
    ],
)
def test_an_invalid_fault_is_rejected(url, body, message):
    response = call("PUT", f"{url}/faults", body)
    assert response.status == 400
    assert message in response.json["error"]
    assert call("GET", f"{url}/faults").json == {"faults": []}


def test_an_unknown_operation_is_a_404(url):
    response = call("POST", f"{url}/endpoints/echo/invocations-of-no-kind", b"{}")
    assert (response.status, response.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")
