"""Who may call the deployed API, and how often."""

import time

import pytest

from tests.e2e.deployed_cloud import Cloud

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/nowhere"])
def test_without_a_key_nothing_answers(cloud: Cloud, path: str) -> None:
    answer = cloud.ask("GET", path, key=None)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["code"] == "missing_api_key"
    assert "Authorization: Bearer" in answer.json()["error"]["message"]


@pytest.mark.parametrize("header", ["Bearer short", "Basic dXNlcjpwYXNzd29yZC1vZi10aGUtdXNlcg==", "nonsense"])
def test_a_key_of_the_wrong_form_is_a_401(cloud: Cloud, header: str) -> None:
    answer = cloud.ask("GET", "/health", key=None, headers={"Authorization": header})
    assert (answer.status, answer.json()["error_type"]) == (401, "missing_api_key")


def test_a_key_that_nobody_has_is_a_401(cloud: Cloud) -> None:
    answer = cloud.ask("GET", "/health", key="a" * 40)
    assert (answer.status, answer.json()["error_type"]) == (401, "invalid_api_key")
    assert "unknown, disabled, or not in a usage plan" in answer.json()["error"]["message"]


def test_the_scheme_may_be_written_small(cloud: Cloud) -> None:
    answer = cloud.ask("GET", "/health", key=None, headers={"Authorization": f"bearer {cloud.api_key}"})
    assert answer.status == 200


def test_a_key_in_another_header_does_not_count(cloud: Cloud) -> None:
    answer = cloud.ask("GET", "/health", key=None, headers={"X-Api-Key": cloud.api_key})
    assert answer.status == 401


def test_outside_of_the_stage_it_is_forbidden(cloud: Cloud) -> None:
    connection = cloud.connect()
    connection.request("GET", "/health", headers={"Authorization": f"Bearer {cloud.api_key}"})
    response = connection.getresponse()
    assert (response.status, response.read()) == (403, b'{"message":"Forbidden"}')
    connection.close()


def test_too_many_requests_at_once_are_a_429_until_the_bucket_fills_again(cloud: Cloud) -> None:
    cloud.pace.take(12)
    answers = [cloud.ask("GET", "/v1/models", paced=False) for _ in range(60)]
    throttled = [answer for answer in answers if answer.status == 429]
    assert {answer.status for answer in answers} == {200, 429}
    assert throttled[0].json()["error"]["code"] == "rate_limit_exceeded"
    assert throttled[0].headers["retry-after"] == "1"
    time.sleep(2)
    assert cloud.ask("GET", "/v1/models", paced=False).status == 200
