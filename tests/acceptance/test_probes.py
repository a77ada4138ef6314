"""Every probe that can run in the emulated cloud, so that none rots: what it finds there is what it says it finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.clouds.emulated import Emulated
from acceptance.probe import Cloud, Probe, probes
from acceptance.run import attempt
from acceptance.site import Site
from stacks.acceptance_settings import DEFAULT_ENGINE, DEFAULT_MODEL

pytestmark = [pytest.mark.xdist_group("acceptance"), pytest.mark.timeout(400)]

CONTEXT = {
    "acceptance": "on",
    "acceptance_model": DEFAULT_MODEL,
    "acceptance_engine": DEFAULT_ENGINE,
    "nag": "off",
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    cloud = Emulated()
    try:
        deployed = Site(cloud, CONTEXT, lambda _line: None)
        deployed.deploy()
        yield deployed
    finally:
        cloud.close()


def cases() -> Iterator[Any]:
    for each in probes():
        if Cloud.EMULATED in each.clouds:
            yield pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.emulation.slow else [])


@pytest.mark.parametrize("each", list(cases()))
def test_it_finds_in_the_emulated_cloud_what_it_says(site: Site, each: Probe) -> None:
    verdict = attempt(each, site).verdict
    assert verdict.result is each.emulation.expected, verdict.evidence
    assert verdict.evidence
    assert site.key not in verdict.evidence
