"""What CloudFormation is told, for each request and whatever happens."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from smoke_test import answer, handler, models
from smoke_test.answer import AnswerError

from tests.lambda_.smoke_test.cloud_double import (
    SIGNATURE,
    STACK_ID,
    CloudDouble,
    Invoke,
    completion,
    streamed,
    unstreamed,
)
from tests.lambda_.smoke_test.conftest import Deployment

LAMBDA = Path(__file__).parents[3] / "lambda"


@pytest.mark.parametrize("payload", [streamed(completion()), unstreamed(completion())], ids=["prelude", "no prelude"])
@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_model_that_answers_is_success(
    deployment: Deployment, cloud: CloudDouble, payload: bytes, request_type: str
) -> None:
    cloud.replies["llama"] = [Invoke(payload)]
    deployment.send(request_type)
    assert cloud.answer == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "smoke-test-SmokeTest" if request_type == "Create" else "physical-1",
        "StackId": STACK_ID,
        "RequestId": "request-1",
        "LogicalResourceId": "SmokeTest",
    }
    assert cloud.paths == ["/2015-03-31/functions/front-door/invocations"]
    (event,) = cloud.invoked
    assert event["tgi_endpoint"]["smoke_test"].keys() == {"model", "seconds"}
    assert "Action=DescribeStacks" in cloud.described[0]


def test_the_answer_goes_to_the_signed_url_as_it_is_without_a_content_type(
    deployment: Deployment, cloud: CloudDouble
) -> None:
    cloud.replies["llama"] = [Invoke(streamed(completion()))]
    deployment.send()
    ((path, headers, _),) = cloud.puts
    assert path == f"/bucket/arn%3Aaws%3Acloudformation%3Aeu-west-1%7CTest%7C1?{SIGNATURE}"
    assert headers["Content-Type"] == ""


def test_deleting_succeeds_at_once(deployment: Deployment, cloud: CloudDouble) -> None:
    deployment.send("Delete", properties={"Test": None})
    assert cloud.answer["Status"] == "SUCCESS"
    assert cloud.answer["PhysicalResourceId"] == "physical-1"
    assert (cloud.invoked, cloud.described) == ([], [])


def test_deleting_does_not_load_the_aws_sdk() -> None:
    program = "import sys, smoke_test.handler\nprint([name for name in sys.modules if name.startswith('boto')])"
    done = subprocess.run([sys.executable, "-c", program], cwd=LAMBDA, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "status", ["UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS"]
)
def test_a_rollback_succeeds_without_a_call(deployment: Deployment, cloud: CloudDouble, status: str) -> None:
    cloud.stack_status = status
    deployment.send("Update")
    assert (cloud.answer["Status"], cloud.invoked) == ("SUCCESS", [])
    assert deployment.log()[0] == {
        "level": "INFO",
        "message": "not tested: the stack is rolled back",
        "stack_status": status,
    }


def test_an_unknown_status_is_logged_and_the_model_tested(deployment: Deployment, cloud: CloudDouble) -> None:
    cloud.stack_status = None
    cloud.replies["llama"] = [Invoke(streamed(completion()))]
    deployment.send("Update")
    assert (cloud.answer["Status"], cloud.asked()) == ("SUCCESS", ["llama"])
    assert len(cloud.described) >= 2
    assert deployment.log()[0] == {
        "level": "WARN",
        "message": "the status of the stack could not be read: testing the models, as in no rollback",
    }


def test_what_is_not_tested_is_logged(deployment: Deployment, cloud: CloudDouble) -> None:
    cloud.replies["llama"] = [Invoke(streamed(completion()))]
    deployment.send(properties={"Skipped": {"falcon": "it scales to zero"}})
    assert deployment.log()[0] == {"level": "INFO", "message": "not tested: it scales to zero", "model": "falcon"}


@pytest.mark.parametrize(
    "event",
    [
        {"RequestType": None},
        {"StackId": None},
        {"ResourceProperties": None},
        {"ResourceProperties": {}},
        {"ResourceProperties": {"Function": "f", "Test": {"Models": ["llama"]}, "Timeout": "soon"}},
        {"ResourceProperties": {"Function": "f", "Test": {"Models": 7}, "Timeout": "5"}},
    ],
)
def test_a_bad_event_fails_and_says_where(deployment: Deployment, cloud: CloudDouble, event: dict[str, Any]) -> None:
    deployment.send(**event)
    assert cloud.answer["Status"] == "FAILED"
    assert cloud.answer["Reason"].startswith("The smoke test itself failed: ")
    assert cloud.answer["Reason"].endswith(". Its function's log has the traceback.")
    assert " at " in cloud.answer["Reason"]


def test_a_request_of_another_type_fails(deployment: Deployment, cloud: CloudDouble) -> None:
    deployment.send("Import")
    assert (cloud.answer["Status"], cloud.answer["Reason"]) == (
        "FAILED",
        "The smoke test knows no request of type Import.",
    )


def test_a_test_that_hangs_ends_before_lambda_ends_it(
    deployment: Deployment, cloud: CloudDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "SECONDS_TO_ANSWER", 1.0)
    cloud.replies["llama"] = [Invoke(b"", seconds=20)]
    began = time.monotonic()
    deployment.send(seconds=2)
    assert time.monotonic() - began < 15
    assert (cloud.answer["Status"], cloud.answer["Reason"]) == ("FAILED", "The smoke test did not end in time.")


def test_a_test_that_hangs_ends_even_if_the_first_signal_meets_a_finalizer(
    deployment: Deployment, cloud: CloudDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finalized:
        def __del__(self) -> None:
            time.sleep(1.5)

    def hang(*_: object, **__: object) -> None:
        Finalized()  # the first signal comes meanwhile
        time.sleep(20)

    monkeypatch.setattr(handler, "SECONDS_TO_ANSWER", 1.0)
    monkeypatch.setattr(handler, "REPEAT_SECONDS", 0.5)
    monkeypatch.setattr(models, "find_failure", hang)
    monkeypatch.setattr(sys, "unraisablehook", lambda _dropped: None)
    began = time.monotonic()
    deployment.send(seconds=2)
    assert time.monotonic() - began < 15
    assert (cloud.answer["Status"], cloud.answer["Reason"]) == ("FAILED", "The smoke test did not end in time.")


@pytest.fixture
def no_gc_callbacks() -> Iterator[None]:
    """Hypothesis has one, in which Python would swallow the exception of the timer; Lambda has none."""
    callbacks = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks.extend(callbacks)


@pytest.mark.usefixtures("no_gc_callbacks")
def test_without_any_time_left_it_still_answers(deployment: Deployment, cloud: CloudDouble) -> None:
    deployment.send(seconds=0)
    assert (cloud.answer["Status"], cloud.answer["Reason"]) == ("FAILED", "The smoke test did not end in time.")


@pytest.mark.parametrize("statuses", [[500], [503, 429], [0], [0, 500, 0]])
def test_an_answer_that_does_not_arrive_is_sent_again(
    deployment: Deployment, cloud: CloudDouble, statuses: list[int]
) -> None:
    cloud.put_statuses = list(statuses)
    deployment.send("Delete")
    assert cloud.answer["Status"] == "SUCCESS"
    assert cloud.put_statuses == []


@pytest.mark.parametrize(
    ("statuses", "problem"),
    [([500] * 4, "HTTP 500"), ([403, 200], "HTTP 403"), ([0] * 4, "RemoteDisconnected")],
)
def test_an_answer_that_never_arrives_fails_the_invocation_which_lambda_repeats(
    deployment: Deployment, cloud: CloudDouble, statuses: list[int], problem: str
) -> None:
    cloud.put_statuses = list(statuses)
    with pytest.raises(AnswerError) as caught:
        deployment.send("Delete")
    assert str(caught.value) == f"CloudFormation did not take the answer: {problem}."
    assert cloud.puts == []


@pytest.mark.parametrize("url", ["", "ftp://example.com/?a", "https:///?a", None])
def test_without_a_url_there_is_no_answer(deployment: Deployment, url: str | None) -> None:
    with pytest.raises(AnswerError, match=r"^CloudFormation did not take the answer: no URL\.$"):
        deployment.send("Delete", ResponseURL=url)


def test_a_bucket_that_never_answers_takes_less_than_what_is_kept_for_it(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = answer.TIMEOUT_SECONDS * 4 + 0.5 + 1.0 + 2.0
    assert longest < handler.SECONDS_TO_ANSWER
    monkeypatch.setattr(answer, "TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        accepted: list[object] = []
        threading.Thread(target=lambda: [accepted.append(silent.accept()) for _ in range(4)], daemon=True).start()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/?secret"
        began = time.monotonic()
        with pytest.raises(AnswerError, match="TimeoutError"):
            deployment.send("Delete", ResponseURL=url)
    assert time.monotonic() - began < 10


def test_neither_the_url_nor_a_prompt_nor_an_answer_is_logged(deployment: Deployment, cloud: CloudDouble) -> None:
    quoting = Invoke(streamed({"error": {"kind": "x", "message": "the prompt"}}, 400))
    cloud.replies["llama"] = [Invoke(streamed(completion())), quoting]
    deployment.send()
    deployment.send()
    cloud.put_statuses = [0] * 4
    with pytest.raises(AnswerError):
        deployment.send(properties={"Test": {"Models": 7}})
    text = "".join(deployment.capsys.readouterr())
    assert '"does not answer"' in text
    assert '"succeeded"' in text
    for secret in ("Signature", "AKIDEXAMPLE&", "bucket", "Hello", "été", "the prompt"):
        assert secret not in text
