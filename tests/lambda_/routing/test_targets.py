"""Entries with several endpoints, as the function reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from front_door.config import Config, ConfigError
from front_door.targets import Routing

from tests.lambda_.routing.entries import endpoint, fallback, mirror, read, split


def routing_of(config: Config) -> Routing:
    routing = config.models["llama"].routing
    assert routing is not None
    return routing


def branches(config: Config) -> list[tuple[float, list[str | None]]]:
    return [(branch.weight, [each.target for each in branch.targets]) for branch in routing_of(config).branches]


def test_the_branches_of_a_split_are_endpoints_or_fallbacks(tmp_path: Path) -> None:
    entry = {
        "split": [
            {"weight": 95, "to": endpoint("a", "tgi")},
            {"weight": 5, "to": fallback(endpoint("b"), endpoint("c"))},
        ]
    }
    config = read(tmp_path, llama=entry)
    assert branches(config) == [(95, ["a"]), (5, ["b", "c"])]
    assert [each.engine for each in routing_of(config).targets()] == ["tgi", "vllm", "vllm"]
    assert {each.name for each in routing_of(config).targets()} == {"llama"}


def test_a_fallback_is_one_branch(tmp_path: Path) -> None:
    assert branches(read(tmp_path, llama=fallback(endpoint("a"), endpoint("b")))) == [(1, ["a", "b"])]


@pytest.mark.parametrize(
    ("primary", "expected"),
    [
        (endpoint("a"), [(1, ["a"])]),
        (split(a=1, b=2), [(1, ["a"]), (2, ["b"])]),
        (fallback(endpoint("a"), endpoint("b")), [(1, ["a", "b"])]),
    ],
    ids=["endpoint", "split", "fallback"],
)
def test_the_primary_of_a_mirror_is_anything_else(tmp_path: Path, primary: dict[str, Any], expected: Any) -> None:
    config = read(tmp_path, llama=mirror(primary, endpoint("copy"), 2.5))
    routing = routing_of(config)
    assert branches(config) == expected
    assert routing.mirror is not None
    assert (routing.mirror.target, routing.percent) == ("copy", 2.5)
    assert (config.mirror_function, config.lambda_url) == (
        "arn:aws:lambda:eu-west-1:111122223333:function:door-mirror",
        "https://lambda.eu-west-1.amazonaws.com",
    )


def test_an_endpoint_alone_has_no_routing_and_loads_none(tmp_path: Path) -> None:
    entry = endpoint("a")
    del entry["target"]
    config = read(tmp_path, llama=entry)
    assert config.models["llama"].routing is None
    assert config.models["llama"].facts == {}
    assert (config.mirror_function, config.is_mirror) == (None, False)


def test_clients_see_what_all_endpoints_have(tmp_path: Path) -> None:
    one = endpoint("a", adapters={"sql": None, "chat": None}, model_id=None)
    other = endpoint("b", adapters={"chat": "component", "law": None}, model_id="org/llama-awq")
    copy = endpoint("copy", model_id="org/copy")
    config = read(tmp_path, llama=mirror(fallback(one, other, endpoint("c", adapters={"chat": None})), copy))
    model = config.models["llama"]
    assert model.adapters == {"chat": None}
    assert [each.adapters for each in routing_of(config).targets()] == [
        {"chat": None},
        {"chat": "component"},
        {"chat": None},
    ]
    assert model.model_id == "org/llama-awq"
    assert config.model("org/llama") is config.model("org/llama-awq") is model
    assert config.model("org/copy") is None
    assert config.model("llama:sql") is None


def test_an_endpoint_without_adapters_leaves_none(tmp_path: Path) -> None:
    config = read(tmp_path, llama=fallback(endpoint("a", adapters={"sql": None}), endpoint("b")))
    assert config.models["llama"].adapters == {}


def test_an_endpoint_without_callers_takes_no_adapter_away(tmp_path: Path) -> None:
    entry = {"split": [{"weight": 1, "to": endpoint("a", adapters={"sql": None})}, {"weight": 0, "to": endpoint("b")}]}
    assert read(tmp_path, llama=entry).models["llama"].adapters == {"sql": None}


def test_what_clients_see_first_is_an_endpoint_that_has_callers(tmp_path: Path) -> None:
    entry = {"split": [{"weight": 0, "to": endpoint("a", "tgi")}, {"weight": 1, "to": endpoint("b")}]}
    config = read(tmp_path, llama=entry)
    assert config.models["llama"].engine == "vllm"
    assert [each.target for each in routing_of(config).targets()] == ["b", "a"]


def test_a_target_is_found_by_its_name_also_a_mirrors(tmp_path: Path) -> None:
    routing = routing_of(read(tmp_path, llama=mirror(split(a=1, b=0), endpoint("copy"))))
    names = [target and target.endpoint_name for target in map(routing.target, ["a", "b", "copy", "d"])]
    assert names == ["a-endpoint", "b-endpoint", "copy-endpoint", None]


def test_an_endpoint_may_be_in_another_region(tmp_path: Path) -> None:
    there = {
        "region": "us-east-1",
        "runtime_url": "https://runtime.sagemaker.us-east-1.amazonaws.com",
        "sagemaker_url": "https://api.sagemaker.us-east-1.amazonaws.com",
    }
    entry = fallback(endpoint("here"), endpoint("there", **there))
    here, found = routing_of(read(tmp_path, llama=entry)).targets()
    assert (here.region, here.runtime_url, here.sagemaker_url) == (None, None, None)
    assert {name: getattr(found, name) for name in there} == there
    assert found.facts == {}
    redirected = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://localhost:1", "AWS_ENDPOINT_URL_SAGEMAKER": "http://b"}
    _, found = routing_of(read(tmp_path, redirected, llama=entry)).targets()
    assert (found.region, found.runtime_url, found.sagemaker_url) == ("us-east-1", None, None)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (split(a=0, b=0), "No weight of ['a', 'b'] is above 0."),
        (split(), "No weight of [] is above 0."),
        (split(a=-1, b=2), "weight is -1, and must be a number from 0."),
        (
            {"split": [{"weight": 1, "to": endpoint("a")}, {"weight": 1, "to": fallback(endpoint("a"))}]},
            "Each target needs a name, and those of a split one of their own: ['a', 'a'].",
        ),
        (
            fallback(endpoint("a"), endpoint("b", target=None)),
            "Each target needs a name, and those of a split one of their own: ['a'].",
        ),
        (fallback(), "A fallback has no endpoint."),
        (mirror(endpoint("a"), endpoint("b"), float("inf")), "percent is inf, and must be a number from 0."),
    ],
)
def test_an_entry_that_no_front_door_writes_is_an_error(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, llama=entry)
    assert str(raised.value) == message


@pytest.mark.parametrize("missing", ["MIRROR_FUNCTION", "LAMBDA_URL"])
def test_what_a_mirror_needs_is_in_the_environment(tmp_path: Path, missing: str) -> None:
    entry = mirror(endpoint("a"), endpoint("b"))
    read(tmp_path, {missing: ""}, llama=entry)
    with pytest.raises(ConfigError, match=f"'{missing}' is missing from the function's environment."):
        read(tmp_path, {missing: None}, llama=entry)


def test_the_function_that_gets_the_copies_makes_none(tmp_path: Path) -> None:
    entry = mirror(endpoint("a"), endpoint("b"))
    config = read(tmp_path, {"MIRROR": "on", "MIRROR_FUNCTION": ""}, llama=entry)
    assert (config.is_mirror, config.mirror_function) == (True, None)


def test_the_sdks_variable_is_lambdas_url(tmp_path: Path) -> None:
    config = read(
        tmp_path, {"AWS_ENDPOINT_URL_LAMBDA": "http://localhost:9"}, llama=mirror(endpoint("a"), endpoint("b"))
    )
    assert config.lambda_url == "http://localhost:9"
