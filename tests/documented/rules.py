"""How each command of a document is tested: the first rule whose pattern it begins with. One without a rule fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from tests.documented import checks
from tests.documented.blocks import Block


class How(Enum):
    """What the test of a document that is run does with a command."""

    RUN = auto()
    """Runs it, and compares what it prints with the output below."""
    SERVE = auto()
    """Runs it in a terminal of its own until the next one, or the end of the document."""
    CHECK = auto()
    """Only checks that it could be run."""


@dataclass(frozen=True)
class Rule:
    """A rule.

    Args:
        pattern: What the command begins with, a regular expression.
        how: What is done with it in a document that is run.
        check: What is wrong with it, found without running it; applied in every document.
        why: Why it is not run.
    """

    pattern: str
    how: How
    check: Callable[[str], list[str]]
    why: str = ""


RULES = [
    Rule(r"([A-Z_]+=\$\()?aws ", How.CHECK, checks.aws, "needs AWS"),
    Rule(r"awscurl ", How.CHECK, checks.shell, "needs AWS"),
    Rule(r"(npx )?cdk (synth|list|ls)\b", How.RUN, checks.cdk),
    Rule(r"(npx )?cdk ", How.CHECK, checks.cdk, "needs AWS"),
    Rule(r"make serve\b", How.SERVE, checks.make),
    Rule(r"([A-Z]+=\S+ )?make (demo|synth)\b", How.RUN, checks.make),
    Rule(r"make ", How.CHECK, checks.make, "takes minutes; .ci/run runs it"),
    Rule(r"tgi-endpoint chat --stack\b", How.CHECK, checks.tgi_endpoint, "needs AWS"),
    Rule(r"tgi-endpoint stage\b", How.CHECK, checks.tgi_endpoint, "needs AWS and the hub"),
    Rule(r"tgi-endpoint (jumpstart|models) (add|pin)\b", How.CHECK, checks.tgi_endpoint, "needs the internet"),
    Rule(r"tgi-endpoint ", How.RUN, checks.tgi_endpoint),
    Rule(r"pip install ", How.CHECK, checks.pip, "needs a package index"),
    Rule(r"\(?cd \S+ && (pip|uvicorn) ", How.CHECK, checks.shell, "needs a package index"),
    Rule(r"git (clone|checkout) ", How.CHECK, checks.shell, "needs the repository's address, or another commit"),
    Rule(r"python compare\.py ", How.CHECK, checks.shell, "needs AWS; tests/e2e/test_move_from_tgi.py runs it"),
    Rule(r"python3 -m venv ", How.CHECK, checks.shell, "what is installed into it needs a package index"),
    Rule(r"docker ", How.CHECK, checks.shell, "needs Docker"),
    Rule(r"gh ", How.CHECK, checks.shell, "needs a repository on GitHub"),
    Rule(r"dig ", How.CHECK, checks.shell, "needs AWS"),
    Rule(r"curl https://", How.CHECK, checks.shell, "needs AWS"),
    Rule(
        r"(export|cd|\(cd|mkdir|mv|curl|head|grep|sed|python|bash|eval|ask|ask\(\)|sleep|for)\b", How.RUN, checks.shell
    ),
    Rule(r"[A-Z_]+=", How.RUN, checks.shell),
]

# How a block of another language is tested, besides being written to the file of its title.
LANGUAGES = {
    "console": "its commands, by the rules above",
    "python": "compiled; run if it calls URL; synthesized if it defines a stack",
    "bash": "its syntax; run if it calls $URL",
    "json": "parsed",
    "toml": "parsed",
    "": "text: an output, a picture, or an error",
}

RUN_DOCUMENTS = ["README.md", "docs/how-to/choose_an_instance_type.md", "docs/migrate.md", "docs/tutorials/*.md"]
"""The documents whose commands are run; in all others they are only checked."""

VALUES = r"<the (API key|key of [a-z-]+)>"
"""Placeholders that a session fills in: what `make serve` shows."""

_PLACEHOLDER = re.compile(rf"(?!{VALUES})<[a-z][^<>]*>")
"""One that nobody can fill in: such a command is only checked."""

NEEDS_AWS = "needs AWS"
"""Words of a heading: no command below it is run."""


def rule_of(command: str) -> Rule | None:
    """The rule of a command."""
    return next((rule for rule in RULES if re.match(rule.pattern, command)), None)


def how(block: Block, command: str) -> How:
    """What the test of a document that is run does with a command.

    Raises:
        LookupError: It has no rule.
    """
    rule = rule_of(command)
    if rule is None:
        raise LookupError(f"{block.place}: no rule of tests/documented/rules.py is for: {command}")
    return How.CHECK if NEEDS_AWS in block.section or _PLACEHOLDER.search(command) else rule.how


def calls(block: Block) -> bool:
    """Whether a block calls the URL of a front door that serves."""
    code = block.code
    return (block.language == "bash" and "$URL" in code) or (
        block.language == "python" and not block.title and bool(re.search(r"\bURL\b", code))
    )
