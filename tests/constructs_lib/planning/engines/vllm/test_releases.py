"""What releases of vLLM have, and when."""

import pytest

from constructs_lib.planning.engines.vllm.images import AWS, HUGGING_FACE
from constructs_lib.planning.engines.vllm.releases import Kind, has, is_known, names, releases, since, when
from constructs_lib.planning.images.catalogue import format_version, parse_version
from scripts.generate_vllm_releases import RELEASES


def test_the_table_has_a_release_of_every_minor_version_of_the_images():
    minors = {one[:2] for one in releases()}
    images = {parse_version(text)[:2] for text in (*AWS.versions, *HUGGING_FACE.versions)}
    assert images <= minors
    assert [format_version(one) for one in releases()] == list(RELEASES)


@pytest.mark.parametrize(
    ("kind", "name", "version", "expected"),
    [
        (Kind.ARGUMENTS, "max_num_queued_reqs", (0, 28, 0), False),
        (Kind.ARGUMENTS, "max_num_queued_reqs", (0, 29, 0), True),
        (Kind.ARGUMENTS, "max_num_queued_reqs", (0, 31, 0), True),
        (Kind.ARGUMENTS, "max_model_len", (0, 9, 0), True),
        (Kind.ARGUMENTS, "swap_space", (0, 17, 1), True),
        (Kind.ARGUMENTS, "swap_space", (0, 18, 0), False),
        (Kind.FLAGS, "enable_prefix_caching", (0, 30, 0), True),
        (Kind.FLAGS, "disable_log_stats", (0, 30, 0), False),
        (Kind.FLAGS, "max_model_len", (0, 30, 0), False),
        (Kind.QUANTIZATIONS, "bitsandbytes", (0, 27, 1), True),
        (Kind.QUANTIZATIONS, "bitsandbytes", (0, 28, 0), False),
        (Kind.TOOL_PARSERS, "llama3_json", (0, 13, 0), True),
        (Kind.MODEL_TYPES, "gpt_oss", (0, 13, 0), True),
        (Kind.MODEL_TYPES, "gemma4", (0, 18, 0), False),
        (Kind.MODEL_TYPES, "gemma4", (0, 19, 0), True),
        (Kind.MODEL_TYPES, "mpt", (0, 28, 0), True),
        (Kind.MODEL_TYPES, "mpt", (0, 29, 0), False),
        (Kind.MODEL_TYPES, "mllama", (0, 30, 0), False),
        (Kind.IMAGE_TYPES, "qwen2_5_vl", (0, 30, 0), True),
        (Kind.IMAGE_TYPES, "llama", (0, 30, 0), False),
    ],
)
def test_a_version_between_two_releases_has_what_the_older_one_has(kind, name, version, expected):
    assert has(kind, name, version) is expected
    assert (name in names(kind, version)) is expected


def test_what_is_said_of_the_versions_that_have_something():
    assert when(Kind.MODEL_TYPES, "gemma4") == "it was added in 0.19.0"
    assert when(Kind.MODEL_TYPES, "mpt") == "the last version that does is 0.28.0"
    assert when(Kind.MODEL_TYPES, "mllama") is None
    assert since(Kind.MODEL_TYPES, "gemma4") == (0, 19, 0)
    assert since(Kind.MODEL_TYPES, "llama") == (0, 0, 0)
    assert since(Kind.MODEL_TYPES, "mllama") is None


def test_versions_before_and_after_the_table_are_not_known():
    assert [is_known(one) for one in ((0, 12, 0), (0, 13, 0), (0, 30, 1), (0, 31, 0))] == [False, True, True, False]


def test_a_setting_without_an_argument_is_none():
    newest = releases()[-1]
    settings = {"enable_mm_processor_stats", "mamba_config", "model_weights"}
    assert settings & names(Kind.ARGUMENTS, newest) == set()
    assert settings & names(Kind.FLAGS, newest) == set()


def test_an_argument_that_takes_a_text_has_no_other_form():
    assert has(Kind.ARGUMENTS, "hf_token", releases()[-1])
    assert not has(Kind.FLAGS, "hf_token", releases()[-1])
