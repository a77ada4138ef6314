"""Run the unit tests on each Python from 3.11 on that this machine has.

`make unit-all`, or `PYTHONS="3.12 3.13"` for some. Each gets an environment of its own in .cache/pythons, with the
packages of requirements-dev.txt. With `--record` the versions that pass are written to scripts/release/tested.json,
which the classifiers in pyproject.toml are held to.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTED = ROOT / "scripts" / "release" / "tested.json"
FIRST = (3, 11)

_ENVIRONMENTS = ROOT / ".cache" / "pythons"


def main(arguments: list[str] | None = None) -> int:
    """Run the tests.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        0 if they pass on every Python; 1 if they do not; 2 if a Python that was asked for is not there.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.unit_all", description=__doc__)
    parser.add_argument("--python", action="append", help="a version such as 3.12, several times; default: all")
    parser.add_argument("--record", action="store_true", help="write the versions that pass to tested.json")
    parser.add_argument("tests", nargs=argparse.REMAINDER, help="what pytest runs and its options; default: all")
    options = parser.parse_args(arguments)
    found = installed()
    wanted = options.python or list(found)
    absent = [version for version in wanted if version not in found]
    if absent:
        known = ", ".join(found) or "none"
        sys.stderr.write(f"error: not on this machine: Python {', '.join(absent)}; there is {known}\n")
        return 2
    failed = []
    for version in wanted:
        sys.stderr.write(f"• Python {version} ({found[version]})\n")
        if not _passes(prepare(version, found[version]), options.tests):
            failed.append(version)
        elif options.record:
            _record(version, _patch(found[version]))
    for version in wanted:
        sys.stdout.write(f"{'✗' if version in failed else '✓'} Python {version}\n")
    return 1 if failed else 0


def installed() -> dict[str, Path]:
    """The interpreter of each version from 3.11 on, which uv finds on the path, in pyenv or among its own."""
    command = [sys.executable, "-m", "uv", "python", "list", "--only-installed", "--output-format", "json"]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)
    return newest([*listed, *_of_pyenv()])


def newest(listed: Sequence[dict[str, object]]) -> dict[str, Path]:
    """The newest interpreter of each version from 3.11 on, the oldest version first.

    Args:
        listed: What uv lists: `version`, `path`, and `implementation`.
    """
    found: dict[tuple[int, int], tuple[int, Path]] = {}
    for each in listed:
        parts = str(each["version"]).split(".")
        if each["implementation"] != "cpython" or not all(part.isdecimal() for part in parts):
            continue
        major, minor, patch = map(int, parts)
        if (major, minor) >= FIRST and found.get((major, minor), (-1, None))[0] < patch:
            found[major, minor] = patch, Path(str(each["path"]))
    return {f"{major}.{minor}": path for (major, minor), (_, path) in sorted(found.items())}


def _of_pyenv() -> list[dict[str, object]]:
    """Those that pyenv has installed; uv finds only the ones that are chosen there."""
    folder = Path.home() / ".pyenv" / "versions"
    return [
        {"version": each.name, "path": each / "bin" / "python", "implementation": "cpython"}
        for each in folder.glob("3.*")
        if (each / "bin" / "python").exists()
    ]


def prepare(version: str, interpreter: Path) -> Path:
    """The interpreter of an environment with the packages of requirements-dev.txt, created or brought up to date.

    Args:
        version: The version of Python, such as `3.12`.
        interpreter: Its interpreter.
    """
    home = _ENVIRONMENTS / version
    python = home / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    if not python.exists():
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", str(interpreter), str(home)], check=True)
    command = [*uv, "pip", "install", "--quiet", "--python", str(python), "--no-deps", "-r", "requirements-dev.txt"]
    subprocess.run(command, cwd=ROOT, check=True)
    return python


def _passes(python: Path, tests: Sequence[str]) -> bool:
    command = [str(python), "-m", "pytest", "-m", "not slow", *tests]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _patch(interpreter: Path) -> str:
    command = [str(interpreter), "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _record(version: str, patch: str) -> None:
    tested = json.loads(TESTED.read_text(encoding="utf-8"))
    tested["python"] = dict(sorted({**tested["python"], version: patch}.items()))
    TESTED.write_text(json.dumps(tested, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
