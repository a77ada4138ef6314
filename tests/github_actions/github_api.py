"""A GitHub that has what the scripts of the example call, on this machine."""

from __future__ import annotations

import json
import re
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.github_actions.loopback_server import LoopbackServer, QuietHandler

TOKEN = "a-token-of-the-job"
REPOSITORY = "octo-org/octo-repo"


class GitHub(LoopbackServer):
    """The comments of pull requests, and the runs of a workflow with their artifacts.

    Attributes:
        comments: The comments by the number of their pull request.
        runs: The runs that succeeded, the newest first.
        artifacts: The artifacts by the id of their run.
        refuses: The status of every answer, if not 200.
    """

    def __init__(self) -> None:
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.runs: list[dict[str, Any]] = []
        self.artifacts: dict[int, list[dict[str, Any]]] = {}
        self.refuses: int | None = None
        self.queries: list[str] = []

    def __enter__(self) -> Self:
        github = self

        class Handler(QuietHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                authorized = self.headers["Authorization"] == f"Bearer {TOKEN}"
                status, answer = github.answer(self.command, self.path, body) if authorized else (401, {})
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = _answer  # noqa: N815

        self.serve(Handler)
        return self

    @property
    def environment(self) -> dict[str, str]:
        """What a job has of it."""
        url = f"http://127.0.0.1:{self.port}"
        return {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": REPOSITORY, "GH_TOKEN": TOKEN}

    def comment(self, pull_request: int, body: str, login: str) -> dict[str, Any]:
        """Adds a comment."""
        number = sum(map(len, self.comments.values())) + 1
        url = f"https://github.com/{REPOSITORY}/pull/{pull_request}#issuecomment-{number}"
        added = {"id": number, "body": body, "user": {"login": login}, "html_url": url}
        self.comments.setdefault(pull_request, []).append(added)
        return added

    def answer(self, verb: str, target: str, body: Any) -> tuple[int, Any]:
        """The status and the body of an answer."""
        if self.refuses is not None:
            return self.refuses, {"message": "Resource not accessible by integration"}
        url = urlsplit(target)
        path, query = url.path.removeprefix(f"/repos/{REPOSITORY}"), parse_qs(url.query)
        self.queries.append(url.query)
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            number = int(found[1])
            if verb == "POST":
                return 201, self.comment(number, body["body"], "github-actions[bot]")
            return 200, _page(self.comments.get(number, []), query)
        if verb == "PATCH" and (found := re.fullmatch(r"/issues/comments/(\d+)", path)):
            (comment,) = (one for each in self.comments.values() for one in each if one["id"] == int(found[1]))
            return 200, _changed(comment, body)
        if path == "/actions/workflows/deploy.yml/runs":
            return 200, {"workflow_runs": _page(self.runs, query)}
        if found := re.fullmatch(r"/actions/runs/(\d+)/artifacts", path):
            return 200, {"artifacts": _page(self.artifacts.get(int(found[1]), []), query)}
        return 404, {"message": "Not Found"}


def _changed(comment: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    comment.update(body)
    return comment


def _page(entries: list[dict[str, Any]], query: dict[str, list[str]]) -> list[dict[str, Any]]:
    size, page = (int(query.get(name, [default])[0]) for name, default in (("per_page", "30"), ("page", "1")))
    return entries[(page - 1) * size : page * size]
