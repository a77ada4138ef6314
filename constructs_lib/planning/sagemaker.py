"""The limits that SageMaker sets, whatever engine runs.

Source: botocore 1.44.5, sagemaker 2017-07-24 (names, timeouts, volume, environment) and sagemaker-runtime (body).
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.validation.problem import Described, PlanWarning, Problem
from constructs_lib.planning.validation.rules import Boolean, Integer, String, problem

MAX_BODY_BYTES = 6_291_456
"""Largest body of an invocation, in bytes."""

NAME = String(
    "1 to 63 letters, digits and hyphens, no hyphen first or last",
    r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
    longest=63,
)
TIMEOUT = Integer(60, 3600, unit="seconds")
PROVISION_TIMEOUT = Integer(300, 3600, unit="seconds")
VOLUME = Integer(1, 512, unit="GiB")
INSTANCES = Integer(1)

_RULES = (
    ("instance_count", "instance_count", INSTANCES),
    ("startup_timeout", "startup_timeout_seconds", TIMEOUT),
    ("model_download_timeout", "model_download_timeout_seconds", TIMEOUT),
    ("instance_provision_timeout", "instance_provision_timeout_seconds", PROVISION_TIMEOUT),
    ("volume_size", "volume_size_gib", VOLUME),
    ("endpoint_name", "endpoint_name", NAME),
    ("variant_name", "variant_name", NAME),
    ("network_isolation", "network_isolation", Boolean()),
)
_REQUIRED = {"instance_count", "variant_name", "network_isolation"}


def endpoint_problems(request: EndpointRequest) -> Iterator[Problem]:
    """Which of the endpoint's own settings SageMaker refuses."""
    for keyword, field, rule in _RULES:
        value = getattr(request, field)
        if value is None and keyword not in _REQUIRED:
            continue
        if found := problem(keyword, value, rule):
            yield found
    yield from _volume_problems(request)


def _volume_problems(request: EndpointRequest) -> Iterator[Problem]:
    instance = request.instance
    if instance.volume_configurable:
        return
    why = f"{instance.name} stores data on its own NVMe drives, so SageMaker accepts no volume for it"
    if request.volume_size_gib is not None:
        yield Problem("volume_size", request.volume_size_gib, why, "Leave volume_size out.")
    if request.has_volume_key:
        yield Problem(
            "volume_key",
            Described("a key"),
            f"{why}, and those drives are always encrypted with a key of their own",
            "Leave volume_key out.",
        )


def endpoint_warnings(request: EndpointRequest) -> Iterator[PlanWarning]:
    """Which of the endpoint's own settings SageMaker may refuse or ignore."""
    instance = request.instance
    if instance.volume_rule_unverified and (request.volume_size_gib is not None or request.has_volume_key):
        yield PlanWarning(
            "tgi-endpoint:volumeUnverified",
            f"{instance.name} has NVMe drives; the SageMaker SDK lets a volume through for its family, but instances"
            " with NVMe drives usually accept none. If the deployment is refused, leave out volume_size and"
            " volume_key.",
        )
    if request.model_download_timeout_seconds is not None and request.model.source != "s3":
        yield PlanWarning(
            "tgi-endpoint:modelDownloadTimeoutUnused",
            "model_download_timeout applies to weights in S3; the container itself downloads from the Hugging Face hub,"
            " within startup_timeout.",
        )
