"""Unit tests of usage plans, request validation and gateway responses."""

import json
from datetime import UTC, datetime

import pytest

from local.apigateway.api import (
    ApiKey,
    GatewayResponse,
    Integration,
    Method,
    Quota,
    Resource,
    RestApi,
    Throttle,
    UsagePlan,
)
from local.apigateway.context import Context
from local.apigateway.responses import GatewayError, render
from local.apigateway.usage import Usage
from local.apigateway.validation import validate

INTEGRATION = Integration(function_name="f", stream=False, timeout_seconds=29)
SCHEMA = {"type": "object", "required": ["inputs"], "properties": {"inputs": {"type": "string", "minLength": 2}}}


def method(verb: str, **options: object) -> Method:
    return Method(verb=verb, integration=INTEGRATION, **options)  # type: ignore[arg-type]


def api(**options: object) -> RestApi:
    defaults = {
        "id": "abc",
        "region": "us-east-1",
        "account": "1",
        "partition": "aws",
        "url_suffix": "amazonaws.com",
        "stage": "prod",
        "root": Resource("root", "/"),
    }
    return RestApi(**{**defaults, **options})  # type: ignore[arg-type]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def usage(clock: Clock, *, throttle: Throttle | None = None, quota: Quota | None = None, day: int = 1) -> Usage:
    plan = UsagePlan(id="p", throttle=throttle, quota=quota, key_ids=frozenset({"k", "k2", "off"}))
    keys = [
        ApiKey(id="k", value="one"),
        ApiKey(id="k2", value="two"),
        ApiKey(id="alone", value="unplanned"),
        ApiKey(id="off", value="disabled", enabled=False),
    ]
    moments = {"today": datetime(2026, 11, day, tzinfo=UTC)}
    return Usage(api(keys=keys, plans=[plan]), clock=clock, today=lambda: moments["today"])


def kind_of(raised: pytest.ExceptionInfo[GatewayError]) -> tuple[str, str]:
    return raised.value.kind, raised.value.message


@pytest.mark.parametrize("value", [None, "", "wrong", "unplanned", "disabled"])
def test_a_key_without_a_usage_plan_is_forbidden(value: str | None) -> None:
    with pytest.raises(GatewayError) as raised:
        usage(Clock()).admit_key(value)
    assert kind_of(raised) == ("INVALID_API_KEY", "Forbidden")


def test_a_burst_passes_and_then_the_rate_applies_per_key() -> None:
    clock = Clock()
    keys = usage(clock, throttle=Throttle(rate=2, burst=3))
    for _ in range(3):
        keys.admit_key("one")
    with pytest.raises(GatewayError) as raised:
        keys.admit_key("one")
    assert kind_of(raised) == ("THROTTLED", "Too Many Requests")
    keys.admit_key("two")
    clock.now = 0.5
    keys.admit_key("one")
    with pytest.raises(GatewayError):
        keys.admit_key("one")
    clock.now = 1000
    for _ in range(3):
        keys.admit_key("one")
    with pytest.raises(GatewayError):
        keys.admit_key("one")


@pytest.mark.parametrize(
    ("period", "same", "later"),
    [
        ("DAY", (2026, 11, 3), (2026, 11, 4)),
        ("WEEK", (2026, 11, 7), (2026, 11, 8)),
        ("MONTH", (2026, 11, 30), (2026, 12, 1)),
    ],
)
def test_a_quota_applies_until_the_end_of_its_period(
    period: str, same: tuple[int, int, int], later: tuple[int, int, int]
) -> None:
    moment = {"now": datetime(2026, 11, 3, tzinfo=UTC)}
    plan = UsagePlan(id="p", throttle=None, quota=Quota(limit=2, period=period), key_ids=frozenset({"k"}))
    keys = Usage(api(keys=[ApiKey(id="k", value="one")], plans=[plan]), today=lambda: moment["now"])
    keys.admit_key("one")
    moment["now"] = datetime(*same, tzinfo=UTC)
    keys.admit_key("one")
    with pytest.raises(GatewayError) as raised:
        keys.admit_key("one")
    assert kind_of(raised) == ("QUOTA_EXCEEDED", "Limit Exceeded")
    moment["now"] = datetime(*later, tzinfo=UTC)
    keys.admit_key("one")


def test_the_most_specific_throttling_of_the_stage_applies() -> None:
    limits = {"/generate/POST": Throttle(rate=0, burst=1), "*/*": Throttle(rate=0, burst=2)}
    keys = Usage(api(method_throttle=limits))
    keys.admit_method("/generate", "POST")
    with pytest.raises(GatewayError):
        keys.admit_method("/generate", "POST")
    keys.admit_method("/health", "GET")


POST = method("POST", validate_body=True, models={"application/json": SCHEMA})


@pytest.mark.parametrize(
    "headers", [{}, {"content-type": "application/json"}, {"content-type": "Application/JSON; a=b"}]
)
@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b"{", "[body is not JSON]"),
        (b'{"inputs":' + b"[" * 100_000, "[body is not JSON]"),
        (b"", '[object has missing required properties (["inputs"])]'),
        (b'{"inputs": 1}', '[instance type (integer) does not match any allowed primitive type (allowed: ["string"])]'),
        (b'{"inputs": "x"}', '[instance "/inputs" does not satisfy the keyword "minLength"]'),
        (b"[]", '[instance type (array) does not match any allowed primitive type (allowed: ["object"])]'),
    ],
)
def test_an_invalid_body_is_rejected_without_repeating_its_values(
    headers: dict[str, str], body: bytes, errors: str
) -> None:
    with pytest.raises(GatewayError) as raised:
        validate(POST, headers, {}, {}, body)
    assert kind_of(raised) == ("BAD_REQUEST_BODY", "Invalid request body")
    assert raised.value.validation == errors


def test_a_body_of_a_content_type_without_a_model_is_not_validated() -> None:
    validate(POST, {"content-type": "text/plain"}, {}, {}, b"anything")


def test_a_valid_body_passes() -> None:
    validate(POST, {}, {}, {}, b'{"inputs": "hello"}')


def test_all_missing_required_parameters_are_listed() -> None:
    parameters = {
        "method.request.header.X-A": True,
        "method.request.querystring.b": True,
        "method.request.path.c": True,
        "method.request.header.X-Optional": False,
    }
    checked = method("GET", validate_parameters=True, parameters=parameters)
    with pytest.raises(GatewayError) as raised:
        validate(checked, {}, {}, {"c": "1"}, b"")
    assert kind_of(raised) == ("BAD_REQUEST_PARAMETERS", "Missing required request parameters: [X-A, b]")
    validate(checked, {"x-a": "1"}, {"b": "1"}, {"c": "1"}, b"")


def test_the_default_gateway_response_has_awss_format() -> None:
    rest = api()
    response = render(GatewayError("THROTTLED", "Too Many Requests"), rest, Context(rest), {})
    assert (response.status, json.loads(response.body)) == (429, {"message": "Too Many Requests"})
    assert response.headers["x-amzn-ErrorType"] == "TooManyRequestsException"


def test_a_gateway_response_sets_status_headers_and_body() -> None:
    custom = GatewayResponse(
        status=418,
        headers={"Retry-After": "'1'", "X-Request": "context.requestId", "X-Echo": "method.request.header.X-Me"},
        templates={"application/json": '{"error":$context.error.messageString,"kind":"$context.error.responseType"}'},
    )
    rest = api(gateway_responses={"THROTTLED": custom})
    context = Context(rest)
    response = render(GatewayError("THROTTLED", 'Too "Many"'), rest, context, {"x-me": "me"})
    assert response.status == 418
    assert json.loads(response.body) == {"error": 'Too "Many"', "kind": "THROTTLED"}
    assert response.headers["Retry-After"] == "1"
    assert response.headers["X-Request"] == context.request_id
    assert response.headers["X-Echo"] == "me"


def test_a_header_whose_source_is_missing_in_the_request_is_omitted() -> None:
    custom = GatewayResponse(
        status=None,
        headers={"Access-Control-Allow-Origin": "method.request.header.Origin", "Vary": "'Origin'"},
        templates={},
    )
    rest = api(gateway_responses={"DEFAULT_4XX": custom})
    error = GatewayError("UNAUTHORIZED", "Unauthorized")
    assert "Access-Control-Allow-Origin" not in render(error, rest, Context(rest), {}).headers
    response = render(error, rest, Context(rest), {"origin": "https://app.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert response.headers["Vary"] == "Origin"


def test_the_message_of_access_denied_is_capitalized() -> None:
    rest = api()
    response = render(GatewayError("ACCESS_DENIED", "User is not authorized"), rest, Context(rest), {})
    assert json.loads(response.body) == {"Message": "User is not authorized"}


def test_an_error_can_override_status_and_error_type() -> None:
    rest = api()
    error = GatewayError("INTEGRATION_FAILURE", "x", status=500, error_type="TooManyRequestsException")
    response = render(error, rest, Context(rest), {})
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (500, "TooManyRequestsException")


def test_default_4xx_and_5xx_apply_to_types_without_their_own_response() -> None:
    custom = GatewayResponse(status=None, headers={}, templates={"application/json": '{"e":"$context.nothing"}'})
    rest = api(gateway_responses={"DEFAULT_4XX": custom})
    assert render(GatewayError("INVALID_API_KEY", "Forbidden"), rest, Context(rest), {}).body == b'{"e":""}'
    assert render(GatewayError("INVALID_API_KEY", "Forbidden"), rest, Context(rest), {}).status == 403
    assert b"message" in render(GatewayError("DEFAULT_5XX", "x"), rest, Context(rest), {}).body


def test_the_accept_header_selects_the_template() -> None:
    custom = GatewayResponse(status=None, headers={}, templates={"application/json": "{}", "text/plain": "plain"})
    rest = api(gateway_responses={"DEFAULT_4XX": custom})
    response = render(GatewayError("THROTTLED", "x"), rest, Context(rest), {"accept": "text/html, text/plain;q=0.5"})
    assert (response.body, response.headers["Content-Type"]) == (b"plain", "text/plain")
