"""What the hub answers, without a socket: descriptions, trees, files, and refusals in the hub's own words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, quote, unquote, urlsplit

from local.hub.faults import Reply
from local.hub.repository import Repository, StoredFile

_API = re.compile(r"/api/models/(?P<name>.+?)(?:/(?P<what>revision|tree)/(?P<revision>[^/]+))?")
_RESOLVE = re.compile(r"/(?P<name>.+?)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
_CACHED = re.compile(r"/api/resolve-cache/models/(?P<name>.+?)/(?P<revision>[0-9a-f]{40})/(?P<path>.+)")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Answers:
    """What a hub has to say.

    Args:
        repositories: What it has.
        tokens: The repositories that each token may read beyond the public ones.
        page_size: Entries of a page of a tree.
        has_error_codes: Whether refusals carry X-Error-Code; a mirror may leave it out.
        redirects_small_files: Whether a file that is no LFS file is answered with a relative redirect, as the hub does.
    """

    def __init__(
        self,
        repositories: Iterable[Repository],
        tokens: Mapping[str, Iterable[str]],
        page_size: int,
        has_error_codes: bool,
        redirects_small_files: bool,
    ) -> None:
        self.repositories = {repository.name: repository for repository in repositories}
        self._tokens = {token: set(names) for token, names in tokens.items()}
        self._page_size = page_size
        self._has_error_codes = has_error_codes
        self._redirects_small_files = redirects_small_files

    def answer(self, target: str, token: str | None, asked_range: str | None, hub: str, cdn: str) -> Reply:
        """The hub's answer.

        Args:
            target: Path and query.
            token: The bearer token.
            asked_range: The Range header.
            hub: The hub's own URL.
            cdn: The CDN's URL.
        """
        parts = urlsplit(target)
        if token is not None and token not in self._tokens:
            return self._refusal(401, None, "Invalid credentials in Authorization header")
        if found := _CACHED.fullmatch(parts.path):
            return self._file(found, token, asked_range, cdn, is_cached=True)
        if found := _RESOLVE.fullmatch(parts.path):
            return self._file(found, token, asked_range, cdn, is_cached=False)
        if found := _API.fullmatch(parts.path):
            return self._about(found, parse_qs(parts.query), token, hub)
        return self._refusal(404, None, "Not Found")

    def cdn_answer(self, target: str, asked_range: str | None) -> Reply:
        """The CDN's answer, which knows contents by their SHA-256 and needs a signed URL."""
        parts = urlsplit(target)
        if "Signature" not in parse_qs(parts.query):
            return Reply(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
        file = self._stored(parts.path[1:])
        if file is None:
            return Reply(404)
        return _content(file, asked_range, {"ETag": f'"{file.etag}"', "Content-Type": "application/octet-stream"})

    def path_of(self, target: str) -> str:
        """The path of the file that a request to the CDN is for."""
        file = self._stored(urlsplit(target).path[1:])
        return file.path if file else ""

    def _stored(self, sha256: str) -> StoredFile | None:
        files = (file for repository in self.repositories.values() for file in repository.files.values())
        return next((file for file in files if file.is_lfs and file.sha256 == sha256), None)

    def _find(self, name: str, revision: str | None, token: str | None) -> Repository | Reply:
        repository = self.repositories.get(unquote(name))
        if repository is None or (repository.private and not self._may_read(repository, token)):
            # Who has no token is not told whether there is such a repository.
            status, message = (401, "Invalid username or password.") if token is None else (404, "Repository not found")
            return self._refusal(status, "RepoNotFound" if token else None, message)
        if revision is not None and not repository.has_revision(unquote(revision)):
            return self._refusal(404, "RevisionNotFound", f"Invalid rev id: {unquote(revision)}")
        return repository

    def _may_read(self, repository: Repository, token: str | None) -> bool:
        return token is not None and repository.name in self._tokens[token]

    def _about(self, found: re.Match[str], query: Mapping[str, list[str]], token: str | None, hub: str) -> Reply:
        repository = self._find(found["name"], found["revision"], token)
        if isinstance(repository, Reply):
            return repository
        if found["what"] != "tree":
            return _json(repository.described())
        entries = repository.tree()
        is_recursive = query.get("recursive", ["false"])[0].lower() == "true"
        if not is_recursive:
            entries = [entry for entry in entries if "/" not in str(entry["path"])]
        start = int(query.get("cursor", ["0"])[0])
        end = start + self._page_size
        headers = {}
        if end < len(entries):
            path = f"/api/models/{quote(repository.name)}/tree/{found['revision']}"
            following = f"{hub}{path}?recursive={str(is_recursive).lower()}&cursor={end}"
            headers["Link"] = f'<{following}>; rel="next"'
        return _json(entries[start:end], headers)

    def _file(
        self, found: re.Match[str], token: str | None, asked_range: str | None, cdn: str, *, is_cached: bool
    ) -> Reply:
        repository = self._find(found["name"], found["revision"], token)
        if isinstance(repository, Reply):
            return repository
        if repository.gated and not self._may_read(repository, token):
            return self._gated(repository, token)
        path = unquote(found["path"])
        file = repository.files.get(path)
        headers = {"X-Repo-Commit": repository.commit, "Accept-Ranges": "bytes"}
        if file is None:
            return self._refusal(404, "EntryNotFound", "Entry not found", headers)
        if file.is_lfs:
            linked = {"X-Linked-Etag": f'"{file.etag}"', "X-Linked-Size": str(file.size)}
            location = f"{cdn}/{file.sha256}?Expires=1&Signature=s"
            return Reply(302, {**headers, **linked, "Location": location, "Content-Type": "text/plain"})
        if self._redirects_small_files and not is_cached:
            location = f"/api/resolve-cache/models/{quote(repository.name)}/{repository.commit}/{quote(path)}"
            return Reply(307, {**headers, "Location": location})
        return _content(file, asked_range, {**headers, "ETag": f'"{file.etag}"', "Content-Type": "text/plain"})

    def _gated(self, repository: Repository, token: str | None) -> Reply:
        restricted = f"Access to model {repository.name} is restricted"
        if token is None:
            message = f"{restricted}. You must have access to it and be authenticated to access it. Please log in."
            return self._refusal(401, "GatedRepo", message)
        return self._refusal(403, "GatedRepo", f"{restricted} and you are not in the authorized list.")

    def _refusal(self, status: int, code: str | None, message: str, headers: Mapping[str, str] | None = None) -> Reply:
        about = {"X-Error-Message": message, **(headers or {})}
        if code is not None and self._has_error_codes:
            about["X-Error-Code"] = code
        return _json({"error": message}, about, status)


def _json(value: object, headers: Mapping[str, str] | None = None, status: int = 200) -> Reply:
    about = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Reply(status, about, json.dumps(value).encode())


def _content(file: StoredFile, asked_range: str | None, headers: Mapping[str, str]) -> Reply:
    asked = _RANGE.fullmatch(asked_range or "")
    if asked is None:
        return Reply(200, headers, file.content)
    start, end = int(asked[1]), min(int(asked[2] or file.size), file.size - 1)
    if start > end:
        return Reply(416, {**headers, "Content-Range": f"bytes */{file.size}"})
    span = {"Content-Range": f"bytes {start}-{end}/{file.size}"}
    return Reply(206, {**headers, **span}, file.content[start : end + 1])
