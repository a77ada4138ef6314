"""What is looked up only if a finding asks for it: quotas, the weights in S3, the secret with the hub's token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from constructs_lib.cli.doctor.reader import Missing, Reader
from constructs_lib.cli.doctor.stack import secrets_of
from constructs_lib.planning.diagnosis.cause import Finding
from constructs_lib.planning.diagnosis.signals import Line, Quota, Signals, Source

_QUOTA_PAGES = 50
_OF_WEIGHTS = ("weights-access", "s3-route", "weights-missing")
_OF_SECRETS = ("hub-token", "secret", "hub-repository")
_CLASSIC = "us-east-1"


def look_further(reader: Reader, signals: Signals, findings: tuple[Finding, ...]) -> Signals:
    """The signals with what the findings ask for.

    Args:
        reader: Calls AWS.
        signals: What was read.
        findings: What was found in it.
    """
    ids = {one.id for one in findings}
    lines = list(signals.lines)
    quotas: tuple[Quota, ...] = ()
    if "quota" in ids:
        quotas = tuple(_quotas(reader, signals))
    if ids.intersection(_OF_WEIGHTS):
        lines += _weights(reader, signals)
    if ids.intersection(_OF_SECRETS) and signals.stack:
        lines += _secrets(reader, signals.stack)
    return replace(signals, lines=tuple(lines), quotas=quotas)


def _quotas(reader: Reader, signals: Signals) -> Iterator[Quota]:
    wanted = {f"{name} for endpoint usage" for one in signals.deployed for name in one.instance_types}
    found = reader.pages(
        "the quotas of SageMaker",
        "service-quotas",
        "list_service_quotas",
        "Quotas",
        most=_QUOTA_PAGES,
        ServiceCode="sagemaker",
        MaxResults=100,
    )
    for one in found if wanted else ():
        if one["QuotaName"] in wanted:
            yield Quota(name=one["QuotaName"], code=one["QuotaCode"], value=one["Value"])


def _weights(reader: Reader, signals: Signals) -> Iterator[Line]:
    for url in sorted({one.weights for one in signals.deployed if one.weights}):
        bucket, _, key = url.removeprefix("s3://").partition("/")
        try:
            found = reader.call("the weights in S3", "s3", "list_objects_v2", Bucket=bucket, Prefix=key, MaxKeys=1)
            place = reader.call("the bucket's Region", "s3", "get_bucket_location", Bucket=bucket)
        except Missing:
            yield Line(Source.ACCESS, f"no objects at {url}: there is no such bucket")
            continue
        if found is not None and not found.get("KeyCount"):
            yield Line(Source.ACCESS, f"no objects at {url}")
        region = _region(place)
        if region is not None and signals.region and region != signals.region:
            yield Line(Source.ACCESS, f"the bucket is in {region}, the endpoint in {signals.region}: {url}")


def _region(place: dict[str, Any] | None) -> str | None:
    return None if place is None else place.get("LocationConstraint") or _CLASSIC


def _secrets(reader: Reader, stack: str) -> Iterator[Line]:
    for secret in secrets_of(reader, stack):
        try:
            found = reader.call("whether the secret exists", "secretsmanager", "describe_secret", SecretId=secret)
        except Missing:
            yield Line(Source.ACCESS, f"secret {secret} does not exist")
            continue
        if found and found.get("DeletedDate"):
            yield Line(Source.ACCESS, f"secret {secret} is to be deleted", found["DeletedDate"])
