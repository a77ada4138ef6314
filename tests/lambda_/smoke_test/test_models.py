"""Which responses pass, which are asked for again, and what the failure says."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from smoke_test import models, report

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.likely_causes import likely_causes
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointRequest
from tests.lambda_.smoke_test.cloud_double import (
    CloudDouble,
    Invoke,
    completion,
    error,
    lambda_error,
    streamed,
    unstreamed,
)
from tests.lambda_.smoke_test.conftest import Deployment

GOOD = Invoke(streamed(completion()))
CONSOLE = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/"


def function_error(name: str = "Function.ConfigError") -> Invoke:
    body = json.dumps({"errorType": name, "errorMessage": "The function failed."}).encode()
    return Invoke(body, headers={"X-Amz-Function-Error": "Unhandled"})


@pytest.mark.parametrize(
    "body",
    [
        completion("x", None),
        completion("", 1),
        completion("x", "3"),
        completion("x", 0),
        completion("x", True),
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}}]},
    ],
)
def test_a_text_or_a_token_without_one_is_enough(deployment: Deployment, cloud: CloudDouble, body: object) -> None:
    cloud.replies["llama"] = [Invoke(unstreamed(body))]
    deployment.send()
    assert cloud.answer["Status"] == "SUCCESS"


TARGETS = {
    "llama at Team/Vllm": {"Model": "llama", "Target": "Team/Vllm"},
    "llama at Team/Copy": {"Model": "llama", "Target": "Team/Copy", "Function": "mirror"},
    "llama (variant trial)": {"Model": "llama", "Variant": "trial", "Of": "llama"},
}


def test_targets_and_variants_are_named_and_a_mirror_is_asked_by_its_function(
    deployment: Deployment, cloud: CloudDouble
) -> None:
    cloud.replies["llama"] = [GOOD]
    deployment.send(properties={"Test": {"Models": [*TARGETS], "Targets": TARGETS}})
    assert cloud.answer["Status"] == "SUCCESS"
    asked = [dict(event["tgi_endpoint"]["smoke_test"], seconds=0) for event in cloud.invoked]
    assert asked == [
        {"model": "llama", "seconds": 0, "target": "Team/Vllm"},
        {"model": "llama", "seconds": 0, "target": "Team/Copy"},
        {"model": "llama", "seconds": 0, "variant": "trial"},
    ]
    assert [path.split("/")[3] for path in cloud.paths] == ["front-door", "mirror", "front-door"]
    assert [line["model"] for line in deployment.log() if "model" in line] == [*TARGETS]


def test_a_failure_names_the_target_and_shows_the_log_and_the_causes_of_the_endpoint(
    deployment: Deployment, cloud: CloudDouble
) -> None:
    cloud.replies["llama"] = [Invoke(streamed(error("upstream"), 400))]
    deployment.send(properties={"Test": {"Models": ["llama (variant trial)"], "Targets": TARGETS}})
    reason = cloud.answer["Reason"]
    assert reason.startswith("Smoke test: llama (variant trial) returned no token, asked once. Last: 400 upstream")
    assert "1. The memory is tight." in reason
    assert "$252Faws$252Fsagemaker$252FEndpoints$252Fllama" in reason


@pytest.mark.parametrize(
    "payload",
    [
        streamed(completion("", 0)),
        streamed({"choices": []}),
        streamed({"choices": [7], "usage": 7}),
        streamed({"choices": [{"message": {"content": ""}}]}),
        streamed({"choices": [{"message": "x"}]}),
        streamed(["x"]),
        streamed(None),
        unstreamed({"usage": {"completion_tokens": -1}}),
        streamed(completion())[:-30],
    ],
)
def test_a_response_without_a_token_fails_at_once(deployment: Deployment, cloud: CloudDouble, payload: bytes) -> None:
    cloud.replies["llama"] = [Invoke(payload)]
    deployment.send()
    assert cloud.answer["Status"] == "FAILED"
    assert cloud.answer["Reason"].startswith(
        "Smoke test: llama returned no token, asked once. Last: 200 no_token: The response has no token."
    )
    assert len(cloud.invoked) == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"\0" * 8,
        b"\0" * 16,
        b'{"statusCode": "x"}' + b"\0" * 8 + b"{}",
        b'{"statusCode": 200}',
        b'{"statusCode": 200, "body": null}',
        b'{"statusCode": 200, "body": "x", "isBase64Encoded": true}',
        b"[" * 100_000,
        b"<html></html>",
    ],
)
def test_garbage_fails_at_once(deployment: Deployment, cloud: CloudDouble, payload: bytes) -> None:
    cloud.replies["llama"] = [Invoke(payload)]
    deployment.send()
    assert cloud.answer["Reason"].startswith(
        "Smoke test: llama returned no token, asked once. Last: no_response: The front door's function returned no HTTP"
        " response. Likeliest causes: "
    )


def test_a_body_in_base64_is_read(deployment: Deployment, cloud: CloudDouble) -> None:
    body = {"statusCode": 200, "body": "eyJjaG9pY2VzIjpbeyJ0ZXh0IjoieCJ9XX0=", "isBase64Encoded": True}
    cloud.replies["llama"] = [Invoke(json.dumps(body).encode())]
    deployment.send()
    assert cloud.answer["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    "reply",
    [
        Invoke(streamed(error("overloaded"), 429)),
        Invoke(streamed(error("not_ready"), 503)),
        Invoke(unstreamed(error("timeout"), 504)),
        Invoke(streamed(error("permission"), 502)),
        Invoke(streamed(error("internal"), 500)),
        Invoke(streamed(completion()), breaks=True),
        function_error(),
        lambda_error(429, "TooManyRequestsException"),
        lambda_error(502, "EC2ThrottledException"),
        lambda_error(403, "AccessDeniedException"),
        lambda_error(404, "ResourceNotFoundException"),
        lambda_error(409, "ResourceConflictException"),
        lambda_error(500, "ServiceException"),
    ],
)
def test_what_may_pass_is_asked_for_again(deployment: Deployment, cloud: CloudDouble, reply: Invoke) -> None:
    cloud.replies["llama"] = [reply, reply, GOOD]
    deployment.send()
    assert cloud.answer["Status"] == "SUCCESS"
    assert len(cloud.invoked) == 3
    line = next(line for line in deployment.log() if line["message"] == "answers")
    assert (line["model"], line["generated_tokens"], line["attempts"]) == ("llama", 3, 3)


@pytest.mark.parametrize(
    "reply",
    [
        Invoke(streamed(error("permission"), 502)),
        function_error(),
        lambda_error(403, "AccessDeniedException"),
    ],
)
def test_what_only_a_new_role_or_function_explains_is_not_asked_for_long(
    deployment: Deployment, cloud: CloudDouble, monkeypatch: pytest.MonkeyPatch, reply: Invoke
) -> None:
    monkeypatch.setattr(models, "SETTLING_SECONDS", 1.0)
    cloud.replies["llama"] = [reply]
    began = time.monotonic()
    deployment.send()
    assert cloud.answer["Status"] == "FAILED"
    assert 1.0 < time.monotonic() - began < 30
    assert len(cloud.invoked) > 1


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (Invoke(streamed(error("validation"), 422)), "422 validation: A message."),
        (
            Invoke(streamed(error("generation", "CUDA out of memory", "ModelError 424"), 424)),
            "424 generation (ModelError 424): CUDA out of memory",
        ),
        (Invoke(unstreamed(error("model_not_found"), 404)), "404 model_not_found: A message."),
        (Invoke(streamed("x", 400)), "400 unknown: The response is not an error of the front door."),
        (lambda_error(413, "RequestTooLargeException"), "413 RequestTooLargeException: Lambda: Lambda's message."),
    ],
)
def test_what_cannot_pass_fails_at_once(deployment: Deployment, cloud: CloudDouble, reply: Invoke, shown: str) -> None:
    cloud.replies["llama"] = [reply]
    deployment.send()
    assert cloud.answer["Reason"].startswith(f"Smoke test: llama returned no token, asked once. Last: {shown}")
    assert len(cloud.invoked) == 1


def test_a_model_that_is_never_ready_fails_at_the_deadline(deployment: Deployment, cloud: CloudDouble) -> None:
    cloud.replies["llama"] = [Invoke(streamed(error("not_ready", "The model is being loaded."), 503))]
    began = time.monotonic()
    deployment.send(properties={"Timeout": "2"})
    assert 1.8 < time.monotonic() - began < 30
    shown = r"asked \d+ times in \d+ s\. Last: 503 not_ready: The model is being loaded\."
    assert re.search(shown, cloud.answer["Reason"])


def test_each_attempt_gets_the_time_that_is_left(deployment: Deployment, cloud: CloudDouble) -> None:
    cloud.replies["llama"] = [GOOD]
    deployment.send(properties={"Timeout": "20"}, seconds=600)
    deployment.send(seconds=600)
    first, second = (event["tgi_endpoint"]["smoke_test"]["seconds"] for event in cloud.invoked)
    assert 18 < first <= 20
    assert second == 50


def test_a_lambda_that_cannot_be_reached_is_tried_until_the_deadline(
    deployment: Deployment, cloud: CloudDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    deployment.send(properties={"Timeout": "2"})
    assert "Last: EndpointConnectionError: Lambda could not be reached." in cloud.answer["Reason"]


def test_every_model_is_tested_and_those_that_are_not_ready_in_turns(
    deployment: Deployment, cloud: CloudDouble
) -> None:
    busy = Invoke(streamed(error("not_ready"), 503))
    cloud.replies = {"a": [busy, busy, GOOD], "b": [GOOD], "c": [busy, GOOD]}
    deployment.send(properties={"Test": {"Models": ["a", "b", "c"]}})
    assert cloud.answer["Status"] == "SUCCESS"
    assert cloud.asked() == ["a", "b", "c", "a", "c", "a"]


def test_one_of_several_fails(deployment: Deployment, cloud: CloudDouble) -> None:
    cloud.replies = {"a": [GOOD], "b": [Invoke(streamed(error("generation", "CUDA error"), 424))], "c": [GOOD]}
    deployment.send(properties={"Test": {"Models": ["a", "b", "c"]}})
    assert cloud.answer["Reason"].startswith(
        "Smoke test: b returned no token, asked once. Last: 424 generation: CUDA error. Without an answer as well: c."
    )
    assert cloud.asked() == ["a", "b"]


def test_the_reason_has_the_causes_and_links_to_both_logs(deployment: Deployment, cloud: CloudDouble) -> None:
    cloud.replies["llama"] = [Invoke(streamed(error("generation", "CUDA error", "ModelError 424"), 424))]
    deployment.send()
    assert cloud.answer["Reason"] == (
        "Smoke test: llama returned no token, asked once. Last: 424 generation (ModelError 424): CUDA error."
        " Likeliest causes: 1. The memory is tight. 2. The host's driver is too old. 3. The image is another engine's."
        f" Log of the front door: {CONSOLE}Stack-Logs-1"
        f" Log of the model: {CONSOLE}$252Faws$252Fsagemaker$252FEndpoints$252Fllama"
    )


@pytest.mark.parametrize(
    ("partition", "link"),
    [
        ("aws-cn", "https://eu-west-1.console.amazonaws.cn/cloudwatch/home"),
        ("aws-us-gov", "https://eu-west-1.console.amazonaws-us-gov.com/cloudwatch/home"),
        ("aws-iso", "Log of the front door: Stack-Logs-1 Log of the model: /aws/sagemaker/Endpoints/llama"),
    ],
)
def test_the_links_are_those_of_the_partition(
    deployment: Deployment, cloud: CloudDouble, partition: str, link: str
) -> None:
    cloud.replies["llama"] = [Invoke(streamed(error("x"), 400))]
    stack = f"arn:{partition}:cloudformation:eu-west-1:111122223333:stack/S/1"
    deployment.send(StackId=stack)
    assert link in cloud.answer["Reason"]


@pytest.mark.parametrize("letter", ["x", "é", "漢", "😀", '"'])
def test_the_reason_stays_below_the_limit_and_keeps_the_links(
    deployment: Deployment, cloud: CloudDouble, letter: str
) -> None:
    cloud.replies = {name: [Invoke(streamed(error("x", letter * 3000, letter * 900), 400))] for name in ("a", "b")}
    causes = [letter * 200, letter * 200, letter * 200]
    properties: dict[str, Any] = {
        "Test": {"Models": ["a", *(f"model-{number:060}" for number in range(20))]},
        "Logs": {"a": "/aws/sagemaker/Endpoints/" + "e" * 63},
        "FrontDoorLogs": "g" * 200,
        "Causes": {"a": causes},
    }
    deployment.send(properties=properties)
    reason = cloud.answer["Reason"]
    assert len(reason.encode()) <= report.MAX_BYTES < 1500
    assert len(json.dumps(cloud.answer, ensure_ascii=False).encode()) < 4096
    assert reason.endswith("e" * 63)
    assert f"{CONSOLE}{'g' * 200}" in reason


def test_a_message_of_ordinary_length_has_room_for_three_causes_of_200_characters(
    deployment: Deployment, cloud: CloudDouble
) -> None:
    cloud.replies["llama"] = [Invoke(streamed(error("not_ready", "m" * 80), 400))]
    causes = [letter * 200 for letter in "abc"]
    logs = {"llama": "/aws/sagemaker/Endpoints/EndpointEEF1FD8F-ABCDEFGHIJKL"}
    group = "LlamaTgiStack-FrontDoorFunctionLogs4069694D-ABCDEFGHIJKL"
    deployment.send(properties={"Causes": {"llama": causes}, "Logs": logs, "FrontDoorLogs": group})
    assert all(cause in cloud.answer["Reason"] for cause in causes)


def test_without_causes_and_logs_the_reason_is_what_happened(deployment: Deployment, cloud: CloudDouble) -> None:
    cloud.replies["llama"] = [Invoke(streamed(error("x"), 400))]
    deployment.send(properties={"Causes": {}, "Logs": {}, "FrontDoorLogs": ""})
    assert cloud.answer["Reason"] == "Smoke test: llama returned no token, asked once. Last: 400 x: A message."


def test_the_reason_in_the_documentation_is_what_is_reported(deployment: Deployment, cloud: CloudDouble) -> None:
    text = (Path(__file__).parents[3] / "docs" / "how-to" / "updates.md").read_text(encoding="utf-8")
    example = re.search(r"^```\n(Smoke test: .*?)^```", text, re.MULTILINE | re.DOTALL)
    assert example is not None
    asked = EndpointRequest(
        engine=TGI,
        model=ModelChoice(source="hub", hub_id="meta-llama/Llama-3.1-8B-Instruct", has_token=True),
        instance=InstanceType.G5_2XLARGE,
        options=TgiOptions(max_input_tokens=12288, max_total_tokens=16384),
    )
    message = "Request failed during generation: Server error: CUDA out of memory"
    cloud.replies["llama"] = [Invoke(streamed(error("generation", message, "ModelError 424"), 424))]
    deployment.send(
        properties={
            "Causes": {"llama": list(likely_causes(asked, plan(asked)))},
            "FrontDoorLogs": "LlamaTgiStack-FrontDoorFunctionLogs4069694D-TH1rEXaMPLe2",
            "Logs": {"llama": "/aws/sagemaker/Endpoints/EndpointEEF1FD8F-TH1rEXaMPLe2"},
        }
    )
    assert cloud.answer["Reason"] == " ".join(example[1].split())
