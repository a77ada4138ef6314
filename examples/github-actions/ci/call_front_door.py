"""Ask the deployed model for a sentence, as a client does: `python ci/call_front_door.py outputs.json`.

The file is what `cdk deploy --outputs-file` writes. The key is read from Secrets Manager and printed nowhere. The exit
code is 1 if no answer with text comes.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3

STACK = "ChatService"
BODY = {
    "model": "qwen",
    "messages": [{"role": "user", "content": "Say hello in one sentence."}],
    "max_tokens": 32,
}
# A new stage or key of API Gateway takes some seconds until every request meets it.
SECONDS = 120
PAUSE = 5
_RETRIED = (403, 404, 429, 500, 502, 503, 504)


class NoAnswerError(Exception):
    """What came instead of an answer.

    Args:
        said: What came.
        passes: Whether it may be an answer soon.
    """

    def __init__(self, said: str, *, passes: bool) -> None:
        super().__init__(said)
        self.passes = passes


def main(file: str) -> int:
    """Ask until there is an answer.

    Args:
        file: The outputs of the stacks.

    Returns:
        0 if the answer has text, else 1.
    """
    outputs = json.loads(Path(file).read_text(encoding="utf-8"))[STACK]
    key = boto3.client("secretsmanager").get_secret_value(SecretId=outputs["WorkflowKey"])["SecretString"]
    url = f"{outputs['Url']}/v1/chat/completions"
    deadline = time.monotonic() + SECONDS
    while True:
        started = time.monotonic()
        try:
            text = ask(url, key)
        except NoAnswerError as failure:
            sys.stderr.write(f"{url}: {failure}\n")
            if not failure.passes or time.monotonic() + PAUSE > deadline:
                return 1
            time.sleep(PAUSE)
        else:
            sys.stdout.write(f"{url} answered in {time.monotonic() - started:.1f} s: {text}\n")
            return 0


def ask(url: str, key: str) -> str:
    """Ask once.

    Args:
        url: Where chats are answered.
        key: The API key.

    Raises:
        NoAnswerError: What came is no answer with text.
    """
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    # The URL is that of the stack's output.
    request = urllib.request.Request(url, json.dumps(BODY).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            body = response.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")[:500]
        raise NoAnswerError(f"{error.code} {said}", passes=error.code in _RETRIED) from None
    except OSError as error:
        raise NoAnswerError(str(error), passes=True) from None
    try:
        text = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        text = None
    if not text:
        raise NoAnswerError(f"200 without text: {body[:500]}", passes=False)
    return str(text)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
