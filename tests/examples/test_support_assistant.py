"""examples/support_assistant: two clients with keys of their own, and a page that calls from a browser."""

from __future__ import annotations

import pytest

from tests.e2e.deployed_cloud import Cloud
from tests.examples.conftest import assert_streams

pytestmark = [pytest.mark.xdist_group("example-support_assistant"), pytest.mark.slow, pytest.mark.timeout(300)]


def test_each_consumer_has_a_key_of_its_own(cloud: Cloud) -> None:
    keys = cloud.api_keys
    assert len(set(keys.values())) == len(keys) == 2
    for key in keys.values():
        assert_streams(cloud, "qwen", key=key)
    assert cloud.request("GET", "/v1/models", key="of nobody").status == 401


def test_the_page_of_the_shop_may_call_and_others_may_not(cloud: Cloud) -> None:
    allowed = {}
    for origin in ("https://support.example.com", "https://elsewhere.example.com"):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        response = cloud.request("OPTIONS", "/v1/chat/completions", headers=headers, key=None)
        allowed[origin] = response.headers.get("access-control-allow-origin")
    assert allowed == {
        "https://support.example.com": "https://support.example.com",
        "https://elsewhere.example.com": None,
    }
