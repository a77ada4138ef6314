"""The pages of the command line and of the routes have all that their sources have."""

from __future__ import annotations

import json
import re
import sys

import pytest

from constructs_lib.cli.commands import run
from scripts.site import command_line, routes

COMMANDS = command_line.text()
ROUTES = routes.text()


def sections(text: str, level: str) -> dict[str, str]:
    parts = re.split(rf"^{level} (.+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def helped(*command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        run("tgi-endpoint", [*command, "--help"], sys.stdout, sys.stderr)
    return capsys.readouterr().out


@pytest.mark.parametrize("title", sections(COMMANDS, "##"))
def test_a_section_has_each_option_that_the_help_of_its_command_has(
    title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = helped(*title.split()[1:], capsys=capsys)
    section = sections(COMMANDS, "##")[title]
    options = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", printed, re.MULTILINE)) - {"--help"}
    assert options <= set(re.findall(r"`(--[\w-]+)", section))
    examples = [line.strip() for line in printed.splitlines() if line.startswith("  tgi-endpoint ")]
    assert [line for line in examples if line not in section] == []


def test_each_command_has_a_section(capsys: pytest.CaptureFixture[str]) -> None:
    printed = helped(capsys=capsys)
    (listed,) = re.findall(r"COMMAND\n((?:    .*\n)+)", printed)
    commands = re.findall(r"^    (\w[\w-]*)", listed, re.MULTILINE)
    assert "plan" in commands
    assert [name for name in commands if f"\n## tgi-endpoint {name}\n" not in COMMANDS] == []
    assert "## tgi-endpoint models pin" in COMMANDS


def test_a_percent_sign_of_a_help_text_is_no_placeholder_and_a_bar_is_no_column() -> None:
    assert "%(" not in COMMANDS
    for line in COMMANDS.splitlines():
        if line.startswith("| `"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 3, line


def test_each_route_has_a_section_or_is_named_as_that_of_one_model() -> None:
    paths = json.loads(routes.DOCUMENT.read_text(encoding="utf-8"))["paths"]
    titles = sections(ROUTES, "###")
    for path, methods in paths.items():
        for method in methods:
            route = f"{method.upper()} {path}"
            assert route in titles or f"`{route}`" in ROUTES, route
    assert "GET /v1/models/{model}" in titles
    assert "POST /models/{model}/wake" in titles
    assert "| 200 |" in titles["POST /generate"]


def test_each_body_that_is_named_has_a_section_with_its_fields() -> None:
    titles = sections(ROUTES, "###")
    named = set(re.findall(r"\[(\w+)\]\(#\w+\)", ROUTES))
    assert named <= titles.keys()
    assert "| `error.message` |" in titles["OpenAIError"]
    assert "| `messages` |" in titles["ChatCompletionRequest"]
    assert "**required**" in titles["ChatCompletionRequest"]


def test_the_errors_of_an_api_are_listed_once() -> None:
    errors = sections(ROUTES, "###")["Errors: OpenAI's routes"]
    assert len(re.findall(r"^\| 429 \|", errors, re.MULTILINE)) == 1
    assert len(re.findall(r"^\| 429 \|", ROUTES, re.MULTILINE)) == 4
