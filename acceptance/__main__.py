"""`python -m acceptance`: what `make acceptance` runs."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from botocore.exceptions import BotoCoreError, ClientError

from acceptance.clouds import NoAccessError
from acceptance.lasting import LastingStream
from acceptance.ledger import read_rows, unknown_rows
from acceptance.probe import Cloud as Kind
from acceptance.probe import choose, probes
from acceptance.removal import check_rights, existing_stacks
from acceptance.report import Report
from acceptance.run import Plan, destroy, run
from acceptance.stopping import SIGNALS, StoppedError, stop_on_signals
from constructs_lib import ConfigurationError
from local.commands.progress import Progress
from local.errors import UserError
from stacks.acceptance_settings import DEFAULT_ENGINE, DEFAULT_MODEL, DEFAULT_TOKENS, Acceptance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from acceptance.clouds import Cloud
    from acceptance.probe import Probe
    from acceptance.stopping import Stopping

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "build" / "acceptance.md"
_USAGE, _NO_ACCESS = 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: The command line. Default: that of the process.

    Returns:
        0 if nothing is contradicted, 1 if something is or the run has failed, 2 for a mistake in the arguments or no
        consent, 3 without credentials or Region, 128 and its number after a signal.
    """
    given = _parser().parse_args(arguments)
    progress = Progress(cast("TextIO", LastingStream(sys.stderr)))
    if given.list:
        _show_probes(choose(tuple(given.only), tuple(given.without)))
        return 0
    problem = _problem_of(given)
    if problem is not None:
        progress.print(problem, style="red")
        return _USAGE
    with stop_on_signals(progress) as stopping:
        try:
            return _work(given, progress, stopping)
        except StoppedError as stopped:
            progress.print(f"The run was {stopped} before anything was deployed or deleted.", style="red")
            return stopped.code


def _work(given: argparse.Namespace, progress: Progress, stopping: Stopping) -> int:
    try:
        cloud = _cloud(given)
    except NoAccessError as error:
        progress.print(str(error), style="red")
        return _NO_ACCESS
    except UserError as error:
        progress.print(f"The emulated cloud does not start: {error}", style="red")
        return 1
    try:
        do = _destroy if given.destroy else _run
        return do(given, cloud, progress, stopping)
    except (NoAccessError, BotoCoreError, ClientError) as error:  # before anything is deployed
        progress.print(str(error), style="red")
        return _NO_ACCESS
    finally:
        stopping.stop_raising()
        cloud.close()


def _run(given: argparse.Namespace, cloud: Cloud, progress: Progress, stopping: Stopping) -> int:
    acceptance = Acceptance(
        model_id=given.model, engine=given.engine, instance_type=given.instance or None, tokens=given.tokens
    )
    context = {
        "acceptance": "on",
        "acceptance_model": acceptance.model_id,
        "acceptance_engine": acceptance.engine,
        "acceptance_instance": acceptance.instance.name,
        "acceptance_tokens": str(acceptance.tokens),
        # `make check` runs it.
        "nag": "off",
    }
    plan = Plan(context=context, chosen=list(choose(tuple(given.only), tuple(given.without))))
    if there := existing_stacks(cloud):
        progress.print(
            f"{' and '.join(there)}: already in account {cloud.account}, {cloud.region}. Another run may use it. If"
            " none does, delete it with `make acceptance DESTROY=1`.",
            style="red",
        )
        return _USAGE
    check_rights(cloud)
    progress.print(_price(acceptance, plan, cloud))
    if not (given.yes or given.emulated or _agrees("Deploy?")):
        progress.print("Nothing was deployed. YES=1 deploys without asking.", style="red")
        return _USAGE
    deployment = f"{acceptance.model_id} on {acceptance.engine} and {acceptance.instance.name} in {cloud.region}"
    report = Report(cloud=cloud.kind, deployment=deployment, rows=read_rows(), file=given.report)
    code = run(cloud, plan, report, progress, stopping)
    progress.print(f"{report.summary()}. The report is {given.report}", style="bold")
    return code


def _destroy(given: argparse.Namespace, cloud: Cloud, progress: Progress, stopping: Stopping) -> int:
    there = existing_stacks(cloud)
    if there and not (given.yes or given.emulated):
        progress.print(f"{' and '.join(there)} in account {cloud.account}, {cloud.region}, with all that is in it.")
        if not _agrees("Delete?"):
            progress.print("Nothing was deleted. YES=1 deletes without asking.", style="red")
            return _USAGE
    return destroy(cloud, progress, stopping)


def _cloud(given: argparse.Namespace) -> Cloud:
    if given.emulated:
        from acceptance.clouds.emulated import Emulated

        return Emulated()
    from acceptance.clouds.aws import Aws

    return Aws()


def _problem_of(given: argparse.Namespace) -> str | None:
    """What is wrong with the arguments; all of it."""
    problems = []
    known = {
        word for each in probes() for word in (each.name, *each.rows, *(row.rstrip("0123456789") for row in each.rows))
    }
    for name, words in (("ONLY", given.only), ("WITHOUT", given.without)):
        problems += [
            f"{name}={word}: no probe has this name or row. `make acceptance LIST=1` lists them."
            for word in words
            if word not in known
        ]
    problems += [
        f"{name}: names rows that the ledger does not have: {', '.join(rows)}."
        for name, rows in unknown_rows(probes(), read_rows()).items()
    ]
    try:
        Acceptance(engine=given.engine, instance_type=given.instance or None, tokens=given.tokens).instance  # noqa: B018 - checked by reading
    except SystemExit as error:
        problems.append(str(error))
    except (ConfigurationError, ValueError) as error:
        problems.append(f"INSTANCE={given.instance}: {error}")
    return "\n".join(problems) or None


def _price(acceptance: Acceptance, plan: Plan, cloud: Cloud) -> str:
    """What the run costs: the instances of the endpoint, and of a second one while it updates or goes to zero."""
    instance, minutes = acceptance.instance, plan.minutes()
    what = f"{acceptance.model_id} on {acceptance.engine}, {instance.name}, in account {cloud.account}, {cloud.region}"
    if cloud.kind is Kind.EMULATED:
        return f"{what} (emulated: nothing is deployed to AWS)"
    if instance.price_usd_per_hour is None:
        cost = "no price of it is published"
    else:
        price = instance.price_usd_per_hour
        cost = (
            f"{price:.3f} USD per hour and instance in us-east-1 (other Regions differ); this run has one for about"
            f" {minutes:.0f} minutes and a second one at times, {price * minutes / 60:.2f} to"
            f" {2 * price * minutes / 60:.2f} USD"
        )
    quota = f"a quota of 2 for `{instance.name} for endpoint usage`"
    return f"{what}: {cost}. It needs {quota}. Everything is deleted at the end."


def _agrees(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _show_probes(chosen: Iterable[Probe]) -> None:
    lines = [_line(each) for each in chosen]
    sys.stdout.write("\n".join(["ROWS\tNAME\tWHERE\tMINUTES\tWHAT", *lines]) + "\n")


def _line(each: Probe) -> str:
    where = "+".join(each.clouds)
    return f"{','.join(each.rows) or '-'}\t{each.name}\t{where}\t{each.minutes:g}\t{each.title}"


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m acceptance",
        description="Deploys a model, tries what docs/aws-contract.md assumes of AWS, reports, and deletes everything.",
        epilog="`make acceptance` runs it; docs/acceptance.md explains it. Exit status: 0 nothing is contradicted, 1 a"
        " contradiction or a failure, 2 a mistake in the arguments or no consent, 3 no credentials or Region.",
    )
    parser.add_argument("--emulated", action="store_true", help="in the emulated cloud, without an AWS account")
    parser.add_argument("--yes", action="store_true", help="do not ask (YES=1)")
    parser.add_argument("--destroy", action="store_true", help="only delete what a killed run has left (DESTROY=1)")
    parser.add_argument("--list", action="store_true", help="only list the probes (LIST=1)")
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"hub id without a gate (default: {DEFAULT_MODEL})")
    parser.add_argument(
        "--engine", default=DEFAULT_ENGINE, help=f"tgi, vllm, sglang or lmi (default: {DEFAULT_ENGINE})"
    )
    parser.add_argument(
        "--instance", help="instance type (default: the cheapest on which the engine serves the default model)"
    )
    parser.add_argument(
        "--tokens", type=int, default=DEFAULT_TOKENS, help=f"longest request (default: {DEFAULT_TOKENS})"
    )
    parser.add_argument(
        "--only", type=_words, default=[], metavar="NAMES", help="only these: names, rows (G3) or sections (G)"
    )
    parser.add_argument("--without", type=_words, default=[], metavar="NAMES", help="all but these")
    parser.add_argument(
        "--report", type=Path, default=FILE, help="where the report goes (default: build/acceptance.md)"
    )
    return parser


if __name__ == "__main__":
    # What main gives the signals back to: nothing is left to stop, and Python would end with a traceback. A function of
    # Python would not do, as Python takes those away before its end.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(main())
