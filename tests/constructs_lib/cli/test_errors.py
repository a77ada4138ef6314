"""Usage errors: all of a call at once, each with the closest valid name, and status 2."""

import pytest

from constructs_lib.cli.main import main

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
OTHERS = "To plan for another model, read it with the command models add and pass its file with --models."
NEAR = "ml.g5.xlarge or ml.g5.8xlarge or ml.g5.4xlarge"


def test_all_usage_errors_of_a_call_are_reported_together(run):
    outcome = run(
        *("plan", "--model", "Llama-3.1-8B-Instruct", "--tokens", "x", "--concurrency", 0, "--quantize", "fp9"),
        *("--region", "eu-wst-1", "--image", "3.3.5", "--instance", "ml.g5.3xlarge", "--jsn", "--svg", "/nope/a.svg"),
    )
    assert outcome.status == 2
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    assert errors == [
        "--jsn: is not known. Did you mean --json or --svg?",
        f"--model 'Llama-3.1-8B-Instruct': is not in the catalogue. Did you mean {LLAMA}? {OTHERS}",
        f"--instance 'ml.g5.3xlarge': is not in the catalogue. Did you mean {NEAR}?",
        "--tokens 'x': must be an integer from 2 to 10000000.",
        "--concurrency '0': must be an integer from 1 to 100000.",
        "--image '3.3.5': is not known. Use 3.3.6; the command images lists all.",
        "--quantize 'fp9': is not known. Did you mean fp8?",
        "--region 'eu-wst-1': is not known. Did you mean eu-west-1 or us-west-1 or me-west-1?",
        "--svg '/nope/a.svg': its folder does not exist. Create the folder, or name another file.",
    ]
    assert any(line.startswith("usage: tgi-endpoint plan") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "command: is missing: plan, compare, "),
        (("pln",), "command 'pln': is not known. Did you mean plan?"),
        (("xyzzy",), "command 'xyzzy': is not known. Use one of plan, compare, "),
        (("--plan",), "the following arguments are required: COMMAND"),
        (("plan",), "--model: is missing. Name a model, such as meta-llama/Llama-3.1-8B-Instruct."),
        (("plan", "--model"), "argument --model: expected one argument."),
        (("plan", "--mod", LLAMA), "--mod: is not known. Did you mean --model"),
        (("plan", "--model", LLAMA, "stray"), "'stray': is not known."),
        (("plan", "--model", LLAMA, "--json=yes"), "ignored explicit argument 'yes'."),
        (("plan", "--model", ""), "--model '': is not in the catalogue."),
        (("plan", "--model", LLAMA, "--tokens", "1"), "--tokens '1': must be an integer from 2"),
        (("plan", "--model", LLAMA, "--tokens", "-5"), "--tokens '-5': must be an integer from 2"),
        (("plan", "--model", LLAMA, "--tokens", "9" * 5000), "must be an integer from 2"),
        (("plan", "--model", LLAMA, "--tokens", "٣٣"), "must be an integer from 2"),
        (("plan", "--model", LLAMA, "--models", "/nope.json"), "--models /nope.json: file: cannot be read"),
        (("plan", "--model", LLAMA, "--svg", ""), "--svg '': is not a file name"),
        (("plan", "--model", LLAMA, "--image", "1.4"), "--image '1.4': is not known. Use 1.4.5;"),
        (("plan", "--model", LLAMA, "--quantize", "bnb-nf4"), "is not known. Did you mean bitsandbytes-nf4?"),
        (("plan", "--model", LLAMA, "--quantize", "AWQ"), "--quantize 'AWQ': is not known. Did you mean awq?"),
        (
            ("plan", "--model", LLAMA, "--quantize", "fp8", "--image", "1.4.5"),
            "--quantize 'fp8': TGI 1.4.5 does not have it; it was added in 2.0.0.",
        ),
        (("instances", "--jason"), "--jason: is not known. Did you mean --json?"),
        (("images", "3.3.6"), "'3.3.6': is not known."),
        (("models", "bogus"), "invalid choice: 'bogus'"),
        (("models", "--models", "/nope.json"), "--models /nope.json: file: cannot be read"),
        (("models", "add"), "model: is missing. Give a hub id or a folder."),
        (("summary", "--jsonn"), "--jsonn: is not known. Did you mean --json?"),
    ],
)
def test_a_usage_error_is_reported_with_status_2(run, arguments, message):
    outcome = run(*arguments)
    assert outcome.status == 2
    assert message in outcome.err
    assert outcome.out == ""


def test_model_names_are_case_insensitive(run):
    assert run("plan", "--model", LLAMA.upper(), "--instance", "ml.g5.2xlarge").status == 0


@pytest.mark.parametrize(
    "arguments", [("--help",), ("plan", "--help"), ("models", "--help"), ("models", "add", "--help"), ("summary", "-h")]
)
def test_help_names_the_program_and_shows_examples(run, arguments, capsys):
    with pytest.raises(SystemExit) as left:
        run(*arguments)
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "usage: tgi-endpoint" in shown
    if arguments in (("--help",), ("plan", "--help"), ("models", "add", "--help")):
        assert "examples:\n  tgi-endpoint " in shown


@pytest.mark.parametrize(
    ("arguments", "command"),
    [((), "plan"), (("plan",), "plan --model"), (("models", "add"), "models add my-team/my-model")],
)
def test_help_names_the_program_as_it_was_started(capsys, arguments, command):
    with pytest.raises(SystemExit):
        main([*arguments, "--help"], prog="python -m constructs_lib")
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: {' '.join(('python -m constructs_lib', *arguments))} [-h]")
    assert f"examples:\n  python -m constructs_lib {command}" in shown
