"""The public API is the one that is pinned, and the changelog names what a change of it breaks."""

from __future__ import annotations

import difflib
import re

import constructs_lib
from scripts.changelog import CHANGELOG
from scripts.public_api.announced import missing
from scripts.public_api.breaking import breaks
from scripts.public_api.pinned import PINNED, RELEASED
from scripts.public_api.stub import render

HOW_TO_ACCEPT = """
If the public API is meant to change so, run: make public-api"""


def test_the_public_api_is_the_one_that_is_pinned() -> None:
    pinned = PINNED.read_text(encoding="utf-8")
    lines = difflib.unified_diff(pinned.splitlines(), render().splitlines(), PINNED.name, "now", lineterm="", n=1)
    difference = "\n".join(lines)
    assert not difference, f"\n{difference}{HOW_TO_ACCEPT}"


def test_the_changelog_names_everything_that_breaks_since_the_last_release() -> None:
    found = breaks(RELEASED.read_text(encoding="utf-8"), PINNED.read_text(encoding="utf-8"))
    assert missing(found, CHANGELOG.read_text(encoding="utf-8")) == []


def test_every_public_name_is_pinned_and_no_other() -> None:
    text = PINNED.read_text(encoding="utf-8").split('"""', 2)[2]
    assert re.findall(r"^(?:class |def )?(\w+)", text, re.MULTILINE) == sorted(constructs_lib.__all__)
