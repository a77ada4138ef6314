"""Probes of CloudFormation: an update in place while clients ask, what a custom resource is asked, and a rollback."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from acceptance.clouds import DeploymentFailedError
from acceptance.probe import Emulation, Verdict, contradicted, decide, probe, undecided
from acceptance.site import CLOCK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance.site import Site

_SLOW = Emulation(slow=True)
_LONGEST_REQUEST_SECONDS = 60
_MEMBERS = {
    "RequestType",
    "ServiceToken",
    "StackId",
    "RequestId",
    "LogicalResourceId",
    "ResourceType",
    "ResourceProperties",
}


@probe(
    "S6", title="An update replaces Model and EndpointConfig, and the endpoint serves on", minutes=15, emulation=_SLOW
)
def update_in_place(site: Site) -> Verdict:
    """Deploys half the context while a client asks once a second."""
    before = _parts(site)
    with _asking(site) as statuses:
        site.deploy("updated")
    after = _parts(site)
    failed = sum(count for status, count in statuses.items() if status != 200)
    replaced = before["model"] != after["model"] and before["config"] != after["config"]
    evidence = (
        f"Model and EndpointConfig replaced: {replaced}, endpoint the same: {before['endpoint'] == after['endpoint']};"
        f" {sum(statuses.values())} requests meanwhile, {failed} failed"
    )
    if not statuses:
        return undecided(f"{evidence}: nobody asked")
    return decide(replaced and before["endpoint"] == after["endpoint"] and failed == 0, evidence)


@probe(
    "D28",
    "D31",
    "D34",
    title="A custom resource is asked with the documented members, all values as text",
    minutes=1,
    emulation=_SLOW,
    after="update_in_place",
)
def custom_resource_requests(site: Site) -> Verdict:
    """What the recorder's function has logged of the creation and the update."""
    asked = site.wait(lambda: _at_least(_asked(site), 2), 300, "the recorder's log")
    create, update = asked[0], asked[-1]
    properties = {
        name: value
        for name, value in update["ResourceProperties"].items()
        if name not in ("ServiceToken", "ServiceTimeout")
    }
    holds = (
        create["RequestType"] == "Create"
        and update["RequestType"] == "Update"
        and create.keys() >= _MEMBERS
        and update.keys() >= _MEMBERS | {"PhysicalResourceId", "OldResourceProperties"}
        and properties == {"Step": "updated", "Number": "1", "Truth": "true"}
        and update["OldResourceProperties"]["Step"] == "first"
    )
    return decide(holds, f"{[one['RequestType'] for one in asked]}, properties {properties}, members {sorted(update)}")


@probe(
    "D30",
    "D35",
    "D36",
    "D38",
    title="An update that fails is rolled back, and its custom resource gets the former properties",
    minutes=5,
    emulation=_SLOW,
    after="update_in_place",
)
def rollback(site: Site) -> Verdict:
    """Deploys what is meant to fail; the endpoint's configuration has to stay."""
    before = _parts(site)
    try:
        site.deploy("failing")
    except DeploymentFailedError as error:
        said = "this update is meant to fail" in str(error)
    else:
        return contradicted("the deployment succeeded")
    status = site.wait(lambda: _settled(site), 1800, "the end of the rollback")
    steps = site.wait(
        lambda: _at_least([one["ResourceProperties"]["Step"] for one in _asked(site)], 4), 300, "the recorder's log"
    )[-2:]
    served = site.send("POST", "/v1/chat/completions", site.chat(1)).status
    evidence = f"{status}; the recorder was asked for {steps}; the reason was shown: {said}; status {served}"
    return decide(
        status == "UPDATE_ROLLBACK_COMPLETE"
        and steps == ["failing", "updated"]
        and said
        and served == 200
        and _parts(site) == before,
        evidence,
    )


def _parts(site: Site) -> dict[str, str]:
    """The names of the endpoint, its configuration and its model."""
    sagemaker = site.cloud.client("sagemaker")
    name = site.endpoint_name
    config = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return {"endpoint": name, "config": config, "model": variant["ModelName"]}


@contextmanager
def _asking(site: Site) -> Iterator[Counter[int]]:
    """Asks as long as the block runs; counts the statuses, 0 for a broken connection."""
    statuses: Counter[int] = Counter()
    stopped = threading.Event()
    pause = max(0.1, site.cloud.patience)

    def ask() -> None:
        while not stopped.wait(pause):
            try:
                statuses[site.send("POST", "/v1/chat/completions", site.chat(2)).status] += 1
            except OSError:
                statuses[0] += 1

    thread = threading.Thread(target=ask, name="client", daemon=True)
    url = site.url  # the outputs may not be read while they change
    thread.start()
    try:
        yield statuses
    finally:
        stopped.set()
        thread.join(_LONGEST_REQUEST_SECONDS)
    if site.url != url:
        statuses[0] += 1


def _asked(site: Site) -> list[Any]:
    """What the recorder was asked since the run began."""
    lines = site.cloud.log_lines(site.outputs()["RecorderLogGroup"], site.started - CLOCK_SECONDS)
    return [json.loads(line.removeprefix("asked ")) for line in lines if line.startswith("asked ")]


def _settled(site: Site) -> str | None:
    status = str(site.stack()["StackStatus"])
    return None if status.endswith("_IN_PROGRESS") else status


def _at_least(found: list[Any], count: int) -> list[Any] | None:
    return found if len(found) >= count else None
