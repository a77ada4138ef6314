"""Put a comment on a pull request, or change the one that is there: `python ci/post_comment.py 7 comment.md`.

Requires GH_TOKEN with `pull-requests: write`, and GITHUB_API_URL and GITHUB_REPOSITORY, which every job has.
"""

from __future__ import annotations

import sys
from pathlib import Path

from github import call, listed

AUTHOR = "github-actions[bot]"
"""Whose comments GH_TOKEN may change: anybody can write one that begins like ours."""


def main(pull_request: str, file: str) -> None:
    """Post the text of a file, whose first line finds the comment again.

    Args:
        pull_request: Its number.
        file: The file.
    """
    text = Path(file).read_text(encoding="utf-8")
    marker = text.partition("\n")[0]
    path = f"/issues/{int(pull_request)}/comments"
    ours = (each for each in listed(path) if each["body"].startswith(marker) and each["user"]["login"] == AUTHOR)
    comment = next(ours, None)
    if comment is None:
        comment = call("POST", path, {"body": text})
    else:
        comment = call("PATCH", f"/issues/comments/{comment['id']}", {"body": text})
    sys.stdout.write(f"{comment['html_url']}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
