"""InvokeEndpoint and what both operations have in common, through boto3 and with bare hands."""

import asyncio
import json

import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from local.sagemaker_runtime import FAULTS, Faults, create_app
from tests.local.model_container.servers import KEY, SECRET, Servers, call, client_of, signed

PATH = "/endpoints/echo/invocations"


class Echo:
    """A container that tells what reached it, and answers as it is told."""

    def __init__(self):
        self.requests = []
        self.status = 200
        self.headers = {"content-type": "application/json"}
        self.body = b'{"ok":true}'
        self.seconds = 0.0

    def app(self):
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/invocations", self.answer)
        return app

    async def answer(self, request):
        self.requests.append((request.headers.copy(), await request.read()))
        await asyncio.sleep(self.seconds)
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@pytest.fixture(scope="module")
def servers():
    with Servers() as running:
        yield running


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def url(servers, echo, faults):
    names = {"echo": servers.serve(echo.app()), "nobody": "http://127.0.0.1:1"}
    return servers.serve(create_app(names.get, faults, secrets={KEY: SECRET}))


@pytest.fixture
def client(url):
    return client_of(url)


def refusal(operation, **arguments):
    with pytest.raises(ClientError) as caught:
        operation(**arguments)
    return caught.value.response


def test_the_whole_answer_of_the_container_comes_back(client, echo):
    answer = client.invoke_endpoint(EndpointName="echo", Body=b"{}", ContentType="application/json")
    assert answer["Body"].read() == echo.body
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/json", "AllTraffic")
    assert answer["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
def test_only_the_documented_headers_reach_the_container_and_come_back(client, echo, operation):
    echo.headers |= {"x-prompt-tokens": "5", "X-Amzn-SageMaker-Custom-Attributes": "out", "set-cookie": "a=b"}
    answer = getattr(client, operation)(
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
    assert answer["CustomAttributes"] == "out"
    assert not {"x-prompt-tokens", "set-cookie"} & set(answer["ResponseMetadata"]["HTTPHeaders"])


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
@pytest.mark.parametrize(("status", "kind"), [(422, "client"), (429, "client"), (424, "client"), (500, "server")])
def test_what_is_no_success_of_the_container_is_a_model_error(client, echo, operation, status, kind):
    echo.status, echo.body = status, '{"error":"naïve"}'.encode()
    response = refusal(getattr(client, operation), EndpointName="echo", Body=b"{}")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    words = f'Received {kind} error ({status}) from primary with message "{{"error":"naïve"}}". See https://eu-west-1.'
    assert response["Error"]["Message"].startswith(words)
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == '{"error":"naïve"}'
    assert response["LogStreamArn"].endswith(":log-group:/aws/sagemaker/Endpoints/echo")


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
def test_an_endpoint_that_does_not_exist_is_a_validation_error(client, operation):
    response = refusal(getattr(client, operation), EndpointName="nope", Body=b"{}")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == "Endpoint nope of account 123456789012 not found."


@pytest.mark.parametrize("operation", ["invoke_endpoint", "invoke_endpoint_with_response_stream"])
def test_a_container_that_cannot_be_reached_is_unavailable(client, operation):
    response = refusal(getattr(client, operation), EndpointName="nobody", Body=b"{}")
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503)


def test_a_container_that_answers_too_late_is_a_model_error_with_status_0(servers, echo, faults):
    echo.seconds = 20
    url = servers.serve(create_app({"echo": servers.serve(echo.app())}.get, faults, invoke_seconds=0.2))
    response = refusal(client_of(url).invoke_endpoint, EndpointName="echo", Body=b"{}")
    assert (response["Error"]["Code"], response["OriginalStatusCode"]) == ("ModelError", 0)
    assert response["Error"]["Message"].startswith("Your invocation timed out while waiting for a response")


def test_a_body_may_weigh_6_mib_and_no_more(client, echo):
    client.invoke_endpoint(EndpointName="echo", Body=b"x" * 6_291_456)
    response = refusal(client.invoke_endpoint, EndpointName="echo", Body=b"x" * 6_291_457)
    assert response["Error"]["Code"] == "ValidationError"
    assert "less than or equal to 6291456" in response["Error"]["Message"]
    assert len(echo.requests) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"secret": "other"}, "InvalidSignatureException", "The request signature we calculated does not match"),
        ({"key": "AKIDOTHER"}, "UnrecognizedClientException", "The security token included in the request is invalid."),
    ],
)
def test_a_wrong_signature_is_refused(url, arguments, code, words):
    response = refusal(client_of(url, **arguments).invoke_endpoint, EndpointName="echo", Body=b"{}")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert response["Error"]["Code"] == code
    assert response["Error"]["Message"].startswith(words)


def invoke_by_hand(url, headers, body=b"{}"):
    return call("POST", url + PATH, body, headers)


def test_an_unsigned_call_is_refused(url):
    answer = invoke_by_hand(url, {})
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")
    assert answer.json == {"Message": "Missing Authentication Token"}


def test_a_call_that_is_signed_for_another_service_is_refused(url):
    answer = invoke_by_hand(url, signed(url + PATH, service="bedrock"))
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    assert answer.json["Message"] == "Credential should be scoped to correct service: 'sagemaker'. "


def test_the_signature_covers_the_body_the_headers_and_the_time(url):
    headers = signed(url + PATH, **{"x-amzn-sagemaker-custom-attributes": "a  b", "content-type": "application/json"})
    assert invoke_by_hand(url, headers).status == 200
    assert invoke_by_hand(url, headers, b"[]").status == 403
    assert invoke_by_hand(url, {**headers, "x-amzn-sagemaker-custom-attributes": "c"}).status == 403
    old = {**headers, "X-Amz-Date": headers["X-Amz-Date"].replace("T", "T0")[:16] + "Z"}
    assert invoke_by_hand(url, old).status == 403
    broken = {**headers, "Authorization": "AWS4-HMAC-SHA256 nonsense"}
    assert invoke_by_hand(url, broken).headers["x-amzn-errortype"] == "IncompleteSignatureException"


def test_without_secrets_every_key_is_taken(servers, echo, faults):
    url = servers.serve(create_app({"echo": servers.serve(echo.app())}.get, faults))
    client_of(url, secret="anything", key="AKIDANYONE").invoke_endpoint(EndpointName="echo", Body=b"{}")
    assert invoke_by_hand(url, {}).status == 403


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
def test_faults_happen_as_often_as_they_are_injected(client, faults, operation, fault, code, status):
    faults.inject(fault, 2)
    for _ in range(2):
        response = refusal(getattr(client, operation), EndpointName="echo", Body=b"{}")
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    getattr(client, operation)(EndpointName="echo", Body=b"{}")


def test_the_words_of_faults_are_those_that_clients_look_for(client, faults):
    faults.inject("throttle", 1)
    faults.inject("no-capacity", 1)
    faults.inject("timeout", 1)
    faults.inject("model-error", 1)
    throttle, capacity, timeout, model = [
        refusal(client.invoke_endpoint, EndpointName="echo", Body=b"{}") for _ in range(4)
    ]
    assert throttle["Error"]["Message"] == "Rate exceeded"
    assert "has no capacity to process this request" in capacity["Error"]["Message"]
    assert timeout["OriginalStatusCode"] == 0
    assert (model["OriginalStatusCode"], json.loads(model["OriginalMessage"])["error_type"]) == (424, "generation")


@pytest.mark.parametrize("fault", ["stream-broken", "stream-failure", "connection-lost", "stream-timeout"])
def test_faults_of_streams_fail_buffered_calls_too(client, faults, fault):
    faults.inject(fault, 1)
    code = "ModelError" if fault == "stream-timeout" else "InternalFailure"
    assert refusal(client.invoke_endpoint, EndpointName="echo", Body=b"{}")["Error"]["Code"] == code


def test_people_inject_and_clear_faults_over_http(url, client):
    answer = call("PUT", f"{url}/faults", {"fault": "throttle"})
    assert answer.json == {"faults": [{"fault": "throttle", "count": None, "seconds": 5.0}]}
    assert refusal(client.invoke_endpoint, EndpointName="echo", Body=b"{}")["Error"]["Code"] == "ThrottlingException"
    assert call("GET", f"{url}/faults").json == answer.json
    assert call("DELETE", f"{url}/faults").status == 204
    client.invoke_endpoint(EndpointName="echo", Body=b"{}")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "Expecting property name"),
        (b"[]", 'the body must be an object such as {"fault": "throttle", "count": 1}.'),
        ({"fault": "nope"}, f"fault='nope': there is no such fault. Choose one of: {', '.join(FAULTS)}."),
        ({"fault": ["throttle"]}, "unhashable"),
        ({"fault": "throttle", "count": 0}, "count=0: must be a whole number of at least 1."),
        ({"fault": "throttle", "count": "2"}, "count='2': must be a whole number"),
        ({"fault": "slow-first-token", "seconds": -1}, "seconds=-1: must be a number from 0 to 900."),
        ({"fault": "throttle", "times": 2}, "times: unknown. Known are at, count, fault, frame, seconds, status."),
        (
            {"fault": "throttle", "at": 2},
            "at=2: has no meaning for throttle, only for connection-lost, end",
        ),
        ({"fault": "end", "frame": 2}, "frame=2: has no meaning for end"),
        ({"fault": "end", "at": -1}, "at=-1: must be a whole number of at least 0."),
        ({"fault": "model-error", "status": 200}, "status=200: must be an error, from 400 to 599."),
        ({"fault": "refused"}, "concerns connections, not calls."),
    ],
)
def test_a_wish_that_is_not_understood_is_refused(url, body, words):
    answer = call("PUT", f"{url}/faults", body)
    assert answer.status == 400
    assert words in answer.json["error"]
    assert call("GET", f"{url}/faults").json == {"faults": []}


def test_an_operation_that_does_not_exist_is_told(url):
    answer = call("POST", f"{url}/endpoints/echo/async-invocations", b"{}")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")
