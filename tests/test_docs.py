"""Documents that several changes add to at the same time."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_rows_of_the_ledger_are_numbered_in_order_in_their_section() -> None:
    ids: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in (ROOT / "docs" / "aws-contract.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line
        elif row := re.match(r"\| ([A-Z]\d+) \|", line):
            ids[section].append(row[1])
    assert list(ids) == [
        "## SageMaker",
        "## Lambda",
        "## API Gateway",
        "## Scaling",
        "## Deploying and watching",
        "## Engines",
        "## A way out of TGI",
        "## Secure, provably",
    ]
    for letter, found in zip("SLGZDEMP", ids.values(), strict=True):
        assert found == [f"{letter}{number}" for number in range(1, len(found) + 1)]


def test_a_version_of_the_changelog_has_each_kind_of_change_once_and_no_entry_twice() -> None:
    for version in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        kinds = re.findall(r"^### (.+)$", version, re.MULTILINE)
        assert kinds == [
            kind for kind in ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security") if kind in kinds
        ]
        entries = re.findall(r"^- (.+)$", version, re.MULTILINE)
        assert len(entries) == len(set(entries))


def anchors(document: Path) -> set[str]:
    """The anchors of the headings, as GitHub writes them, and of what the reference has of the code."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    headings = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return headings | set(re.findall(r"^::: (\S+)$", text, re.MULTILINE))


def test_every_link_between_documents_has_a_target() -> None:
    documents = [path for folder in ("", "docs/**/", "examples/*/") for path in ROOT.glob(f"{folder}*.md")]
    documents.append(ROOT / "examples" / "README.md")
    found = 0
    for document in documents:
        for target in re.findall(r"\]\(((?!https?:)[^)\s]+)\)", document.read_text(encoding="utf-8")):
            name, _, anchor = target.partition("#")
            linked = document.parent / name if name else document
            assert linked.exists(), (document.name, target)
            assert not anchor or anchor in anchors(linked), (document.name, target)
            found += 1
    assert found > 50
