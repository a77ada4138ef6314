"""A build of one's own may run what the version that it is based on cannot: that is a warning then."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.lmi.options import LmiOptions
from constructs_lib.planning.engines.sglang.options import SglangOptions
from constructs_lib.planning.engines.vllm.options import VllmOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointPlan, EndpointRequest

QWEN = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct")


def planned(engine: str, version: str, model_type: str, **image: Any) -> EndpointPlan:
    facts = QWEN.known_facts()
    assert facts is not None
    return plan(
        EndpointRequest(
            engine=engine_named(engine),
            model=replace(QWEN, facts=replace(facts, model_type=model_type)),
            instance=InstanceType.G6E_2XLARGE,
            image=ImageChoice(version=version, uri_override=True, **image),
        )
    )


@pytest.mark.parametrize(
    ("engine", "shown", "version"), [("vllm", "vLLM 0.14.0", "0.14.0"), ("lmi", "LMI 19.0.0", "19.0.0")]
)
def test_a_model_that_its_version_does_not_have_is_not_refused(engine: str, shown: str, version: str) -> None:
    refused = planned(engine, version, "deepseek_v4").problems
    assert [problem.keyword for problem in refused] == ["model"]
    own = planned(engine, version, "deepseek_v4", own_build=True)
    assert own.problems == ()
    (warning,) = [found.message for found in own.warnings if found.id == "tgi-endpoint:ownBuildUnchecked"]
    assert warning.startswith("model='Qwen/Qwen2.5-7B-Instruct': vLLM 0.14.0")
    assert warning.endswith(f"That is so for {shown} as it was published; whether your build differs is not known.")


@pytest.mark.parametrize(
    ("engine", "version", "options"),
    [
        ("vllm", "0.30.0", VllmOptions(tool_call_parser="of_my_fork")),
        ("sglang", "0.5.20", SglangOptions(tool_call_parser="of_my_fork")),
        ("lmi", "27.0.0", LmiOptions(tool_call_parser="of_my_fork")),
    ],
)
def test_a_parser_that_its_version_does_not_have_is_not_refused(engine: str, version: str, options: Any) -> None:
    def of(*, own_build: bool) -> EndpointPlan:
        image = ImageChoice(version=version, uri_override=True, own_build=own_build)
        named = engine_named(engine)
        request = EndpointRequest(engine=named, model=QWEN, instance=InstanceType.G6E_2XLARGE, image=image)
        return plan(replace(request, options=options))

    assert [problem.keyword for problem in of(own_build=False).problems] == ["options.tool_call_parser"]
    assert of(own_build=True).problems == ()
    assert "tgi-endpoint:ownBuildUnchecked" in [found.id for found in of(own_build=True).warnings]
