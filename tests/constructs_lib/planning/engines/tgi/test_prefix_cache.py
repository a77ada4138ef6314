"""Whether TGI keeps prompts for later ones that begin the same."""

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.unknown import UNKNOWN


@pytest.mark.parametrize(
    ("changes", "keeps"),
    [
        ({}, True),
        ({"version": "2.3.1"}, True),
        ({"version": "2.2.0"}, False),
        ({"options": {"prefix_caching": False}}, False),
        ({"options": {"prefix_caching": UNKNOWN}}, None),
        ({"options": {"attention": "paged"}}, False),
        ({"instance": InstanceType.G4DN_12XLARGE}, False),
        ({"options": {"lora_adapters": ["team/adapter"]}}, False),
        ({"options": {"lora_adapters": ["team/adapter"], "prefix_caching": True}}, True),
        ({"hub_id": "HuggingFaceM4/idefics2-8b", "instance": InstanceType.G6E_2XLARGE}, False),
        ({"model": ModelChoice(source="s3")}, None),
        ({"model": ModelChoice(source="s3"), "options": {"prefix_caching": True}}, True),
    ],
)
def test_it_does_unless_something_excludes_it(changes, keeps, planning):
    assert planning(**changes).keeps_prefixes is keeps


def test_of_several_instance_types_each_has_to(planning):
    pools = (InstanceType.G5_12XLARGE, InstanceType.G4DN_12XLARGE)
    assert planning(pools=pools).keeps_prefixes is False
