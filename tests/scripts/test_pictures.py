"""The pictures of the documents that are drawn in an instant are those of the current code."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

from constructs_lib.cli.main import main
from scripts import request_path_picture

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def test_the_memory_of_a_plan_is_what_the_command_beside_it_draws(tmp_path: Path) -> None:
    text = (DOCS / "memory.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"`tgi-endpoint (plan [^`]+ --svg docs/plan-memory\.svg)`", text)
    drawn = tmp_path / "drawn.svg"
    arguments = [word.replace("docs/plan-memory.svg", str(drawn)) for word in shlex.split(command)]
    assert main(arguments, io.StringIO(), io.StringIO()) == 0
    assert drawn.read_text(encoding="utf-8") == (DOCS / "plan-memory.svg").read_text(encoding="utf-8")


def test_the_path_of_a_request_is_what_its_script_draws() -> None:
    drawn = request_path_picture.draw()
    assert drawn == request_path_picture.TARGET.read_text(encoding="utf-8")
    ElementTree.fromstring(drawn)
    assert "prefers-color-scheme: dark" in drawn


def test_each_picture_has_the_command_that_makes_it_in_its_section() -> None:
    commands: dict[str, set[str]] = {}
    for document in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for section in document.read_text(encoding="utf-8").split("\n## "):
            makers = set(re.findall(r"`((?:python -m|tgi-endpoint) [^`]*(?:picture|--svg|--plot)[^`]*)`", section))
            for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", section):
                commands.setdefault(Path(target).name, set()).update(makers)
    assert {path.name for pattern in ("*.svg", "*.png") for path in DOCS.glob(pattern)} == commands.keys()
    assert [picture for picture, makers in commands.items() if len(makers) != 1] == []
