"""`stage`: copy the weights of a model into a bucket from here, as the job of a deployment does."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib._weights_copier import (
    HUB,
    MAX_PREFIX,
    StagingRequest,
    copier_job,
    is_bucket,
    is_commit,
    is_hub,
    is_prefix,
    is_repository,
)
from constructs_lib.cli.aws_session import (
    ENVIRONMENT,
    AwsSession,
    NoAccountError,
    account_problem,
    add_account_options,
    open_session,
)
from constructs_lib.cli.errors import CommandError, Interrupted, Parser, UsageError
from constructs_lib.cli.exit_status import WITH_AWS, ExitStatus
from constructs_lib.planning.staging import StagedFiles
from constructs_lib.planning.validation.problem import HIDDEN, Problem

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output

_GO_ON = "run the same command again to go on"

_DESCRIPTION = """Copies the weights of one commit from the hub into a bucket, and verifies each file against the
digest that the hub lists. Files that are there already are not copied again, and nothing is kept on the disk. A
deployment of Model.staged with the same commit, patterns, bucket and prefix then finds them. This is for copies that
take longer than a deployment waits, and for accounts that may not use CodeBuild."""

_EPILOG = f"""environment: HF_TOKEN for gated and private models unless --token-secret is given, HF_ENDPOINT for a
mirror of the hub; {ENVIRONMENT}

exit status: 0 copied, 1 failed, {WITH_AWS}

examples:
  %(prog)s Qwen/Qwen3-8B --revision b968826d9c46dd6066d109eabc6255188de91218 --bucket team-weights
  %(prog)s meta-llama/Llama-3.1-8B-Instruct --revision 0e9e39f249a16976918f6564b8830bc894c89659 --bucket team-weights \\
      --token-secret hugging-face-token --region eu-west-1
"""


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `stage` to the commands."""
    parser = commands.add_parser(
        "stage",
        help="copy the weights of a model into a bucket",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("model", metavar="HUB_ID", nargs="?", help="repository on the hub")
    add("--revision", metavar="COMMIT", help="the commit, 40 hexadecimal digits; models pin finds it (required)")
    add("--bucket", metavar="NAME", help="the bucket (required)")
    add("--prefix", metavar="PATH", default="", help="what all keys begin with (default: nothing)")
    add("--include", metavar="PATTERN", action="append", help="copy these files; may be repeated (default: safetensors,"
        " tokenizer, configurations)")  # fmt: skip
    add("--exclude", metavar="PATTERN", action="append", help="leave these out; may be repeated (default: copies in"
        " other formats)")  # fmt: skip
    add("--trust-remote-code", action="store_true", help="also copy the code of the repository")
    add("--pickles", action="store_true", help="also copy pickled weights, which can run code when they are read")
    add("--token-secret", metavar="NAME_OR_ARN", help="secret with the hub's token (default: HF_TOKEN)")
    add("--kms-key", metavar="ARN", help="key that encrypts the objects (default: what the bucket does)")
    add_account_options(parser)
    add("--json", action="store_true", help="print the outcome as JSON, and no progress")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    hub = os.environ.get("HF_ENDPOINT") or HUB
    files = StagedFiles(
        repository=arguments.model or "",
        revision=arguments.revision or "",
        prefix=arguments.prefix,
        include=arguments.include,
        exclude=arguments.exclude,
        trust_remote_code=arguments.trust_remote_code,
        pickles=arguments.pickles,
        hub=hub,
    )
    problems += _problems(arguments, hub, files.folder_prefix)
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    session = open_session("stage", arguments.profile, arguments.region)
    request = StagingRequest(
        repository=files.repository,
        revision=files.revision,
        bucket=arguments.bucket,
        include=files.included,
        exclude=files.excluded,
        prefix=files.folder_prefix,
        token_secret=arguments.token_secret,
        hub=hub,
        kms_key=arguments.kms_key,
        region=session.region,
    )
    job = copier_job()
    outcome = _stage(request, session, job, out, shows_progress=not arguments.json)
    if arguments.json:
        out.write(json.dumps(asdict(outcome), indent=2, ensure_ascii=not out.unicode) + "\n")
    else:
        out.write(f"{job.summary(outcome)}\n")
    return ExitStatus.FINE


def _stage(request: StagingRequest, session: AwsSession, job: Any, out: Output, *, shows_progress: bool) -> Any:
    """The outcome of the copy.

    Raises:
        CommandError: It could not be finished.
        NoAccountError: AWS does not accept the credentials.
        Interrupted: Ctrl-C, or SIGTERM.
    """
    token = None if request.token_secret else _token()
    settings = job.Settings(job.host_name(), go_on=_GO_ON)
    try:
        with job.ended_by_sigterm(), _progress(job, out) if shows_progress else _nothing(job) as progress:
            return job.stage(request, progress, settings, token, session=session.boto3)
    except job.Stopped as error:
        raise Interrupted(str(error)) from error
    except job.StagingError as error:
        if problem := account_problem(error.__cause__):
            raise NoAccountError(problem) from error
        raise CommandError(Problem("arguments", None, error.words, "")) from error


def _token() -> str | None:
    return os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN") or None


@contextmanager
def _progress(job: Any, out: Output) -> Iterator[Any]:
    """A bar on a terminal, plain lines in a pipe."""
    if out.is_terminal:
        from constructs_lib.cli.stage_bar import bar

        with bar(job.Progress, out) as progress:
            yield progress
        return

    def write(line: str) -> None:
        out.write(f"{line}\n")
        out.flush()

    yield job.LineProgress(write)


@contextmanager
def _nothing(job: Any) -> Iterator[Any]:
    yield job.Progress()


def _problems(arguments: argparse.Namespace, hub: str, prefix: str) -> Iterator[Problem]:
    yield from _model_problems(arguments.model, arguments.revision)
    if not arguments.bucket:
        yield Problem("--bucket", None, "is missing", "Name the bucket that the endpoint will read.")
    elif not is_bucket(arguments.bucket):
        fix = "Write its name alone, such as team-weights; a folder in it is --prefix."
        yield Problem("--bucket", arguments.bucket, "is not the name of a bucket", fix)
    if not is_prefix(prefix):
        fix = (
            "Write names of letters, digits and !_.'()=+@,- with slashes between them, up to"
            f" {MAX_PREFIX - 1} characters, such as team-a/weights."
        )
        yield Problem("--prefix", arguments.prefix, "is not a path", fix)
    if not is_hub(hub):
        yield Problem("HF_ENDPOINT", hub, "is not an https:// URL", f"Unset HF_ENDPOINT, or set it to {HUB}.")
    for name in ("include", "exclude"):
        if "" in (getattr(arguments, name) or ()):
            yield Problem(f"--{name}", "", "is no pattern", "Write one such as '*.safetensors'.")
    if (arguments.token_secret or "").startswith("hf_"):
        fix = "Give the name or ARN of its secret, or set HF_TOKEN; replace the token, which the shell may have noted."
        yield Problem("--token-secret", HIDDEN, "looks like a token itself", fix)


def _model_problems(model: str | None, revision: str | None) -> Iterator[Problem]:
    if not model:
        yield Problem("model", None, "is missing", "Give a hub id.")
    elif not is_repository(model):
        yield Problem("model", model, "is not a hub id", "Write owner/name, as on its hub page.")
    find = f"The command models pin {model or '<hub id>'} finds it."
    if not revision:
        yield Problem("--revision", None, "is missing: a copy is of one commit", find)
    elif not is_commit(revision):
        yield Problem("--revision", revision, "is not a commit, which has 40 hexadecimal digits in lower case", find)
