"""Which models a version of vLLM can run."""

from dataclasses import replace

import pytest

from constructs_lib.planning.engines.vllm.images import HUGGING_FACE
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import known_model
from tests.constructs_lib.planning.engines.vllm.requests import LLAMA, refusals, warned


def of_type(model_type, **changes):
    return {"model": replace(LLAMA, facts=replace(known_model(LLAMA.hub_id), model_type=model_type)), **changes}


@pytest.mark.parametrize(
    ("model_type", "image", "when", "fix"),
    [
        (
            "gemma4",
            ImageChoice(version="0.17.0", family=HUGGING_FACE),
            "vLLM 0.17.0 has no class for gemma4 models; it was added in 0.19.0",
            "Use VllmImage.hugging_face('0.29.0').",
        ),
        (
            "mpt",
            ImageChoice(version="0.30.0"),
            "vLLM 0.30.0 has no class for mpt models; the last version that does is 0.28.0",
            "Use VllmImage.version('0.28.0').",
        ),
        (
            "muse_glimmer",
            ImageChoice(version="0.27.1"),
            "vLLM 0.27.1 has no class for muse_glimmer models; it was added in 0.28.0",
            "Use VllmImage.version('0.30.0').",
        ),
        (
            "qwen",
            ImageChoice(version="0.24.0"),
            "vLLM 0.24.0 has no class for qwen models; the last version that does is 0.23.0",
            "Use VllmImage.version('0.23.0').",
        ),
    ],
)
def test_a_model_that_another_version_runs_is_refused_with_the_image(model_type, image, when, fix):
    assert refusals(changes=of_type(model_type, image=image)) == [f"model={LLAMA.hub_id!r}: {when}. {fix}"]


def test_a_class_of_transformers_may_be_asked_for():
    assert refusals(changes=of_type("mpt"), model_impl="transformers") == []


def test_a_model_that_no_version_has_a_class_for_is_a_warning():
    assert warned(changes=of_type("gpt_neo")) == {
        "noOptimizedImplementation": (
            "vLLM 0.30.0 has no class of its own for gpt_neo models. It tries the class of transformers, which not"
            " every model has in the form that it needs; look at the container's log after the first deployment."
        )
    }
    assert warned(changes=of_type("gpt_neo"), model_impl="transformers") == {}


@pytest.mark.parametrize("version", ["0.12.0", "0.31.0"])
def test_a_version_outside_of_the_table_is_not_checked(version):
    found = warned(changes=of_type("gemma4"), version=version, extra_args={"anything": "1"})
    assert found["unknownRelease"] == (
        "What this library knows of vLLM is from 0.13.0 to 0.30.0, so options, formats and models were not checked for"
        f" {version}."
    )
