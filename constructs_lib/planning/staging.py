"""The copy of a model's weights into a bucket at deployment: what may be asked for, and the job that does it.

Sources: AWS CodeBuild User Guide, "Build environment compute modes and types"; botocore 1.44.5, codebuild `Project`
(timeouts); AWS CloudFormation Template Reference, AWS::CloudFormation::WaitCondition (43,200 s at most).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Final

from constructs_lib._weights_copier import (
    DEFAULT_EXCLUDE,
    DEFAULT_INCLUDE,
    HUB,
    MAX_PREFIX,
    Places,
    is_commit,
    is_hub,
    is_prefix,
    is_repository,
    places_of,
)
from constructs_lib.planning.network import why_no_hub
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Boolean, problem
from constructs_lib.planning.validation.unknown import Unknown

CODE: Final = ("*.py",)
"""What `trust_remote_code` adds."""
PICKLED: Final = ("*.bin", "*.pt", "*.pth")
"""What `pickles` adds."""
_CODE_FILES = ("modeling_own.py", "configuration_own.py")

SLOWEST_BYTES_PER_SECOND = 20e6
"""What the timeout reckons with: far less than is reported, as one that is too long only reports a failure later."""
SMALL_BYTES = 30e9
"""Up to here the smallest machine is fast enough. Nothing is kept on its disk, so size alone needs no larger one."""
SHORTEST_MINUTES, LONGEST_MINUTES, UNKNOWN_MINUTES = 30, 690, 240
QUEUE_MINUTES = 20
_MARGIN_MINUTES = 10
"""For the start of the job, and for the event about one that died."""

SMALL, MEDIUM = "BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_MEDIUM"


@dataclass(frozen=True, kw_only=True)
class StagedFiles:
    """Which files of which commit are copied, and under which keys.

    Members are as the caller gave them, right or wrong; `staging_problems` says which.

    Args:
        repository: Repository on the hub.
        revision: Its commit, 40 hexadecimal digits.
        prefix: What keys begin with, with or without slashes around it. Default: nothing.
        include: Patterns of files. Default: the copier's, which are safetensors, tokenizer and configurations.
        exclude: Patterns of files to leave out. Default: the copier's.
        trust_remote_code: Whether to copy the code of the repository as well.
        pickles: Whether to copy pickled weights as well.
        hub: URL of the hub. Default: Hugging Face's.
    """

    repository: str
    revision: str
    prefix: str = ""
    include: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    trust_remote_code: bool = False
    pickles: bool = False
    hub: str | None = None

    @property
    def folder_prefix(self) -> str:
        """The prefix with a slash at its end, unless it is empty."""
        name = self.prefix.strip("/")
        return f"{name}/" if name else ""

    @property
    def included(self) -> tuple[str, ...]:
        """The patterns of what is copied."""
        given = DEFAULT_INCLUDE if self.include is None else tuple(self.include)
        return tuple(
            dict.fromkeys([*given, *(CODE if self.trust_remote_code else ()), *(PICKLED if self.pickles else ())])
        )

    @property
    def excluded(self) -> tuple[str, ...]:
        """The patterns of what is left out."""
        return DEFAULT_EXCLUDE if self.exclude is None else tuple(self.exclude)

    @property
    def has_code(self) -> bool:
        """Whether Python files such as those of transformers' remote code are copied."""
        return any(fnmatchcase(name, pattern) for name in _CODE_FILES for pattern in self.included)

    @property
    def places(self) -> Places:
        """The keys in the bucket."""
        return places_of(self.repository, self.revision, self.included, self.excluded, self.folder_prefix)

    def request(self, bucket: str, token_secret: str | None) -> str:
        """The request of the copier, as JSON.

        Args:
            bucket: Name of the bucket.
            token_secret: ARN of the secret with the hub's token; None without one.
        """
        content = {
            "repository": self.repository,
            "revision": self.revision,
            "include": list(self.included),
            "exclude": list(self.excluded),
            "bucket": bucket,
            "prefix": self.folder_prefix,
            "token_secret": token_secret,
            "hub": HUB if self.hub is None else self.hub,
            "kms_key": None,
            "region": None,
        }
        return json.dumps(content)

    def digest(self, bucket: str) -> str:
        """What tells this copy from others: ten hexadecimal digits of the commit, the patterns and the place.

        Args:
            bucket: What tells the bucket from others.
        """
        # Also the default patterns, which have no place of their own: with other ones the manifest does not fit.
        patterns = [sorted(set(self.included)), sorted(set(self.excluded))]
        return sha256(json.dumps([bucket, self.places.manifest, *patterns]).encode()).hexdigest()[:10]


@dataclass(frozen=True, kw_only=True)
class StagingPlan:
    """The job of a copy.

    Args:
        compute_type: CodeBuild's type of machine.
        build_minutes: How long the job may run.
        queue_minutes: How long it may wait for a machine.
        wait_seconds: How long CloudFormation waits for it.
    """

    compute_type: str
    build_minutes: int
    queue_minutes: int
    wait_seconds: int


def plan_staging(size: int | None) -> StagingPlan:
    """The job for weights of a size.

    Its timeout is the size at 20 MB/s, from 30 minutes to 11 hours and 30 minutes, and 4 hours for weights of unknown
    size. The smallest machine copies up to 30 GB, the next one with more processors and network the others.

    Args:
        size: Bytes of the published weights; None if that is not known.
    """
    minutes = UNKNOWN_MINUTES if size is None else math.ceil(size / SLOWEST_BYTES_PER_SECOND / 60)
    minutes = min(LONGEST_MINUTES, max(SHORTEST_MINUTES, minutes))
    return StagingPlan(
        compute_type=SMALL if size is None or size < SMALL_BYTES else MEDIUM,
        build_minutes=minutes,
        queue_minutes=QUEUE_MINUTES,
        wait_seconds=60 * (minutes + QUEUE_MINUTES + _MARGIN_MINUTES),
    )


def staging_problems(files: StagedFiles) -> Iterator[Problem]:
    """What is wrong with what is to be copied.

    Args:
        files: What the caller asks for; an `Unknown` takes the place of what only the deployment knows.
    """
    unknown = [name for name in ("repository", "revision", "prefix", "hub") if _is_unknown(getattr(files, name))]
    for name in unknown:
        keyword = "model" if name == "repository" else f"model.{name}"
        message = "must be known at synth: what is copied and waited for is worked out from it"
        yield Problem(keyword, getattr(files, name), message, "Write it as text.")
    if "repository" not in unknown and not (isinstance(files.repository, str) and is_repository(files.repository)):
        message = "must be a repository of the hub, such as 'meta-llama/Llama-3.1-8B-Instruct'"
        yield Problem("model", files.repository, message, "Copy the id from the model's hub page.")
    if "revision" not in unknown:
        yield from _revision_problems(files)
    if "prefix" not in unknown and not (isinstance(files.prefix, str) and is_prefix(files.folder_prefix)):
        message = (
            "must be a folder: names of letters, digits and !_.'()=+@,- with slashes between them, up to"
            f" {MAX_PREFIX - 1} characters"
        )
        yield Problem("model.prefix", files.prefix, message, "Write 'weights/llama', or leave it out.")
    if files.hub is not None and "hub" not in unknown and not (isinstance(files.hub, str) and is_hub(files.hub)):
        message = "must be an https:// URL without user, query and fragment"
        yield Problem("model.hub", files.hub, message, "Write the URL of a mirror of the hub, or leave it out.")
    for name in ("include", "exclude"):
        yield from _pattern_problems(f"model.{name}", getattr(files, name), may_be_empty=name == "exclude")
    for name in ("trust_remote_code", "pickles"):
        if found := problem(f"model.{name}", getattr(files, name), Boolean()):
            yield found


def _revision_problems(files: StagedFiles) -> Iterator[Problem]:
    revision = files.revision
    if isinstance(revision, str) and is_commit(revision):
        return
    if isinstance(revision, str) and is_commit(revision.lower()):
        yield Problem("model.revision", revision, "must be in lower case", f"Write {revision.lower()!r}.")
        return
    yield Problem(
        "model.revision",
        revision,
        "must be a commit, 40 hexadecimal digits: a branch or a tag may be another commit at the next deployment",
        f"Find the commit with `tgi-endpoint models pin {files.repository}`.",
    )


def _pattern_problems(keyword: str, patterns: object, *, may_be_empty: bool) -> Iterator[Problem]:
    if patterns is None:
        return
    fix = "Write patterns as ['*.safetensors', '*.json'], or leave it out."
    if isinstance(patterns, str | Mapping) or not isinstance(patterns, Sequence):
        yield Problem(keyword, patterns, f"must be a list of patterns, not {type(patterns).__name__}", fix)
        return
    if not patterns and not may_be_empty:
        yield Problem(keyword, patterns, "must have a pattern", fix)
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern or "${Token[" in pattern:
            yield Problem(keyword, pattern, "must be text that is known at synth", fix)


def staging_warnings(files: StagedFiles, size: int | None, region: str | None) -> Iterator[PlanWarning]:
    """What is legal but risky about a copy.

    Args:
        files: What is copied, without problems.
        size: Bytes of the published weights; None if that is not known.
        region: Region of the job; None if that is not known.
    """
    why = None if region is None else why_no_hub(region)
    if why is not None and files.hub is None:
        yield PlanWarning(
            "tgi-endpoint:hubUnreachable",
            f"The job copies {files.repository} from the Hugging Face hub, but in {region} {why}. Name a mirror with"
            f" hub=…, or copy it from elsewhere with `tgi-endpoint stage {files.repository} --revision"
            f" {files.revision}`.",
        )
    if files.pickles:
        yield PlanWarning(
            "tgi-endpoint:picklesStaged",
            f"The copy of {files.repository} includes pickled weights, which can run code when a container reads them."
            " Leave pickles out if the repository has safetensors.",
        )
    longest = LONGEST_MINUTES * 60 * SLOWEST_BYTES_PER_SECOND
    if size is not None and size > longest:
        yield PlanWarning(
            "tgi-endpoint:longStaging",
            f"{files.repository} has {size / 1e9:.0f} GB, which take longer than the {LONGEST_MINUTES} minutes that a"
            f" deployment can wait if the hub sends less than {size / (LONGEST_MINUTES * 60) / 1e6:.0f} MB/s. Copy them"
            f" before with `tgi-endpoint stage {files.repository} --revision {files.revision}`; the deployment then"
            " finds them.",
        )


def bucket_warning(repository: str, bucket: str) -> PlanWarning:
    """The warning about a bucket that is created beside the copy.

    Args:
        repository: Repository on the hub.
        bucket: Path of the bucket in the construct tree.
    """
    return PlanWarning(
        "tgi-endpoint:bucketBesideCopy",
        f"{bucket} is created by the stack that copies {repository} into it. If the first deployment fails,"
        " CloudFormation deletes it, or leaves it behind under a name that the next one does not know, and what was"
        " copied is copied again. Create the bucket in a stack of its own, or import one.",
    )


def _is_unknown(value: object) -> bool:
    return isinstance(value, Unknown)
