"""Lint the synthesized templates with cfn-lint for every Region that has TGI's images and the services.

Run it as `python -m scripts.lint_templates`. The templates are synthesized once, without account and Region.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
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

# W3005: the CDK adds a function's role to DependsOn along with the role's policy; the role alone would be redundant.
_IGNORED = ["W3005"]

# Adds the stack for existing endpoints to the app.
_ENDPOINTS = "llama=llama-prod,falcon=falcon-7b"

_CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"


def main() -> int:
    """Lint every stack.

    Returns:
        As `exit_code`.
    """
    templates = synthesize()
    # Linting a template takes seconds, for one Region nearly as long as for all.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        reports = list(processes.map(report, templates.values()))
    for name, (findings, covered) in zip(templates, reports, strict=True):
        for finding in findings:
            _print(f"{name}: {finding}")
        _print(f"{name}: {len(findings)} findings of cfn-lint in {covered} Regions")
    skipped = {region: reason for each in templates.values() for region, reason in skipped_regions(each).items()}
    for region, reason in skipped.items():
        _print(f"{region} skipped: {reason}")
    return exit_code(reports)


def exit_code(reports: Sequence[tuple[list[str], int]]) -> int:
    """0 if no template has findings, and each was linted for some Region; else 1.

    Args:
        reports: The findings in each template, and the number of Regions that it was linted for.
    """
    return 1 if any(findings or not covered for findings, covered in reports) else 0


def report(template: str) -> tuple[list[str], int]:
    """cfn-lint's findings in a template, one line each, and the number of Regions that it was linted for."""
    skipped = skipped_regions(template)
    covered = [region for region in TGI.images.regions(TGI.images.newest) if region not in skipped]
    found = lint_template(template, covered)
    return [f"{each.rule.id} {'/'.join(map(str, each.path or []))}: {each.message}" for each in found], len(covered)


def synthesize() -> dict[str, str]:
    """The templates of all stacks for any account and Region, by stack name."""
    context = json.loads(_CDK_JSON.read_text())["context"] | {"front_door": _ENDPOINTS}
    with TemporaryDirectory() as folder:
        app = App(outdir=folder, context=context)
        build(app, Environment())
        return {stack.stack_name: Path(stack.template_full_path).read_text() for stack in app.synth().stacks}


def skipped_regions(template: str) -> dict[str, str]:
    """The Regions that have the images but are not linted, with the reason."""
    known = set(REGIONS)
    reasons = {}
    for region in TGI.images.regions(TGI.images.newest):
        if region not in known:
            reasons[region] = "cfn-lint has no schemas for this Region"
        elif missing := resource_types(template) - set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region)):
            reasons[region] = f"cfn-lint knows no {', '.join(sorted(missing))} in this Region"
    return reasons


def resource_types(template: str) -> set[str]:
    """The types of a template's resources; custom resources, which are in no schema, exist in every Region."""
    types = {resource["Type"] for resource in json.loads(template)["Resources"].values()}
    return {each for each in types if not each.startswith("Custom::")}


def lint_template(template: str, covered: list[str]) -> list[Any]:
    """cfn-lint's findings, including warnings.

    Args:
        template: The template as JSON.
        covered: The Regions to lint for.
    """
    found: list[Any] = lint(template, config=ManualArgs(regions=covered, ignore_checks=_IGNORED))
    return found


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
