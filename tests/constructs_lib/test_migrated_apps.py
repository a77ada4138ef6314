"""Every preset on TGI and every port of a public deployment, moved to each engine: its plan, and code that runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

import constructs_lib
from constructs_lib import Model
from constructs_lib.cli.migrate import request_of
from constructs_lib.planning.described import REQUEST_METADATA, DescribedEndpoint, read_description
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.migration.code import Names, endpoint_code
from constructs_lib.planning.migration.migrate import TARGETS, Migration, migrate
from constructs_lib.planning.plan import plan
from stacks.presets import PRESETS
from tests.ports.ports import read_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import IConstruct

NAMES = Names(old="tgi", new="moved", model="model")
REFUSED = {
    "30_hermes_name_with_a_dot",
    "37_medgemma_on_t4",
    "48_mixtral_on_one_t4",
    "49_llama3_70b_volume",
    "53_falcon_180b_gguf",
    "54_gemma_7b_gguf",
    "55_llama_13b_on_cpu",
    "56_llama3_8b_on_cpu",
    "62_falcon_40b",
}
"""Ports that cannot be deployed as they were, so that there is nothing to move."""

STAYS = {"FlanT5TgiStack/Endpoint": "runs no models with an encoder and a decoder, such as t5"}
"""What only TGI runs, with what the plan of each other engine says of it."""

LOST = {
    # Its positions are relative, but its config.json names 512, and only TGI takes more.
    ("FlanT5TgiStack/Endpoint", "vllm"): {"max_total_tokens"},
    ("FlanT5TgiStack/Endpoint", "sglang"): {"max_total_tokens"},
    ("FlanT5TgiStack/Endpoint", "lmi"): {"max_total_tokens"},
    # Longer than the model's positions, which TGI only warns of.
    ("FalconLite/FalconLite", "vllm"): {"max_total_tokens"},
    ("FalconLite/FalconLite", "sglang"): {"max_total_tokens"},
    ("FalconLite/FalconLite", "lmi"): {"max_total_tokens"},
    ("Idefics80b/Idefics", "vllm"): {"max_total_tokens"},
    ("Idefics80b/Idefics", "sglang"): {"max_total_tokens"},
    ("Idefics80b/Idefics", "lmi"): {"max_total_tokens"},
    ("FastChat/Falcon", "vllm"): {"max_total_tokens"},
    ("FastChat/Falcon", "sglang"): {"max_total_tokens"},
    ("FastChat/Falcon", "lmi"): {"max_total_tokens"},
    # LMI has no limit of its queue.
    ("LmiVariables/DeepSeek", "lmi"): {"max_concurrent_requests"},
    ("DeepSeek8b/DeepSeek", "lmi"): {"max_concurrent_requests"},
    ("Llama38b/Llama", "lmi"): {"max_concurrent_requests"},
}


@dataclass(frozen=True)
class Endpoint:
    path: str
    described: DescribedEndpoint

    def moved(self, to: str) -> Migration:
        asynchronous = self.described.asynchronous
        return migrate(request_of(self.described), engine_named(to), asynchronous=asynchronous)


def described(root: IConstruct) -> Iterator[Endpoint]:
    for construct in root.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == REQUEST_METADATA:
                yield Endpoint(construct.node.path, read_description(entry.data))


@cache
def endpoints() -> dict[str, Endpoint]:
    """Every endpoint on TGI."""
    app, found = App(), []
    for preset in PRESETS:
        found += described(preset(app, hf_token_secret="hugging-face-token"))
    refused = set()
    for port in read_ports():
        app = App()
        try:
            port.build(app)
        except ValueError:
            refused.add(port.app)
        else:
            found += described(app)
    assert refused == REFUSED
    return {one.path: one for one in found if one.described.engine == "tgi"}


def test_there_are_as_many_endpoints_as_the_presets_and_the_ports_have() -> None:
    assert len(endpoints()) > 55


@pytest.mark.parametrize("to", TARGETS)
def test_every_endpoint_moves_without_a_problem_and_only_the_known_options_are_lost(to: str) -> None:
    for path, endpoint in endpoints().items():
        migration = endpoint.moved(to)
        if path in STAYS:
            (found,) = migration.problems
            assert (found.keyword, found.message.endswith(STAYS[path])) == ("model", True), found
        else:
            assert migration.problems == (), path
        assert migration.old.problems == (), path
        assert (migration.after is None) == (path in STAYS), path
        assert {one.option for one in migration.lost} == LOST.get((path, to), set()), path


@pytest.mark.parametrize("to", TARGETS)
def test_the_code_of_every_move_runs_and_has_the_plan_that_was_shown(to: str) -> None:
    for path, endpoint in endpoints().items():
        if path in STAYS:
            continue
        migration = endpoint.moved(to)
        env = Environment(region=migration.target.region) if migration.target.region else None
        stack = Stack(App(), "Team", env=env)
        exec(endpoint_code(migration, NAMES), given_names(stack, endpoint.described))
        (found,) = described(stack)
        made = plan(request_of(found.described))
        assert found.described.engine == to, path
        assert (made.problems, made.instance, made.environment) == (
            (),
            migration.new.instance,
            migration.new.environment,
        ), path


def given_names(stack: Stack, endpoint: DescribedEndpoint) -> dict[str, Any]:
    """What the code takes besides what it imports."""
    names: dict[str, Any] = {"self": stack}
    model = endpoint.model
    if model.has_token:
        names["token"] = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hugging-face-token")
    if model.source == "s3":
        bucket = s3.Bucket.from_bucket_name(stack, "Weights", model.bucket or "weights")
        more: dict[str, Any] = {"like": model.like, "facts": model.facts, "model_id": model.hub_id}
        more |= {"accept_eula": model.accept_eula}
        if model.is_archive:
            names["model"] = Model.from_s3_archive(bucket, "model.tar.gz", **more)
        else:
            names["model"] = Model.from_s3(bucket, "model/", **more)
    elif model.facts is not None:
        token: Any = names.get("token")
        names["model"] = Model.from_hub(str(model.hub_id), revision=model.revision, facts=model.facts, token=token)
    return names


def test_the_names_in_the_code_are_public() -> None:
    code = endpoint_code(next(iter(endpoints().values())).moved("vllm"), NAMES)
    imported = code.splitlines()[0].removeprefix("from constructs_lib import ").split(", ")
    assert set(imported) <= set(constructs_lib.__all__)
