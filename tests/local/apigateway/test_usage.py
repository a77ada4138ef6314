"""API keys, usage plans and throttling."""

from datetime import UTC, datetime

import pytest

from local.apigateway.api import ApiKey, Quota, Throttle, UsagePlan
from local.apigateway.responses import GatewayError
from local.apigateway.usage import Usage
from tests.local.apigateway.doubles import minimal_api


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def usage(clock: Clock, *, throttle: Throttle | None = None, quota: Quota | None = None, day: int = 1) -> Usage:
    plan = UsagePlan(id="p", throttle=throttle, quota=quota, key_ids=frozenset({"k", "k2", "off"}))
    keys = [
        ApiKey(id="k", value="one"),
        ApiKey(id="k2", value="two"),
        ApiKey(id="alone", value="unplanned"),
        ApiKey(id="off", value="disabled", enabled=False),
    ]
    moments = {"today": datetime(2026, 11, day, tzinfo=UTC)}
    return Usage(minimal_api(keys=keys, plans=[plan]), clock=clock, today=lambda: moments["today"])


def kind_of(raised: pytest.ExceptionInfo[GatewayError]) -> tuple[str, str]:
    return raised.value.kind, raised.value.message


@pytest.mark.parametrize("value", [None, "", "wrong", "unplanned", "disabled"])
def test_a_key_without_a_usage_plan_is_forbidden(value: str | None) -> None:
    with pytest.raises(GatewayError) as raised:
        usage(Clock()).admit_key(value)
    assert kind_of(raised) == ("INVALID_API_KEY", "Forbidden")


def test_a_burst_passes_and_then_the_rate_applies_per_key() -> None:
    clock = Clock()
    keys = usage(clock, throttle=Throttle(rate=2, burst=3))
    for _ in range(3):
        keys.admit_key("one")
    with pytest.raises(GatewayError) as raised:
        keys.admit_key("one")
    assert kind_of(raised) == ("THROTTLED", "Too Many Requests")
    keys.admit_key("two")
    clock.now = 0.5
    keys.admit_key("one")
    with pytest.raises(GatewayError):
        keys.admit_key("one")
    clock.now = 1000
    for _ in range(3):
        keys.admit_key("one")
    with pytest.raises(GatewayError):
        keys.admit_key("one")


@pytest.mark.parametrize(
    ("period", "same", "later"),
    [
        ("DAY", (2026, 11, 3), (2026, 11, 4)),
        ("WEEK", (2026, 11, 7), (2026, 11, 8)),
        ("MONTH", (2026, 11, 30), (2026, 12, 1)),
    ],
)
def test_a_quota_applies_until_the_end_of_its_period(
    period: str, same: tuple[int, int, int], later: tuple[int, int, int]
) -> None:
    moment = {"now": datetime(2026, 11, 3, tzinfo=UTC)}
    plan = UsagePlan(id="p", throttle=None, quota=Quota(limit=2, period=period), key_ids=frozenset({"k"}))
    keys = Usage(minimal_api(keys=[ApiKey(id="k", value="one")], plans=[plan]), today=lambda: moment["now"])
    keys.admit_key("one")
    moment["now"] = datetime(*same, tzinfo=UTC)
    keys.admit_key("one")
    with pytest.raises(GatewayError) as raised:
        keys.admit_key("one")
    assert kind_of(raised) == ("QUOTA_EXCEEDED", "Limit Exceeded")
    moment["now"] = datetime(*later, tzinfo=UTC)
    keys.admit_key("one")


def test_the_most_specific_throttling_of_the_stage_applies() -> None:
    limits = {"/generate/POST": Throttle(rate=0, burst=1), "*/*": Throttle(rate=0, burst=2)}
    keys = Usage(minimal_api(method_throttle=limits))
    keys.admit_method("/generate", "POST")
    with pytest.raises(GatewayError):
        keys.admit_method("/generate", "POST")
    keys.admit_method("/health", "GET")
