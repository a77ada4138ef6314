"""What an endpoint was asked for, written as JSON and read again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.described import describe, read_description
from constructs_lib.planning.engines.tgi.options import Quantization, TgiOptions
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice, known_model
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown
from tests.constructs_lib.planning.migration.moved import QWEN, request

OWN = InstanceType.of(
    "ml.g9.2xlarge", accelerator_count=2, memory_gib=44.5, compute_capability=(9, 0), price_usd_per_hour=3.5
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"instance": OWN},
        {"pools": (InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE)},
        {"cheapest": CheapestFor(tokens=8192, concurrency=4)},
        {"image": ImageChoice(version="2.0.4", uri_override=True, own_build=True)},
        {"model": ModelChoice(source="s3", bucket="weights", like="tiiuae/falcon-7b", is_archive=True)},
        {"model": replace(QWEN, facts=known_model("tiiuae/falcon-7b"))},
        {"model": replace(QWEN, facts=known_model("google/gemma-2-9b-it"), has_token=True)},
        {"environment": {"HF_ENDPOINT": "https://mirror.example.com"}, "region": "eu-west-1", "instance_count": 3},
        {"network_isolation": True, "volume_size_gib": 200},
    ],
    ids=str,
)
def test_a_description_is_read_as_it_was_written(changes: dict[str, Any]) -> None:
    options = TgiOptions(quantize=Quantization.EETQ, cuda_memory_fraction=0.9, cuda_graphs=[1, 2], json_output=False)
    asked = replace(request(options), **changes)
    found = read_description(json.loads(json.dumps(describe(asked))))
    assert found.engine == "tgi"
    assert (found.model, found.environment) == (asked.model, asked.environment)
    assert found.instances == (asked.pools or (asked.instance,))
    assert (found.cheapest, found.region, found.instance_count) == (asked.cheapest, asked.region, asked.instance_count)
    assert (found.network_isolation, found.volume_size_gib) == (asked.network_isolation, asked.volume_size_gib)
    assert found.options == {
        "quantize": "eetq",
        "cuda_memory_fraction": 0.9,
        "cuda_graphs": [1, 2],
        "json_output": False,
    }
    image = asked.image_choice
    assert (found.version, found.own_image, found.own_build) == (image.version, image.uri_override, image.own_build)


def test_what_only_the_deployment_knows_stays_unknown_and_its_text_is_not_written() -> None:
    options = TgiOptions(max_batch_size=Unknown("${Token[TOKEN.7]}"))  # type: ignore[arg-type]
    asked = request(options, environment={"MY_OWN": Unknown("${Token[TOKEN.8]}")}, instance_count=UNKNOWN)
    written = json.dumps(describe(asked))
    assert "Token" not in written
    found = read_description(json.loads(written))
    assert found.options == {"max_batch_size": UNKNOWN}
    assert found.environment == {"MY_OWN": UNKNOWN}
    assert found.instance_count is UNKNOWN


def test_additions_of_a_newer_version_are_ignored() -> None:
    written = describe(request(), asynchronous=True)
    written |= {"colour": "red", "model": written["model"] | {"colour": "red"}}
    found = read_description(written)
    assert (found.asynchronous, found.model) == (True, QWEN)
