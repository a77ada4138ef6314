"""Copies of AWS's images in a private ECR registry: which repository, what is wrong with a mirror, how to fill it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs_lib.planning.images.catalogue import url_suffix
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.planning.images.catalogue import ImageFamily

# Source: botocore 1.44.5, ecr, RepositoryName (its pattern, and 256 characters in all) and ImageDigest.
_PREFIX = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
_MAX_PREFIX = 200
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)

_UPSTREAM_REGION = "us-east-1"
"""Where AWS publishes every image."""

_DIGEST_FIX = "Write 'sha256:…', which tgi-endpoint images --mirror says how to read."


def mirror_problems(account: object, prefix: object, pull_through_cache: object) -> Iterator[Problem]:
    """What is wrong with a mirror, whatever the types of its arguments are."""
    if not (account is None or isinstance(account, Unknown) or _matches(_ACCOUNT, account)):
        yield Problem("image.mirror.account", account, "must be the 12 digits of an account", "Write '123456789012'.")
    is_right = _matches(_PREFIX, prefix) and isinstance(prefix, str) and len(prefix) <= _MAX_PREFIX
    if not (prefix == "" or isinstance(prefix, Unknown) or is_right):
        yield Problem(
            "image.mirror.prefix",
            prefix,
            f"must be the beginning of a repository's name, without a slash at its end: up to {_MAX_PREFIX} lower-case "
            "letters, digits and single . _ - / between them",
            "Write 'mirror' for mirror/huggingface-pytorch-tgi-inference.",
        )
    if not isinstance(pull_through_cache, bool):
        yield Problem("image.mirror.pull_through_cache", pull_through_cache, "must be True or False", "Give a bool.")


def digest_problem(keyword: str, digest: object) -> Problem | None:
    """What is wrong with the digest of an image."""
    if isinstance(digest, Unknown) or _matches(_DIGEST, digest):
        return None
    return Problem(keyword, digest, "must be sha256: and 64 hexadecimal digits in lower case", _DIGEST_FIX)


def reference_problem(keyword: str, reference: object) -> Problem | None:
    """What is wrong with the tag or the digest of an image."""
    if isinstance(reference, str) and reference.startswith("sha256"):
        return digest_problem(keyword, reference)
    if isinstance(reference, Unknown) or _matches(_TAG, reference):
        return None
    allowed = "a tag of 1 to 128 letters, digits and . _ -, or a digest"
    return Problem(keyword, reference, f"must be {allowed}", "Write '3.3.6' or 'sha256:…'.")


def mirrored_repository(repository: str, prefix: str) -> str:
    """The name of a copy of one of AWS's repositories."""
    return f"{prefix}/{repository}" if prefix else repository


def copy_commands(images: ImageFamily, version: str, *, account: str, prefix: str, region: str) -> list[str]:
    """Commands for a shell that copy the image of a version into a mirror, and print its digest.

    Args:
        images: The images of the engine.
        version: A version of the catalogue.
        account: The mirror's account.
        prefix: What the names of its repositories begin with; may be empty.
        region: The mirror's Region, whose suffix is known. Where AWS does not publish the image there, it comes from
            us-east-1.
    """
    published, tag = images.repository_and_tag(version) or ("", "")
    source_region = region if images.account(region, version) else _UPSTREAM_REGION
    source = f"{images.account(source_region, version)}.dkr.ecr.{source_region}.{url_suffix(source_region)}"
    target, name = f"{account}.dkr.ecr.{region}.{url_suffix(region)}", mirrored_repository(published, prefix)
    here = f"--region {region} --repository-name {name}"
    return [
        _login(source, source_region),
        _login(target, region),
        f"aws ecr create-repository {here} --image-tag-mutability IMMUTABLE",
        f"crane copy {source}/{published}:{tag} {target}/{name}:{tag}",
        (
            f"aws ecr describe-images {here} --image-ids imageTag={tag}"
            " --query 'imageDetails[0].imageDigest' --output text"
        ),
    ]


def _login(registry: str, region: str) -> str:
    return f"aws ecr get-login-password --region {region} | crane auth login {registry} -u AWS --password-stdin"


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
