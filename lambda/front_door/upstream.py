"""The SageMaker client: signs, sends, and gives what the container answered as it arrives."""

import http.client
import json
import os
from collections.abc import Iterator
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from front_door import eventstream, sagemaker_errors
from front_door.config import Config
from front_door.connection import Answer, Origin
from front_door.errors import Failure

# Time that is left to tell the client, before Lambda ends the invocation.
SECONDS_TO_ANSWER = 1.0
DEADLINE = "deadline"  # the cause of a failure that this function's own time limit is
_TIMEOUT = "The model did not finish in time."


class Stream:
    """The container's answer to one streamed invocation.

    Attributes:
        content_type: What the container said that it sends.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.content_type = answer.headers.get("X-Amzn-SageMaker-Content-Type") or "text/event-stream"

    @property
    def is_events(self) -> bool:
        """Whether it is a stream of events; a container that cannot stream answers with JSON."""
        return "event-stream" in self.content_type

    def __iter__(self) -> Iterator[bytes]:
        """Slices of the answer, each as soon as it is there.

        Raises:
            Failure: The deadline has come, the stream broke, or SageMaker reported an error inside it.
        """
        decoder = eventstream.Decoder()
        feed = decoder.feed
        try:
            for data in self._answer.parts():
                if payload := feed(data):
                    yield payload
                if decoder.error:
                    raise decoder.error
        except (OSError, http.client.HTTPException) as error:
            raise _broken(error) from error
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

    def invoke_stream(self, endpoint_name: str, body: bytes, deadline: float) -> Stream:
        """InvokeEndpointWithResponseStream; returns when the container has begun to answer.

        Args:
            endpoint_name: The endpoint.
            body: JSON for the container.
            deadline: When the invocation of this function ends, in seconds since the epoch.

        Raises:
            Failure: As SageMaker's or the container's error says.
        """
        path = f"/endpoints/{endpoint_name}/invocations-response-stream"
        return Stream(self._send(self._runtime, path, {"X-Amzn-SageMaker-Accept": "text/event-stream"}, body, deadline))

    def invoke(self, endpoint_name: str, body: bytes, deadline: float) -> bytes:
        """InvokeEndpoint, which SageMaker ends after 60 seconds; returns the container's answer.

        Raises:
            Failure: As SageMaker's or the container's error says.
        """
        path = f"/endpoints/{endpoint_name}/invocations"
        return _read(self._send(self._runtime, path, {"Accept": "application/json"}, body, deadline))

    def endpoint_status(self, endpoint_name: str, deadline: float) -> str:
        """DescribeEndpoint's `EndpointStatus`.

        Raises:
            Failure: As SageMaker's error says.
        """
        headers = {"X-Amz-Target": "SageMaker.DescribeEndpoint", "Content-Type": "application/x-amz-json-1.1"}
        body = json.dumps({"EndpointName": endpoint_name}).encode()
        return str(json.loads(_read(self._send(self._control, "/", headers, body, deadline)))["EndpointStatus"])

    def close(self) -> None:
        """Close the kept connections."""
        self._runtime.close()
        self._control.close()

    def _send(self, origin: Origin, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Answer:
        headers = {"Content-Type": "application/json", **headers}
        request = AWSRequest("POST", origin.url + path, headers, body)
        SigV4Auth(self._credentials(), "sagemaker", self._region).add_auth(request)
        try:
            answer = origin.send(path, dict(request.headers.items()), body, deadline - SECONDS_TO_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise _broken(error, "The connection to the model broke before it answered.") from error
        if answer.status != 200:
            raise sagemaker_errors.from_response(answer.status, answer.headers, _read(answer))
        return answer

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


def _read(answer: Answer) -> bytes:
    try:
        return b"".join(answer.parts())
    except (OSError, http.client.HTTPException) as error:
        raise _broken(error) from error


def _broken(error: Exception, message: str = eventstream.BROKEN) -> Failure:
    if isinstance(error, TimeoutError):
        return Failure("timeout", _TIMEOUT, cause=DEADLINE)
    return Failure("upstream", message, cause=type(error).__name__)
