"""What a caller can get wrong: everything of a call at once, with the nearest that is right, and status 2."""

import pytest

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
OTHERS = "python -m constructs_lib models add reads other models; give its file with --models."
NEAR = "ml.g5.xlarge or ml.g5.8xlarge or ml.g5.4xlarge"


def test_all_mistakes_of_a_call_are_told_together(run):
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
        "--tokens 'x': must be a whole number from 2 to 10000000.",
        "--concurrency '0': must be a whole number from 1 to 100000.",
        "--quantize 'fp9': is not known. Did you mean fp8?",
        "--image '3.3.5': is not known. Did you mean 3.3.6 or 3.3.4 or 3.2.3?",
        "--region 'eu-wst-1': is not known. Did you mean eu-west-1 or us-west-1 or me-west-1?",
        "--svg '/nope/a.svg': its folder does not exist. Make the folder, or name another file.",
    ]
    assert any(line.startswith("usage: python -m constructs_lib plan") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "command: is missing: plan, models, instances, images, summary."),
        (("pln",), "command 'pln': is not known. Did you mean plan?"),
        (("xyzzy",), "command 'xyzzy': is not known. There are plan, models, instances, images, summary."),
        (("--plan",), "the following arguments are required: COMMAND"),
        (("plan",), "--model: is missing. Name a model, such as meta-llama/Llama-3.1-8B-Instruct."),
        (("plan", "--model"), "argument --model: expected one argument."),
        (("plan", "--mod", LLAMA), "--mod: is not known. Did you mean --model"),
        (("plan", "--model", LLAMA, "stray"), "'stray': is not known."),
        (("plan", "--model", LLAMA, "--json=yes"), "ignored explicit argument 'yes'."),
        (("plan", "--model", ""), "--model '': is not in the catalogue."),
        (("plan", "--model", LLAMA, "--tokens", "1"), "--tokens '1': must be a whole number from 2"),
        (("plan", "--model", LLAMA, "--tokens", "-5"), "--tokens '-5': must be a whole number from 2"),
        (("plan", "--model", LLAMA, "--tokens", "9" * 5000), "must be a whole number from 2"),
        (("plan", "--model", LLAMA, "--tokens", "٣٣"), "must be a whole number from 2"),
        (("plan", "--model", LLAMA, "--models", "/nope.json"), "--models /nope.json: file: cannot be read"),
        (("plan", "--model", LLAMA, "--svg", ""), "--svg '': is no name of a file"),
        (("instances", "--jason"), "--jason: is not known. Did you mean --json?"),
        (("images", "3.3.6"), "'3.3.6': is not known."),
        (("models", "bogus"), "invalid choice: 'bogus'"),
        (("models", "--models", "/nope.json"), "--models /nope.json: file: cannot be read"),
        (("models", "add"), "model: is missing. Give a hub id or a folder."),
        (("summary", "--jsonn"), "--jsonn: is not known. Did you mean --json?"),
    ],
)
def test_a_misuse_is_told_in_words_and_with_status_2(run, arguments, words):
    outcome = run(*arguments)
    assert outcome.status == 2
    assert words in outcome.err
    assert outcome.out == ""


def test_the_catalogue_has_names_of_any_case(run):
    assert run("plan", "--model", LLAMA.upper(), "--instance", "ml.g5.2xlarge").status == 0


@pytest.mark.parametrize(
    "arguments", [("--help",), ("plan", "--help"), ("models", "--help"), ("models", "add", "--help"), ("summary", "-h")]
)
def test_help_is_given_and_shows_examples(run, arguments, capsys):
    with pytest.raises(SystemExit) as left:
        run(*arguments)
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "usage: python -m constructs_lib" in shown
    if arguments in (("--help",), ("plan", "--help"), ("models", "add", "--help")):
        assert "examples:\n  python -m constructs_lib " in shown
