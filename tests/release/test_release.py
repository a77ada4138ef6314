"""`python -m scripts.release`: what it refuses, what it leaves, and how to go on when it was stopped."""

from __future__ import annotations

import subprocess
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from scripts.release import __main__ as command
from scripts.release.trial import TrialError

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.release.git import Repository


@pytest.fixture
def tried(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the wheel was tried with, in place of environments with packages of the index."""
    asked: list[list[str]] = []

    def supported(wheel: Path, home: Path, requirements: list[str]) -> dict[str, str]:
        assert wheel.name == "tgi_endpoint_cdk-0.2.0-py3-none-any.whl"
        asked.append(requirements)
        return {"aws-cdk-lib": "2.271.0", "jsii": "1.142.0"}

    monkeypatch.setattr(command, "ROOT", repository.root)
    monkeypatch.setattr(command, "supported", supported)
    return asked


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real builds take seconds."""

    def build(_source: Path, out: Path, **_: int) -> list[Path]:
        out.mkdir()
        for name in ("tgi_endpoint_cdk-0.2.0-py3-none-any.whl", "tgi_endpoint_cdk-0.2.0.tar.gz"):
            (out / name).write_text(name)
        return sorted(out.iterdir())

    monkeypatch.setattr(command, "build", build)


def state(repository: Repository) -> tuple[Any, ...]:
    """Everything that a release may change."""
    files = repository.run("status", "--porcelain", "--ignored")
    return repository.run("show-ref"), repository.branch(), files, repository.run("worktree", "list")


def test_a_version_is_committed_tagged_built_and_tried_at_both_ends(
    repository: Repository, tried: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["0.2.0"]) == 0
    assert tried == [["aws-cdk-lib==2.271.0"], []]
    assert repository.run("cat-file", "-t", "v0.2.0") == "tag"
    assert repository.commit("v0.2.0") == repository.commit("main")
    assert repository.changed_files() == []
    changed = repository.run("diff", "--name-only", "main~1").splitlines()
    assert changed == ["CHANGELOG.md", "api.txt", "pyproject.toml", "templates.json"]
    assert 'version = "0.2.0"' in (repository.root / "pyproject.toml").read_text()
    date = time.strftime("%Y-%m-%d", time.gmtime(int(repository.run("log", "-1", "--format=%ct"))))
    changelog = (repository.root / "CHANGELOG.md").read_text()
    assert f"## [Unreleased]\n\n## [0.2.0] - {date}\n\n### Added\n- `A`.\n" in changelog
    wheel, source = sorted((repository.root / "dist").iterdir(), key=lambda path: path.suffix != ".whl")
    assert (wheel.name, source.name) == ("tgi_endpoint_cdk-0.2.0-py3-none-any.whl", "tgi_endpoint_cdk-0.2.0.tar.gz")
    assert len(repository.run("worktree", "list").splitlines()) == 1
    year, month, day, hour, minute, second = time.gmtime(int(repository.run("log", "-1", "--format=%ct")))[:6]
    times = {info.date_time for info in zipfile.ZipFile(wheel).infolist()}
    assert times == {(year, month, day, hour, minute, second // 2 * 2)}
    out, err = capfd.readouterr()
    assert "Nothing was pushed. Next:\n  git push --atomic <remote> main v0.2.0\n" in out
    assert "• make check, make test and make test-slow have to pass before: this command does not run them.\n" in err


@pytest.mark.usefixtures("built")
def test_a_dry_run_does_everything_but_leaves_nothing(
    repository: Repository, tried: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    before = state(repository)
    assert command.main(["0.2.0", "--dry-run"]) == 0
    assert (state(repository), len(tried)) == (before, 2)
    out = capfd.readouterr().out
    assert " CHANGELOG.md " in out
    assert out.endswith("Dry run: 0.2.0 could be released. Neither commit nor tag was made.\n")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("failure", [TrialError("the public names: ended with 1"), KeyboardInterrupt()])
def test_a_release_that_fails_or_is_stopped_leaves_nothing(
    repository: Repository,
    tried: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    failure: BaseException,
) -> None:
    def fail(*_: object) -> None:
        raise failure

    before = state(repository)
    monkeypatch.setattr(command, "supported", fail)
    assert command.main(["0.2.0"]) in (1, 130)
    assert state(repository) == before
    assert "nothing has changed" in capfd.readouterr().err
    monkeypatch.setattr(command, "supported", lambda *_: {"aws-cdk-lib": "2", "jsii": "1"})
    assert command.main(["0.2.0"]) == 0, "it can begin again"


@pytest.mark.usefixtures("built")
def test_a_release_that_is_killed_after_its_tag_says_how_to_go_on(
    repository: Repository, tried: list[list[str]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run = type(repository).run

    def killed(self: Repository, *arguments: str) -> str:
        if arguments[0] == "merge":
            raise SystemExit(137)
        return run(self, *arguments)

    monkeypatch.setattr(type(repository), "run", killed)
    with pytest.raises(SystemExit):
        command.main(["0.2.0"])
    monkeypatch.setattr(type(repository), "run", run)
    capfd.readouterr()
    assert command.main(["0.2.0"]) == 1
    said = capfd.readouterr().err
    assert said.startswith("error: A release of 0.2.0 was stopped after its tag: v0.2.0 is the commit after HEAD")
    assert "\n  Go on:  git reset --hard v0.2.0\n" in said
    repository.run("reset", "--quiet", "--hard", "v0.2.0")
    assert repository.changed_files() == []
    assert 'version = "0.2.0"' in (repository.root / "pyproject.toml").read_text()


@pytest.mark.usefixtures("built", "tried")
@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ([["switch", "--quiet", "--create", "topic"]], "the branch is topic: must be main"),
        ([["commit", "--quiet", "--allow-empty", "--message", "Go on"]], "HEAD is not "),
        ([["tag", "v0.2.0"]], "the tag v0.2.0 exists"),
    ],
)
def test_work_that_goes_on_meanwhile_is_neither_tagged_nor_moved(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    commands: list[list[str]],
    said: str,
) -> None:
    after: list[object] = []

    def supported(*_: object) -> dict[str, str]:
        if not after:
            for each in commands:
                repository.run(*each)
            after.append(state(repository)[:2])
        return {"aws-cdk-lib": "2", "jsii": "1"}

    monkeypatch.setattr(command, "supported", supported)
    assert command.main(["0.2.0"]) == 1
    assert f"0.2.0 is not released: meanwhile {said}" in capfd.readouterr().err
    assert state(repository)[:2] == after[0]
    assert not (repository.root / "dist").exists()


def test_every_problem_is_reported_at_once_and_nothing_is_built(
    repository: Repository, tried: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    root = repository.root
    repository.run("tag", "v0.1.0")
    repository.run("switch", "--quiet", "--create", "topic")
    (root / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-29\n")
    (root / "constructs_lib" / "a.py").write_text("class A:\n    size: str\n")
    (root / "notes.txt").write_text("new")
    assert command.main(["0.1.0"]) == 1
    assert capfd.readouterr().err == (
        "error: 0.1.0 cannot be released:\n"
        "  - the tree has changes: CHANGELOG.md, constructs_lib/a.py, notes.txt; commit them or take them back\n"
        "  - the branch is topic: must be main (git switch main)\n"
        "  - the tag v0.1.0 exists: choose another version; a tag that was pushed is not moved\n"
        "  - VERSION=0.1.0: must be greater than 0.1.0, the last release; the next ones are 0.1.1 and 0.2.0\n"
        "  - CHANGELOG.md has nothing below ## [Unreleased]: write what this version changes for its users\n"
        "  - CHANGELOG.md has a section for 0.1.0 already: choose another version\n"
        "  - tests/public_api/pinned.pyi is not the public API: run make public-api and commit the file\n"
    )
    assert tried == []


def test_what_breaks_has_to_be_in_the_changelog_and_in_the_version(
    repository: Repository, tried: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    (repository.root / "tests" / "public_api" / "released.pyi").write_text("class A:\n    size: int\n    gone: int\n")
    repository.run("commit", "--quiet", "--all", "--message", "Break")
    assert command.main(["0.1.1"]) == 1
    assert capfd.readouterr().err == (
        "error: 0.1.1 cannot be released:\n"
        "  - VERSION=0.1.1: the public API breaks programs that use 0.1.0 (make public-api lists how), so Semantic"
        " Versioning requires 0.2.0\n"
        '  - CHANGELOG.md, "Changed" or "Removed" of what is unreleased: A.gone: removed. Name `gone` and `A` in an'
        " entry.\n"
    )


def test_a_changelog_without_the_section_is_refused(
    repository: Repository, tried: list[list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    (repository.root / "CHANGELOG.md").write_text("# Changelog\n")
    subprocess.run(["git", "commit", "--quiet", "--all", "--message", "Empty"], cwd=repository.root, check=True)
    assert command.main(["0.2.0"]) == 1
    assert "CHANGELOG.md has no section ## [Unreleased]" in capfd.readouterr().err
