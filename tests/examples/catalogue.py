"""The folders in examples/, what kind each is of, and what its README says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples"
INDEX = FOLDER / "README.md"


class Kind(Enum):
    """What a folder has, which decides how it is tested."""

    APP = "a CDK app: it has a cdk.json, and is synthesized, linted and deployed"
    CLIENT = "a client: it has a client.py and no cdk.json, and calls a deployed front door"
    OTHER = "anything else: tests of its own, in any file tests/**/test_<name>*.py"


@dataclass(frozen=True)
class Example:
    """A folder in examples/.

    Args:
        folder: The folder.
    """

    folder: Path

    @property
    def name(self) -> str:
        """Its name."""
        return self.folder.name

    @property
    def kind(self) -> Kind:
        """What it has."""
        if (self.folder / "cdk.json").exists():
            return Kind.APP
        return Kind.CLIENT if (self.folder / "client.py").exists() else Kind.OTHER

    @property
    def module(self) -> str:
        """The name of its tests: `test_rag_client` for rag_client, `test_github_actions` for github-actions."""
        return f"test_{self.name.replace('-', '_')}"

    def readme(self) -> str:
        """The text of its README."""
        return (self.folder / "README.md").read_text(encoding="utf-8")

    def introduction(self) -> str:
        """The paragraph below the title."""
        return self.readme().split("\n\n")[1]

    def sections(self) -> dict[str, str]:
        """The text of each section by its heading."""
        parts = re.split(r"^## (.+)\n", self.readme(), flags=re.MULTILINE)[1:]
        return dict(zip(parts[::2], parts[1::2], strict=True))

    def output(self, heading: str) -> str:
        """The first block without a language in a section: what its command has printed."""
        return next(text for language, text in blocks(self.sections()[heading]) if not language)


def examples(*kinds: Kind) -> list[Example]:
    """The examples of some kinds. Default: all."""
    folders = [path for path in sorted(FOLDER.iterdir()) if path.is_dir() and path.name[0] not in "._"]
    found = [Example(folder) for folder in folders]
    return [example for example in found if not kinds or example.kind in kinds]


def blocks(text: str) -> list[tuple[str, str]]:
    """The language and the text of each block of code."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[str]:
    """The commands in blocks of the language `console`, without prompts and comments."""
    lines = [line for language, block in blocks(text) if language == "console" for line in block.splitlines()]
    return [re.split(r"\s+# ", line)[0].removeprefix("$ ").strip() for line in lines if line.startswith("$ ")]
