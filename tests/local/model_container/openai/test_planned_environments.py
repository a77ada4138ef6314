"""What the planning renders starts the container: the two read SageMaker's rules independently of each other."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.planning.engines.lmi.engine import LMI
from constructs_lib.planning.engines.sglang.engine import SGLANG
from constructs_lib.planning.engines.vllm.engine import VLLM
from local.model_container.openai import lmi, sglang, vllm_arguments
from local.model_container.openai.arguments import parse_version
from tests.constructs_lib.planning.engines.lmi import conftest as of_lmi
from tests.constructs_lib.planning.engines.sglang import conftest as of_sglang
from tests.constructs_lib.planning.engines.vllm.requests import NEWEST_OF_HUGGING_FACE, planned
from tests.constructs_lib.planning.engines.vllm.test_environment import FLAGS, FURTHER, WRITTEN

PLANNED_BY_LMI = [version for version in LMI.images.versions if not of_lmi.planned(version=version).problems]
LINES = {"reads_lines": True}
OPTIONS: dict[str, dict[str, Any]] = {
    **{keyword: {keyword: value} for keyword, (value, _) in WRITTEN.items()},
    **{keyword: {keyword: value, **needed} for keyword, (needed, value, _) in FURTHER.items()},
    **{f"no_{keyword}": {keyword: False} for keyword in FLAGS},
}


def started(plan: Any, version: str, **image: bool) -> Any:
    assert plan.problems == ()
    settings = vllm_arguments.read_settings(plan.environment, version=version, **image)
    assert settings.max_model_len == plan.serving.max_total_tokens
    return settings


@pytest.mark.parametrize("name", OPTIONS)
def test_vllm_starts_with_every_option(name: str) -> None:
    settings = started(planned(version="0.30.0", **OPTIONS[name]), "0.30.0")
    assert settings.model == "meta-llama/Llama-3.1-8B-Instruct"
    assert settings.max_unfinished == OPTIONS[name].get("max_num_queued_reqs", settings.max_running * 2)


@pytest.mark.parametrize("version", VLLM.images.versions)
def test_every_version_of_vllm_starts_with_the_defaults(version: str) -> None:
    limit = started(planned(version=version), version).max_unfinished
    assert (limit is None) == (parse_version(version) < (0, 29))


def test_hugging_faces_image_starts_with_the_defaults() -> None:
    plan = planned(changes={"image": NEWEST_OF_HUGGING_FACE})
    assert started(plan, "0.29.0", **LINES).names == ("meta-llama/Llama-3.1-8B-Instruct",)


@pytest.mark.parametrize("version", ["0.5.8", *SGLANG.images.versions])
def test_every_version_of_sglang_starts_with_the_defaults(version: str) -> None:
    plan = of_sglang.planned(version=version)
    assert plan.problems == ()
    settings = sglang.read_settings(plan.environment, version=version)
    assert (settings.model, settings.max_model_len) == ("Qwen/Qwen2.5-7B-Instruct", 32768)


def test_sglang_starts_with_its_options() -> None:
    options = {
        "tool_call_parser": "qwen25",
        "lora_paths": ["sql=a/sql"],
        "mem_fraction_static": 0.8,
        "cuda_graph_max_bs": 8,
    }
    plan = of_sglang.planned(options=options)
    assert plan.problems == ()
    settings = sglang.read_settings(plan.environment)
    assert (settings.tool_parser, settings.adapters) == ("qwen25", {"sql": "a/sql"})


@pytest.mark.parametrize(
    "version", [each for each in LMI.images.versions if of_lmi.planned(version=each).problems == ()]
)
def test_every_version_of_lmi_starts_with_the_defaults(version: str) -> None:
    plan = of_lmi.planned(version=version)
    assert plan.problems == ()
    settings = lmi.read_settings(plan.environment)
    assert settings.max_running == int(plan.environment["OPTION_MAX_ROLLING_BATCH_SIZE"])
