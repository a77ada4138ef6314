"""What a release asks of git."""

from __future__ import annotations

import os
import subprocess
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Repository:
    """A checkout.

    Args:
        root: Its folder.
    """

    root: Path

    def run(self, *arguments: str) -> str:
        """What git prints.

        Args:
            arguments: The command, such as `status`, and its arguments.

        Raises:
            CalledProcessError: git failed; its message is shown.
        """
        # Those of a hook that started this would name another repository.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_DIR")}
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.rstrip("\n")

    def branch(self) -> str:
        """The branch; empty in the middle of a rebase or at a commit of its own."""
        return self.run("branch", "--show-current")

    def changed_files(self) -> list[str]:
        """Files that differ from the commit, and new ones that git does not ignore."""
        return [line[3:] for line in self.run("status", "--porcelain").splitlines()]

    def commit(self, revision: str = "HEAD") -> str | None:
        """The commit of a name; None if there is none.

        Args:
            revision: A branch, a tag, or another name of a commit.
        """
        command = ["git", "rev-parse", "--quiet", "--verify", f"{revision}^{{commit}}"]
        done = subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout.strip() or None

    def tags(self) -> list[str]:
        """The names of all tags."""
        return self.run("tag", "--list").splitlines()

    def extract(self, revision: str, folder: Path) -> None:
        """Write the files of a commit into a folder, without git.

        Args:
            revision: The commit.
            folder: Created; must not exist.
        """
        archive = folder.with_suffix(".tar")
        self.run("archive", "--output", str(archive), revision)
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="tar")

    @contextmanager
    def worktree(self, revision: str = "HEAD") -> Iterator[Repository]:
        """A second checkout of a commit, of no branch, until the end of the block.

        Args:
            revision: The commit.
        """
        self.run("worktree", "prune")
        with TemporaryDirectory(prefix="release-") as folder:
            tree = Path(folder) / "tree"
            self.run("worktree", "add", "--quiet", "--detach", str(tree), revision)
            try:
                yield Repository(tree)
            finally:
                self.run("worktree", "remove", "--force", str(tree))
