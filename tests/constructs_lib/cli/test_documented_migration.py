"""docs/migrate.md: its table has every option. tests/documented runs its commands."""

import re
from pathlib import Path

import pytest

from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.migration import clients
from constructs_lib.planning.migration.clients import Difference
from tests.conformance.translation_rules import DIFFERENCES
from tests.constructs_lib.planning.migration.test_options import CASES

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")


def rows(heading):
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")
    ]


def named(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_table_of_options_names_each_option_of_tgi():
    names = [name for row in rows("What becomes of the options") for name in named(row[0])]
    assert set(names) == {option.keyword for option in OPTIONS}


@pytest.mark.parametrize("case", [case for case in CASES if any(isinstance(one, dict) for one in case[2:])], ids=str)
def test_what_an_option_becomes_is_in_its_row(case):
    option, value, *becomes = case
    found = [row for row in rows("What becomes of the options") if option in named(row[0])]
    if option == "quantize":
        found = [row for row in found if re.search(rf"{value}\b(?!-)", row[0])]
    (row,) = found
    for cell, settings in zip(row[1:], becomes, strict=True):
        text = row[1] if cell == "the same" else cell
        for name in settings if isinstance(settings, dict) else ():
            assert name in text or str(settings[name]) in text, (option, name)


def test_the_command_names_each_difference_that_a_client_of_vllm_may_meet():
    of_own_servers = {"repetition_penalty, top_k, truncate"}
    headers = {each.header for each in DIFFERENCES if each.header} - of_own_servers
    refused = {each.name.replace("`", "") for each in DIFFERENCES if "status" in each.differs}
    found = [one for one in vars(clients).values() if isinstance(one, Difference)]
    assert {one.header for one in found if one.header} == headers
    assert {one.subject for one in (*clients.REFUSED, clients.PREFILL)} == refused


def test_the_readme_shows_the_same_client_before_and_after():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## Away from TGI\n")[2].partition("\n## ")[0]
    before, after, *_ = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert before == after
    assert "from text_generation import Client" in before
