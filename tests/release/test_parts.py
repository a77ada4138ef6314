"""The parts of a release: versions, the project file, two builds, the search for the lowest version."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from scripts.release import project
from scripts.release.distributions import NotReproducibleError, compare
from scripts.release.oldest_cdk import lowest
from scripts.release.trial import ROOT
from scripts.release.version import problems

NOT_A_VERSION = "must be three numbers, as Semantic Versioning and PEP 440 both have them, such as 1.2.0"


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "1.2.3-rc.1", "1.2.3rc1", "01.2.3", "1.2.3+x", "１.2.3"])
def test_a_version_that_one_of_the_two_schemes_reads_otherwise_is_refused(version: str) -> None:
    (problem,) = problems(version, ["0.1.0"], breaks=False)
    assert problem == f"VERSION={version!r}: {NOT_A_VERSION}"


@pytest.mark.parametrize(
    ("version", "last", "breaks", "required"),
    [
        ("0.1.1", "0.1.0", False, None),
        ("0.1.1", "0.1.0", True, "0.2.0"),
        ("0.2.0", "0.1.9", True, None),
        ("1.0.0", "0.9.0", True, None),
        ("1.3.0", "1.2.9", True, "2.0.0"),
        ("2.0.0", "1.2.9", True, None),
        ("1.2.10", "1.2.9", False, None),
    ],
)
def test_what_breaks_requires_another_minor_version_and_from_1_on_a_major_one(
    version: str, last: str, breaks: bool, required: str | None
) -> None:
    found = list(problems(version, ["0.0.1", last], breaks=breaks))
    assert [each.rsplit(" ", 1)[1] for each in found] == ([required] if required else [])


@pytest.mark.parametrize("version", ["1.2.9", "1.1.10", "0.9.0"])
def test_a_version_that_is_not_greater_is_refused(version: str) -> None:
    (problem,) = problems(version, ["1.2.9", "1.2.10"], breaks=True)
    assert problem == (
        f"VERSION={version}: must be greater than 1.2.10, the last release; the next ones are 1.2.11 and 1.3.0"
    )


def test_the_version_is_in_one_line_of_the_project_file() -> None:
    text = project.read(ROOT)
    changed = project.with_version(text, "7.8.9")
    assert project.version(changed) == "7.8.9"
    assert changed.replace('version = "7.8.9"', f'version = "{project.version(text)}"') == text
    with pytest.raises(ValueError, match='must have one line version = "…", not 2'):
        project.with_version(f'{text}\nversion = "1.0.0"\n', "7.8.9")


def test_the_lowest_of_each_dependency_is_what_the_project_file_says() -> None:
    text = '[project]\ndependencies = ["aws-cdk-lib>=2.271.0,<3", "constructs>=10.5.0,<11", "x"]\n'
    assert project.oldest(text) == {"aws-cdk-lib": "2.271.0", "constructs": "10.5.0"}


def test_two_builds_that_differ_are_an_error_that_names_the_files(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, text in ((first, "one"), (second, "two")):
        folder.mkdir()
        (folder / "same.whl").write_text("same")
        (folder / "other.tar.gz").write_text(text)
    (second / "more.whl").write_text("more")
    compare(sorted(first.iterdir()), sorted(first.iterdir()))
    with pytest.raises(NotReproducibleError, match=r"differ: more\.whl, other\.tar\.gz$"):
        compare(sorted(first.iterdir()), sorted(second.iterdir()))


@pytest.mark.parametrize("works_from", range(8))
def test_the_lowest_version_that_works_is_found_with_few_tries(works_from: int) -> None:
    versions = [Version(f"2.{minor}.0") for minor in range(7)]
    tried = []

    def why_not(version: Version) -> str | None:
        tried.append(version)
        return None if version.minor >= works_from else f"{version} has no Validations"

    works, fails, reason = lowest(versions, why_not)
    assert works == (versions[works_from] if works_from < 7 else None)
    assert fails == (versions[works_from - 1] if works_from else None)
    assert reason == (f"{fails} has no Validations" if fails else "")
    assert len(tried) == 3
