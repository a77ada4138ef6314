"""What is said of keywords that are no options of SGLang, LMI and vLLM."""

from typing import Any

import pytest

from constructs_lib.planning.engines.lmi.options import LmiOptions
from constructs_lib.planning.engines.sglang.options import SglangOptions
from constructs_lib.planning.engines.vllm.options import VllmOptions


@pytest.mark.parametrize(
    ("options", "given", "text"),
    [
        (
            SglangOptions,
            {"max_model_len": 1, "num_shard": 2, "revision": "x", "tpsize": 3, "nothing_like_it": 4},
            (
                "SglangOptions has no max_model_len: did you mean context_length?; no num_shard: did you mean tp_size?;"
                " no revision, which is Model.from_hub(…, revision=…); no tpsize: did you mean tp_size?; no"
                " nothing_like_it"
            ),
        ),
        (
            LmiOptions,
            {"max_num_seqs": 1, "max_total_tokens": 2, "temperature": 0.5},
            (
                "LmiOptions has no max_num_seqs: did you mean max_rolling_batch_size?; no max_total_tokens: did you"
                " mean"
                " max_model_len?; no temperature, which is a parameter of a request"
            ),
        ),
        (
            VllmOptions,
            {"max_total_tokens": 1, "max_input_tokens": 2, "adapters": [], "enable_prefix_cachin": True},
            (
                "VllmOptions has no max_total_tokens: did you mean max_model_len?; no max_input_tokens, which vLLM does"
                " not have: a prompt may have max_model_len less the answer; no adapters, which is an argument of"
                " VllmEndpoint; no enable_prefix_cachin: did you mean enable_prefix_caching?"
            ),
        ),
        (
            LmiOptions,
            {"job_queue_size": 100},
            "LmiOptions has no job_queue_size, which does not limit requests in the asynchronous mode",
        ),
    ],
)
def test_all_of_them_are_explained_at_once(options: Any, given: dict[str, object], text: str) -> None:
    with pytest.raises(TypeError) as refused:
        options(**given)
    assert str(refused.value) == text


def test_options_are_made_as_before() -> None:
    assert SglangOptions(tp_size=2).tp_size == 2
    assert LmiOptions(max_model_len=4096).max_model_len == 4096
