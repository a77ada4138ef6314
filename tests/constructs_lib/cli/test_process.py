"""The command line as a process: what only a real one shows."""

import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "constructs_lib"]


def ran(*arguments, **variables):
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, timeout=60, check=False, env=environment | variables
    )


def test_a_plan_goes_through_a_pipe_without_colours_and_with_its_status():
    done = ran("plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.g5.xlarge", PYTHONIOENCODING="utf-8")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert "█ weights".encode() in done.stdout
    assert done.stderr == b""


def test_a_pipe_of_ascii_gets_ascii():
    done = ran("plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.g5.xlarge", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"# weights" in done.stdout


def test_mistakes_go_to_stderr_with_status_2():
    done = ran("plan", "--model", "tiiuae/falcon-7")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Did you mean tiiuae/falcon-7b" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error():
    with subprocess.Popen([*COMMAND, "instances", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.parametrize("module", ["aws_cdk", "jsii", "constructs", "rich", "boto3"])
def test_it_needs_nothing_that_is_not_in_python(module):
    program = (
        "import sys; sys.modules[sys.argv[1]] = None; from constructs_lib.cli.main import main;"
        "sys.exit(main(['plan', '--model', 'tiiuae/falcon-7b', '--instance', 'ml.g5.xlarge']))"
    )
    done = subprocess.run([sys.executable, "-c", program, module], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
