"""What is to be copied where: one JSON object, in the variable STAGING_REQUEST of the job."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from weights_copier.patterns import DEFAULT_EXCLUDE, DEFAULT_INCLUDE
from weights_copier.places import Places, places_of

HUB = "https://huggingface.co"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
# Names as the hub has them: huggingface_hub's validate_repo_id has the same rules.
_REPOSITORY = re.compile(rf"{_NAME}(?:/{_NAME})?")
_MAX_REPOSITORY = 96
_COMMIT = re.compile(r"[0-9a-f]{40}")
# As the CDK has it: buckets of us-east-1 from before 2018 may have capitals and underscores.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
# Without the asterisk that S3 allows: in the policies that name the keys it would stand for those of others.
_PREFIX = re.compile(r"(?:[A-Za-z0-9!_.'()=+@,-]+/)*")
MAX_PREFIX = 512
"""Characters of a prefix. S3 has 1,024 bytes for a key, SageMaker 1,024 characters for the URI of the folder."""


class RequestError(ValueError):
    """The request is not one; the message names each field that is wrong."""


@dataclass(frozen=True)
class StagingRequest:
    """One commit of one repository, and the bucket it is copied into.

    Args:
        repository: Repository on the hub, such as `meta-llama/Llama-3.1-8B-Instruct`.
        revision: Its commit, 40 hexadecimal digits in lower case; never a branch or a tag.
        bucket: Name of the bucket.
        include: Patterns of the files to copy; see `weights_copier.patterns`.
        exclude: Patterns of files to leave out, even if `include` has them.
        prefix: What all keys begin with: nothing, or a path that ends in a slash.
        token_secret: ARN or name of the secret whose whole value is the hub's token. None: no secret.
        hub: URL of the hub, or of a mirror of it. HTTPS, or HTTP on the loopback interface.
        kms_key: ARN of the key that encrypts the objects. None: what the bucket does by default.
        region: Region of the bucket and the secret. None: that of the environment.
    """

    repository: str
    revision: str
    bucket: str
    include: tuple[str, ...] = DEFAULT_INCLUDE
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    prefix: str = ""
    token_secret: str | None = None
    hub: str = HUB
    kms_key: str | None = None
    region: str | None = None

    @property
    def places(self) -> Places:
        """Where the files, the manifest and the lock are."""
        return places_of(self.repository, self.revision, self.include, self.exclude, self.prefix)

    def to_json(self) -> dict[str, Any]:
        """The request as the JSON object that `read_request` reads."""
        return {**asdict(self), "include": list(self.include), "exclude": list(self.exclude)}


def read_request(text: str) -> StagingRequest:
    """Read a request from its JSON.

    Raises:
        RequestError: It is no JSON object, lacks a field, has one too many, or one has a wrong value.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise RequestError(f"the staging request is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise RequestError("the staging request is not a JSON object")
    if problems := [*_wrong_fields(content), *_wrong_types(content)]:
        raise RequestError(f"staging request: {'; '.join(problems)}")
    patterns = {name: tuple(content[name]) for name in ("include", "exclude") if name in content}
    request = StagingRequest(**{**content, **patterns})
    if problems := list(wrong_values(request)):
        raise RequestError(f"staging request: {'; '.join(problems)}")
    return request


def wrong_values(request: StagingRequest) -> Iterator[str]:
    """What is wrong with the values of a request, one sentence each that begins with the field's name."""
    if not is_repository(request.repository):
        yield f"repository {request.repository!r} is not a repository of the hub: write owner/name"
    if not is_commit(request.revision):
        yield f"revision {request.revision!r} is not a commit: it has 40 hexadecimal digits in lower case"
    if not request.bucket:
        yield "bucket is empty"
    if not request.include:
        yield "include has no pattern"
    if not is_prefix(request.prefix):
        form = f"empty, or names and slashes that end in a slash, up to {MAX_PREFIX} in all"
        yield f"prefix {request.prefix!r} must be {form}"
    if not is_hub(request.hub):
        yield f"hub {request.hub!r} must be an https:// URL without user, query and fragment"


def is_repository(name: str) -> bool:
    """Whether this can be a repository on the hub."""
    return (
        _REPOSITORY.fullmatch(name) is not None
        and len(name) <= _MAX_REPOSITORY
        and not name.endswith(".git")
        and "--" not in name
        and ".." not in name
    )


def is_commit(revision: str) -> bool:
    """Whether this is the full name of a commit."""
    return _COMMIT.fullmatch(revision) is not None


def is_bucket(name: str) -> bool:
    """Whether this can be the name of a bucket."""
    return _BUCKET.fullmatch(name) is not None


def is_prefix(prefix: str) -> bool:
    """Whether keys may begin with this."""
    parts = prefix.split("/")
    return len(prefix) <= MAX_PREFIX and _PREFIX.fullmatch(prefix) is not None and not {".", ".."} & set(parts)


def is_hub(url: str) -> bool:
    """Whether this is the URL of a hub."""
    return is_url(url) and "?" not in url and "#" not in url


def is_url(url: str) -> bool:
    """Whether this is a URL that the job calls: HTTPS, or HTTP on the loopback interface, and in ASCII."""
    if not re.fullmatch(r"[!-~]+", url):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _wrong_fields(content: Mapping[str, Any]) -> Iterator[str]:
    names = [field.name for field in fields(StagingRequest)]
    yield from (f"{name} is missing" for name in ("repository", "revision", "bucket") if name not in content)
    yield from (f"{name} is not known" for name in content if name not in names)


def _wrong_types(content: Mapping[str, Any]) -> Iterator[str]:
    for name, value in content.items():
        if name in ("include", "exclude"):
            if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
                yield f"{name} must be a list of patterns"
        elif name in ("token_secret", "kms_key", "region"):
            if value is not None and not (isinstance(value, str) and value):
                yield f"{name} must be text or null"
        elif not isinstance(value, str):
            yield f"{name} must be text"
