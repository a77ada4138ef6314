"""How many threads Node compiles with."""

import pytest

from stacks.node_threads import available_cpus, limit_node_threads


@pytest.mark.parametrize(("cpus", "threads"), [(1, 1), (2, 1), (3, 2), (4, 3)])
def test_one_cpu_is_left_to_the_cdk_and_python(cpus: int, threads: int) -> None:
    environment: dict[str, str] = {}
    limit_node_threads(environment, cpus)
    assert environment == {"NODE_OPTIONS": f"--v8-pool-size={threads}"}


def test_with_more_cpus_than_threads_nothing_changes() -> None:
    environment: dict[str, str] = {}
    limit_node_threads(environment, 5)
    assert environment == {}


def test_other_options_are_kept() -> None:
    environment = {"NODE_OPTIONS": "--max-old-space-size=8192"}
    limit_node_threads(environment, 2)
    assert environment == {"NODE_OPTIONS": "--max-old-space-size=8192 --v8-pool-size=1"}


@pytest.mark.parametrize("given", ["--v8-pool-size=8", "--no-warnings --v8_pool_size=0"])
def test_an_own_number_of_threads_is_kept(given: str) -> None:
    environment = {"NODE_OPTIONS": given}
    limit_node_threads(environment, 2)
    assert environment == {"NODE_OPTIONS": given}


def test_this_machine_has_a_cpu() -> None:
    assert available_cpus() >= 1
