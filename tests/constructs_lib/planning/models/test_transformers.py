"""Which transformers an image has, and what that can generate text with."""

import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.images.catalogue import format_version, parse_version
from constructs_lib.planning.models.transformers import (
    PINS,
    has_since,
    releases,
    transformers_classes,
    transformers_of,
)


def test_every_image_has_a_release_of_transformers():
    images = ("0.6.0", "0.9.3", "1.3.3", "2.2.0", "3.1.1", "3.2.3", "3.3.6")
    found = [format_version(transformers_of(parse_version(image))) for image in images]
    assert found == ["4.27.4", "4.29.2", "4.33.3", "4.43.1", "4.48.3", "4.51.0", "4.51.0"]
    assert [pin.tgi for pin in PINS] == sorted(pin.tgi for pin in PINS)
    assert parse_version(TGI.images.versions[0]) >= PINS[0].tgi


def test_each_release_of_the_table_is_one_that_is_read():
    named = {release for row in read("models/transformers")["types"].values() for release in row.values()}
    assert named <= set(releases())


@pytest.mark.parametrize(
    ("model_type", "causal_lm", "attention", "seq2seq"),
    [
        ("qwen2", (4, 37, 1), (4, 49, 0), None),
        ("stablelm", (4, 39, 0), None, None),
        ("glm4", (4, 51, 3), (4, 51, 3), None),
        ("t5", None, None, (4, 27, 4)),
        ("falcon_h1", None, None, None),
    ],
)
def test_what_transformers_has_for_an_architecture(model_type, causal_lm, attention, seq2seq):
    found = transformers_classes(model_type)
    assert (found.causal_lm, found.attention, found.seq2seq) == (causal_lm, attention, seq2seq)


def test_a_version_has_what_its_release_or_an_older_one_has():
    since = transformers_classes("qwen2").causal_lm
    assert [has_since(since, tgi) for tgi in ((1, 3, 4), (1, 4, 0), (3, 3, 6))] == [False, True, True]
    assert not has_since(None, (3, 3, 6))
