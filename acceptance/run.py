"""A run: deploys, runs the probes, and deletes everything, whatever happens in between."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acceptance.clouds import DeploymentFailedError
from acceptance.probe import Cloud as Kind
from acceptance.probe import Result, contradicted, undecided
from acceptance.removal import Removal, existing_stacks, remove
from acceptance.report import Outcome, Report
from acceptance.site import Site, StillWaitingError
from acceptance.stopping import StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from acceptance.clouds import Cloud
    from acceptance.probe import Probe, Verdict
    from acceptance.stopping import Stopping
    from local.commands.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run does.

    Args:
        context: The context values of the stacks.
        chosen: The probes, in their order.
    """

    context: Mapping[str, str]
    chosen: Sequence[Probe]

    def possible(self, kind: Kind) -> list[Probe]:
        """The probes that can run in a cloud."""
        return [each for each in self.chosen if kind in each.clouds]

    def minutes(self) -> float:
        """About how long a run on AWS takes: 12 minutes to deploy, 8 to delete, and the probes."""
        return 20 + sum(each.minutes for each in self.possible(Kind.AWS))


def run(cloud: Cloud, plan: Plan, report: Report, progress: Progress, stopping: Stopping) -> int:
    """Runs everything.

    Args:
        cloud: Where.
        plan: What.
        report: Takes what is found; written at each step.
        progress: Shows the steps.
        stopping: What a signal stops: all but the deletion.

    Returns:
        0 if nothing is contradicted and nothing that costs money is left, else 1; after a signal 128 and its number.
    """
    report.not_run = [f"`{each.name}`: {each.emulation.why}" for each in plan.chosen if cloud.kind not in each.clouds]
    code = 0
    try:
        report.problem = _try_everything(cloud, plan, report, progress)
        stopping.stop_raising()
    except StoppedError as stopped:
        report.problem, code = str(stopped), stopped.code
    report.removal = _remove(cloud, progress)
    if report.problem is not None:
        progress.print(f"The run ended early: {report.problem}", style="bold red")
    _show_what_is_left(report.removal, progress)
    report.write()
    return code or (0 if report.is_good() else 1)


def destroy(cloud: Cloud, progress: Progress, stopping: Stopping) -> int:
    """Deletes what a killed run has left; a signal does not stop it.

    Returns:
        0 if nothing that costs money is left, else 1.
    """
    if not existing_stacks(cloud):
        progress.print("There is no acceptance stack in this account and Region.")
    stopping.stop_raising()
    removal = _remove(cloud, progress)
    _show_what_is_left(removal, progress)
    return 1 if removal.failed else 0


def _try_everything(cloud: Cloud, plan: Plan, report: Report, progress: Progress) -> str | None:
    """Deploys and runs the probes; why that has failed, or None. Whatever it is, everything has to be deleted."""
    try:
        _deploy_and_probe(cloud, plan, report, progress)
    except DeploymentFailedError as failure:
        return f"the deployment failed: {failure}"
    except Exception as failure:  # noqa: BLE001 - see above
        return f"{type(failure).__name__}: {failure}"
    return None


def _deploy_and_probe(cloud: Cloud, plan: Plan, report: Report, progress: Progress) -> None:
    report.write()
    with progress.step("cdk deploy AcceptanceStack") as step:
        site = Site(cloud, plan.context, step.detail)
        site.deploy()
    for each in plan.possible(cloud.kind):
        with progress.step(f"{', '.join(each.rows) or 'end to end'}: {each.title}") as step:
            site.say = step.detail
            outcome = attempt(each, site)
        report.add(outcome)
        colour = {Result.PROVEN: "green", Result.CONTRADICTED: "bold red"}.get(outcome.verdict.result, "yellow")
        progress.print(f"  {outcome.verdict.result}: {outcome.verdict.evidence}", style=colour)


def attempt(each: Probe, site: Site) -> Outcome:
    """Runs one probe. One that fails by itself has decided nothing, unless it is an end-to-end check."""
    started = time.monotonic()
    verdict: Verdict
    try:
        verdict = each.attempt(site)
    except StillWaitingError as error:
        verdict = undecided(str(error))
    except Exception as error:  # noqa: BLE001 - the others still run, and everything is deleted
        # A client that gets an error instead of an answer is what an end-to-end check is for.
        decided = undecided if each.rows else contradicted
        verdict = decided(f"the probe failed: {type(error).__name__}: {error}")
    return Outcome(each, verdict, time.monotonic() - started)


def _remove(cloud: Cloud, progress: Progress) -> Removal:
    with progress.step("Delete everything") as step:
        return remove(cloud, step.detail)


def _show_what_is_left(removal: Removal, progress: Progress) -> None:
    for line in removal.failed:
        progress.print(f"NOT DELETED, may cost money: {line}", style="bold red")
    if removal.failed:
        progress.print(
            "AWS bills the instances of an endpoint by the hour until it is deleted, with or without requests."
            " `make acceptance DESTROY=1` tries again; `aws sagemaker list-endpoints` shows what runs.",
            style="bold red",
        )
    for line in removal.left:
        progress.print(f"left: {line}", style="dim")
