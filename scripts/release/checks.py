"""Why a release may not begin: every reason at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts import changelog
from scripts.public_api.announced import missing
from scripts.public_api.breaking import breaks
from scripts.public_api.stub import render
from scripts.release import project
from scripts.release.version import problems as version_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.public_api.breaking import Break
    from scripts.release.git import Repository

BRANCH = "main"

_SHOWN = 5
_PINNED, _RELEASED = "tests/public_api/pinned.pyi", "tests/public_api/released.pyi"


def problems(repository: Repository, version: str) -> list[str]:
    """What keeps a version from being released, one line each, with what to do.

    Args:
        repository: The checkout that is released.
        version: The version.
    """
    return [
        *of_git(repository, version),
        *_of_version(repository, version),
        *_of_changelog(repository, version),
        *_of_api(repository),
    ]


def interrupted(repository: Repository, version: str) -> str | None:
    """How to go on if an earlier release of this version was killed between its tag and the move of the branch.

    Args:
        repository: The checkout that is released.
        version: The version.
    """
    tag = f"v{version}"
    if repository.commit(tag) is None or repository.commit(f"{tag}^") != repository.commit():
        return None
    return (
        f"A release of {version} was stopped after its tag: {tag} is the commit after HEAD, and {BRANCH} does not have"
        " it yet. dist/ is complete.\n"
        f"  Go on:  git reset --hard {tag}\n"
        f"  Undo:   git tag --delete {tag} && git reset --hard\n"
        "Both drop changes of files, which there were none of when that release began."
    )


def of_git(repository: Repository, version: str, base: str | None = None) -> Iterator[str]:
    """What the checkout has that keeps a version from being released, one line each.

    Args:
        repository: The checkout that is released.
        version: The version.
        base: The commit from which the release was built. Default: the present one.
    """
    if base is not None and repository.commit() != base:
        yield f"HEAD is not {base[:12]} any more, from which it was built"
    files = repository.changed_files()
    if files:
        more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
        yield f"the tree has changes: {', '.join(files[:_SHOWN])}{more}; commit them or take them back"
    branch = repository.branch()
    if branch != BRANCH:
        yield f"the branch is {branch or 'none (a commit of its own)'}: must be {BRANCH} (git switch {BRANCH})"
    if f"v{version}" in repository.tags():
        yield f"the tag v{version} exists: choose another version; a tag that was pushed is not moved"


def _of_version(repository: Repository, version: str) -> Iterator[str]:
    text = (repository.root / "CHANGELOG.md").read_text(encoding="utf-8")
    released = [project.version(project.read(repository.root)), *changelog.versions(text)]
    yield from version_problems(version, released, breaks=bool(_breaks(repository)))


def _of_changelog(repository: Repository, version: str) -> Iterator[str]:
    text = (repository.root / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = changelog.unreleased(text)
    if entries is None:
        yield "CHANGELOG.md has no section ## [Unreleased]: add it, with what this version changes for its users"
    elif not any(entries.values()):
        yield "CHANGELOG.md has nothing below ## [Unreleased]: write what this version changes for its users"
    if version in changelog.versions(text):
        yield f"CHANGELOG.md has a section for {version} already: choose another version"


def _of_api(repository: Repository) -> Iterator[str]:
    if render(repository.root) != (repository.root / _PINNED).read_text(encoding="utf-8"):
        yield f"{_PINNED} is not the public API: run make public-api and commit the file"
    text = (repository.root / "CHANGELOG.md").read_text(encoding="utf-8")
    for line in missing(_breaks(repository), text):
        yield f'CHANGELOG.md, "Changed" or "Removed" of what is unreleased: {line}'


def _breaks(repository: Repository) -> list[Break]:
    old, new = ((repository.root / name).read_text(encoding="utf-8") for name in (_RELEASED, _PINNED))
    return breaks(old, new)
