"""The path and the names of IAM roles and policies, where a company prescribes how they begin."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

# IAM's limits. Source: the models of IAM and of CloudFormation's AWS::IAM::Role; a policy's name may be longer.
MAX_NAME = 64
MAX_PATH = 512

DEPLOYED_LENGTH = 9
"""Characters of a name that are left to the deployment: a hyphen, and eight characters of the stack's id."""

MAX_PREFIX = 32
"""Of a name's 64 characters, 18 tell it from others, and the rest says which role it is."""

_PATH = re.compile(r"/([!-~]+/)?")
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_UNUSABLE = re.compile(r"[^\w+=,.@-]+", re.ASCII)


def name_problems(path: object, prefix: object) -> Iterator[Problem]:
    """What is wrong with a path and a prefix, whatever their types are; None for one that is not prescribed."""
    if path is None and prefix is None:
        yield Problem("path", None, "requires a path, a prefix, or both", "Give path='/team/' or prefix='team-'.")
    if path is not None and not (isinstance(path, str) and len(path) <= MAX_PATH and _PATH.fullmatch(path)):
        yield _unknown("path", path) or Problem(
            "path",
            path,
            f"must begin and end with a slash, with printable ASCII characters between them, up to {MAX_PATH} in all",
            "Write '/team/', as in arn:aws:iam::123456789012:role/team/name.",
        )
    if prefix is not None and not (isinstance(prefix, str) and len(prefix) <= MAX_PREFIX and _NAME.fullmatch(prefix)):
        yield _unknown("prefix", prefix) or Problem(
            "prefix",
            prefix,
            f"must have 1 to {MAX_PREFIX} characters: letters, digits and _+=,.@-",
            "Write 'team-'.",
        )


def iam_name(place: str, *, path: str, prefix: str) -> str:
    """The part of a name that synth knows: the prefix, where the resource is in its stack, and a digest.

    Another path or prefix is another digest, because IAM has one name once, whatever its path is, and CloudFormation
    creates the new role before it deletes the old one.

    Args:
        place: Path of the resource from its stack's name on.
        path: The path of the role, such as `/team/`.
        prefix: How the name begins.
    """
    digest = sha256("\n".join([place, path, prefix]).encode()).hexdigest()[:8]
    readable = _UNUSABLE.sub("-", place.removesuffix("/Resource"))
    room = MAX_NAME - DEPLOYED_LENGTH - len(prefix) - len(digest) - 1
    return f"{prefix}{readable[:room].strip('-')}-{digest}"


def names_digest(*, path: str, prefix: str) -> str:
    """Eight characters that tell one pair of path and prefix from others."""
    return sha256("\n".join([path, prefix]).encode()).hexdigest()[:8]


def _unknown(keyword: str, value: object) -> Problem | None:
    if not isinstance(value, Unknown):
        return None
    return Problem(keyword, value, "must be known at synth, because names have a limited length", "Write it as text.")
