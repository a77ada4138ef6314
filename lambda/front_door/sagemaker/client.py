"""The SageMaker client: signs and sends requests, and yields the container's response as it arrives."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from front_door.config import Config, Model
from front_door.errors import ApiError
from front_door.http.json import parse_object
from front_door.sagemaker import errors, event_stream
from front_door.sagemaker.connection import KEEP_ALIVE, Answer, Origin
from front_door.sagemaker.sigv4 import Credentials, sign

# Time kept to send the error to the client before Lambda ends the invocation.
_RESPONSE_SECONDS = 1.0
DEADLINE = "deadline"
"""The `log_detail` of a timeout that is this function's own time limit."""
_TIMEOUT = "The model did not finish in time."
_EVENTS, _JSON = "text/event-stream", "application/json"
_LINES = ("application/jsonlines", "application/jsonl", "application/x-jsonlines", "application/x-ndjson")
_VARIANT = "x-amzn-invoked-production-variant"
# InvokeEndpoint's limit, by AWS's hosting FAQ; the API's model has 6 MiB.
_MAX_RESPONSE_BYTES = 25 * 1024 * 1024


class Stream:
    """The container's response to one streaming invocation; waits for nothing until it is iterated.

    Attributes:
        content_type: `text/event-stream`, `application/json` or one of lines of JSON; known once the first slice has
            arrived.
        variant: The production variant that SageMaker chose, likewise.
    """

    def __init__(self, answer: Answer, stream_format: str | None = None) -> None:
        self._answer = answer
        self._format = stream_format
        self.content_type = _EVENTS
        self.variant: str | None = None

    @property
    def is_event_stream(self) -> bool:
        """Whether it is a stream of events or lines; a container that cannot stream responds with JSON."""
        return self.content_type == _EVENTS or self.has_lines

    @property
    def has_lines(self) -> bool:
        """Whether each of its lines is an event."""
        return self.content_type in _LINES

    def __iter__(self) -> Iterator[bytes]:
        """Slices of the response as they arrive; an empty one is a keep-alive.

        Raises:
            ContainerError: The container responded with an error.
            ApiError: SageMaker responded with an error, the deadline has passed, or the stream broke.
        """
        answer, decoder = self._answer, event_stream.Decoder()
        feed = decoder.feed
        try:
            yield from answer.read_head()
            status, headers = answer.parser.status, answer.parser.headers
            self.variant = headers.get(_VARIANT)
            if status != 200:
                raise errors.from_response(status, headers, _read_body(answer))
            self.content_type = _media_type(
                headers.get("x-amzn-sagemaker-content-type") or self.content_type, self._format
            )
            for data in answer.read_body():
                payload = feed(data)
                if payload or data == KEEP_ALIVE:
                    yield payload
                if decoder.error:
                    raise decoder.error
        except OSError as error:
            raise _connection_error(error, answer) from error
        finally:
            answer.close_unless_reusable()
        decoder.finish()
        if decoder.error:
            raise decoder.error


class Place(NamedTuple):
    """A service of one Region: its URL, and the names by which requests are signed."""

    url: str
    region: str
    service: str = "sagemaker"


class SageMaker:
    """Invokes endpoints with the function's own credentials.

    Args:
        config: Where SageMaker is.

    Attributes:
        wakes: By the key of a model, when this sandbox first found no copy of it, in seconds since the epoch.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._origins: dict[str, Origin] = {}
        self._session: Any = None
        self.wakes: dict[str, float] = {}

    def invoke_stream(self, model: Model, body: bytes, deadline: float, inference_id: str | None) -> Stream:
        """InvokeEndpointWithResponseStream; returns when the request is sent.

        Args:
            model: The model.
            body: JSON for the container.
            deadline: When this function ends, in seconds since the epoch.
            inference_id: The id of the request in data capture and SageMaker's logs.

        Raises:
            ApiError: It could not be sent.
        """
        path = f"/endpoints/{model.endpoint_name}/invocations-response-stream"
        headers = {"X-Amzn-SageMaker-Accept": "text/event-stream", **_inference_headers(model, inference_id)}
        return Stream(self._send(self._runtime(model), path, headers, body, deadline), model.facts.get("stream_format"))

    def invoke(self, model: Model, body: bytes, deadline: float, inference_id: str | None) -> tuple[bytes, str | None]:
        """InvokeEndpoint, which SageMaker ends after 60 seconds.

        Returns:
            The container's response, and the production variant that SageMaker chose.

        Raises:
            ApiError: As a `Stream`.
        """
        path = f"/endpoints/{model.endpoint_name}/invocations"
        headers = {"Accept": "application/json", **_inference_headers(model, inference_id)}
        content, answered = self._call(self._runtime(model), path, headers, body, deadline)
        return content, answered.get(_VARIANT)

    def endpoint_status(self, model: Model, deadline: float) -> str:
        """DescribeEndpoint's `EndpointStatus`.

        Raises:
            ApiError: SageMaker responded with an error, or not at all.
        """
        headers = {"X-Amz-Target": "SageMaker.DescribeEndpoint", "Content-Type": "application/x-amz-json-1.1"}
        body = json.dumps({"EndpointName": model.endpoint_name}).encode()
        place = Place(model.sagemaker_url or self._config.sagemaker_url, model.region or self._config.region)
        content, _ = self._call(place, "/", headers, body, deadline)
        status = (parse_object(content) or {}).get("EndpointStatus")
        if not isinstance(status, str):
            raise ApiError(
                "upstream", "SageMaker did not report the status of the endpoint.", log_detail="no EndpointStatus"
            )
        return status

    def close(self) -> None:
        """Close the idle connections."""
        for origin in self._origins.values():
            origin.close()

    def invoke_function(self, name: str, payload: bytes, deadline: float) -> tuple[int, str]:
        """Lambda's Invoke of a function, asynchronously.

        Args:
            name: The function's name or ARN.
            payload: The event as JSON.
            deadline: When to give up, in seconds since the epoch.

        Returns:
            The status, 202 if Lambda has taken the payload, and the code of the error otherwise.

        Raises:
            ApiError: Lambda could not be reached.
        """
        path = f"/2015-03-31/functions/{name.rpartition(':')[2]}/invocations"
        place = Place(self._config.lambda_url, self._config.region, "lambda")
        answer, _ = self._read(place, path, {"X-Amz-Invocation-Type": "Event"}, payload, deadline + _RESPONSE_SECONDS)
        return answer.parser.status, answer.parser.headers.get("x-amzn-errortype", "")

    def call(self, place: Place, target: str, body: bytes, deadline: float) -> tuple[int, bytes]:
        """An operation of a service that speaks AWS's JSON protocol 1.0.

        Args:
            place: The service.
            target: The value of the header X-Amz-Target.
            body: The operation's input.
            deadline: When to give up, in seconds since the epoch.

        Returns:
            The status and the content of the response, which may be an error.

        Raises:
            ApiError: The service could not be reached, or did not respond in time.
        """
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
        answer, content = self._read(place, "/", headers, body, deadline + _RESPONSE_SECONDS)
        return answer.parser.status, content

    def _runtime(self, model: Model) -> Place:
        return Place(model.runtime_url or self._config.runtime_url, model.region or self._config.region)

    def _call(
        self, place: Place, path: str, headers: dict[str, str], body: bytes, deadline: float
    ) -> tuple[bytes, dict[str, str]]:
        """The content of a response, and its headers."""
        answer, content = self._read(place, path, headers, body, deadline)
        if answer.parser.status != 200:
            raise errors.from_response(answer.parser.status, answer.parser.headers, content)
        return content, answer.parser.headers

    def _read(
        self, place: Place, path: str, headers: dict[str, str], body: bytes, deadline: float
    ) -> tuple[Answer, bytes]:
        """The response to a request, and its content, whatever its status."""
        answer = self._send(place, path, headers, body, deadline)
        try:
            for _ in answer.read_head():
                pass
            return answer, _read_body(answer)
        except OSError as error:
            raise _connection_error(error, answer) from error

    def _send(self, place: Place, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Answer:
        url, region, service = place
        origin = self._origins.get(url) or self._origins.setdefault(url, Origin(url))
        headers = {"Content-Type": "application/json", **headers}
        headers = sign(
            self._credentials(), region, origin.netloc, path, headers, body, now=time.time(), service=service
        )
        try:
            return origin.send(path, headers, body, deadline - _RESPONSE_SECONDS)
        except OSError as error:
            raise _connection_error(error) from error

    def _credentials(self) -> Credentials:
        """Lambda sets them in the environment; elsewhere (SnapStart, a laptop) botocore finds them."""
        if access_key := os.environ.get("AWS_ACCESS_KEY_ID"):
            secret_key = os.environ.get("AWS_SECRET_ACCESS_KEY", "")
            return Credentials(access_key, secret_key, os.environ.get("AWS_SESSION_TOKEN"))
        if self._session is None:
            from botocore.session import Session

            self._session = Session()
        found = self._session.get_credentials()
        if found is None:
            raise ApiError("permission", "This front door has no credentials.", log_detail="no credentials")
        frozen = found.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def _media_type(content_type: str, stream_format: str | None) -> str:
    """The media type of a response; raises ApiError if no client of any protocol could read it.

    A container whose stream has a known format need not name it.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if stream_format == "jsonlines" and media_type != _EVENTS:
        return _LINES[0]
    if stream_format == "sse" and media_type != _JSON:
        return _EVENTS
    if media_type not in (_EVENTS, _JSON, *_LINES):
        detail = "content type: HTML" if media_type == "text/html" else "content type"
        raise ApiError("upstream", "The model's response is neither an event stream nor JSON.", log_detail=detail)
    return media_type


def _inference_headers(model: Model, inference_id: str | None) -> dict[str, str]:
    headers = {"X-Amzn-SageMaker-Inference-Id": inference_id} if inference_id else {}
    component = model.adapter_component or model.inference_component
    if component is not None:
        headers["X-Amzn-SageMaker-Inference-Component"] = component
    if model.variant is not None:
        headers["X-Amzn-SageMaker-Target-Variant"] = model.variant
    if model.attributes is not None:
        headers["X-Amzn-SageMaker-Custom-Attributes"] = model.attributes
    return headers


def _read_body(answer: Answer) -> bytes:
    parts, size = [], 0
    for part in answer.read_body():
        parts.append(part)
        size += len(part)
        if size > _MAX_RESPONSE_BYTES:
            answer.close_unless_reusable()
            raise ApiError(
                "upstream", "The model's response is too large.", log_detail=f"over {_MAX_RESPONSE_BYTES} bytes"
            )
    return b"".join(parts)


def _connection_error(error: OSError, answer: Answer | None = None) -> ApiError:
    if isinstance(error, TimeoutError):
        return ApiError("timeout", _TIMEOUT, log_detail=DEADLINE)
    has_begun = answer is not None and answer.parser.status
    message = event_stream.BROKEN if has_begun else "The connection to the model broke before it responded."
    return ApiError("upstream", message, log_detail=type(error).__name__)
