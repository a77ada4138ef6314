"""GitHub's REST API, with the token of the job. The job has no other package for it, and this needs none."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

_PAGE = 100


def call(verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Call the API; returns the JSON of the answer.

    Args:
        verb: The HTTP method.
        path: The path below the repository, such as `/issues/7/comments`.
        body: What is sent, as JSON.

    Raises:
        SystemExit: GitHub refuses, or does not answer.
    """
    url = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}{path}"
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {os.environ['GH_TOKEN']}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    data = None if body is None else json.dumps(body).encode()
    # The URL is that of GitHub, from the runner.
    request = urllib.request.Request(url, data, headers, method=verb)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{verb} {path}: {error.code} {error.read().decode(errors='replace')[:500]}") from None
    except OSError as error:
        raise SystemExit(f"{verb} {path}: {error}") from None


def listed(path: str, member: str | None = None) -> Iterator[dict[str, Any]]:
    """All entries of a list, page by page.

    Args:
        path: As for `call`.
        member: The member of the answer that has the list. Default: the answer is the list.
    """
    page, separator = 1, "&" if "?" in path else "?"
    while True:
        answer = call("GET", f"{path}{separator}per_page={_PAGE}&page={page}")
        entries = answer if member is None else answer[member]
        yield from entries
        if len(entries) < _PAGE:
            return
        page += 1
