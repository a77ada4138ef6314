"""Every block of every document has a rule, and is what its rule says; nothing is started here but short programs."""

from __future__ import annotations

import json
import subprocess
import tomllib
from functools import partial
from pathlib import Path

import pytest
from aws_cdk import App, Stack

from tests.documented.blocks import ROOT, Block, blocks_of, without_comment
from tests.documented.documents import all_documents, run_documents
from tests.documented.normalize import shows
from tests.documented.rules import LANGUAGES, RULES, How, calls, how, rule_of
from tests.documented.session import Session

BLOCKS = [block for path in all_documents() for block in blocks_of(path)]
OF_RUN_DOCUMENTS = [block for path in run_documents() for block in blocks_of(path)]
COMMANDS = [(block, command.text) for block in BLOCKS for command in block.commands]


def names(values: list[Block]) -> list[str]:
    return [block.place for block in values]


def test_every_block_has_a_rule() -> None:
    unknown = [f"{block.place}: ```{block.language}" for block in BLOCKS if block.language not in LANGUAGES]
    empty = [f"{block.place}: no command" for block in BLOCKS if block.language == "console" and not block.commands]
    without = [f"{block.place}: {command}" for block, command in COMMANDS if rule_of(command) is None]
    assert [*unknown, *empty, *without] == [], "add a rule to tests/documented/rules.py"


def test_a_rule_that_runs_nothing_says_why() -> None:
    assert [rule.pattern for rule in RULES if (rule.how is How.CHECK) != bool(rule.why)] == []


def test_most_blocks_of_the_documents_for_beginners_are_run() -> None:
    consoles = [block for block in OF_RUN_DOCUMENTS if block.language == "console"]
    run = [block for block in consoles if any(how(block, each.text) is not How.CHECK for each in block.commands)]
    assert len(run) + len([block for block in OF_RUN_DOCUMENTS if calls(block)]) >= RUN_BLOCKS
    assert len([block for block in run if block.output]) >= COMPARED_OUTPUTS
    shown_but_not_run = [block.place for block in consoles if block.output and block not in run]
    assert set(shown_but_not_run) == {block.place for block in consoles if block.output and "compare.py" in block.code}


RUN_BLOCKS = 64
COMPARED_OUTPUTS = 45


@pytest.mark.parametrize(
    ("block", "command"), COMMANDS, ids=[f"{block.place}-{command[:60]}" for block, command in COMMANDS]
)
def test_a_command_could_be_run(block: Block, command: str) -> None:
    rule = rule_of(command)
    assert rule is not None
    assert rule.check(command) == [], block.place


PYTHON = [block for block in BLOCKS if block.language == "python"]


@pytest.mark.parametrize("block", PYTHON, ids=names(PYTHON))
def test_python_compiles(block: Block) -> None:
    complete = block.code.replace("=…", "=given").replace("…", "**given")
    compile(complete, block.place, "exec")


# As in the cdk.json of the tutorials.
CONTEXT = {"@aws-cdk/core:defaultCrossStackReferences": "strong", "step": "tgi"}
APPS = [block for block in PYTHON if "(Stack):" in block.code]


@pytest.mark.parametrize("block", APPS, ids=names(APPS))
def test_an_app_or_a_stack_synthesizes(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_app = partial(App, outdir=str(tmp_path / "cdk.out"), context=CONTEXT)
    monkeypatch.setattr("aws_cdk.App", new_app)
    scope: dict[str, object] = {"__name__": "__main__"}
    exec(compile(block.code, block.place, "exec"), scope)
    if "App()" not in block.code:
        app = new_app()
        for stack in [one for one in scope.values() if isinstance(one, type) and issubclass(one, Stack)]:
            if stack is not Stack:
                stack(app, stack.__name__)
        app.synth()
    manifest = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text())
    assert "aws:cloudformation:stack" in {one["type"] for one in manifest["artifacts"].values()}


OTHERS = [block for block in BLOCKS if block.language in ("bash", "json", "toml")]


@pytest.mark.parametrize("block", OTHERS, ids=names(OTHERS))
def test_shell_code_and_data_have_no_fault_of_syntax(block: Block) -> None:
    if block.language == "json":
        json.loads(block.code)
    elif block.language == "toml":
        tomllib.loads(block.code)
    else:
        done = subprocess.run(["bash", "-n", "-c", block.code], capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("aws sagemaker describe-endpoints", "sagemaker has no operation describe-endpoints"),
        ("STACK=$(aws cloudformation describe-stack --stack-name a)", "cloudformation has no operation describe-stack"),
        ("cdk deploy --exclusive Stack", "cdk deploy has no --exclusive"),
        ("cdk deply Stack", "cdk has no deply"),
        ("make dmeo", "make has no target dmeo"),
        ("make demo STAKC=LlamaTgiStack", "the Makefile does not mention STAKC"),
        ("tgi-endpoint plan --modell Qwen/Qwen3-8B", "--modell"),
        ("tgi-endpoint plan --modell <id>", "plan has no --modell"),
        ("tgi-endpoint plann --model <id>", "tgi-endpoint has no plann"),
        ('pip install "tgi-endpoint-cdk[clii] @ git+<this repository>"', "the project has no extra clii"),
        ("curl 'http://127.0.0.1:8080", "unexpected EOF"),
    ],
)
def test_a_command_that_could_not_be_run_is_found(command: str, fault: str) -> None:
    rule = rule_of(command)
    assert rule is not None
    assert fault in "\n".join(rule.check(command))


def test_a_command_of_no_rule_is_found() -> None:
    block = Block("docs/a.md", 7, "console", "$ podman run a\n", None, "Section")
    with pytest.raises(LookupError, match=r"docs/a\.md:7: no rule of .* is for: podman run a"):
        how(block, "podman run a")


def test_nothing_runs_below_a_heading_that_needs_aws() -> None:
    block = Block("docs/a.md", 7, "console", "$ make demo\n", None, "Deploy it (needs AWS)")
    assert how(block, "make demo") is How.CHECK
    block.section = "Deploy it"
    assert how(block, "make demo") is How.RUN
    assert how(block, "tgi-endpoint plan --model <id>") is How.CHECK
    assert how(block, "export KEY=<the API key>") is How.RUN


def test_blocks_are_read_with_their_commands_outputs_and_files() -> None:
    path = ROOT / "build" / "blocks.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        "# One\n"
        "```console\n$ make \\\n    demo   # says hello\n$ echo '# no comment'\nprinted\n```\n\n"
        '```python title="../chat/app.py"\na = 1\n```\n'
        "## Two (needs AWS)\n```console\n$ cdk deploy\n```\n```\nan output\n```\ntext\n```\nnone\n```\n"
    )
    try:
        first, file, second, text = blocks_of(path)
    finally:
        path.unlink()
    assert [each.text for each in first.commands] == ["make demo", "echo '# no comment'"]
    assert [each.line for each in first.commands] == [3, 5]
    assert (first.output, first.output_span, first.section) == ("printed\n", None, "One")
    assert (file.title, file.code, file.language) == ("../chat/app.py", "a = 1\n", "python")
    assert (second.output, second.section) == ("an output\n", "Two (needs AWS)")
    assert (text.language, text.code, text.output) == ("", "none\n", None)
    assert without_comment("curl a#b # c") == "curl a#b"


SHORT = [
    block
    for block in BLOCKS
    if block.output
    and block.commands
    and all(
        each.text.split()[:2][-1] in ("plan", "compare", "models", "instances", "images") for each in block.commands
    )
]


def test_outputs_of_the_command_line_are_what_it_prints(tmp_path: Path) -> None:
    assert len(SHORT) >= 2
    with Session(tmp_path) as session:
        for block in SHORT:
            ran = session.run(block)
            assert ran is not None
            assert block.output is not None
            assert shows(block.output, ran.printed), f"{block.place}: {STALE}\n{ran.printed}"


STALE = "it prints this; `python -m tests.documented.update` writes it"
