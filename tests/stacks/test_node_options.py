"""How Node is started for a synth."""

import os
import subprocess
from pathlib import Path

import pytest

from stacks.node_options import add_node_options, available_cpus

FLAGS = Path("flags.cjs")


def options(cpus: int, given: str | None = None) -> str:
    """NODE_OPTIONS afterwards."""
    environment = {} if given is None else {"NODE_OPTIONS": given}
    add_node_options(environment, cpus, FLAGS)
    assert set(environment) == {"NODE_OPTIONS"}
    return environment["NODE_OPTIONS"]


@pytest.mark.parametrize(("cpus", "threads"), [(1, 1), (2, 1), (3, 2), (4, 3)])
def test_one_cpu_is_left_to_the_cdk_and_python(cpus: int, threads: int) -> None:
    assert options(cpus) == f'--require="flags.cjs" --v8-pool-size={threads}'


def test_with_more_cpus_than_threads_the_threads_stay() -> None:
    assert options(5) == '--require="flags.cjs"'


def test_other_options_are_kept() -> None:
    given = "--max-old-space-size=8192"
    assert options(2, given) == f'{given} --require="flags.cjs" --v8-pool-size=1'


@pytest.mark.parametrize("given", ["--v8-pool-size=8", "--no-warnings --v8_pool_size=0"])
def test_an_own_number_of_threads_is_kept(given: str) -> None:
    assert options(2, given) == f'{given} --require="flags.cjs"'


@pytest.mark.parametrize("folder", ["flags", "with spaces", "with \"quotes\" and \\ 'more'", "ключ"])
def test_node_runs_the_module_wherever_it_is(folder: str, tmp_path: Path) -> None:
    flags = tmp_path / folder / "flags.cjs"
    flags.parent.mkdir()
    flags.write_text('console.log("flags")')
    environment = {**os.environ, "NODE_OPTIONS": "--no-warnings"}
    add_node_options(environment, 2, flags)
    assert _run("", environment) == "flags\n"


# A function of WebAssembly that counts down, called so often that V8 optimizes it, and whether V8 has.
_IS_OPTIMIZED = """
const count = [3, 64, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11, 32, 0, 11];
const body = [1, count.length + 1, 0, ...count];
const types = [1, 6, 1, 96, 1, 127, 1, 127], functions = [3, 2, 1, 0], exports = [7, 5, 1, 1, 102, 0, 0];
const code = [0, 97, 115, 109, 1, 0, 0, 0, ...types, ...functions, ...exports, 10, body.length, ...body];
const {f} = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(code))).exports;
for (let calls = 0; calls < 200 && !%IsTurboFanFunction(f); calls++) f(100_000);
console.log(%IsTurboFanFunction(f));
"""


@pytest.mark.parametrize("has_flags", [True, False])
def test_webassembly_is_not_optimized(has_flags: bool) -> None:
    environment = {**os.environ, "NODE_OPTIONS": ""}
    if has_flags:
        add_node_options(environment, available_cpus())
    assert _run(_IS_OPTIMIZED, environment, "--allow-natives-syntax") == ("false\n" if has_flags else "true\n")


def test_this_machine_has_a_cpu() -> None:
    assert available_cpus() >= 1


def _run(code: str, environment: dict[str, str], *options: str) -> str:
    ran = subprocess.run(["node", *options, "-e", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout
