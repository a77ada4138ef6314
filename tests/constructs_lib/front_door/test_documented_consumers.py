"""The Python code about consumers and scopes in docs/front-door.md: it runs as printed."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam

from constructs_lib import Access
from tests.constructs_lib.front_door.doubles import callers, endpoint, make_front_door

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "front-door.md"
BLOCKS = re.findall(r"^ *```python\n(.*?)^ *```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
EXAMPLES = [code for code in BLOCKS if "add_consumer(" in code]
(SCOPES,) = (code for code in BLOCKS if "models_by_scope" in code)


def models(stack: Stack) -> dict[str, object]:
    return {"llama": endpoint(stack), "falcon": endpoint(stack, "falcon-7b")}


def test_there_is_an_example_of_limits_and_of_each_step_of_a_rotation() -> None:
    assert len(EXAMPLES) == 3
    assert "concurrent_streams=8" in EXAMPLES[0]


@pytest.mark.parametrize("code", EXAMPLES, ids=["limits", "second key", "first key removed"])
def test_an_example_of_a_consumer_runs_as_printed(code: str) -> None:
    stack = Stack(App(), "Stack")
    role = iam.Role(stack, "Task", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    front_door = make_front_door(stack, models=models(stack))
    exec(
        "\n".join(map(str.strip, code.splitlines())),
        {"front_door": front_door, "service": SimpleNamespace(task_role=role)},
    )
    assert stack.node.find_all()
    assert front_door.node.find_child("Consumers").node.find_child("team-a")


def test_the_example_of_scopes_runs_as_printed() -> None:
    stack = Stack(App(), "Stack")
    access = eval(SCOPES, {"Access": Access})
    make_front_door(stack, models=models(stack), access=access)
    told = callers(stack)
    assert told is not None
    assert list(told["scopes"]) == ["llm:chat", "llm:all"]
