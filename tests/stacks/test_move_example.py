"""examples/move_from_tgi: each of its steps is synthesized, and it has the code that `tgi-endpoint migrate` prints."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "move_from_tgi"


def synthesized(folder: Path, step: str) -> Path:
    context = json.loads((EXAMPLE / "cdk.json").read_text(encoding="utf-8"))["context"] | {"step": step}
    environment = {**os.environ, "CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(context)}
    environment["PYTHONPATH"] = str(ROOT)
    subprocess.run([sys.executable, "app.py"], cwd=EXAMPLE, env=environment, check=True, capture_output=True)
    return folder


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
    assert stripped(printed) in stripped((EXAMPLE / "app.py").read_text(encoding="utf-8"))
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
    assert "step=split: use one of tgi, mirror, split-5, split-50, split-100, vllm" in caught.value.stderr.decode()


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://127.0.0.1:1", "[Errno 111] Connection refused"), ("", "unknown url type: '/models/tgi/generate'")],
)
def test_a_url_that_does_not_answer_is_an_error_and_no_difference(url: str, reason: str) -> None:
    command = [sys.executable, "compare.py", "--url", url, "--key", "key", "What is deep learning?"]
    outcome = subprocess.run(command, cwd=EXAMPLE, check=False, capture_output=True, text=True)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr == f"\nWhat is deep learning?\n  no answer of --url {url}: {reason}\n"
