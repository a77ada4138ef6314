"""Write what a change of the app means as Markdown: its price, its plan, and the difference to what is deployed.

`python ci/plan_comment.py --cost cost.md --plan plan.txt [--diff diff.txt]` prints it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

MARKER = "<!-- plan of the endpoints -->"
"""Begins the comment, so that post_comment.py finds it again."""

# GitHub refuses a comment with more characters.
MAX_CHARACTERS = 65_536
_CUT = "\n… cut here: the log of the job has all of it.\n"


def comment(cost: str, plan: str, diff: str | None) -> str:
    """The comment, cut so that GitHub takes it.

    Args:
        cost: What `tgi-endpoint cost --compare … --markdown` prints.
        plan: What `tgi-endpoint summary` prints.
        diff: What `cdk diff` prints; None if nothing was compared.
    """
    parts = [MARKER, "## Endpoints", cost.strip(), _folded("Plan", plan)]
    if diff is None:
        parts.append("Not compared with what is deployed: that requires a branch of this repository.")
        return _join(parts)
    room = MAX_CHARACTERS - len(_join([*parts, _folded("Difference to what is deployed", "")])) - len(_CUT)
    text = diff.strip("\n")
    # A fence around it is longer than any in it, by at most the length of what is in it.
    room -= 2 * len(_fence(text))
    if len(text) > room:
        text = text[: max(0, room)].rpartition("\n")[0] + _CUT
    return _join([*parts, _folded("Difference to what is deployed", text)])


def _join(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _folded(title: str, text: str) -> str:
    text, fence = text.strip("\n"), _fence(text)
    return f"<details><summary>{title}</summary>\n\n{fence}\n{text}\n{fence}\n</details>"


def _fence(text: str) -> str:
    """A fence that the text cannot end."""
    return "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))


def main() -> None:
    """Print the comment."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--cost", type=Path, required=True)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--diff", type=Path)
    arguments = parser.parse_args()
    diff = None if arguments.diff is None else arguments.diff.read_text(encoding="utf-8")
    sys.stdout.write(
        comment(arguments.cost.read_text(encoding="utf-8"), arguments.plan.read_text(encoding="utf-8"), diff)
    )


if __name__ == "__main__":
    main()
