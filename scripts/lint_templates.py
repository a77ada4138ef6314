"""Lint the synthesized templates with cfn-lint for every Region that has TGI's images and the services.

Run it as `python -m scripts.lint_templates`. The templates are synthesized once, open for every Region.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App, Environment
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]
from cfnlint.helpers import REGIONS  # type: ignore[import-untyped]
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from app import build
from constructs_lib.planning.engines.tgi.engine import TGI

# W3005: the CDK always writes a function's role into DependsOn too, so that its policy is waited for; the role alone
# would be implied.
_IGNORED = ["W3005"]

# A stack of its own for endpoints that exist already, which the app has only where they are named.
_ENDPOINTS = "llama=llama-prod,falcon=falcon-7b"

_CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"


def main() -> int:
    """Lint every stack.

    Returns:
        0 when there is nothing to report, else 1.
    """
    templates = synthesize()
    # A template takes seconds, nearly as long for one Region as for all of them.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        reports = list(processes.map(report, templates.values()))
    for name, (findings, covered) in zip(templates, reports, strict=True):
        for finding in findings:
            _say(f"{name}: {finding}")
        _say(f"{name}: {len(findings)} findings of cfn-lint in {covered} Regions")
    left_out = {region: reason for one in templates.values() for region, reason in regions_left_out(one).items()}
    for region, reason in left_out.items():
        _say(f"{region} left out: {reason}")
    return 1 if any(findings for findings, _ in reports) else 0


def report(template: str) -> tuple[list[str], int]:
    """What cfn-lint finds in a template, a line each, and the number of Regions that it was linted for."""
    left_out = regions_left_out(template)
    covered = [region for region in TGI.images.regions(TGI.images.newest) if region not in left_out]
    found = lint_template(template, covered)
    return [f"{each.rule.id} {'/'.join(map(str, each.path or []))}: {each.message}" for each in found], len(covered)


def synthesize() -> dict[str, str]:
    """The template of every stack as it is for any account and Region, by stack name."""
    context = json.loads(_CDK_JSON.read_text())["context"] | {"front_door": _ENDPOINTS}
    with TemporaryDirectory() as folder:
        app = App(outdir=folder, context=context)
        build(app, Environment())
        return {stack.stack_name: Path(stack.template_full_path).read_text() for stack in app.synth().stacks}


def regions_left_out(template: str) -> dict[str, str]:
    """Why Regions that have the images are not linted, by Region."""
    known = set(REGIONS)
    reasons = {}
    for region in TGI.images.regions(TGI.images.newest):
        if region not in known:
            reasons[region] = "cfn-lint has no schemas of this Region"
        elif missing := resource_types(template) - set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region)):
            reasons[region] = f"CloudFormation has no {', '.join(sorted(missing))} there, as cfn-lint knows it"
    return reasons


def resource_types(template: str) -> set[str]:
    """The types of a template's resources."""
    return {resource["Type"] for resource in json.loads(template)["Resources"].values()}


def lint_template(template: str, covered: list[str]) -> list[Any]:
    """What cfn-lint finds, warnings included.

    Args:
        template: The template as JSON.
        covered: The Regions to lint it for.
    """
    found: list[Any] = lint(template, config=ManualArgs(regions=covered, ignore_checks=_IGNORED))
    return found


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
