"""From each error of SageMaker to the client's status and message."""

import json
from typing import Any

import pytest
from front_door.errors import KINDS, ApiError
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.tgi.errors import TGI
from front_door.sagemaker.errors import BY_CODE

from tests.lambda_.conftest import ApiClient
from tests.lambda_.sagemaker_double import Reply, SageMakerDouble, error, plain_response

HI = {"messages": [{"role": "user", "content": "Hi"}]}
NOT_FOUND = "Endpoint llama-endpoint of account 123456789012 not found."
NO_CAPACITY = "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress"
TOO_LONG = "Value at 'body' failed to satisfy constraint: Member must have length less than or equal to 6291456"
TIMED_OUT = "Your invocation timed out while waiting for a response from container primary."


def model_error(status: int, message: object) -> Reply:
    text = message if isinstance(message, str) else json.dumps(message)
    return error(424, "ModelError", Message="m", OriginalStatusCode=status, OriginalMessage=text, LogStreamArn="arn")


# The kind, which is TGI's error_type, and OpenAI's type and code for it.
WORDS = {
    "bad_request": ("invalid_request_error", None),
    "endpoint_not_found": ("server_error", "endpoint_not_found"),
    "generation": ("server_error", "generation"),
    "incomplete_generation": ("server_error", "incomplete_generation"),
    "no_capacity": ("server_error", "no_capacity"),
    "not_ready": ("server_error", "not_ready"),
    "overloaded": ("rate_limit_error", "rate_limit_exceeded"),
    "permission": ("server_error", "upstream_permission"),
    "timeout": ("server_error", "timeout"),
    "too_large": ("invalid_request_error", "request_too_large"),
    "unavailable": ("server_error", "unavailable"),
    "upstream": ("server_error", "upstream_error"),
    "validation": ("invalid_request_error", None),
}


def tgi_error(status: int, message: str, kind: str) -> Reply:
    return model_error(status, {"error": message, "error_type": kind})


# SageMaker's response, then the client's status, the kind, and Retry-After.
ROWS: list[tuple[Reply, int, str, str | None]] = [
    (error(400, "ThrottlingException", message="Rate exceeded"), 429, "overloaded", "1"),
    (error(429, "TooManyRequestsException"), 429, "overloaded", "1"),
    (error(429, "ModelNotReadyException", Message="m"), 503, "not_ready", "10"),
    (error(503, "ServiceUnavailable", Message="m"), 503, "unavailable", "2"),
    (error(500, "InternalFailure", Message="m"), 502, "upstream", None),
    (error(530, "InternalDependencyException"), 502, "upstream", None),
    (error(400, "ValidationError", Message=NO_CAPACITY), 503, "no_capacity", "30"),
    (error(400, "ValidationError", Message=NOT_FOUND), 503, "endpoint_not_found", "30"),
    (error(400, "ValidationError", Message=TOO_LONG), 413, "too_large", None),
    (error(400, "ValidationError", Message="?"), 502, "upstream", None),
    (error(403, "AccessDeniedException", Message="User: arn"), 502, "permission", None),
    (error(403, "ExpiredTokenException"), 502, "permission", None),
    (plain_response(b"<html>", 503), 503, "unavailable", "2"),
    (plain_response(b"", 500), 502, "upstream", None),
    (plain_response(b'{"__type":"com.amazon#ThrottlingException"}', 400), 429, "overloaded", "1"),
    (model_error(0, ""), 504, "timeout", None),
    (error(424, "ModelError", Message=TIMED_OUT), 504, "timeout", None),
    (error(424, "ModelError", Message="m"), 502, "upstream", None),
    (model_error(503, "busy"), 503, "unavailable", "2"),
    (tgi_error(429, "Model is overloaded", "overloaded"), 429, "overloaded", "1"),
    (tgi_error(422, "Input validation error: x", "validation"), 422, "validation", None),
    (tgi_error(424, "Request failed during generation", "generation"), 424, "generation", None),
    (tgi_error(500, "Incomplete generation", "incomplete_generation"), 500, "incomplete_generation", None),
    (model_error(413, "Failed to buffer the request body: length limit exceeded"), 413, "too_large", None),
    (model_error(422, "data did not match any variant"), 422, "validation", None),
    (model_error(500, "Internal Server Error"), 502, "upstream", None),
    (Reply([], then="close"), 502, "upstream", None),
    (Reply([], then="reset"), 502, "upstream", None),
    (Reply([b"SSH-2.0-OpenSSH\r\n"], then="close"), 502, "upstream", None),
]


@pytest.mark.parametrize("row", range(len(ROWS)))
@pytest.mark.parametrize("streamed", [False, True])
def test_each_error_has_its_status_and_message(
    api: ApiClient, sagemaker: SageMakerDouble, row: int, streamed: bool
) -> None:
    reply, status, kind, retry_after = ROWS[row]
    sagemaker.replies, sagemaker.repeats = [reply], True
    tgi = api.send("/generate_stream" if streamed else "/generate", {"inputs": "Hi"})
    assert (tgi.status, tgi.json()["error_type"]) == (status, kind)
    assert isinstance(tgi.json()["error"], str)
    openai = api.send("/v1/chat/completions", {**HI, "stream": streamed})
    # TGI's status for an invalid request is 422, OpenAI's is 400.
    assert (openai.status, openai.json()["error_type"]) == (400 if status == 422 else status, kind)
    result = openai.json()["error"]
    assert (result["type"], result["code"], result["param"]) == (*WORDS[kind], None)
    assert result["message"] == tgi.json()["error"] != ""
    for answer in (tgi, openai):
        assert answer.headers.get("Retry-After") == retry_after
        assert answer.headers["Content-Type"] == "application/json"
        assert "123456789012" not in answer.body.decode()
        assert "llama-endpoint" not in answer.body.decode()


def test_every_code_of_the_table_has_a_kind() -> None:
    assert {kind for kind, _ in BY_CODE.values()} <= set(KINDS)


def test_every_error_that_botocore_models_is_in_the_table() -> None:
    import botocore.session

    model = botocore.session.Session().get_service_model("sagemaker-runtime")
    operations = [model.operation_model(name) for name in ("InvokeEndpoint", "InvokeEndpointWithResponseStream")]
    codes = {shape.name for operation in operations for shape in operation.error_shapes}
    by_their_members = {"ModelError", "ModelStreamError", "ValidationError"}
    assert codes - by_their_members <= set(BY_CODE)


def test_the_containers_json_is_passed_on_unchanged(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    own: dict[str, Any] = {"error": "Input validation error: é", "error_type": "validation", "more": 1}
    theirs = {"error": {"message": "m", "type": "t", "param": "p", "code": 5}}
    sagemaker.replies += [model_error(422, own), model_error(400, theirs), model_error(400, theirs)]
    assert api.send("/generate", {"inputs": "Hi"}).json() == own
    assert api.send("/v1/chat/completions", HI).json() == theirs
    assert api.send("/generate", {"inputs": "Hi"}).json() == {"error": "m", "error_type": "bad_request"}


def test_sagemaker_that_cannot_be_reached_is_503(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.close()
    answer = api.send("/generate", {"inputs": "Hi"})
    assert (answer.status, answer.headers["Retry-After"], answer.json()["error_type"]) == (503, "2", "unavailable")


def test_an_error_event_has_the_form_of_its_protocol() -> None:
    failure = ApiError("timeout", "Too\nlate")
    assert TGI.error_event(failure) == b'data: {"error":"Too\\nlate","error_type":"timeout"}\n\n'
    assert OPENAI.error_event(failure).endswith(b'"error_type":"timeout"}\n\ndata: [DONE]\n\n')


def test_missing_credentials_are_an_upstream_error(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    answer = api.send("/generate", {"inputs": "Hi"})
    assert (answer.status, answer.json()["error_type"]) == (502, "permission")
    assert api.log()[0]["cause"] == "no credentials"


def test_credentials_come_from_botocore_if_lambda_sets_none(
    api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    sagemaker.replies.append(error(500, "InternalFailure"))
    api.send("/generate", {"inputs": "Hi"})
    assert "Credential=AKIDFILE/" in sagemaker.received[0].headers["authorization"]
