"""`chat`: talk to the model behind a deployed front door, in a session or with one question."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from constructs_lib.cli.chat_answer import Answer, show
from constructs_lib.cli.chat_target import KEY_VARIABLE, URL_VARIABLE, add_target, check_target, find_target
from constructs_lib.cli.errors import Parser, UsageError
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.front_door_client import Delta
from constructs_lib.cli.front_door_errors import FrontDoorError, duration
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.front_door_client import FrontDoor
    from constructs_lib.cli.output import Output

_DESCRIPTION = """Talks to the model behind a deployed front door; answers are shown as they arrive.

Without a PROMPT, on a terminal, it is a session that remembers what was said: Ctrl-C stops an answer, Ctrl-D ends the
session, /help lists its commands. With a PROMPT, or one in a pipe, it prints the answer and ends; in a pipe, the answer
is the only output. What is said is kept in memory alone."""

_EPILOG = f"""environment: {URL_VARIABLE}, {KEY_VARIABLE}, HTTPS_PROXY; with --stack credentials and Region of AWS

exit status: 0 answered, 1 no answer or half of one, 2 usage error or boto3 is missing, 3 no credentials or Region, or
the front door does not accept the key, 130 stopped

examples:
  %(prog)s --stack LlamaTgiStack
  %(prog)s --stack LlamaTgiStack "Why is the sky blue?"
  %(prog)s --url http://127.0.0.1:8080/prod --api-key "$KEY" --model llama --system "Answer in one sentence."
  git diff | %(prog)s --stack LlamaTgiStack "Write a commit message for this:" -
  %(prog)s --stack LlamaTgiStack --json "Name three rivers." | jq -r .text
"""

_MAX_TOKENS, _MAX_SECONDS = 10_000_000, 86_400


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `chat` to the commands."""
    parser = commands.add_parser(
        "chat",
        help="talk to the model behind a deployed front door",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("prompt", metavar="PROMPT", nargs="*", help="the question; - stands for standard input")
    add_target(parser)
    parser.add_argument("--model", metavar="NAME", help="which of the front door's models (default: its only one)")
    parser.add_argument("--system", metavar="TEXT", help="instructions that come before what is said")
    parser.add_argument("--max-tokens", metavar="N", help="longest answer in tokens (default: the front door's)")
    parser.add_argument("--temperature", metavar="T", help="randomness, from 0 to 2 (default: the model's)")
    parser.add_argument("--timeout", metavar="SECONDS", help="wait so long for each next byte (default: 60)")
    parser.add_argument(
        "--wait", metavar="SECONDS", help="wait so long for a model that wakes (default: 900 in a session, else 0)"
    )
    parser.add_argument("--json", action="store_true", help="print one answer and its figures as JSON")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    options = _options(arguments, problems)
    seconds = _number("--timeout", arguments.timeout, 0.001, _MAX_SECONDS, problems)
    wait = _number("--wait", arguments.wait, 0, _MAX_SECONDS, problems)
    is_session = not arguments.prompt and sys.stdin.isatty() and out.is_terminal and not arguments.json
    check_target(arguments, problems)
    prompt = None if is_session or problems else _prompt(arguments.prompt, problems)
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    front_door = find_target(arguments, 60 if seconds is None else seconds)
    if prompt is None:
        from constructs_lib.cli.chat_session import Session

        return Session(front_door, options, out, wait=900 if wait is None else wait).run(arguments.system)
    system = [{"role": "system", "content": arguments.system}] if arguments.system else []
    messages = [*system, {"role": "user", "content": prompt}]
    return _ask_once(front_door, {**options, "messages": messages}, wait or 0, arguments, out)


def _ask_once(
    front_door: FrontDoor, request: dict[str, Any], wait: float, arguments: argparse.Namespace, out: Output
) -> int:
    answer = Answer()
    if arguments.json:
        for delta in patiently(front_door, request, wait):
            answer.add(delta)
        out.write(json.dumps(answer.to_json(), indent=2, ensure_ascii=not out.unicode) + "\n")
        return ExitStatus.FINE
    show(patiently(front_door, request, wait), answer, out)
    if out.is_terminal:
        out.write_part(f"{answer.figures()}\n", "dim")
    return ExitStatus.FINE


def patiently(front_door: FrontDoor, request: dict[str, Any], wait: float) -> Generator[Delta]:
    """The parts of an answer; while the model wakes or is throttled the request is repeated.

    Args:
        front_door: The front door.
        request: The request.
        wait: The seconds to wait, all tries together.

    Raises:
        FrontDoorError: There is no answer, or none in time.
    """
    deadline = time.monotonic() + wait
    while True:
        try:
            yield from front_door.chat(request)
            return
        except FrontDoorError as error:
            if error.is_cut or error.wait is None or time.monotonic() + error.wait > deadline:
                raise
            pause, notice = max(error.wait, 0.5), f"{error.problem.message}; again in {duration(error.wait)}"
        yield Delta(notice=notice)
        time.sleep(pause)


def _prompt(parts: list[str], problems: list[Problem]) -> str | None:
    """The question, of the arguments and standard input."""
    if not parts and sys.stdin.isatty():
        problems.append(Problem("PROMPT", None, "is missing", "Write the question, or run it on a terminal."))
        return None
    texts = [f"\n\n{_stdin()}\n\n" if part == "-" else part for part in parts] or [_stdin()]
    prompt = " ".join(texts).strip()
    if not prompt:
        problems.append(Problem("PROMPT", None, "is empty", "Write the question."))
    return prompt


def _stdin() -> str:
    # As it is: bytes that are no text would be an error of the decoder in the middle of a pipe.
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _options(arguments: argparse.Namespace, problems: list[Problem]) -> dict[str, Any]:
    """What is asked for besides the messages; the front door has the other defaults."""
    found: dict[str, Any] = {"model": arguments.model or None}
    tokens = _number("--max-tokens", arguments.max_tokens, 1, _MAX_TOKENS, problems)
    if tokens is not None and not tokens.is_integer():
        problems.append(Problem("--max-tokens", arguments.max_tokens, "must be an integer", ""))
    found["max_tokens"] = None if tokens is None else int(tokens)
    found["temperature"] = _number("--temperature", arguments.temperature, 0, 2, problems)
    return {name: value for name, value in found.items() if value is not None}


def _number(option: str, value: str | None, least: float, most: float, problems: list[Problem]) -> float | None:
    if value is None:
        return None
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if least <= found <= most:
        return found
    problems.append(Problem(option, value, f"must be a number from {least:g} to {most:,}", ""))
    return None
