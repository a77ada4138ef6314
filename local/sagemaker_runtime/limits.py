"""The request limits of the SageMaker Runtime (botocore's API model, sagemaker-runtime 2017-05-13)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.sagemaker_runtime import errors

MAX_BODY_BYTES = 6_291_456
MAX_RESPONSE_BYTES = 25 * 1024 * 1024
"""Of a response that is not streamed. Source: the SageMaker hosting FAQ; botocore's model says 6,291,456."""
_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"
_ASCII = r"[\x00-\x7f]*"
_PRINTED = r"\S[\x20-\x7e]*"


@dataclass(frozen=True, slots=True)
class Limit:
    """The limits of a header value.

    Args:
        member: The input member that the header carries.
        min_length: The minimum length.
        max_length: The maximum length.
        pattern: A Python regular expression that the complete value must match.
    """

    member: str
    min_length: int
    max_length: int
    pattern: str


HEADERS = {
    "content-type": Limit("contentType", 0, 1024, _ASCII),
    "accept": Limit("accept", 0, 1024, _ASCII),
    "x-amzn-sagemaker-accept": Limit("accept", 0, 1024, _ASCII),
    "x-amzn-sagemaker-custom-attributes": Limit("customAttributes", 0, 1024, _ASCII),
    "x-amzn-sagemaker-target-model": Limit("targetModel", 1, 1024, _PRINTED),
    "x-amzn-sagemaker-target-variant": Limit("targetVariant", 0, 63, _NAME),
    "x-amzn-sagemaker-target-container-hostname": Limit("targetContainerHostname", 0, 63, _NAME),
    "x-amzn-sagemaker-inference-id": Limit("inferenceId", 1, 64, _PRINTED),
    "x-amzn-sagemaker-enable-explanations": Limit("enableExplanations", 1, 64, r".*"),
    "x-amzn-sagemaker-inference-component": Limit(
        "inferenceComponentName", 0, 63, r"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
    ),
    "x-amzn-sagemaker-session-id": Limit("sessionId", 0, 256, rf"NEW_SESSION|{_NAME}"),
    "x-amzn-sagemaker-prefix-aware-id": Limit("prefixAwareId", 1, 64, _PRINTED),
}


def check(headers: Mapping[str, str], body: bytes) -> None:
    """Checks a request.

    Raises:
        ServiceError: ValidationError with every invalid member, without its value.
    """
    problems = list(_problems(headers, body))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise errors.validation_error(count + "; ".join(problems))


def _problems(headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    for name, limit in HEADERS.items():
        value = headers.get(name)
        if value is None:
            continue
        where = f"Value at '{limit.member}' failed to satisfy constraint: Member must "
        if len(value) > limit.max_length:
            yield f"{where}have length less than or equal to {limit.max_length}"
        if len(value) < limit.min_length:
            yield f"{where}have length greater than or equal to {limit.min_length}"
        if not re.fullmatch(limit.pattern, value):
            yield f"{where}satisfy regular expression pattern: {limit.pattern}"
    if len(body) > MAX_BODY_BYTES:
        yield (
            "Value at 'body' failed to satisfy constraint: Member must have length less than or equal to "
            f"{MAX_BODY_BYTES}"
        )
