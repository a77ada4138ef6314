"""A small repository that can be released: the real git, the real build, a library of one class."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.public_api.stub import render
from scripts.release.git import Repository

FILES = {
    "CHANGELOG.md": """\
# Changelog

## [Unreleased]

### Added
- `A`.

## [0.1.0] - 2026-11-29
""",
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tgi-endpoint-cdk"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["aws-cdk-lib>=2.271.0,<3"]

[tool.hatch.build.targets.wheel]
packages = ["constructs_lib"]
""",
    ".gitignore": "/dist/\n__pycache__/\n",
    "constructs_lib/__init__.py": 'from constructs_lib.a import A\n\n__all__ = ["A"]\n',
    "constructs_lib/a.py": "class A:\n    size: int\n",
    # In the real repository they write down what later versions are held to.
    "scripts/__init__.py": "",
    "scripts/public_api.py": "from pathlib import Path\n\nPath('api.txt').write_text('released')\n",
    "scripts/logical_ids.py": "from pathlib import Path\n\nPath('templates.json').write_text('{}')\n",
    "templates.json": "",
    "api.txt": "",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "library"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    pinned = root / "tests" / "public_api" / "pinned.pyi"
    pinned.parent.mkdir(parents=True)
    pinned.write_text(render(root), encoding="utf-8")
    pinned.with_name("released.pyi").write_text(pinned.read_text(encoding="utf-8"), encoding="utf-8")
    for arguments in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["config", "user.name", "Team"],
        ["config", "user.email", "team@example.com"],
        ["add", "."],
        ["commit", "--quiet", "--message", "Begin"],
    ):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    return Repository(root)
