"""The command line as a process of its own."""

import os
import shlex
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "constructs_lib"]
PLAN = ("plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.g5.xlarge")


def ran(*arguments, **variables):
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, timeout=60, check=False, env=environment | variables
    )


def ran_without(module, program):
    """Run a program in which one module cannot be imported."""
    code = f"import sys; sys.modules[{module!r}] = None; {program}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False, text=True)


def test_a_plan_in_a_pipe_has_no_colours_and_the_status_of_the_plan():
    done = ran(*PLAN, PYTHONIOENCODING="utf-8")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert "█ weights".encode() in done.stdout
    assert done.stderr == b""


def test_an_ascii_pipe_gets_ascii():
    done = ran(*PLAN, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"# weights" in done.stdout


def test_usage_errors_go_to_stderr_with_status_2():
    done = ran("plan", "--model", "tiiuae/falcon-7")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Did you mean tiiuae/falcon-7b" in done.stderr


@pytest.mark.parametrize("arguments", [("instances",), ("instances", "--json")])
def test_a_reader_that_closes_the_pipe_is_not_an_error(arguments):
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.parametrize("module", ["aws_cdk", "jsii", "constructs", "boto3"])
def test_it_requires_no_cdk_and_no_aws_sdk(module):
    done = ran_without(module, f"from constructs_lib.cli.main import main; sys.exit(main({list(PLAN)!r}))")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [PLAN, ("--help",), ()])
def test_without_rich_it_says_in_one_line_what_to_install(arguments):
    done = ran_without("rich", f"from constructs_lib.cli.main import main; sys.exit(main({list(arguments)!r}))")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the command line requires rich: pip install 'tgi-endpoint-cdk[cli]'\n"


def test_another_missing_module_is_not_reported_as_rich():
    done = ran_without("argparse", "from constructs_lib.cli.main import main; main([])")
    assert done.returncode == 1
    assert "import of argparse halted" in done.stderr


def test_an_error_at_synth_does_not_require_rich():
    program = """
from aws_cdk import App, Stack
from constructs_lib import InstanceType, Model, TgiEndpoint
TgiEndpoint(Stack(App(), "S"), "E", model=Model.from_hub("bigscience/bloom"), instance_type=InstanceType.G5_2XLARGE)
"""
    done = ran_without("rich", program)
    assert done.returncode == 1
    assert "constructs_lib.errors.ConfigurationError: S/E: 1 problem" in done.stderr


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("instances >&-", 0, ""),
        ("instances >/dev/full", 1, "error: the result cannot be written: no space is left.\n"),
        ("chat --url http://127.0.0.1:1/prod <&-", 2, "error: PROMPT: is empty. Write the question.\n"),
    ],
)
def test_a_stream_that_is_closed_or_full_is_no_defect(line, status, said):
    command = f"{shlex.quote(sys.executable)} -m constructs_lib {line}"
    outcome = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert outcome.returncode == status
    assert outcome.stderr.startswith(said)
    assert "Traceback" not in outcome.stderr
