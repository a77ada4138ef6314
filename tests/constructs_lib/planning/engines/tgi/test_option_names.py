"""Names that are no options are explained, all at once."""

from dataclasses import fields, replace

import pytest

from constructs_lib.planning.engines.tgi.option_names import _OTHER_NAMES
from constructs_lib.planning.engines.tgi.options import TgiOptions


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["max_input_length"], "TgiOptions has no max_input_length: did you mean max_input_tokens?"),
        (["MAX_TOTAL_TOKENS"], "TgiOptions has no MAX_TOTAL_TOKENS: did you mean max_total_tokens?"),
        (["max-total-tokens"], "TgiOptions has no max-total-tokens: did you mean max_total_tokens?"),
        (
            ["max_batch_prefil_tokens"],
            "TgiOptions has no max_batch_prefil_tokens: did you mean max_batch_prefill_tokens?",
        ),
        (["HF_MODEL_ID"], "TgiOptions has no HF_MODEL_ID, which is Model.from_hub(…)"),
        (["zzz"], "TgiOptions has no zzz"),
        (
            ["sm_num_gpus", "max_new_tokens"],
            (
                "TgiOptions has no sm_num_gpus: did you mean num_shard?;"
                " no max_new_tokens, which is a parameter of a request"
            ),
        ),
    ],
)
def test_names_that_are_no_options_are_explained(names, words):
    with pytest.raises(TypeError) as raised:
        TgiOptions(num_shard=1, **dict.fromkeys(names, 1))
    assert str(raised.value) == words


def test_every_other_name_means_an_option_and_is_none_itself():
    options = {field.name for field in fields(TgiOptions)}
    assert set(_OTHER_NAMES.values()) <= options
    assert not options & set(_OTHER_NAMES)


def test_right_names_are_taken():
    assert replace(TgiOptions(max_input_tokens=1), num_shard=2) == TgiOptions(max_input_tokens=1, num_shard=2)
