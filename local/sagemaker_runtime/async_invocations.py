"""InvokeEndpointAsync: queues a request, and tells where its answer will be."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from aiohttp import web

from local.sagemaker_runtime import errors
from local.sagemaker_runtime.async_queue import AsyncRequest
from local.sagemaker_runtime.endpoints import Endpoints

# Source of all: botocore's API model, sagemaker-runtime 2017-05-13, InvokeEndpointAsyncInput.
MAX_BODY_BYTES = 128_000
DEFAULT_TTL, DEFAULT_TIMEOUT = 21_600, 900
_PREFIX = "X-Amzn-SageMaker-"
_PATTERNS = {
    "Content-Type": ("contentType", r"[\x00-\x7f]{0,1024}"),
    "Accept": ("accept", r"[\x00-\x7f]{0,1024}"),
    "Custom-Attributes": ("customAttributes", r"[\x00-\x7f]{0,1024}"),
    "Inference-Id": ("inferenceId", r"(?=.{1,64}$)\S[\x20-\x7e]*"),
    "InputLocation": ("inputLocation", r"(?=.{1,1024}$)(https|s3)://([^/]+)/?(.*)"),
    "S3OutputPathExtension": ("s3OutputPathExtension", r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]{1,512}"),
    "Filename": ("filename", r"(?!.*\..*\.)(?=.{1,32}$)[a-zA-Z0-9][a-zA-Z0-9-_\.]*"),
}
_RANGES = {
    "RequestTTLSeconds": ("requestTTLSeconds", 60, 21_600),
    "InvocationTimeoutSeconds": ("invocationTimeoutSeconds", 1, 3600),
}


def add_routes(app: web.Application, endpoints: Endpoints, region_of: Callable[[web.Request, bytes], str]) -> None:
    """Adds the operation to the service.

    Args:
        app: The application of SageMaker Runtime.
        endpoints: What can be invoked.
        region_of: The Region of a signed request; it raises a ServiceError for one that is not signed.
    """
    app.router.add_post(
        "/endpoints/{name}/async-invocations", partial(_invoke, endpoints=endpoints, region_of=region_of)
    )


async def _invoke(
    request: web.Request, *, endpoints: Endpoints, region_of: Callable[[web.Request, bytes], str]
) -> web.Response:
    body = await request.read()
    region_of(request, body)
    problems = list(_problems(request.headers, body))
    if problems:
        raise errors.validation_error("; ".join(problems))
    queue = endpoints.find_queue(request.match_info["name"])
    call = _read(request.headers, body)
    output, failure = queue.submit(call)
    headers = {f"{_PREFIX}OutputLocation": output, "x-amzn-RequestId": str(uuid.uuid4())}
    if failure is not None:
        headers[f"{_PREFIX}FailureLocation"] = failure
    return web.json_response({"InferenceId": call.inference_id}, status=202, headers=headers)


def _read(headers: Mapping[str, str], body: bytes) -> AsyncRequest:
    def given(name: str, default: str = "") -> str:
        return headers.get(f"{_PREFIX}{name}", default)

    sent = {"Content-Type": given("Content-Type"), "Accept": given("Accept")}
    sent |= {name: headers[name] for name in (f"{_PREFIX}Custom-Attributes",) if name in headers}
    extension = given("S3OutputPathExtension").strip("/")
    named = {"name": given("Filename")} if given("Filename") else {}
    return AsyncRequest(
        inference_id=given("Inference-Id") or str(uuid.uuid4()),
        headers={name: value for name, value in sent.items() if value},
        input_location=given("InputLocation") or None,
        body=None if given("InputLocation") else body,
        ttl_seconds=int(given("RequestTTLSeconds", str(DEFAULT_TTL))),
        timeout_seconds=int(given("InvocationTimeoutSeconds", str(DEFAULT_TIMEOUT))),
        path=f"{extension}/" if extension else "",
        **named,
    )


def _problems(headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """Every invalid member, without its value."""
    failed = "Value at '{}' failed to satisfy constraint: Member must "
    for name, (member, pattern) in _PATTERNS.items():
        value = headers.get(f"{_PREFIX}{name}")
        if value is not None and not re.fullmatch(pattern, value):
            yield failed.format(member) + f"satisfy regular expression pattern: {pattern}"
    for name, (member, low, high) in _RANGES.items():
        value = headers.get(f"{_PREFIX}{name}")
        if value is not None and not (re.fullmatch(r"[0-9]{1,9}", value) and low <= int(value) <= high):
            yield failed.format(member) + f"have value from {low} to {high}"
    if len(body) > MAX_BODY_BYTES:
        yield failed.format("body") + f"have length less than or equal to {MAX_BODY_BYTES}"
    if bool(body) == (f"{_PREFIX}InputLocation" in headers):
        yield "Exactly one of Body and InputLocation must be provided."
