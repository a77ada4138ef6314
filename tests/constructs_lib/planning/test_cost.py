"""What a front door costs while streams are open."""

import pytest

from constructs_lib.planning.cost import SECONDS_PER_STREAM, streams_usd_per_hour
from constructs_lib.planning.hardware.instance_types import InstanceType


def test_an_open_stream_costs_the_memory_of_its_environment_and_its_share_of_requests():
    # 3600 s × 0.125 GB × $0.0000133334 for Lambda's time; 360 requests of 10 s at $0.20 + $3.50 a million.
    assert SECONDS_PER_STREAM == 10
    assert streams_usd_per_hour(1, 128) == pytest.approx(0.00600003 + 0.001332)


def test_it_is_proportional_to_the_streams():
    assert streams_usd_per_hour(64, 256) == pytest.approx(64 * streams_usd_per_hour(1, 256))
    assert streams_usd_per_hour(0, 256) == 0


def test_64_streams_of_512_mib_cost_more_than_an_instance_of_the_llama_stack():
    assert streams_usd_per_hour(64, 512) > InstanceType.G5_2XLARGE.price_usd_per_hour
