"""An engine besides TGI needs its own package and one line of the registry; all of planning works with it."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.hardware.gpu_memory import GIB, visible_bytes
from constructs_lib.planning.hardware.instance_types import CheapestFor, InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice, ModelFacts, known_model
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import UNDECIDED, EndpointPlan, EndpointRequest
from constructs_lib.planning.sizing.candidates import candidates
from constructs_lib.planning.sizing.memory import memory_plan
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown
from tests.constructs_lib.planning.engines.paged_engine import PAGED, PagedOptions


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


LLAMA = facts_of("meta-llama/Llama-3.1-8B-Instruct")
GEMMA = facts_of("google/gemma-2-9b-it")


def planned(**changes: Any) -> EndpointPlan:
    request: dict[str, Any] = {
        "engine": PAGED,
        "model": ModelChoice(source="hub", hub_id=LLAMA.hub_id, has_token=True),
        "instance": InstanceType.G6E_XLARGE,
    }
    return plan(EndpointRequest(**request | changes))


def test_a_line_of_the_registry_finds_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "paged", "tests.constructs_lib.planning.engines.paged_engine:PAGED")
    assert engine_named("paged") is PAGED
    assert engine_named("tgi").name == "tgi"
    with pytest.raises(KeyError):
        engine_named("none")


def test_the_plan_has_its_image_environment_and_limits() -> None:
    found = planned(options=PagedOptions(max_model_len=8192), environment={"MINE": "x"}, region="eu-west-1")
    assert found.problems == ()
    assert (found.image_repository, found.image_tag) == ("paged", "0.20.0-gpu-py312-cu130")
    assert found.inference_ami_version == "al2023-ami-sagemaker-inference-gpu-4-1"
    assert found.environment == {
        "SM_PAGED_MODEL": LLAMA.hub_id,
        "SM_PAGED_MAX_MODEL_LEN": "8192",
        "MINE": "x",
    }
    assert (found.token_variables, found.num_shard, found.max_body_bytes) == (("HF_TOKEN",), 1, 6_291_456)
    assert (found.serving.version, found.serving.max_total_tokens) == ("0.20.0", 8192)


def test_the_memory_follows_its_own_formula() -> None:
    memory = planned(options=PagedOptions(max_model_len=8192)).memory
    assert memory is not None
    total = visible_bytes(InstanceType.G6E_XLARGE)
    activations = max(2048 * (3 * 14_336 + 3 * 4096) * 2, 4 * 256 * 128_256 * 4)
    available = int(total * 0.92) - 8_030_000_000 * 2 - int(0.2 * GIB) - GIB // 2 - activations
    blocks = available // (16 * 2 * 32 * 8 * 128 * 2)
    assert (memory.free_for_tokens, memory.max_tokens) == (available, blocks * 16)
    assert (memory.context, memory.asked_tokens, memory.fits) == (8192, 8192, True)
    assert memory.concurrent_requests(8192) == blocks * 16 // 8192
    assert memory.concurrent_requests(8193) == 0


def test_before_0_20_cuda_graphs_are_outside_of_a_smaller_share() -> None:
    image = ImageChoice(version="0.19.1")
    older, newer = (planned(options=PagedOptions(max_model_len=8192), image=one).memory for one in (image, None))
    assert older is not None
    assert newer is not None
    assert newer.runtime - older.runtime == GIB // 2
    assert (older.usable, newer.usable) == (int(older.gpu_memory * 0.90), int(newer.gpu_memory * 0.92))


@pytest.mark.parametrize(("shards", "heads"), [(1, 8), (4, 2), (8, 1), (16, 1)])
def test_more_gpus_than_key_value_heads_keep_a_head_each(shards: int, heads: int) -> None:
    found = memory_plan(PAGED, LLAMA, InstanceType.P5_48XLARGE, PagedOptions(), "0.20.0", shards)
    assert found.kv_bytes_per_token == 2 * 32 * heads * 128 * 2


def test_a_compressed_cache_is_complete_on_every_gpu() -> None:
    deepseek = replace(LLAMA, model_type="deepseek_v3", layers=61)
    for shards in (1, 8):
        found = memory_plan(PAGED, deepseek, InstanceType.P5_48XLARGE, PagedOptions(), "0.20.0", shards)
        assert found.kv_bytes_per_token == 70_272


def test_layers_with_a_sliding_window_keep_less_of_a_long_request() -> None:
    full = memory_plan(PAGED, replace(GEMMA, model_type="x"), InstanceType.G6E_XLARGE, PagedOptions(), "0.20.0", 1)
    found = memory_plan(PAGED, GEMMA, InstanceType.G6E_XLARGE, PagedOptions(), "0.20.0", 1)
    assert found.cache.request_bytes(4096) == full.cache.request_bytes(4096)
    assert found.cache.request_bytes(8192) == full.cache.request_bytes(8192) * 3 // 4
    assert found.concurrent_requests(8192) == found.free_for_tokens // found.cache.request_bytes(8192)
    assert found.cache.request_bytes(found.max_tokens) <= found.free_for_tokens


def test_tied_embeddings_are_held_once() -> None:
    found = memory_plan(PAGED, GEMMA, InstanceType.G6E_XLARGE, PagedOptions(), "0.20.0", 1)
    assert found.weights == GEMMA.parameters * 2


def test_a_model_does_not_fit_unless_one_request_of_full_length_does() -> None:
    (problem,) = planned(instance=InstanceType.G5_2XLARGE).problems
    assert problem.keyword == "instance_type"
    assert "of which Paged fills 20.3 GiB" in problem.message
    assert "for the keys and values of 131072 tokens are too much" in problem.message
    assert "this one with options.max_model_len=32768" in problem.fix
    assert "ml.g6e.xlarge" in problem.fix
    assert planned(instance=InstanceType.G5_2XLARGE, options=PagedOptions(max_model_len=32_768)).problems == ()


def test_smaller_limits_are_set_if_the_defaults_do_not_fit() -> None:
    found = planned(instance=InstanceType.G5_2XLARGE, options=PagedOptions(max_model_len=35_000))
    assert found.problems == ()
    assert found.environment["MAX_NUM_SEQS"] == "64"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {
                "options": PagedOptions(tensor_parallel_size=3, max_model_len=8192),
                "instance": InstanceType.G6E_12XLARGE,
            },
            (
                "options.tensor_parallel_size=3: must divide the 32 attention heads of"
                " meta-llama/Llama-3.1-8B-Instruct. Choose another number."
            ),
        ),
        (
            {"options": PagedOptions(enforce_eager=True, max_model_len=8192), "image": ImageChoice(version="0.19.1")},
            (
                "options.enforce_eager=True: Paged 0.19.1 does not have it; it was added in 0.20.0. Leave it out, or"
                " change image."
            ),
        ),
        ({"options": {"a": 1}}, "options={'a': 1}: must be PagedOptions, not dict. Write PagedOptions(…)."),
        ({"image": "0.20.0"}, "image='0.20.0': must be a PagedImage, not str. Write PagedImage.version(…)."),
        (
            {"image": ImageChoice(version="0.21.0")},
            "image='0.21.0': AWS publishes no image of that Paged version. Use '0.20.0'. AWS publishes 0.19.1, 0.20.0.",
        ),
        (
            {"environment": {"MAX_NUM_SEQS": "1"}},
            (
                "environment['MAX_NUM_SEQS']='1': MAX_NUM_SEQS is set by options.max_num_seqs. Use options.max_num_seqs"
                " instead."
            ),
        ),
        (
            {"instance": InstanceType.INF2_XLARGE},
            (
                "instance_type='ml.inf2.xlarge': has Inferentia2, but Paged's image is for NVIDIA GPUs. Use a GPU"
                " instance, such as InstanceType.G5_2XLARGE."
            ),
        ),
    ],
)
def test_problems_name_the_engine_and_its_options(changes: dict[str, Any], problem: str) -> None:
    found = planned(**{"options": PagedOptions(max_model_len=8192)} | changes).problems
    assert problem in [str(one) for one in found]


def test_its_warnings_come_with_those_of_every_endpoint() -> None:
    options = PagedOptions(enforce_eager=True, max_model_len=8192)
    found = planned(options=options, model_download_timeout_seconds=600)
    assert [warning.id for warning in found.warnings] == [
        "tgi-endpoint:modelDownloadTimeoutUnused",
        "tgi-endpoint:eager",
    ]


def test_blackwell_is_no_risk_to_an_engine_that_was_tested_there() -> None:
    found = planned(instance=InstanceType.G7E_2XLARGE, options=PagedOptions(max_model_len=8192))
    assert (found.problems, found.warnings) == ((), ())


def test_candidates_are_sized_by_its_memory_model() -> None:
    found = {one.instance.name: one for one in candidates(LLAMA, engine=PAGED, tokens=8192, concurrency=4)}
    assert next(name for name, one in found.items() if one.fits) == "ml.g6.xlarge"
    four = found["ml.g6.12xlarge"]
    assert (four.num_shard, dict(four.settings)) == (4, {"max_model_len": 8192, "tensor_parallel_size": 4})
    assert found["ml.g4dn.xlarge"].reason == "3.5 GiB short on its GPU."
    assert found["ml.inf2.xlarge"].reason == "It has Inferentia2, but Paged's image is for NVIDIA GPUs."


def test_the_cheapest_instance_is_found_by_its_memory_model() -> None:
    load = CheapestFor(tokens=8192, concurrency=16)
    found = planned(instance=UNDECIDED, cheapest=load)
    assert found.problems == ()
    assert found.instance is InstanceType.G6E_XLARGE
    assert found.environment["SM_PAGED_MAX_MODEL_LEN"] == "8192"
    assert found.memory is not None
    assert found.memory.concurrent_requests(8192) >= 16


def test_what_is_known_at_deployment_is_written_and_not_checked() -> None:
    model = ModelChoice(source="hub", hub_id=Unknown("<id>"))  # type: ignore[arg-type]
    options = PagedOptions(max_model_len=Unknown("<length>"))  # type: ignore[arg-type]
    found = planned(model=model, options=options, region=UNKNOWN)
    assert (found.problems, found.memory) == ((), None)
    assert found.environment == {"SM_PAGED_MODEL": "<id>", "SM_PAGED_MAX_MODEL_LEN": "<length>"}


def test_a_callers_own_image_needs_no_catalogue() -> None:
    image = ImageChoice(version="0.20.3", uri_override=True)
    found = planned(image=image, options=PagedOptions(max_model_len=8192), region="mars-1")
    assert (found.problems, found.image_repository) == ((), None)
