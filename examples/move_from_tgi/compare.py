"""Sends prompts to both engines, and prints their answers side by side.

    python compare.py --url "$URL" --key "$KEY" "What is deep learning?" "Write a haiku."

The URL is that of a front door at which the engines have names of their own, `tgi` and `vllm`. Each prompt is a greedy
request of TGI's API with details, so that the same weights give the same tokens as long as both compute alike. The
status is 0 if all answers are the same, 1 if one is not, 2 if a request failed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What one engine answered.

    Args:
        text: The generated text.
        tokens: Ids of its tokens.
        finish_reason: Why it ended.
        seconds: How long it took.
        difference: What the front door says of it (x-tgi-difference); empty if nothing.
    """

    text: str
    tokens: tuple[int, ...]
    finish_reason: str
    seconds: float
    difference: str


def ask(url: str, key: str, model: str, prompt: str, max_new_tokens: int) -> Answer:
    """The answer of one model of the front door.

    Raises:
        urllib.error.HTTPError: The front door refused the request.
    """
    parameters = {"max_new_tokens": max_new_tokens, "details": True}
    request = urllib.request.Request(  # noqa: S310 - the URL is the caller's own
        f"{url.rstrip('/')}/models/{model}/generate",
        json.dumps({"inputs": prompt, "parameters": parameters}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    started = time.monotonic()
    with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
        body: Any = json.load(response)
        difference = response.headers.get("x-tgi-difference") or ""
    details = body["details"]
    return Answer(
        text=body["generated_text"],
        tokens=tuple(token["id"] for token in details["tokens"]),
        finish_reason=details["finish_reason"],
        seconds=time.monotonic() - started,
        difference=difference,
    )


def common_tokens(one: Answer, other: Answer) -> int:
    """With how many tokens both answers begin alike."""
    pairs = zip(one.tokens, other.tokens, strict=False)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), min(len(one.tokens), len(other.tokens)))


def show(prompt: str, answers: dict[str, Answer]) -> bool:
    """Print the answers to a prompt; whether all are the same."""
    first, *others = answers.values()
    say(f"\n{prompt}")
    for model, answer in answers.items():
        tokens = f"{len(answer.tokens)} tokens, {answer.finish_reason}, {answer.seconds:.2f} s"
        note = f", x-tgi-difference: {answer.difference}" if answer.difference else ""
        say(f"  {model:6} {tokens}{note}\n         {answer.text.strip()!r}")
    same = all(answer.tokens == first.tokens for answer in others)
    alike = min(common_tokens(first, answer) for answer in others)
    say("  the same tokens" if same else f"  the first {alike} tokens are the same")
    return same


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{line}\n")


def main() -> int:
    """Compare, and return the exit status."""
    parser = argparse.ArgumentParser(description="Compare the answers of two models of a front door.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--models", nargs=2, default=["tgi", "vllm"], metavar="NAME", help="default: tgi vllm")
    parser.add_argument("--max-new-tokens", type=int, default=64)
    parser.add_argument("prompts", nargs="+")
    given = parser.parse_args()
    same = True
    for prompt in given.prompts:
        try:
            answers = {name: ask(given.url, given.key, name, prompt, given.max_new_tokens) for name in given.models}
        except urllib.error.HTTPError as error:
            sys.stderr.write(f"\n{prompt}\n  {error.code} {error.read().decode(errors='replace')}\n")
            return 2
        except (OSError, ValueError, http.client.HTTPException) as error:
            sys.stderr.write(f"\n{prompt}\n  no answer of --url {given.url}: {getattr(error, 'reason', error)}\n")
            return 2
        same = show(prompt, answers) and same
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
