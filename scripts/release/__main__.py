"""Release a version: `make release VERSION=1.2.0`, or with `DRY_RUN=1` everything but the commit and the tag.

A second checkout gets the version, the date in the changelog, the public API and the templates of this release, in one
commit. From it the wheel and the source distribution are built twice and compared, and the wheel is tried with the
oldest and the newest aws-cdk-lib that it declares. Only then the commit gets its tag, and the branch moves to it.
Nothing is pushed. Until then nothing of this checkout changes, so a release that fails or is killed can begin again.
"""

from __future__ import annotations

import argparse
import datetime
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts import changelog
from scripts.release import project
from scripts.release.checks import BRANCH, interrupted, of_git, problems
from scripts.release.distributions import NotReproducibleError, build, compare
from scripts.release.git import Repository
from scripts.release.quiet import StepError, run
from scripts.release.trial import ROOT, TrialError, UnreachableError, supported

_CALLERS = "make check, make test and make test-slow have to pass before: this command does not run them."


class ChangedError(Exception):
    """The checkout has changed while the release was built; the message says how."""


def main(arguments: list[str] | None = None) -> int:
    """Release a version.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        0 if it is released, or could be (`--dry-run`); 1 if something keeps it from being; 2 for a wrong command line.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.release", description=__doc__)
    parser.add_argument("version", help="the version, such as 1.2.0")
    parser.add_argument("--dry-run", action="store_true", help="check, build and try, but neither commit nor tag")
    options = parser.parse_args(arguments)
    repository = Repository(ROOT)
    stopped = interrupted(repository, options.version)
    if stopped:
        sys.stderr.write(f"error: {stopped}\n")
        return 1
    found = problems(repository, options.version)
    if found:
        sys.stderr.write(f"error: {options.version} cannot be released:\n")
        sys.stderr.writelines(f"  - {each}\n" for each in found)
        return 1
    sys.stderr.write(f"• {_CALLERS}\n")
    try:
        _release(repository, options.version, dry_run=options.dry_run)
    except (
        ChangedError,
        NotReproducibleError,
        StepError,
        TrialError,
        UnreachableError,
        subprocess.CalledProcessError,
    ) as failure:
        state = interrupted(repository, options.version) or "nothing has changed"
        sys.stderr.write(f"error: {options.version} is not released: {failure}\n{state}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"\nstopped: {interrupted(repository, options.version) or 'nothing has changed'}\n")
        return 130
    return 0


def _release(repository: Repository, version: str, *, dry_run: bool) -> None:
    base = repository.commit()
    with repository.worktree() as tree, TemporaryDirectory(prefix="release-") as folder:
        with _step(f"{version} in a second checkout, with its public API and templates"):
            _prepare(tree, version)
        files = _distributions(tree, Path(folder))
        _try(files[0], Path(folder), project.oldest(project.read(tree.root)))
        if dry_run:
            changed = tree.run("diff", "--stat", "HEAD~1")
            sys.stdout.write(f"{changed}\nDry run: {version} could be released. Neither commit nor tag was made.\n")
            return
        commit = tree.run("rev-parse", "HEAD")
        # Builds and trials take minutes, in which somebody may have gone on working here.
        if meanwhile := list(of_git(repository, version, base)):
            raise ChangedError(f"meanwhile {'; '.join(meanwhile)}")
        dist = repository.root / "dist"
        dist.mkdir(exist_ok=True)
        for path in files:
            shutil.copy(path, dist)
    # From here on a kill leaves a state that `interrupted` explains.
    repository.run("tag", "--annotate", "--message", _message(version), f"v{version}", commit)
    repository.run("merge", "--quiet", "--ff-only", f"v{version}")
    names = " ".join(f"dist/{path.name}" for path in files)
    sys.stdout.write(
        f"{version} is released here: the commit {commit[:12]} of {BRANCH}, its tag v{version}, and {names}.\n"
        f"Nothing was pushed. Next:\n"
        f"  git push --atomic <remote> {BRANCH} v{version}\n"
        f"  publish {names} as your company does; both are built again from the tag byte by byte\n"
    )


def _prepare(tree: Repository, version: str) -> None:
    """Commit the version into a checkout."""
    path = tree.root / "CHANGELOG.md"
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    path.write_text(changelog.release(path.read_text(encoding="utf-8"), version, today), encoding="utf-8")
    path = tree.root / "pyproject.toml"
    path.write_text(project.with_version(path.read_text(encoding="utf-8"), version), encoding="utf-8")
    for module in ("scripts.public_api", "scripts.logical_ids"):
        run([sys.executable, "-m", module, "--release"], tree.root)
    tree.run("commit", "--quiet", "--all", "--message", f"release: {_message(version)}")


def _distributions(tree: Repository, folder: Path) -> list[Path]:
    """Build the commit twice: here, and in another folder with other permissions."""
    epoch = int(tree.run("log", "-1", "--format=%ct"))
    with _step("the wheel and the source distribution, twice"):
        built = build(tree.root, folder / "dist", epoch=epoch)
        tree.extract("HEAD", folder / "again")
        compare(built, build(folder / "again", folder / "dist-again", epoch=epoch, umask=0o077))
    return sorted(built, key=lambda path: path.suffix != ".whl")


def _try(wheel: Path, folder: Path, oldest: dict[str, str]) -> None:
    for end, requirements in (
        ("oldest", [f"{name}=={version}" for name, version in oldest.items()]),
        ("newest", []),
    ):
        with _step(f"the wheel in an environment of its own, with the {end} aws-cdk-lib"):
            versions = supported(wheel, folder / end, requirements)
        listed = ", ".join(f"{name} {versions[name]}" for name in (*oldest, "jsii"))
        sys.stderr.write(f"  {listed}\n")


def _message(version: str) -> str:
    return f"Version {version}"


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    sys.stderr.write(f"• {what}\n")
    begun = time.monotonic()
    yield
    sys.stderr.write(f"✓ {what} ({time.monotonic() - begun:.1f} s)\n")


if __name__ == "__main__":
    sys.exit(main())
