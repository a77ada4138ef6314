"""cdk-nag's rule packs over the stacks of the app: which findings nobody has acknowledged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, CfnResource, Environment
from cdk_nag import (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    ServerlessChecks,
)

from app import build
from scripts.audit.findings import HARDENED, Finding

# The packs that every stack is held to; the hardened one is held to all.
HELD = ("AwsSolutions", "Serverless")
PACKS: Mapping[str, Any] = {
    "AwsSolutions": AwsSolutionsChecks,
    "Serverless": ServerlessChecks,
    "NIST.800.53.R5": NIST80053R5Checks,
    "HIPAA.Security": HIPAASecurityChecks,
    "PCI.DSS.321": PCIDSS321Checks,
}
_CDK_JSON = Path(__file__).resolve().parents[2] / "cdk.json"
_ENDPOINTS = "llama=llama-prod,falcon=falcon-7b"


def built_app() -> App:
    """The app with all of its stacks, before it is synthesized."""
    context = json.loads(_CDK_JSON.read_text())["context"] | {
        "front_door": _ENDPOINTS,
        "nag": "off",
        "hardened": "on",
        "monitoring": "on",
    }
    app = App(context=context)
    build(app, Environment())
    return app


def open_findings(app: App) -> dict[str, list[Finding]]:
    """The findings that are not acknowledged, by the pack."""
    types = {one.node.path: one.cfn_resource_type for one in app.node.find_all() if isinstance(one, CfnResource)}
    return {
        name: sorted(
            Finding(path.partition("/")[0], violation.rule_name, types.get(path, "?"), path.partition("/")[2])
            for violation in pack(app).validate_scope(app).violations
            for path in {resource.construct_path for resource in violation.violating_resources}
        )
        for name, pack in PACKS.items()
    }


def not_acknowledged(found: Mapping[str, list[Finding]]) -> list[Finding]:
    """Those of them that must not be."""
    return [
        finding for pack, findings in found.items() for finding in findings if pack in HELD or finding.stack == HARDENED
    ]
