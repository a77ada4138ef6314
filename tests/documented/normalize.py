"""Compares what a document shows with what a command printed, without what differs from run to run."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import groupby

LEFT_OUT = "…"
"""A line of a document that stands for any number of lines, also none."""

# In this order: what each is, as it is in the text of both.
_PATTERNS = [
    (r"\b(\d+ \w+ ago|just now)\b", "<ago>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", "<time>"),
    (r"\b\d\d:\d\d:\d\d\b", "<time>"),
    (r'("created": ?|"timestamp": ?)\d+', r"\1<time>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
    (r"((?:chatcmpl|cmpl|req|gen)-)[0-9a-zA-Z-]+", r"\1<id>"),
    (r"\b[0-9a-f]{16,64}\b", "<hash>"),
    (r"\b(\w+-[A-Za-z0-9]+[0-9A-F]{8})-[A-Z0-9]{10,13}\b", r"\1-<id>"),
    (r"\b([a-z]+-[a-z]+[0-9a-f]{8})-[a-z0-9]{10,13}\b", r"\1-<id>"),
    (r"(Project[0-9A-F]{8}):[0-9a-f]{8}\b", r"\1:<id>"),
    (r"([Bb]earer |[Kk]ey(?: ID| value)? +|api_key\": \")[A-Za-z0-9_-]{20,}", r"\1<key>"),
    (r"(https?://(?:127\.0\.0\.1|localhost)):\d+", r"\1:<port>"),
    (r"serve-\d+\.log", "serve-<port>.log"),
    (r"(\d+ )?chunks, first after", "<n> chunks, first after"),
    (r"\b\d+(\.\d+)? ?(ms|s)\b", "<n> s"),
    (r"^(This is a toy|No language model runs here|You are talking to a stand-in)\b.*$", "<what the toy says>"),
    (r"[^\s\"'=:]*/tgi-endpoint-cdk(?=[/\s\"':]|$)", "<clone>"),
]


def normalized(text: str) -> str:
    """A text with placeholders for ports, keys, ids, times, hashes and the clone's path."""
    for pattern, placeholder in _PATTERNS:
        text = re.sub(pattern, placeholder, text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def shows(document: str, printed: str) -> bool:
    """Whether a document shows what was printed; a line `…` stands for any lines, one at a line's end for its rest."""
    lines = []
    for line in _in_order(normalized(document)):
        if line.strip() == LEFT_OUT:
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            lines.append(r"[^\n]*".join(re.escape(part) for part in line.split(LEFT_OUT)) + r"\n")
    return re.fullmatch("".join(lines), "".join(f"{line}\n" for line in _in_order(normalized(printed)))) is not None


def _in_order(text: str) -> list[str]:
    """The lines, those of steps that run at the same time in one order: whichever ends first is the first."""
    lines: list[str] = []
    for is_step, group in groupby(text.splitlines(), key=lambda line: line.startswith("✓ ")):
        found = list(group)
        lines += sorted(found) if is_step else found
    return lines


def rewritten(document: str, printed: str) -> str:
    """What a document should show: what was printed, with the same lines left out, and unchanged if it is right."""
    if shows(document, printed):
        return document
    old, new = document.strip("\n").splitlines(), printed.strip("\n").splitlines()
    as_printed = [normalized(line) for line in new]
    matcher = SequenceMatcher(None, [_key(line, as_printed) for line in old], as_printed, autojunk=False)
    lines: list[str] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        before, after = old[i1:i2], new[j1:j2]
        if tag == "equal":
            lines += before
        elif LEFT_OUT in before:
            first, last = before.index(LEFT_OUT), len(before) - 1 - before[::-1].index(LEFT_OUT)
            tail = len(before) - 1 - last
            lines += [*after[:first], LEFT_OUT, *(after[len(after) - tail :] if tail else [])]
        else:
            lines += after
    return "\n".join(lines) + "\n"


def _key(line: str, printed: list[str]) -> str:
    """The printed line that a line with `…` at its end is the beginning of, or the line itself."""
    text = normalized(line)
    if LEFT_OUT in text and text.strip() != LEFT_OUT:
        pattern = re.compile(r".*".join(re.escape(part) for part in text.split(LEFT_OUT)))
        return next((one for one in printed if pattern.fullmatch(one)), text)
    return text
