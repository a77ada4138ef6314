"""Request validation."""

import pytest

from local.apigateway.api import Integration, Method
from local.apigateway.responses import GatewayError
from local.apigateway.validation import validate

INTEGRATION = Integration(function_name="f", stream=False, timeout_seconds=29)
SCHEMA = {"type": "object", "required": ["inputs"], "properties": {"inputs": {"type": "string", "minLength": 2}}}


def method(verb: str, **options: object) -> Method:
    return Method(verb=verb, integration=INTEGRATION, **options)  # type: ignore[arg-type]


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
    assert (raised.value.kind, raised.value.message) == ("BAD_REQUEST_BODY", "Invalid request body")
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
    assert (raised.value.kind, raised.value.message) == (
        "BAD_REQUEST_PARAMETERS",
        "Missing required request parameters: [X-A, b]",
    )
    validate(checked, {"x-a": "1"}, {"b": "1"}, {"c": "1"}, b"")
