"""Probes of an endpoint that goes to zero copies, and wakes. They deploy a stack of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from acceptance.probe import Emulation, Result, Verdict, contradicted, decide, differs, probe, proven, undecided
from acceptance.site import error_of
from constructs_lib.planning.scaling.startup import wake_seconds
from stacks.acceptance_settings import NAMES

if TYPE_CHECKING:
    from acceptance.site import Site

_SLOW = Emulation(slow=True)
_ZERO = NAMES[1]
_IDLE_MINUTES, _WAKE_MINUTES = 45, 30


@probe(
    "Z11",
    "Z12",
    "Z20",
    title="An endpoint of inference components is created with one copy, and a call has to name it",
    minutes=12,
    emulation=_SLOW,
)
def zero_starts_with_one(site: Site) -> Verdict:
    """One call with the component's name, one without, and how many copies there are."""
    site.deploy_zero()
    copies = site.cloud.copies(site.outputs(_ZERO)["ComponentName"])
    named = error_of(lambda: _ask(site))
    nameless = error_of(lambda: _ask(site, component=False))
    code = nameless and nameless["Code"]
    return decide(
        copies == 1 and named is None and code == "ValidationError",
        f"{copies} copies; with the name: {named['Code'] if named else 'an answer'}; without: {code}",
    )


@probe(
    "Z13",
    "Z24",
    title="A copy that nobody asks goes, and the endpoint stays InService",
    minutes=_IDLE_MINUTES,
    emulation=_SLOW,
    after="zero_starts_with_one",
)
def zero_is_reached(site: Site) -> Verdict:
    """Waits without a request until there is no copy."""
    outputs = site.outputs(_ZERO)
    started = time.monotonic()
    if site.cloud.copies(outputs["ComponentName"]) == 0:
        return undecided("there was no copy to begin with")
    site.wait(lambda: site.cloud.copies(outputs["ComponentName"]) == 0, _IDLE_MINUTES * 60, "no copy is left")
    minutes = (time.monotonic() - started) / 60
    endpoint = site.cloud.client("sagemaker").describe_endpoint(EndpointName=outputs["EndpointName"])
    status = endpoint["EndpointStatus"]
    return decide(status == "InService", f"no copy after {minutes:.1f} minutes; the endpoint is {status}")


@probe(
    "Z15",
    "Z21",
    title="A request for no copy is refused at once, which starts a copy, until it answers",
    minutes=12,
    emulation=_SLOW,
    after="zero_is_reached",
)
def zero_wakes(site: Site) -> Verdict:
    """Asks again and again, and keeps the errors."""
    started, refused, others = time.monotonic(), 0, []
    slowest = 0.0
    while (elapsed := time.monotonic() - started) < max(60, _WAKE_MINUTES * 60 * site.cloud.patience):
        asked = time.monotonic()
        error = error_of(lambda: _ask(site))
        if error is None:
            break
        if error["Code"] == "ValidationError" and "no capacity" in str(error["Message"]):
            refused, slowest = refused + 1, max(slowest, time.monotonic() - asked)
        else:
            others.append(f"{error['Code']} after {elapsed:.0f} s")
        time.sleep(max(0.1, 15 * site.cloud.patience))
    else:
        return contradicted(f"no answer after {elapsed:.0f} s; {refused} refusals for want of capacity; {others}")
    site.facts["wake_seconds"] = elapsed
    evidence = f"an answer after {elapsed:.0f} s and {refused} refusals, the slowest after {slowest:.1f} s"
    if refused == 0:
        return undecided(f"{evidence}: there was a copy")
    if others:
        return contradicted(f"{evidence}; other errors in between: {', '.join(others[:5])}")
    return proven(evidence)


@probe(
    "Z10",
    title="How long a wake takes, against what clients are told",
    minutes=0,
    emulation=differs(Result.UNDECIDED, "a start takes a fixed time there, and minutes are seconds", slow=True),
    after="zero_wakes",
)
def zero_wake_time(site: Site) -> Verdict:
    """The time that the probe before has measured. Half to twice of the estimate counts as proven."""
    measured = site.facts.get("wake_seconds")
    if measured is None:
        return undecided("the model was not woken")
    if site.cloud.patience < 1:
        return undecided(f"{measured:.1f} s in the emulated cloud")
    expected = wake_seconds(350)
    return decide(expected / 2 <= measured <= expected * 2, f"{measured:.0f} s, estimated {expected} s")


def _ask(site: Site, *, component: bool = True) -> Any:
    outputs = site.outputs(_ZERO)
    name = {"InferenceComponentName": outputs["ComponentName"]} if component else {}
    return site.invoke(site.chat(1), endpoint=outputs["EndpointName"], **name)["Body"].read()
