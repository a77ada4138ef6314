"""Gateway responses."""

import json

from local.apigateway.api import GatewayResponse
from local.apigateway.context import Context
from local.apigateway.responses import GatewayError, render
from tests.local.apigateway.doubles import minimal_api


def test_the_default_gateway_response_has_awss_format() -> None:
    rest = minimal_api()
    response = render(GatewayError("THROTTLED", "Too Many Requests"), rest, Context(rest), {})
    assert (response.status, json.loads(response.body)) == (429, {"message": "Too Many Requests"})
    assert response.headers["x-amzn-ErrorType"] == "TooManyRequestsException"


def test_a_gateway_response_sets_status_headers_and_body() -> None:
    custom = GatewayResponse(
        status=418,
        headers={"Retry-After": "'1'", "X-Request": "context.requestId", "X-Echo": "method.request.header.X-Me"},
        templates={"application/json": '{"error":$context.error.messageString,"kind":"$context.error.responseType"}'},
    )
    rest = minimal_api(gateway_responses={"THROTTLED": custom})
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
    rest = minimal_api(gateway_responses={"DEFAULT_4XX": custom})
    error = GatewayError("UNAUTHORIZED", "Unauthorized")
    assert "Access-Control-Allow-Origin" not in render(error, rest, Context(rest), {}).headers
    response = render(error, rest, Context(rest), {"origin": "https://app.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert response.headers["Vary"] == "Origin"


def test_a_line_of_the_access_log_is_json_whatever_its_values_are() -> None:
    rest = minimal_api()
    context = Context(rest)
    log_format = '{"message":"$context.error.message","kind":"$context.error.responseType"}'
    assert json.loads(context.render_log_line(log_format)) == {"message": "-", "kind": "-"}
    context.fail("DEFAULT_5XX", 'no "quotes" \\ here\n')
    line = json.loads(context.render_log_line(log_format))
    assert line == {"message": 'no "quotes" \\ here\n', "kind": "DEFAULT_5XX"}


def test_the_message_of_access_denied_is_capitalized() -> None:
    rest = minimal_api()
    response = render(GatewayError("ACCESS_DENIED", "User is not authorized"), rest, Context(rest), {})
    assert json.loads(response.body) == {"Message": "User is not authorized"}


def test_an_error_can_override_status_and_error_type() -> None:
    rest = minimal_api()
    error = GatewayError("INTEGRATION_FAILURE", "x", status=500, error_type="TooManyRequestsException")
    response = render(error, rest, Context(rest), {})
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (500, "TooManyRequestsException")


def test_default_4xx_and_5xx_apply_to_types_without_their_own_response() -> None:
    custom = GatewayResponse(status=None, headers={}, templates={"application/json": '{"e":"$context.nothing"}'})
    rest = minimal_api(gateway_responses={"DEFAULT_4XX": custom})
    assert render(GatewayError("INVALID_API_KEY", "Forbidden"), rest, Context(rest), {}).body == b'{"e":""}'
    assert render(GatewayError("INVALID_API_KEY", "Forbidden"), rest, Context(rest), {}).status == 403
    assert b"message" in render(GatewayError("DEFAULT_5XX", "x"), rest, Context(rest), {}).body


def test_the_accept_header_selects_the_template() -> None:
    custom = GatewayResponse(status=None, headers={}, templates={"application/json": "{}", "text/plain": "plain"})
    rest = minimal_api(gateway_responses={"DEFAULT_4XX": custom})
    response = render(GatewayError("THROTTLED", "x"), rest, Context(rest), {"accept": "text/html, text/plain;q=0.5"})
    assert (response.body, response.headers["Content-Type"]) == (b"plain", "text/plain")
