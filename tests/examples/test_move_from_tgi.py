"""examples/move_from_tgi: each of its steps is synthesized, and it has the code that `tgi-endpoint migrate` prints."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.cli.main import main
from tests.e2e.deployed_cloud import Cloud
from tests.examples.catalogue import FOLDER, Example
from tests.examples.synthesis import synthesize

pytestmark = [pytest.mark.xdist_group("example-move_from_tgi"), pytest.mark.timeout(300)]

EXAMPLE = Example(FOLDER / "move_from_tgi")
SERVE = ("--context", "step=mirror", "--context", "percent=100")


def synthesized(folder: Path, step: str) -> Path:
    return synthesize(EXAMPLE, folder, step=step)


def template(folder: Path, stack: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{stack}.template.json").read_text(encoding="utf-8"))
    return found["Resources"]


def migrated(folder: Path, stack: str) -> dict[str, Any]:
    out = io.StringIO()
    assert main(["migrate", stack, "--to", "vllm", "--json", "--assembly", str(folder)], out, io.StringIO()) == 0
    (report,) = json.loads(out.getvalue())
    found: dict[str, Any] = report
    return found


def stripped(code: str) -> str:
    """The code without its indentation."""
    return "\n".join(line.strip() for line in code.splitlines())


def endpoints(folder: Path) -> set[str]:
    return {name for name, one in template(folder, "Chat").items() if one["Type"] == "AWS::SageMaker::Endpoint"}


def test_the_app_has_the_code_that_the_command_prints(tmp_path: Path) -> None:
    folder = synthesized(tmp_path, "tgi")
    report = migrated(folder, "Chat")
    assert report["endpoint"] == "Chat/Tgi"
    printed = report["code"].partition("options=")[2].partition("\n    ),")[0]
    assert stripped(printed) in stripped((EXAMPLE.folder / "app.py").read_text(encoding="utf-8"))
    assert report["steps"][0]["code"] == 'models = {"qwen": Mirror(tgi, to=tgi_vllm, percent=5)}'
    assert not (folder / "Compare.template.json").exists()


def test_the_endpoint_on_tgi_is_still_found_while_the_move_is_under_way(tmp_path: Path) -> None:
    folder = synthesized(tmp_path, "mirror")
    assert migrated(folder, "Chat")["before"]["context"] == 8192
    assert len(endpoints(folder)) == 2
    assert (folder / "Compare.template.json").exists()


def test_an_unknown_step_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        synthesized(tmp_path, "split")
    assert "step=split: use one of tgi, mirror, split-5, split-50, split-100, vllm" in caught.value.stderr


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://127.0.0.1:1", "[Errno 111] Connection refused"), ("", "unknown url type: '/models/tgi/generate'")],
)
def test_a_url_that_does_not_answer_is_an_error_and_no_difference(url: str, reason: str) -> None:
    command = [sys.executable, "compare.py", "--url", url, "--key", "key", "What is deep learning?"]
    outcome = subprocess.run(command, cwd=EXAMPLE.folder, check=False, capture_output=True, text=True)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr == f"\nWhat is deep learning?\n  no answer of --url {url}: {reason}\n"


@pytest.mark.slow
def test_testers_call_each_engine_by_its_name_and_compare_them(cloud: Cloud) -> None:
    """What is served is the URL of the last stack, Compare; tests/e2e/test_move_from_tgi.py goes through all steps."""
    assert cloud.models == ["tgi", "vllm"]
    command = [sys.executable, "compare.py", "--url", cloud.url, "--key", cloud.api_key, "--max-new-tokens", "8"]
    outcome = subprocess.run([*command, "What is deep learning?"], cwd=EXAMPLE.folder, capture_output=True, text=True)
    assert outcome.returncode in (0, 1), outcome.stderr
    assert outcome.stdout.count(" 8 tokens, length, ") == 2, outcome.stdout
