"""The Python code in the documents on scaling, engines, staging and variants: it runs as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

import constructs_lib
from constructs_lib import InstanceType, Model, TgiEndpoint
from constructs_lib.planning.engines.jumpstart.pinned_file import write_pinned
from constructs_lib.planning.engines.jumpstart.spec import pin
from tests.constructs_lib.planning.engines.jumpstart.specs import spec

DOCS = Path(__file__).resolve().parents[2] / "docs"


def examples(document: str) -> list[str]:
    text = (DOCS / document).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


EXAMPLES = [
    *examples("scaling.md"),
    *examples("engines.md"),
    *examples("staging.md"),
    *examples("how-to/two_variants.md"),
]
NAMES = {name: getattr(constructs_lib, name) for name in constructs_lib.__all__}


def test_there_are_examples_of_each_way_to_scale() -> None:
    text = "".join(EXAMPLES)
    for name in ("auto_scale(", "ScaleToZero(", "ScaleToZero.hours(", "ModelFleet(", "instance_type=[", "capacity_res"):
        assert name in text
    assert "add_variant(" in text


def test_there_is_an_example_of_each_engine() -> None:
    text = "".join(examples("engines.md"))
    for name in ("Vllm", "Sglang", "Lmi", "TgiNeuron", "JumpStart", "Container"):
        assert f"= {name}Endpoint(" in text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda code: code.partition("\n")[0][:40])
def test_an_example_runs_as_printed(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pinned = re.findall(r"from_file\(\"([^\"]+)\"", example)
    for name in pinned:
        write_pinned(name, pin({"eu-west-1": spec()}).model)
    stack = Stack(App(), "Team", env=Environment(region="eu-west-1") if pinned else None)
    token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hugging-face-token")
    given = {"model": Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), "instance_type": InstanceType.G5_2XLARGE}
    names = NAMES | {"self": stack, "token": token, "Duration": Duration}
    if not re.search(r"^llama = ", example, re.MULTILINE) and "llama." in example:
        names["llama"] = TgiEndpoint(stack, "Given", **given)
    # "…" stands for the arguments that every endpoint needs.
    exec(example.replace("…", "**given"), names | {"given": given})
    assert Template.from_stack(stack).find_resources("AWS::SageMaker::Endpoint")
