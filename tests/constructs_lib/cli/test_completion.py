"""Completion: what can stand at the cursor, and what bash, zsh and fish make of it."""

import shutil
import sys
import time

import pytest
from aws_cdk import App, Stack

from constructs_lib.cli.completion import COMPLETE
from tests.constructs_lib.cli.terminal import ROOT, TAB, Terminal

SHELLS = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}
SET_UP = {
    "bash": 'eval "$(tgi-endpoint completion bash)"',
    "zsh": 'autoload -Uz compinit && compinit -D -u && eval "$(tgi-endpoint completion zsh)"',
    "fish": "tgi-endpoint completion fish | source",
}


@pytest.fixture
def complete(run):
    """What is offered behind the words; the last word is begun."""

    def complete(*words):
        outcome = run(COMPLETE, *words)
        assert (outcome.status, outcome.err) == (0, "")
        return [line.partition("\t")[0] for line in outcome.out.splitlines()]

    return complete


def test_commands_are_offered_with_what_they_do(run, complete):
    assert complete("")[:3] == ["plan", "compare", "models"]
    assert complete("co") == ["compare", "cost", "completion"]
    assert run(COMPLETE, "pl").out == "plan\tshow which instances can serve a model, and their prices\n"
    assert complete("models", "") == ["add", "pin"]
    assert complete("-") == ["--help"]


def test_options_are_offered_until_they_are_there(complete):
    assert complete("plan", "--con") == ["--concurrency"]
    assert "--model" in complete("plan", "--tokens", "8", "-")
    assert "--tokens" not in complete("plan", "--tokens", "8", "-")
    assert "--instance" in complete("plan", "--instance", "ml.g5.xlarge", "-"), "it may be repeated"
    assert "--revision" in complete("models", "add", "--"), "those of the subcommand"


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("plan", "--model", "meta-llama/Llama-3.3"), "meta-llama/Llama-3.3-70B-Instruct"),
        (("plan", "--instance", "ml.g6e.12"), "ml.g6e.12xlarge"),
        (("plan", "--region", "eu-central-1"), "eu-central-1"),
        (("plan", "--engine", "v"), "vllm"),
        (("plan", "--engine=v"), "--engine=vllm"),
        (("plan", "--engine", "=", "v"), "vllm"),
        (("plan", "--engine", "="), "tgi"),
        (("plan", "--image", ""), "3.3.6"),
        (("plan", "--engine", "tgi", "--quantize", "bitsandbytes-n"), "bitsandbytes-nf4"),
        (("migrate", "X", "--to", "s"), "sglang"),
        (("migrate", "--to", ""), "vllm"),
        (("stage", "Qwen/Qwen3-8"), "Qwen/Qwen3-8B"),
        (("completion", ""), "bash"),
        (("plan", "--models", "x"), ":files"),
        (("cost", ""), ":folders"),
        (("cost", "cdk.out", "--compare", ""), ":folders"),
        (("models", "add", "./x"), ":folders"),
    ],
)
def test_values_are_offered(complete, words, first):
    assert complete(*words)[0] == first


@pytest.mark.parametrize(
    "words",
    [
        ("nope", "x"),
        ("plan", "--nope", "x", "y"),
        ("plan", "stray", ""),
        ("chat", "--model", ""),
        ("chat", "--", "-"),
        ("chat", "--api-key", ""),
        ("cost", "cdk.out", ""),
        ("plan", "--tokens", ""),
        ("plan", "--engine", "nope", "--quantize", "☃"),
        ("migrate", "--assembly", "/nowhere", ""),
    ],
)
def test_nothing_is_offered_where_nobody_knows(complete, words):
    assert complete(*words) == []


def test_without_words_it_offers_the_commands(complete):
    assert complete()[0] == "plan"


def test_versions_are_those_of_the_engine(complete):
    vllm = complete("plan", "--engine", "vllm", "--image", "")
    assert vllm != complete("plan", "--image", "")
    assert vllm == complete("plan", "--engine=vllm", "--image", "")


def test_stacks_are_those_of_the_assembly(complete, tmp_path, monkeypatch):
    app = App(outdir=str(tmp_path / "cdk.out"))
    Stack(app, "Chat")
    app.synth()
    assert complete("migrate", "--assembly", str(tmp_path / "cdk.out"), "") == ["Chat"]
    monkeypatch.chdir(tmp_path)
    assert complete("chat", "--stack", "") == complete("migrate", "C") == complete("doctor", "") == ["Chat"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_names_the_program_and_the_hidden_command(run, shell):
    outcome = run("completion", shell)
    assert outcome.status == 0
    assert COMPLETE in outcome.out
    assert "tgi-endpoint" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "SHELL: is missing. Use one of bash, zsh, fish."),
        (("bsh",), "SHELL 'bsh': is not known. Did you mean bash"),
    ],
)
def test_another_shell_is_a_usage_error(run, arguments, said):
    outcome = run("completion", *arguments)
    assert outcome.status == 2
    assert said in outcome.err


@pytest.fixture
def program(tmp_path):
    """A folder with `tgi-endpoint`, which writes down with what it is called at last."""
    file = tmp_path / "bin" / "tgi-endpoint"
    file.parent.mkdir()
    file.write_text(
        f"""#!/bin/sh
case "$1" in
    completion | {COMPLETE}) PYTHONPATH={ROOT} exec {sys.executable} -m constructs_lib "$@" ;;
    *) printf '%s\\n' "$@" > {tmp_path}/calls.part && mv {tmp_path}/calls.part {tmp_path}/calls ;;
esac
"""
    )
    file.chmod(0o755)
    (tmp_path / "my models.json").touch()
    (tmp_path / "main.out").mkdir()
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "called"),
    [
        (
            f"compa{TAB}--conc{TAB}8 --model Qwen/Qwen3-0{TAB}--instance ml.g6e.12{TAB}",
            ["compare", "--concurrency", "8", "--model", "Qwen/Qwen3-0.6B", "--instance", "ml.g6e.12xlarge"],
        ),
        (f"plan --models my{TAB}--engine=vl{TAB}", ["plan", "--models", "my models.json", "--engine=vllm"]),
        (f"cost --compare ma{TAB}", ["cost", "--compare", "main.out"]),
    ],
)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(program, shell, typed, called):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here (Debian: apt-get install {shell})")
    variables = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(program))
    path = f"{program / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    with Terminal(*SHELLS[shell], folder=program, PATH=path, **variables) as line:
        line.type(f"{SET_UP[shell]}; echo re''ady\r")
        line.read_until("ready")
        line.type(f"tgi-endpoint {typed}\r")
        deadline = time.monotonic() + 60
        while not (program / "calls").exists():
            assert time.monotonic() < deadline, line.shown()
            time.sleep(0.05)
    # zsh takes the slash of a folder away again.
    assert (program / "calls").read_text().replace("main.out/", "main.out").splitlines() == called
