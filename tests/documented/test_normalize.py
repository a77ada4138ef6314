"""What is the same in two outputs, and how a stale one is rewritten."""

from __future__ import annotations

import pytest

from tests.documented.normalize import rewritten, shows
from tests.documented.screen import render


@pytest.mark.parametrize(
    ("document", "printed"),
    [
        ("✓ cdk synth (11.3 s)\n", "✓ cdk synth (9.0 s)\n"),
        ("✓ a (1.0 s)\n✓ b (2.0 s)\n", "✓ b (0.5 s)\n✓ a (0.7 s)\n"),
        ("http://127.0.0.1:8080/prod\n", "http://127.0.0.1:34567/prod\n"),
        ("API key     daeCa_FTcWO8sVin1mnc6WF7e6GS\n", "API key     eyJhb_FTcWO8sVin1mnc6WF7e6GT\n"),
        ("Endpoint Chat-EndpointEEF1FD8F-KEFPESL233PH: x\n", "Endpoint Chat-EndpointEEF1FD8F-6ZYBHMLHCVKU: x\n"),
        ("first\n…\nlast\n", "first\nsecond\nthird\nlast\n"),
        ("first\n…\nlast\n", "first\nlast\n"),
        ("a very long …\n", "a very long line\n"),
        ('{"id":"chatcmpl-<id>",…}\n', '{"id":"chatcmpl-3fa31068-20f7-46d2","content":"a toy, no language model."}\n'),
        ("This is a toy text generator\n", "No language model runs here, only a toy\n"),
    ],
)
def test_what_differs_from_run_to_run_is_no_difference(document: str, printed: str) -> None:
    assert shows(document, printed)


@pytest.mark.parametrize(
    ("document", "printed"),
    [
        ("✓ cdk synth (11.3 s)\n", "✓ cdk deploy (11.3 s)\n"),
        ("b\na\n", "a\nb\n"),
        ("first\nlast\n", "first\nsecond\nlast\n"),
        ("first\n…\nlast\n", "first\nlast\nmore\n"),
        ("2.605 USD\n", "2.606 USD\n"),
        ("status 200\n", "status 500\n"),
        ("5 requests\n", "6 requests\n"),
        ('{"content":"a toy, no language model."}\n', '{"content":"another toy, no language model."}\n'),
    ],
)
def test_anything_else_is_a_difference(document: str, printed: str) -> None:
    assert not shows(document, printed)


def test_an_output_that_is_right_stays_as_it_is() -> None:
    assert rewritten("✓ cdk synth (11.3 s)\n…\n", "✓ cdk synth (9.0 s)\nmore\n") == "✓ cdk synth (11.3 s)\n…\n"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("TITLE\n\na 1\n…\nd 5\n", "TITLE\n\na 1\n…\nd 4\n"),
        ("TITLE\n\na 0\nb 2\n…\nd 4\n", "TITLE\n\na 1\nb 2\n…\nd 4\n"),
        ("TITLE\n…\nc …\nd 5\n", "TITLE\n…\nc …\nd 4\n"),
        ("OTHER\n\na 1\nb 2\nc 3\nd 4\n", "TITLE\n\na 1\nb 2\nc 3\nd 4\n"),
        ("…\n", "…\n"),
        ("", "TITLE\n\na 1\nb 2\nc 3\nd 4\n"),
    ],
)
def test_a_stale_output_is_rewritten_and_keeps_what_it_leaves_out(document: str, expected: str) -> None:
    printed = "TITLE\n\na 1\nb 2\nc 3\nd 4\n"
    written = rewritten(document, printed)
    assert written == expected
    assert shows(written, printed)


def test_the_screen_shows_what_a_spinner_has_left() -> None:
    assert render("\x1b[?25l⠋ cdk synth\r\x1b[2K\x1b[1A\x1b[2K✓ cdk synth\r\n\x1b[?25h") == "✓ cdk synth\n"
    assert render("a\r\nb wrong\r\x1b[Kright\r\n\r\n") == "a\nright\n"
    assert render("\x1b[1mbold\x1b[0m\r\n") == "bold\n"
