"""Authentication and throttling of the deployed API."""

import time

import pytest

from tests.e2e.deployed_cloud import Cloud

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/nowhere"])
def test_a_request_without_a_key_is_a_401(cloud: Cloud, path: str) -> None:
    response = cloud.request("GET", path, key=None)
    assert (response.status, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.headers["x-request-id"] == response.headers["x-amzn-requestid"]
    assert response.json() == rejected(MISSING)


HINT = "Send your API key in the header 'Authorization: Bearer <key>'."
MISSING = f"The request carries no API key. {HINT} Anthropic's clients may send it in 'x-api-key' to /v1/messages."


UNKNOWN = "The API key is unknown, disabled, or not in a usage plan of this API."


def rejected(message: str) -> dict[str, object]:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
    return {"type": "error", "error": error, "error_type": "invalid_api_key"}


@pytest.mark.parametrize("header", ["Bearer", "Basic dXNlcjpwYXNzd29yZC1vZi10aGUtdXNlcg==", "nonsense"])
def test_a_header_without_a_key_is_a_401(cloud: Cloud, header: str) -> None:
    response = cloud.request("GET", "/health", key=None, headers={"Authorization": header})
    assert (response.status, response.json()) == (401, rejected(MISSING))


@pytest.mark.parametrize("key", ["a" * 40, "short", "sk-with a space in it that no key has", "a" * 200, "ключ"])
def test_an_unknown_key_is_a_401_whatever_its_form(cloud: Cloud, key: str) -> None:
    header = f"Bearer {key}".encode().decode("latin-1")
    response = cloud.request("GET", "/health", key=None, headers={"Authorization": header})
    assert (response.status, response.json()) == (401, rejected(f"{UNKNOWN} {HINT}"))
    assert response.headers["x-request-id"] == response.headers["x-amzn-requestid"]


def test_the_authorization_scheme_is_case_insensitive(cloud: Cloud) -> None:
    response = cloud.request("GET", "/health", key=None, headers={"Authorization": f"bearer {cloud.api_key}"})
    assert response.status == 200


@pytest.mark.parametrize("path", ["/health", "/v1/chat/completions", "/v1/messages/batches"])
def test_a_key_in_another_header_is_ignored(cloud: Cloud, path: str) -> None:
    response = cloud.request("GET", path, key=None, headers={"X-Api-Key": cloud.api_key})
    assert response.status == 401


MESSAGE = {"model": "llama", "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize("path", ["/v1/messages", "/models/llama/v1/messages"])
@pytest.mark.parametrize("header", ["X-Api-Key: {}", "x-api-key: {}", "Authorization: Bearer {}"])
def test_anthropics_routes_take_the_key_in_either_header(cloud: Cloud, path: str, header: str) -> None:
    name, _, value = header.format(cloud.api_key).partition(": ")
    response = cloud.request("POST", path, MESSAGE, key=None, headers={name: value})
    assert (response.status, response.json()["type"]) == (200, "message")
    assert response.headers["request-id"] == response.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, MISSING),
        ({"X-Api-Key": "sk-ant-of-another-service"}, f"{UNKNOWN} {HINT}"),
        ({"Authorization": f"Bearer {'a' * 40}"}, f"{UNKNOWN} {HINT}"),
    ],
)
def test_an_unknown_key_of_anthropics_clients_is_a_401_in_a_form_that_they_read(
    cloud: Cloud, headers: dict[str, str], message: str
) -> None:
    response = cloud.request("POST", "/v1/messages", MESSAGE, key=None, headers=headers)
    assert (response.status, response.json()) == (401, rejected(message))
    assert response.headers["request-id"] == response.headers["x-amzn-requestid"]


def test_paths_outside_the_stage_are_forbidden(cloud: Cloud) -> None:
    connection = cloud.connect()
    connection.request("GET", "/health", headers={"Authorization": f"Bearer {cloud.api_key}"})
    response = connection.getresponse()
    assert (response.status, response.read()) == (403, b'{"message":"Forbidden"}')
    connection.close()


def test_too_many_requests_are_a_429_until_the_token_bucket_refills(cloud: Cloud) -> None:
    cloud.limiter.take(12)
    responses = [cloud.request("GET", "/v1/models", limited=False) for _ in range(60)]
    throttled = [response for response in responses if response.status == 429]
    assert {response.status for response in responses} == {200, 429}
    assert throttled[0].json()["error"]["code"] == "rate_limit_exceeded"
    assert throttled[0].json()["error_type"] == "overloaded"
    assert throttled[0].headers["retry-after"] == "1"
    time.sleep(2)
    assert cloud.request("GET", "/v1/models", limited=False).status == 200
