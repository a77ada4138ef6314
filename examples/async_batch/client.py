"""Sends a file of prompts to an asynchronous endpoint, and collects the answers as they come.

    python client.py --stack NightlyBatch prompts.jsonl answers.jsonl

Each line of the first file is a request of TGI with an id of yours: {"id": "a", "inputs": "…", "parameters": {…}}. Each
line of the second one has that id with "answer", what TGI answered, or with "error". It requires boto3, and the
permissions of grant_invoke_async: those of the role in the stack's output CallerRole.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

UPLOADS_AT_ONCE = 16
LOOKED_FOR_AT_ONCE = 32
"""Of the requests that have no answer yet, the oldest ones: instances take them in this order, more or less."""
SHORTEST_WAIT, LONGEST_WAIT = 2.0, 30.0
"""Seconds between two looks; the time grows while nothing comes, as an instance takes minutes to start."""


@dataclass(frozen=True)
class Sent:
    """A request on its way: your id, and where its answer or its failure will be."""

    id: str
    inference_id: str
    output: str
    failure: str


class Batch:
    """One run of requests.

    Args:
        session: Credentials and Region.
        endpoint: Name of the endpoint.
        input_url: The folder for requests, s3://<bucket>/<prefix>/.
        invocation_seconds: How long the model may take for one request, up to 3600.
        queued_seconds: How long a request may wait for an instance, up to 21600; then it is lost.
    """

    def __init__(
        self,
        session: boto3.Session,
        endpoint: str,
        input_url: str,
        *,
        invocation_seconds: int = 900,
        queued_seconds: int = 21_600,
    ) -> None:
        config = Config(retries={"mode": "adaptive", "total_max_attempts": 8}, max_pool_connections=UPLOADS_AT_ONCE)
        self._s3 = session.client("s3", config=config)
        self._runtime = session.client("sagemaker-runtime", config=config)
        self._sqs = session.client("sqs", config=config)
        self._endpoint = endpoint
        self._run = f"{input_url.rstrip('/')}/{uuid.uuid4()}"
        self._limits = {"InvocationTimeoutSeconds": invocation_seconds, "RequestTTLSeconds": queued_seconds}

    def send(self, requests: Iterable[dict[str, Any]]) -> Iterator[Sent]:
        """Uploads requests and queues them; the endpoint needs no instance for that."""
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            yield from pool.map(self._send, requests)

    def poll(self, sent: Iterable[Sent], *, deadline: float) -> Iterator[tuple[Sent, dict[str, Any]]]:
        """Looks into S3 until every request has an answer or a failure.

        Raises:
            TimeoutError: It is not so at the deadline, a time of `time.monotonic`.
        """
        waiting, pause = list(sent), SHORTEST_WAIT
        while waiting:
            found = [(each, result) for each in waiting[:LOOKED_FOR_AT_ONCE] if (result := self._result(each))]
            yield from found
            finished = {each.inference_id for each, _ in found}
            waiting = [each for each in waiting if each.inference_id not in finished]
            pause = SHORTEST_WAIT if found else min(LONGEST_WAIT, 1.5 * pause)
            if waiting and not found:
                _wait(pause, deadline, len(waiting))

    def receive(
        self, sent: Iterable[Sent], queue_url: str, *, deadline: float
    ) -> Iterator[tuple[Sent, dict[str, Any]]]:
        """The same, told by a queue that is subscribed to the endpoint's topics, so that nothing has to be looked for.

        Raises:
            TimeoutError: A request has neither an answer nor a failure at the deadline.
        """
        waiting = {each.inference_id: each for each in sent}
        while waiting:
            _wait(0, deadline, len(waiting))
            answer = self._sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=10)
            for message in answer.get("Messages", ()):
                inference_id = _told(message["Body"]).get("inferenceId")
                each = waiting.get(str(inference_id))
                if each is not None and (result := self._result(each)):
                    del waiting[each.inference_id]
                    yield each, result
                elif inference_id is not None:
                    continue  # of another run, which shares the queue
                # SageMaker tries topics with a message about no request, which nobody needs either.
                self._sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])

    def _send(self, request: dict[str, Any]) -> Sent:
        inference_id = str(uuid.uuid4())
        body = {name: value for name, value in request.items() if name != "id"}
        location = f"{self._run}/{inference_id}.json"
        bucket, key = _parts(location)
        self._s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(body).encode(), ContentType="application/json")
        accepted = self._runtime.invoke_endpoint_async(
            EndpointName=self._endpoint,
            InputLocation=location,
            ContentType="application/json",
            InferenceId=inference_id,
            **self._limits,
        )
        identity = str(request.get("id", inference_id))
        return Sent(identity, inference_id, accepted["OutputLocation"], accepted["FailureLocation"])

    def _result(self, sent: Sent) -> dict[str, Any] | None:
        """What became of a request; None if it is still on its way."""
        for name, location in (("answer", sent.output), ("error", sent.failure)):
            bucket, key = _parts(location)
            # Not by reading it: S3 may say "access denied" of an object that is not there.
            listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
            if listed.get("KeyCount"):
                text = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace")
                return {name: _json_or_text(text)}
        return None


def _wait(seconds: float, deadline: float, waiting: int) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"{waiting} requests have no answer yet")
    time.sleep(min(seconds, left))


def _parts(url: str) -> tuple[str, str]:
    """Bucket and key of s3://<bucket>/<key>."""
    parts = urlsplit(url)
    return parts.netloc, parts.path.lstrip("/")


def _told(body: str) -> dict[str, Any]:
    """A notification, with or without the envelope that SNS puts around it."""
    message = json.loads(body)
    return json.loads(message["Message"]) if "Message" in message else message


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def _outputs(session: boto3.Session, stack: str) -> dict[str, str]:
    (described,) = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send a file of prompts to an asynchronous endpoint.")
    parser.add_argument("prompts", type=Path, help="a file of requests, one JSON object a line")
    parser.add_argument("answers", type=Path, help="where the answers go to, one JSON object a line")
    parser.add_argument("--stack", default="NightlyBatch", help="the stack with the endpoint")
    parser.add_argument("--queue", action="store_true", help="wait for notifications instead of looking into S3")
    parser.add_argument("--timeout", type=float, default=6 * 3600, help="seconds to wait for all answers")
    return parser.parse_args()


def main() -> int:
    """Sends the requests and writes the answers; 1 if a request failed, or got no answer in time."""
    arguments, session = _arguments(), boto3.Session()
    outputs = _outputs(session, arguments.stack)
    batch = Batch(session, outputs["EndpointName"], outputs["InputUrl"])
    requests = _read(arguments.prompts)
    deadline = time.monotonic() + arguments.timeout
    sent = list(batch.send(requests))
    results = (
        batch.receive(sent, outputs["QueueUrl"], deadline=deadline)
        if arguments.queue
        else batch.poll(sent, deadline=deadline)
    )
    done = failed = 0
    _show(f"{len(sent)} requests sent")
    with arguments.answers.open("w", encoding="utf-8") as file:
        try:
            for each, result in results:
                done, failed = done + 1, failed + ("error" in result)
                file.write(json.dumps({"id": each.id, **result}, ensure_ascii=False) + "\n")
                file.flush()
                _show(f"{done} of {len(sent)} done, {failed} failed")
        except TimeoutError as error:
            _show(f"{error}: their answers will still go to S3")
            return 1
    return 1 if failed else 0


def _show(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
