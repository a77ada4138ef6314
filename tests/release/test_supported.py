"""What the project says that it supports is what was tested."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from scripts.release import project
from scripts.release.distributions import build
from scripts.release.trial import ROOT, UnreachableError, supported
from scripts.unit_all import TESTED, newest

RECORDED = json.loads(TESTED.read_text(encoding="utf-8"))
DECLARED = project.read(ROOT)


def test_the_classifiers_name_the_versions_of_python_that_were_tested_and_no_others() -> None:
    classifiers = tomllib.loads(DECLARED)["project"]["classifiers"]
    named = re.findall(r"^Programming Language :: Python :: (3\.\d+)$", "\n".join(classifiers), re.MULTILINE)
    assert named == sorted(RECORDED["python"], key=lambda version: int(version.split(".")[1]))


def test_the_lowest_versions_that_are_declared_are_those_that_were_tested() -> None:
    assert project.oldest(DECLARED) == {name: RECORDED[name]["oldest"] for name in ("aws-cdk-lib", "constructs")}


def test_the_locked_versions_are_the_newest_that_were_tested() -> None:
    locked = dict(
        re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert {name: locked[name] for name in ("aws-cdk-lib", "constructs")} == {
        name: RECORDED[name]["newest"] for name in ("aws-cdk-lib", "constructs")
    }


def test_the_readme_says_what_was_tested() -> None:
    (said,) = re.findall(r"^\*\*Supported\.\*\* .*?\n\n", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    for name in ("aws-cdk-lib", "constructs"):
        assert f"{name} {RECORDED[name]['oldest']} to {RECORDED[name]['newest']}" in " ".join(said.split())
    for version in RECORDED["python"]:
        assert re.search(rf"\b{re.escape(version)}\b", said)


def test_the_newest_interpreter_of_each_version_is_used() -> None:
    listed = [
        {"version": version, "path": f"/{version}", "implementation": implementation}
        for version, implementation in (
            ("3.12.1", "cpython"),
            ("3.11.2", "cpython"),
            ("3.12.10", "cpython"),
            ("3.10.13", "cpython"),
            ("3.14.0a1", "cpython"),
            ("3.13.9", "pypy"),
        )
    ]
    assert newest(listed) == {"3.11": Path("/3.11.2"), "3.12": Path("/3.12.10")}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("end", ["oldest", "newest"])
def test_the_wheel_works_with_both_ends_of_what_it_declares(end: str, tmp_path: Path) -> None:
    (wheel,) = (path for path in build(ROOT, tmp_path / "dist", epoch=0) if path.suffix == ".whl")
    oldest = [f"{name}=={version}" for name, version in project.oldest(DECLARED).items()]
    try:
        installed = supported(wheel, tmp_path / end, oldest if end == "oldest" else [])
    except UnreachableError as no_answer:
        pytest.skip(f"the package index does not answer: {no_answer}")
    if end == "oldest":
        assert {name: installed[name] for name in project.oldest(DECLARED)} == project.oldest(DECLARED)
