"""Asks each model for a short completion, through the function of the front door, until it answers."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from smoke_test.response import Failure, read_response

ATTEMPT_SECONDS = 50.0
"""Time limit of one invocation. Connections on which nothing is sent for minutes may be cut without a sign."""
SETTLING_SECONDS = 120.0
"""How long errors count as those of roles, layers and functions that were changed moments ago."""
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 15.0
SHORTEST_ATTEMPT_SECONDS = 2.0

# Lambda's own errors that the same invocation may not meet again.
_TRANSIENT = {429, 500, 502, 503, 504}
_SETTLING = {403, 404, 409, 410}

_NOT_ASKED = Failure(None, "timeout", "There was no time to ask it.")


@dataclass(frozen=True, kw_only=True)
class ModelFailure:
    """A model that does not answer.

    Attributes:
        model: What it is called: its name at the front door, with the endpoint or variant if it has several.
        last: What came of the last attempt.
        attempts: How often the model was asked.
        seconds: For how long.
        others: The names of further models that have not answered.
    """

    model: str
    last: Failure
    attempts: int
    seconds: int
    others: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to ask for a token.

    Attributes:
        function: Name or ARN of the function that is asked.
        model: The model's name at the front door.
        target: One of the endpoints of a model that has several; None if it has one.
        variant: One of the variants of an endpoint that has several; None if it has one.
    """

    function: str
    model: str
    target: str | None = None
    variant: str | None = None

    def event(self, seconds: float) -> dict[str, Any]:
        """The event, for a test that may take so many seconds."""
        asked = {"model": self.model, "seconds": round(seconds, 1), "target": self.target, "variant": self.variant}
        return {"tgi_endpoint": {"smoke_test": {name: value for name, value in asked.items() if value is not None}}}


def find_failure(
    questions: Mapping[str, Question], *, until: float, passed: Callable[..., None]
) -> ModelFailure | None:
    """Test the models, those that are not ready in turns.

    Args:
        questions: What to ask, by what each is called.
        until: When to give up, in seconds since the epoch.
        passed: Called with the name of each that has answered.

    Returns:
        The first model with an error that does not pass, or one that has not answered in time; None if all have
        answered.
    """
    # One attempt: which errors pass is decided here, and a repeat of the SDK's would not know the deadline.
    config = Config(
        connect_timeout=5, read_timeout=ATTEMPT_SECONDS + 15, retries={"total_max_attempts": 1}, tcp_keepalive=True
    )
    client = boto3.client("lambda", config=config)
    began, attempts, pause = time.time(), 0, FIRST_PAUSE_SECONDS
    pending: dict[str, Failure] = dict.fromkeys(questions, _NOT_ASKED)
    while pending:
        attempts += 1
        for model in list(pending):
            seconds = min(ATTEMPT_SECONDS, until - time.time())
            if seconds < SHORTEST_ATTEMPT_SECONDS:
                break
            found = _ask(client, questions[model], seconds)
            if isinstance(found, Failure):
                pending[model] = found
                if not found.may_pass(time.time() - began, SETTLING_SECONDS):
                    return _failure(model, pending, attempts, time.time() - began)
            else:
                del pending[model]
                passed(model, generated_tokens=found, attempts=attempts, seconds=round(time.time() - began, 1))
        if pending:
            if time.time() + pause + SHORTEST_ATTEMPT_SECONDS > until:
                return _failure(next(iter(pending)), pending, attempts, time.time() - began)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    return None


def _failure(model: str, pending: Mapping[str, Failure], attempts: int, seconds: float) -> ModelFailure:
    others = tuple(other for other in pending if other != model)
    return ModelFailure(model=model, last=pending[model], attempts=attempts, seconds=round(seconds), others=others)


def _ask(client: Any, question: Question, seconds: float) -> int | Failure:
    """The number of tokens that came back, or what came instead."""
    event = json.dumps(question.event(seconds)).encode()
    try:
        response = client.invoke(FunctionName=question.function, InvocationType="RequestResponse", Payload=event)
        return read_response(response["Payload"].read(), failed="FunctionError" in response)
    except ClientError as error:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        details = error.response.get("Error", {})
        code, message = str(details.get("Code")), str(details.get("Message"))
        return Failure(status, code, f"Lambda: {message}", passes=status in _TRANSIENT, settles=status in _SETTLING)
    except BotoCoreError as error:
        return Failure(None, type(error).__name__, "Lambda could not be reached.", passes=True)
