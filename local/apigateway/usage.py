"""API keys, usage plans, throttling and quotas."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from local.apigateway.responses import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.apigateway.api import ApiKey, Quota, RestApi, Throttle, UsagePlan


class TokenBucket:
    """A token bucket with room for `burst` requests, refilled at `rate` requests per second."""

    def __init__(self, throttle: Throttle, clock: Callable[[], float]) -> None:
        self._throttle = throttle
        self._clock = clock
        self._tokens = float(throttle.burst)
        self._filled = clock()

    def take(self) -> bool:
        """Takes a token; False if there is none left."""
        now = self._clock()
        refill = (now - self._filled) * self._throttle.rate
        self._tokens = min(float(self._throttle.burst), self._tokens + refill)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class QuotaCounter:
    """Counts the requests of the current day, week or month (UTC)."""

    def __init__(self, quota: Quota, today: Callable[[], datetime]) -> None:
        self._quota = quota
        self._today = today
        self._period: object = None
        self._used = 0

    def take(self) -> bool:
        """Counts a request; False if the quota is exhausted."""
        period = _period(self._quota, self._today())
        if period != self._period:
            self._used = self._quota.offset if self._period is None else 0
            self._period = period
        if self._used >= self._quota.limit:
            return False
        self._used += 1
        return True


class Usage:
    """Applies throttling and quotas to requests.

    Args:
        api: The API with its keys and usage plans.
        clock: A monotonic clock in seconds.
        today: The current time in UTC.
    """

    def __init__(
        self,
        api: RestApi,
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = {key.value: key for key in api.keys if key.enabled}
        self._plans = api.plans
        self._clock = clock
        self._today = today
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._counters: dict[tuple[str, str], QuotaCounter] = {}
        self._methods = {name: TokenBucket(throttle, clock) for name, throttle in api.method_throttle.items()}

    def admit_key(self, value: str | None) -> ApiKey:
        """Finds an API key by its value and counts the request in its usage plan.

        Raises:
            GatewayError: INVALID_API_KEY, THROTTLED or QUOTA_EXCEEDED.
        """
        key = self._keys.get(value or "")
        plan = next((plan for plan in self._plans if key and key.id in plan.key_ids), None)
        if key is None or plan is None:
            raise GatewayError("INVALID_API_KEY", "Forbidden")
        self._throttle(plan, key)
        self._count(plan, key)
        return key

    def admit_method(self, resource_path: str, verb: str) -> None:
        """Applies the throttling of the stage to a method.

        Raises:
            GatewayError: THROTTLED.
        """
        for name in (f"{resource_path}/{verb}", f"{resource_path}/*", f"*/{verb}", "*/*"):
            if name in self._methods:
                if not self._methods[name].take():
                    raise GatewayError("THROTTLED", "Too Many Requests")
                return

    def _throttle(self, plan: UsagePlan, key: ApiKey) -> None:
        if plan.throttle is None:
            return
        bucket = self._buckets.setdefault((plan.id, key.id), TokenBucket(plan.throttle, self._clock))
        if not bucket.take():
            raise GatewayError("THROTTLED", "Too Many Requests")

    def _count(self, plan: UsagePlan, key: ApiKey) -> None:
        if plan.quota is None:
            return
        counter = self._counters.setdefault((plan.id, key.id), QuotaCounter(plan.quota, self._today))
        if not counter.take():
            raise GatewayError("QUOTA_EXCEEDED", "Limit Exceeded")


def _period(quota: Quota, moment: datetime) -> object:
    if quota.period == "DAY":
        return moment.date()
    if quota.period == "WEEK":
        return (moment.date() - timedelta(days=moment.isoweekday() % 7)).isoformat()
    return (moment.year, moment.month)
