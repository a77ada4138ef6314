"""Tests the models of a front door for CloudFormation, and reports whether each of them answers.

CloudFormation invokes the handler when the custom resource is created, updated and deleted, and waits for a PUT to the
event's ResponseURL. Whatever happens, that is sent. Neither the event, of which the URL is a secret, nor a prompt or an
answer is logged.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from smoke_test.answer import send_answer
from smoke_test.report import failure_reason

SECONDS_TO_ANSWER = 30.0
"""What is left of the invocation when the test ends, for the PUT and its repeats."""
REPEAT_SECONDS = 2.0


class _OutOfTime(BaseException):
    """Ends whatever waits; not an Exception, which the AWS SDK would take for a broken connection and try again."""


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle one event of CloudFormation.

    Args:
        event: A request of a custom resource.
        context: Lambda's context.

    Raises:
        AnswerError: The answer did not arrive. Lambda invokes an asynchronous function twice more after that.
    """
    until = time.time() + context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_ANSWER
    try:
        with _ended_at(until):
            reason = _handle(event, until)
    except _OutOfTime:
        reason = "The smoke test did not end in time."
    except Exception as defect:  # noqa: BLE001 - CloudFormation would wait for an hour
        reason = _report_defect(defect)
    # The reason itself may quote what a container has sent.
    outcome = ("ERROR", "failed") if reason else ("INFO", "succeeded")
    log(*outcome, request_type=_shown(event.get("RequestType")))
    send_answer(event, reason)


def log(level: str, message: str, **fields: object) -> None:
    """Write one line of JSON."""
    sys.stdout.write(json.dumps({"level": level, "message": message, **fields}) + "\n")
    sys.stdout.flush()


def _handle(event: dict[str, Any], until: float) -> str | None:
    """Why the deployment has to fail; None if it may go on."""
    request_type = event["RequestType"]
    if request_type == "Delete":
        return None
    if request_type not in ("Create", "Update"):
        return f"The smoke test knows no request of type {_shown(request_type)}."
    # Imported here, as the AWS SDK takes most of the start, and deleting does not need it.
    from smoke_test.models import Question, find_failure
    from smoke_test.stack import stack_status

    properties = event["ResourceProperties"]
    for model, why in properties.get("Skipped", {}).items():
        log("INFO", f"not tested: {why}", model=model)
    status = stack_status(event["StackId"])
    if status is None:
        log("WARN", "the status of the stack could not be read: testing the models, as in no rollback")
    elif "ROLLBACK" in status:
        # What the stack returns to has been tested, and a rollback that fails leaves the stack stuck.
        log("INFO", "not tested: the stack is rolled back", stack_status=status)
        return None
    timeout = float(properties["Timeout"])
    # Of a model with one endpoint and one variant there is no target.
    test = properties["Test"]
    targets = test.get("Targets", {})
    questions = {
        name: Question(
            function=target.get("Function", properties["Function"]),
            model=target.get("Model", name),
            target=target.get("Target"),
            variant=target.get("Variant"),
        )
        for name, target in ((name, targets.get(name, {})) for name in test["Models"])
    }
    failure = find_failure(
        questions,
        until=min(until, time.time() + timeout),
        passed=lambda model, **fields: log("INFO", "answers", model=model, **fields),
    )
    if failure is None:
        return None
    last = failure.last
    log("ERROR", "does not answer", model=failure.model, status=last.status, error=last.kind[:60], cause=last.cause)
    return failure_reason(failure, properties, stack_id=event["StackId"])


@contextmanager
def _ended_at(until: float) -> Iterator[None]:
    """Raise `_OutOfTime` in the block at that time, also while it waits for a socket."""

    def end(*_: object) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, end)
    # More than once: Python drops what is raised while it runs a finalizer or a callback of the garbage collector.
    signal.setitimer(signal.ITIMER_REAL, max(until - time.time(), 0.001), REPEAT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _report_defect(defect: Exception) -> str:
    """The reason for an unexpected exception: its type and place, without its message, which may quote the event."""
    frames = traceback.extract_tb(defect.__traceback__)
    place = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    log("ERROR", "the smoke test itself failed", cause=type(defect).__name__, traceback=place)
    return (
        f"The smoke test itself failed: {type(defect).__name__} at {place[-1]}. Its function's log has the traceback."
    )


def _shown(value: object) -> str:
    return str(value)[:40]
