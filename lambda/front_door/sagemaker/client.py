"""The SageMaker client: signs, sends, and gives what the container answered as it arrives."""

import json
import os
from collections.abc import Iterator
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from front_door.config import Config
from front_door.errors import Failure
from front_door.http.sse import object_of
from front_door.sagemaker import errors, event_stream
from front_door.sagemaker.connection import HEARTBEAT, Answer, Origin

# Time that is left to tell the client, before Lambda ends the invocation.
SECONDS_TO_ANSWER = 1.0
DEADLINE = "deadline"  # the cause of a failure that this function's own time limit is
_TIMEOUT = "The model did not finish in time."
_EVENTS, _JSON = "text/event-stream", "application/json"


class Stream:
    """The container's answer to one streamed invocation; nothing is waited for before it is iterated.

    Attributes:
        content_type: What the container sends, `text/event-stream` or `application/json`, once the first slice is
            there.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.content_type = _EVENTS

    @property
    def is_events(self) -> bool:
        """Whether it is a stream of events; a container that cannot stream answers with JSON."""
        return self.content_type == _EVENTS

    def __iter__(self) -> Iterator[bytes]:
        """Slices of the answer, each as soon as it is there; an empty one where nothing came for a while.

        Raises:
            Failure: As SageMaker's or the container's error says, the deadline has come, or the stream broke.
        """
        answer, decoder = self._answer, event_stream.Decoder()
        feed = decoder.feed
        try:
            yield from answer.head()
            if answer.status != 200:
                raise errors.from_response(answer.status, answer.headers, _read(answer))
            self.content_type = _readable(answer.headers.get("x-amzn-sagemaker-content-type") or self.content_type)
            for data in answer.parts():
                payload = feed(data)
                if payload or data == HEARTBEAT:
                    yield payload
                if decoder.error:
                    raise decoder.error
        except OSError as error:
            raise _broken(error, "The connection to the model broke before it answered.", answer) from error
        finally:
            answer.close_unless_kept()
        decoder.finish()
        if decoder.error:
            raise decoder.error


class SageMaker:
    """Invokes endpoints with the function's own credentials.

    Args:
        config: Where SageMaker is.
    """

    def __init__(self, config: Config) -> None:
        self._region = config.region
        self._runtime = Origin(config.runtime_url)
        self._control = Origin(config.sagemaker_url)
        self._session: Any = None

    def invoke_stream(self, endpoint_name: str, body: bytes, deadline: float, inference_id: str | None) -> Stream:
        """InvokeEndpointWithResponseStream; returns when the request is sent.

        Args:
            endpoint_name: The endpoint.
            body: JSON for the container.
            deadline: When the invocation of this function ends, in seconds since the epoch.
            inference_id: What data capture and SageMaker's logs are to call the request.

        Raises:
            Failure: It could not be sent.
        """
        path = f"/endpoints/{endpoint_name}/invocations-response-stream"
        headers = {"X-Amzn-SageMaker-Accept": "text/event-stream", **_inference(inference_id)}
        return Stream(self._send(self._runtime, path, headers, body, deadline))

    def invoke(self, endpoint_name: str, body: bytes, deadline: float, inference_id: str | None) -> bytes:
        """InvokeEndpoint, which SageMaker ends after 60 seconds; returns the container's answer.

        Raises:
            Failure: As SageMaker's or the container's error says.
        """
        path = f"/endpoints/{endpoint_name}/invocations"
        headers = {"Accept": "application/json", **_inference(inference_id)}
        return self._ask(self._runtime, path, headers, body, deadline)

    def endpoint_status(self, endpoint_name: str, deadline: float) -> str:
        """DescribeEndpoint's `EndpointStatus`.

        Raises:
            Failure: As SageMaker's error says.
        """
        headers = {"X-Amz-Target": "SageMaker.DescribeEndpoint", "Content-Type": "application/x-amz-json-1.1"}
        body = json.dumps({"EndpointName": endpoint_name}).encode()
        status = (object_of(self._ask(self._control, "/", headers, body, deadline)) or {}).get("EndpointStatus")
        if not isinstance(status, str):
            raise Failure("upstream", "SageMaker does not say how the endpoint is.", cause="no EndpointStatus")
        return status

    def close(self) -> None:
        """Close the kept connections."""
        self._runtime.close()
        self._control.close()

    def _ask(self, origin: Origin, path: str, headers: dict[str, str], body: bytes, deadline: float) -> bytes:
        answer = self._send(origin, path, headers, body, deadline)
        try:
            for _ in answer.head():
                pass
            told = _read(answer)
        except OSError as error:
            raise _broken(error, "The connection to the model broke before it answered.", answer) from error
        if answer.status != 200:
            raise errors.from_response(answer.status, answer.headers, told)
        return told

    def _send(self, origin: Origin, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Answer:
        headers = {"Content-Type": "application/json", **headers}
        request = AWSRequest("POST", origin.url + path, headers, body)
        SigV4Auth(self._credentials(), "sagemaker", self._region).add_auth(request)
        try:
            return origin.send(path, dict(request.headers.items()), body, deadline - SECONDS_TO_ANSWER)
        except OSError as error:
            raise _broken(error, "The connection to the model broke before it answered.") from error

    def _credentials(self) -> Any:
        """Lambda gives them in variables; elsewhere (SnapStart, a laptop) botocore knows where to look."""
        if access_key := os.environ.get("AWS_ACCESS_KEY_ID"):
            secret_key = os.environ.get("AWS_SECRET_ACCESS_KEY")
            return ReadOnlyCredentials(access_key, secret_key, os.environ.get("AWS_SESSION_TOKEN"))
        if self._session is None:
            from botocore.session import Session

            self._session = Session()
        credentials = self._session.get_credentials()
        if credentials is None:
            raise Failure("permission", "This front door has no credentials.", cause="no credentials")
        return credentials.get_frozen_credentials()


def _readable(content_type: str) -> str:
    """The media type of an answer.

    Raises:
        Failure: It is none that a client of any protocol could read.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in (_EVENTS, _JSON):
        raise Failure("upstream", "The model answered with neither events nor JSON.", cause="content type")
    return media_type


def _inference(inference_id: str | None) -> dict[str, str]:
    return {"X-Amzn-SageMaker-Inference-Id": inference_id} if inference_id else {}


def _read(answer: Answer) -> bytes:
    return b"".join(answer.parts())


def _broken(error: OSError, before: str, answer: Answer | None = None) -> Failure:
    if isinstance(error, TimeoutError):
        return Failure("timeout", _TIMEOUT, cause=DEADLINE)
    message = event_stream.BROKEN if answer is not None and answer.status else before
    return Failure("upstream", message, cause=type(error).__name__)
