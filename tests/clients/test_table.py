"""The page for application teams is of the clients that the tests run."""

from __future__ import annotations

from tests.clients.table import BEGIN, END, LANGUAGES, PAGE, clients


def rows() -> list[list[str]]:
    """The rows of the page's table, without its header."""
    written = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    lines = [line for line in written.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_has_the_versions_that_the_scripts_pin() -> None:
    expected = [[LANGUAGES[each.language], f"`{each.package}`", each.protocol, each.version] for each in clients()]
    assert [row[:4] for row in rows()] == expected


def test_the_table_has_no_failed_check() -> None:
    assert [row for row in rows() if "✗" in " ".join(row)] == []


def test_the_page_says_how_each_client_is_called() -> None:
    calls = PAGE.read_text().split(BEGIN)[0]
    assert [each.package for each in clients() if f"`{each.package}`" not in calls] == []
