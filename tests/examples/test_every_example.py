"""Every folder in examples/ has a README in one form, a line in the index, tests of its own, and a valid template."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.lint_templates import report
from tests.examples.catalogue import FOLDER, INDEX, ROOT, Example, Kind, commands, examples
from tests.examples.costs import HEADING, excerpt
from tests.examples.synthesis import synthesize, templates, warnings

LIBRARY = "../..[cli]"
SECTIONS = ["Run it here", "Deploy it", HEADING, "What to change"]
APPS = examples(Kind.APP)
DOCUMENTED = examples(Kind.APP, Kind.CLIENT)


def each(found: list[Example]) -> Any:
    """Parametrizes a test with examples; those of one run in one worker."""
    marks = pytest.mark.xdist_group
    return pytest.mark.parametrize(
        "example", [pytest.param(one, id=one.name, marks=marks(f"example-{one.name}")) for one in found]
    )


def paths_of_tests(example: Example) -> list[Path]:
    return sorted(ROOT.glob(f"tests/**/{example.module}*.py"))


def test_there_are_examples_of_each_kind() -> None:
    assert len(APPS) >= 9
    assert len(examples(Kind.CLIENT)) >= 2


def test_a_new_folder_is_found_and_fails_until_it_has_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, file in (
        ("an-app", "cdk.json"),
        ("a_client", "client.py"),
        ("workflows", "deploy.yml"),
        (".idea", "x"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).touch()
    monkeypatch.setattr("tests.examples.catalogue.FOLDER", tmp_path)
    found = examples()
    assert {each.name: each.kind for each in found} == {
        "an-app": Kind.APP,
        "a_client": Kind.CLIENT,
        "workflows": Kind.OTHER,
    }
    for new in found:
        with pytest.raises((AssertionError, ModuleNotFoundError), match=new.module):
            test_it_has_tests_of_its_own(new)


@each(examples())
def test_it_has_tests_of_its_own(example: Example) -> None:
    """Those of apps and clients call what the fixture `cloud` has deployed, which fails if a model does not answer."""
    if example.kind is Kind.OTHER:
        assert paths_of_tests(example), f"write tests/examples/{example.module}.py"
        return
    module = importlib.import_module(f"tests.examples.{example.module}")
    tests = [function for name, function in vars(module).items() if name.startswith("test_")]
    assert any("cloud" in inspect.signature(function).parameters for function in tests), (
        f"no test in tests/examples/{example.module}.py has the fixture cloud, so nothing deploys {example.name}"
    )


def test_the_index_has_a_line_for_each_and_no_other() -> None:
    rows = re.findall(
        r"^\| \[`?([\w-]+)`?\]\(([\w-]+)/README\.md\) \|", INDEX.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [name for name, _ in rows] == [link for _, link in rows]
    assert sorted(name for name, _ in rows) == [example.name for example in examples()]


@each(DOCUMENTED)
def test_its_readme_begins_with_three_sentences_and_says_how_to_run_and_deploy_it(example: Example) -> None:
    assert len(re.findall(r"[.!?](?=\s|$)", example.introduction())) == 3, example.introduction()
    assert list(example.sections()) == SECTIONS
    run, deploy = (commands(example.sections()[heading]) for heading in SECTIONS[:2])
    assert any(command.startswith("make serve") for command in run)
    if example.kind is Kind.APP:
        assert any(f"APP=examples/{example.name}" in command for command in run)
        assert deploy[:2] == [f"cd examples/{example.name}", "pip install -r requirements.txt"]
        assert any(command.startswith("cdk deploy ") for command in deploy)
    else:
        assert f"cd examples/{example.name}" in run
        assert "pip install -r requirements.txt" in run


@each(APPS)
def test_its_requirements_name_the_library_by_where_it_is(example: Example) -> None:
    """The name alone would be looked up in a public index, in which anybody can register it."""
    lines = (example.folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = [line for line in lines if not line.startswith("#")]
    assert required[0] == LIBRARY
    assert [line for line in required if line.startswith("tgi-endpoint-cdk")] == []
    common = (FOLDER / "support_assistant" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[: len(common)] == common


@each(examples(Kind.CLIENT))
def test_its_requirements_are_of_one_version_each(example: Example) -> None:
    lines = (example.folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\d.]+", line)] == []


@pytest.fixture(scope="module")
def assemblies() -> dict[str, Path]:
    """The assemblies that tests have asked for, by example."""
    return {}


@pytest.fixture
def assembly(example: Example, assemblies: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    if example.name not in assemblies:
        assemblies[example.name] = synthesize(example, tmp_path_factory.mktemp(example.name))
    return assemblies[example.name]


@pytest.mark.slow
@each(APPS)
def test_it_is_synthesized_without_a_warning_and_its_readme_deploys_its_stacks(
    example: Example, assembly: Path
) -> None:
    assert warnings(assembly) == []
    (deploy,) = [line for line in commands(example.sections()["Deploy it"]) if line.startswith("cdk deploy ")]
    named = {word for word in deploy.split()[2:] if word[0].isupper()}
    assert named <= templates(assembly).keys()
    assert named or "--all" in deploy


@pytest.mark.slow
@pytest.mark.timeout(300)
@each(APPS)
def test_cloudformation_takes_its_templates_in_every_region(assembly: Path) -> None:
    for name, template in templates(assembly).items():
        findings, regions = report(template)
        assert (name, findings) == (name, [])
        assert regions > 10


@pytest.mark.slow
@each(APPS)
def test_its_costs_are_what_the_command_prints(example: Example, assembly: Path) -> None:
    assert example.output(HEADING) == excerpt(example, assembly.parent), "python -m tests.examples.costs writes it"


@each(examples(Kind.CLIENT))
def test_the_costs_of_its_model_are_what_the_command_prints(example: Example, tmp_path: Path) -> None:
    assert example.output(HEADING) == excerpt(example, tmp_path), "python -m tests.examples.costs writes it"
