"""`python -m local serve` and `python -m local demo`; `make serve` and `make demo` run them."""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from local.commands.progress import Progress

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 128 + signal.SIGINT
DEFAULT_STACK = "LlamaTgiStack"
# Each open stream holds about eight files. Many systems allow a process 1024 by default, macOS at most this many.
MAX_OPEN_FILES = 10_240
# A minute takes 17 ms. Ten times faster, alarms miss metrics, and nothing wakes any more.
MAX_SPEED = 3600


def main() -> int:
    """Runs a command and returns its exit code."""
    arguments = _parser().parse_args()
    # While modules are imported nothing has been started. Callbacks of imports would swallow a KeyboardInterrupt.
    signal.signal(signal.SIGINT, lambda *_: os._exit(_exit_code(INTERRUPTED)))
    return _exit_code(_run(arguments))


def _exit_code(code: int) -> int:
    """The exit code. Ctrl-C ends make as well, which would report any other code as an error."""
    return 0 if code == INTERRUPTED and "MAKELEVEL" in os.environ else code


def _run(arguments: argparse.Namespace) -> int:
    from local.commands.progress import Progress

    # The emulated cloud must not see the user's profile or credentials.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    _raise_open_file_limit()
    is_demo = arguments.command == "demo"
    progress = Progress(sys.stdout if is_demo else sys.stderr, keeps_steps=is_demo)
    try:
        return asyncio.run(_until_signalled(_command(arguments, progress)))
    except UserError as error:
        progress.print(error.problem, style="bold red")
        progress.print(f"→ {error.fix}")
        return 1
    except BrokenPipeError:
        # The reader of the output has closed the pipe (`make demo | head`): nothing more can be written to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _raise_open_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _command(arguments: argparse.Namespace, progress: Progress) -> Coroutine[None, None, int]:
    if arguments.command == "demo":
        from local.commands.demo import demo

        prompt = os.environ.get("PROMPT") or None
        context, verbose = arguments.context, arguments.verbose
        return demo(progress, stack=arguments.stack, prompt=prompt, context=context, verbose=verbose)
    from local.commands.serve import serve
    from local.hosting import ScalingTimes

    return serve(
        progress,
        stack=_stack(arguments),
        app=_app(arguments),
        port=arguments.port,
        container_url=arguments.container_url,
        fault=arguments.fault,
        times=ScalingTimes(speed=arguments.speed, start_seconds=arguments.start_seconds),
        context=arguments.context,
        logs=arguments.logs,
    )


def _app(arguments: argparse.Namespace) -> Path:
    from local.deployment.cdk_cli import ROOT

    return ROOT if arguments.app is None else Path(arguments.app).resolve()


def _stack(arguments: argparse.Namespace) -> str | None:
    """The names of the stacks, or None for all stacks of an app elsewhere."""
    default = DEFAULT_STACK if arguments.app is None else None
    return default if arguments.stack is None else str(arguments.stack)


async def _until_signalled(command: Coroutine[None, None, int]) -> int:
    """Cancels the command on the first SIGINT, SIGTERM or SIGHUP, so that it cleans up. Later signals are ignored."""
    task = asyncio.ensure_future(command)
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if not received:
            task.cancel()
        received.append(number)

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        return 128 + received[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="The emulated cloud: the real CDK CLI, template and Lambda code on this machine, with a toy model.",
        epilog="`make demo` and `make serve` run these commands. NO_COLOR=1 turns colours off.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="deploy a stack and serve it until SIGINT or SIGTERM")
    serve.add_argument("--port", type=int, default=8080, help="port of the API, 0 for any free port (default: 8080)")
    serve.add_argument("--container-url", help="base URL of a running model server to use instead of the toy model")
    serve.add_argument("--fault", help="fault that SageMaker Runtime injects into every call, for example throttle")
    serve.add_argument(
        "--speed",
        type=_speed,
        default=60.0,
        help="how many times faster than AWS alarms and cooldowns run, up to 3600 (default: 60: a minute in a second)",
    )
    serve.add_argument(
        "--start-seconds", type=_positive, default=5.0, help="seconds until a new instance or copy serves (default: 5)"
    )
    demo = commands.add_parser("demo", help="deploy a stack, send a prompt (PROMPT=…) and show the answer")
    serve.add_argument("--logs", action="store_true", help="show the log of requests here, not in a file (LOGS=1)")
    demo.add_argument("--verbose", action="store_true", help="list the resources, and show each call (VERBOSE=1)")
    serve.add_argument(
        "--app", type=Path, help="folder with the cdk.json of your own CDK app (default: the app of this clone)"
    )
    serve.add_argument(
        "--stack", help=f"stacks to deploy, separated by commas (default: {DEFAULT_STACK}; all of your own app)"
    )
    demo.add_argument(
        "--stack", default=DEFAULT_STACK, help=f"stacks to deploy, separated by commas (default: {DEFAULT_STACK})"
    )
    for command in (serve, demo):
        command.add_argument(
            "--context",
            action="append",
            default=[],
            type=_context,
            metavar="KEY=VALUE",
            help="CDK context value for the app, repeatable",
        )
    return parser


def _context(text: str) -> str:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text}: must be KEY=VALUE.")
    return text


def _speed(text: str) -> float:
    if (number := _positive(text)) > MAX_SPEED:
        raise argparse.ArgumentTypeError(f"{text}: must be at most {MAX_SPEED}.")
    return number


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: must be a number above 0.")
    return number


if __name__ == "__main__":
    sys.exit(main())
