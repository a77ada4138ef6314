"""Prints the share of right answers by class: `python -m tests.field.report`; `--wrong` lists what is wrong."""

from __future__ import annotations

import io
import sys
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lambda"))

from tests.field.case_files import Case, read_cases


def main(arguments: list[str]) -> int:
    """Run every case and print the table."""
    cases = read_cases()
    wrong = {case.id: found for case in cases if (found := _deviations(case))}
    total = Counter(case.field for case in cases)
    right = Counter(case.field for case in cases if case.id not in wrong)
    for field in sorted(total):
        sys.stdout.write(f"{field:<12} {right[field]:>3} of {total[field]:>3}\n")
    sys.stdout.write(f"{'all':<12} {right.total():>3} of {total.total():>3}, {right.total() / total.total():.0%}\n")
    if "--wrong" in arguments:
        for case_id, found in wrong.items():
            sys.stdout.write(f"\n{case_id}\n" + "".join(f"  {text}\n" for text in found))
    return 0


def _deviations(case: Case) -> list[str]:
    with redirect_stdout(io.StringIO()):  # the front door's log
        try:
            return case.deviations()
        except Exception as error:  # noqa: BLE001 - what the library cannot even take is a wrong answer
            return [f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
