"""Which fleet a request reaches: an endpoint's own, or that of an inference component."""

import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from local.sagemaker_runtime import Copy, Endpoints, Faults, Fleet, Variant, create_app
from tests.local.model_container.servers import KEY, SECRET, client_of

STREAM, BUFFERED = "invoke_endpoint_with_response_stream", "invoke_endpoint"


def container(servers, text):
    async def respond(_request):
        return web.Response(text=text)

    app = web.Application()
    app.router.add_post("/invocations", respond)
    return servers.serve(app)


@pytest.fixture
def client(servers):
    endpoints = Endpoints.of({"plain": container(servers, "plain")})
    fleets = {name: Fleet(Copy(container(servers, name))) for name in ("llama", "falcon")}
    endpoints.add_components("shared", {**fleets, "asleep": Fleet()}, variant="Shared")
    weights = {"green": 3, "blue": 1, "trial": 0}
    endpoints.add(
        "varied",
        *(Variant(name, Fleet(Copy(container(servers, name))), weight) for name, weight in weights.items()),
    )
    endpoints.add("idle", Variant("trial", Fleet(Copy(container(servers, "trial"))), 0))
    return client_of(servers.serve(create_app(endpoints, Faults(), secrets={KEY: SECRET})))


def refused(client, operation, **arguments):
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(Body=b"{}", **arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def test_the_header_chooses_the_component(client):
    answers = [
        client.invoke_endpoint(EndpointName="shared", InferenceComponentName=name, Body=b"{}")["Body"].read()
        for name in ("llama", "falcon")
    ]
    assert answers == [b"llama", b"falcon"]


@pytest.mark.parametrize("operation", [STREAM, BUFFERED])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"EndpointName": "shared"},
            (
                "Inference Component Name header is required for endpoints to which you plan to deploy inference "
                "components."
            ),
        ),
        (
            {"EndpointName": "shared", "InferenceComponentName": "other"},
            "Inference Component other of account 123456789012 not found.",
        ),
        (
            {"EndpointName": "plain", "InferenceComponentName": "llama"},
            "Endpoint plain has no inference components.",
        ),
        ({"EndpointName": "nowhere"}, "Endpoint nowhere of account 123456789012 not found."),
        (
            {"EndpointName": "shared", "InferenceComponentName": "asleep"},
            (
                "Inference Component has no capacity to process this request. ApplicationAutoScaling may be "
                "in-progress (if configured) or try to increase the capacity by invoking "
                "UpdateInferenceComponentRuntimeConfig API."
            ),
        ),
    ],
    ids=["no component", "unknown component", "component of a plain endpoint", "unknown endpoint", "zero copies"],
)
def test_a_request_that_reaches_no_copy_is_a_validation_error(client, operation, arguments, message):
    assert refused(client, operation, **arguments) == (400, "ValidationError", message)


def answered(client, operation, **arguments):
    """Which variant the response names, and what its container says."""
    response = getattr(client, operation)(Body=b"{}", **arguments)
    if operation == BUFFERED:
        return response["InvokedProductionVariant"], response["Body"].read()
    parts = [event["PayloadPart"]["Bytes"] for event in response["Body"]]
    return response["InvokedProductionVariant"], b"".join(parts)


@pytest.mark.parametrize("operation", [STREAM, BUFFERED])
def test_variants_get_requests_by_their_weights_and_the_response_names_the_one_that_answered(client, operation):
    answers = [answered(client, operation, EndpointName="varied") for _ in range(120)]
    assert set(answers) == {("green", b"green"), ("blue", b"blue")}
    assert 75 <= answers.count(("green", b"green")) <= 105


@pytest.mark.parametrize("operation", [STREAM, BUFFERED])
def test_a_request_that_names_a_variant_gets_it_whatever_its_weight(client, operation):
    arguments = {"EndpointName": "varied", "TargetVariant": "trial"}
    assert {answered(client, operation, **arguments) for _ in range(5)} == {("trial", b"trial")}


def test_a_component_answers_in_the_name_of_its_endpoints_variant(client):
    arguments = {"EndpointName": "shared", "InferenceComponentName": "llama"}
    assert answered(client, BUFFERED, **arguments) == ("Shared", b"llama")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"EndpointName": "varied", "TargetVariant": "red"}, "Endpoint varied has no production variant red."),
        ({"EndpointName": "idle"}, "Endpoint idle has no production variant with a weight above 0."),
    ],
)
def test_a_request_that_reaches_no_variant_is_a_validation_error(client, arguments, message):
    assert refused(client, BUFFERED, **arguments) == (400, "ValidationError", message)
