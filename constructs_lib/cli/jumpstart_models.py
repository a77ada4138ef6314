"""Find a version of a model in JumpStart's manifests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.cli.errors import CommandError, nearest
from constructs_lib.cli.jumpstart_bucket import MANIFEST, MARKETPLACE_MANIFEST, Bucket
from constructs_lib.planning.validation.problem import Described, Problem

_MOST_VERSIONS = 8


@dataclass(frozen=True)
class Listed:
    """A version of a model in a manifest.

    Args:
        version: The version.
        spec_key: Key of its specification.
        newest: The newest version that the manifest has.
    """

    version: str
    spec_key: str
    newest: str


def find(bucket: Bucket, region: str, model_id: str, version: str | None) -> Listed:
    """The newest version of a model, or the newest that a text such as `2` or `2.16` begins.

    Args:
        bucket: The bucket.
        region: Its Region.
        model_id: JumpStart's id of the model.
        version: A version or its beginning. None: the newest.

    Raises:
        CommandError: The bucket has no manifest, or the manifest no such model or version.
    """
    rows = _rows(bucket, MANIFEST)
    if rows is None:
        message = f"has no {MANIFEST} at {bucket.url}, so JumpStart is not there"
        raise CommandError(Problem("--region", region, message, "Choose another Region, or check the proxy."))
    keys = {row["version"]: row["spec_key"] for row in rows if row["model_id"] == model_id}
    if not keys:
        raise CommandError(_unknown(bucket, region, model_id, rows))
    ordered = sorted(keys, key=_order)
    fitting = [one for one in ordered if version is None or one == version or one.startswith(f"{version}.")]
    if not fitting:
        shown = ", ".join(reversed(ordered[-_MOST_VERSIONS:]))
        fix = f"Use one of {shown}{', …' if len(ordered) > _MOST_VERSIONS else ''}, or leave it out for the newest."
        raise CommandError(Problem("--version", version, f"is no version of {model_id} in {region}", fix))
    return Listed(fitting[-1], keys[fitting[-1]], ordered[-1])


def read_spec(bucket: Bucket, region: str, model_id: str, listed: Listed) -> Mapping[str, Any]:
    """The specification of a version.

    Raises:
        CommandError: It is not there, or is that of another model.
    """
    spec = bucket.read(listed.spec_key)
    if spec is None:
        message = f"is in the manifest of {region} with the specification {listed.spec_key}, which is not there"
        raise CommandError(Problem("model", model_id, message, "Try another version, or again later."))
    is_right = isinstance(spec, dict) and spec.get("model_id") == model_id and spec.get("version") == listed.version
    if not is_right:
        message = f"of {model_id} {listed.version} is that of something else"
        raise CommandError(Problem("specification", listed.spec_key, message, "Try another version."))
    return dict(spec)


def _unknown(bucket: Bucket, region: str, model_id: str, rows: Iterable[Mapping[str, str]]) -> Problem:
    marketplace = _rows(bucket, MARKETPLACE_MANIFEST) or []
    if any(row["model_id"] == model_id for row in marketplace):
        message = (
            "is a model package of AWS Marketplace, which has its own image and settings and needs a subscription that"
            " CloudFormation cannot make"
        )
        return Problem("model", model_id, message, "Choose a model with open weights.")
    fix = nearest(
        model_id, sorted({row["model_id"] for row in rows}), "SageMaker Studio lists the ids of JumpStart's models."
    )
    return Problem("model", model_id, f"is no model of JumpStart in {region}", fix)


def _rows(bucket: Bucket, key: str) -> list[dict[str, str]] | None:
    """The rows of a manifest; None if there is none."""
    content = bucket.read(key)
    if content is None:
        return None
    members = ("model_id", "version", "spec_key")
    rows = [
        {name: row[name] for name in members}
        for row in (content if isinstance(content, list) else ())
        if isinstance(row, dict) and all(isinstance(row.get(name), str) for name in members)
    ]
    if not rows:
        problem = Problem("manifest", Described(f"{bucket.url}/{key}"), "is no list of models", "Check the proxy.")
        raise CommandError(problem)
    return rows


def _order(version: str) -> tuple[tuple[int, ...], str]:
    """By the numbers in it, so that 2.10.0 comes after 2.9.0."""
    return tuple(int(number) for number in re.findall(r"\d{1,9}", version)), version
