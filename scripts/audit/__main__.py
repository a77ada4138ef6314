"""`make audit`: cdk-nag's five rule packs over the app, and checkov over every stack.

It fails for a finding of a pack that a stack is held to, and for one of checkov that accepted.json lacks. The findings
of packs that a stack is not held to are counted, so that one sees what `hardened=True` is for.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from scripts.audit.checkov import CheckovError, run_checkov
from scripts.audit.findings import Finding, faults, read_accepted
from scripts.audit.rule_packs import built_app, not_acknowledged, open_findings
from scripts.every_stack import every_stack

CHECKOV = Path(__file__).resolve().parents[2] / ".cache" / "audit" / "bin" / "checkov"


def main(arguments: list[str] | None = None) -> int:
    """Run both and print what they find.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        1 for a finding that must not be, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.audit", description=__doc__)
    parser.add_argument("--checkov", type=Path, default=CHECKOV, help="the command checkov (default: .cache/audit)")
    options = parser.parse_args(arguments)
    found = open_findings(built_app())
    wrong = [f"not acknowledged: {finding}" for finding in not_acknowledged(found)]
    _print_packs(found)
    try:
        findings = run_checkov(options.checkov, every_stack())
    except CheckovError as error:
        _print(str(error))
        return 1
    accepted = read_accepted()
    _print(f"checkov: {len(findings)} findings, of {len({finding.check for finding in findings})} checks")
    wrong += faults(findings, accepted)
    for line in wrong:
        _print(line)
    _print(f"{len(wrong)} to solve or to accept in scripts/audit/accepted.json" if wrong else "nothing to solve")
    return 1 if wrong else 0


def _print_packs(found: Mapping[str, list[Finding]]) -> None:
    for pack, findings in found.items():
        stacks = len({finding.stack for finding in findings})
        _print(f"{pack}: {len(findings)} findings that nobody acknowledged, in {stacks} stacks")
        for check, count in sorted(Counter(finding.check for finding in findings).items()):
            _print(f"  {count:4} {check}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
