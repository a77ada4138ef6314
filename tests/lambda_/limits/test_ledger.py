"""The accounting: whatever the order of requests and the time between them, the counters add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import pytest
from front_door.limits import ledger
from front_door.limits.ledger import Reservation, Update, Window
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models import DynamoDBBackend

from tests.lambda_.limits.conftest import NOON

KEY = {"consumer": {"S": "team-a"}, "period": {"S": "current"}}
LIMITS = {"tokens_per_minute": 100, "tokens_per_day": 250, "tokens_per_month": 400, "concurrent_streams": 3}
UNITS = ("minute", "day", "month")


@dataclass
class Item:
    """A consumer's item, whose expressions moto evaluates, in this process."""

    table: DynamoDBBackend = field(default_factory=lambda: DynamoDBBackend("eu-west-1", "123456789012"))

    def __post_init__(self) -> None:
        self.table.create_table(
            "t",
            schema=[{"AttributeName": "consumer", "KeyType": "HASH"}, {"AttributeName": "period", "KeyType": "RANGE"}],
            throughput=None,
            attr=[{"AttributeName": name, "AttributeType": "S"} for name in KEY],
            global_indexes=[],
            indexes=[],
            streams=None,
            billing_mode="PAY_PER_REQUEST",
            sse_specification=None,
            tags=[],
            deletion_protection_enabled=False,
            warm_throughput=None,
        )

    def update(self, update: Update) -> bool:
        """Whether the condition held."""
        try:
            self.table.update_item(
                "t",
                KEY,
                update_expression=update.update,
                condition_expression=update.condition,
                expression_attribute_names={},
                expression_attribute_values=update.values,
            )
        except ConditionalCheckFailed:
            return False
        return True

    def read(self) -> dict[str, Any]:
        item = self.table.get_item("t", KEY)
        return item.to_json()["Attributes"] if item else {}

    def number(self, name: str) -> int:
        return int(self.read().get(name, {"N": "0"})["N"])


@dataclass
class Door:
    """A sandbox: it remembers the item as it has seen it last."""

    item: Item
    seen: dict[str, Any] = field(default_factory=dict)

    def reserve(self, limits: dict[str, int], taken: Reservation, now: float) -> tuple[Window, ...] | str:
        """The windows that it counts in, or the limit that refuses it."""
        for _ in range(10):
            windows = ledger.current_windows(self.seen, limits, now)
            self.item.update(ledger.reserve(self.seen, limits, taken, now))
            self.seen = self.item.read()
            if taken.id in ledger.in_flight(self.seen):
                return windows
            if (refusal := ledger.find_refusal(self.seen, limits, taken.tokens, now)) is not None:
                return refusal.limit
        raise AssertionError("it turns in circles")

    def settle(self, windows: tuple[Window, ...], taken: Reservation, used: int, now: float) -> None:
        windows = tuple(window for window in windows if window.end > now)
        for _ in range(3):
            self.item.update(ledger.settle(windows, taken, used))
            self.seen = self.item.read()
            if taken.id not in ledger.in_flight(self.seen):
                return
            windows = ledger.still_counted(self.seen, windows)
        raise AssertionError("it turns in circles")


@dataclass
class Running:
    """A request that has been let in."""

    taken: Reservation
    windows: tuple[Window, ...]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # the sandbox
        st.sampled_from(["reserve", "reserve", "settle", "settle", "die", "wait"]),
        st.integers(1, 100),  # tokens, or which request
        st.sampled_from([1, 7, 20, 61, 3600, 90_000, 40 * 86_400]),  # seconds to wait
        st.integers(0, 120),  # tokens that are used
    ),
    max_size=40,
)


class Accounts:
    """What the item must say, kept beside it."""

    def __init__(self, limits: dict[str, int]) -> None:
        self.limits, self.now = limits, NOON
        self.item = Item()
        self.doors = [Door(self.item) for _ in range(3)]
        self.running: list[Running] = []
        self.spent: dict[Window, int] = {}
        self.places: dict[str, int] = {}

    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.places = {key: until for key, until in self.places.items() if until > self.now}

    def reserve(self, door: Door, number: int, tokens: int) -> None:
        taken, before = Reservation(f"r{number}", tokens, self.now + 30), self.counts()
        found = door.reserve(self.limits, taken, self.now)
        if isinstance(found, str):
            assert self.counts() == before
            self.check_refusal(found, tokens)
            return
        self.running.append(Running(taken, found))
        self.places[taken.id] = taken.expires
        assert len(self.places) <= self.limits.get("concurrent_streams", len(self.places))
        for window in found:
            assert window.start == ledger.start_of(window.unit, self.now)
            self.spent[window] = self.spent.get(window, 0) + tokens
            assert self.spent[window] <= self.limits[window.limit]

    def check_refusal(self, limit: str, tokens: int) -> None:
        if limit == "concurrent_streams":
            assert len(self.places) == self.limits[limit]
        else:
            unit = limit.rpartition("_")[2]
            assert self.spent.get(Window(unit, ledger.start_of(unit, self.now)), 0) + tokens > self.limits[limit]

    def settle(self, door: Door, request: Running, used: int) -> None:
        is_in_flight = request.taken.id in ledger.in_flight(self.item.read())
        door.settle(request.windows, request.taken, used, self.now)
        self.places.pop(request.taken.id, None)
        for window in request.windows:
            if is_in_flight and window.end > self.now and self.item.number(f"{window.unit}_start") == window.start:
                self.spent[window] += used - request.taken.tokens

    def counts(self) -> dict[str, int]:
        return {unit: self.item.number(f"{unit}_tokens") for unit in UNITS}

    def check(self) -> None:
        for unit, count in self.counts().items():
            assert count >= 0
            if f"tokens_per_{unit}" in self.limits and self.item.read():
                assert count == self.spent[Window(unit, self.item.number(f"{unit}_start"))]
        live = {key for key, until in ledger.in_flight(self.item.read()).items() if until > self.now}
        assert live == set(self.places)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, chosen=st.sets(st.sampled_from(sorted(LIMITS)), min_size=1))
def test_the_counters_are_what_requests_have_used_and_have_still_taken(
    steps: list[tuple[int, str, int, int, int]], chosen: set[str]
) -> None:
    accounts = Accounts({name: LIMITS[name] for name in chosen})
    for number, (at, action, size, seconds, used) in enumerate(steps):
        door = accounts.doors[at]
        if action == "wait":
            accounts.wait(seconds)
        elif action == "reserve":
            accounts.reserve(door, number, size)
        elif accounts.running:
            request = accounts.running.pop(size % len(accounts.running))
            if action == "settle":
                accounts.settle(door, request, min(used, request.taken.tokens) if used % 2 else used)
        accounts.check()


@given(st.integers(0, 4_102_444_800))
def test_a_window_contains_its_time_and_the_next_one_follows(now: int) -> None:
    for unit in UNITS:
        window = Window(unit, ledger.start_of(unit, now))
        assert window.start <= now < window.end
        assert ledger.start_of(unit, window.end) == window.end
        assert ledger.start_of(unit, window.end - 1) == window.start


def test_windows_begin_when_the_clock_of_utc_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    leap_day = 1_835_481_599  # 2028-02-29 23:59:59
    assert [Window(unit, ledger.start_of(unit, leap_day)).end for unit in UNITS] == [leap_day + 1] * 3
    assert ledger.start_of("month", leap_day) == 1_832_976_000


def test_a_call_that_is_repeated_changes_nothing() -> None:
    item, taken = Item(), Reservation("r1", 40, NOON + 30)
    first = ledger.reserve({}, LIMITS, taken, NOON)
    assert (item.update(first), item.update(first)) == (True, False)
    again = ledger.reserve(item.read(), LIMITS, taken, NOON)
    assert not item.update(again)
    assert (item.number("minute_tokens"), len(ledger.in_flight(item.read()))) == (40, 1)
    settled = ledger.settle(ledger.current_windows({}, LIMITS, NOON), taken, 10)
    assert (item.update(settled), item.update(settled)) == (True, False)
    assert (item.number("minute_tokens"), item.number("month_tokens")) == (10, 10)


def test_an_expired_place_makes_room_once() -> None:
    item, limits = Item(), {"concurrent_streams": 1}
    assert item.update(ledger.reserve({}, limits, Reservation("r1", 0, NOON), NOON - 1))
    seen = item.read()
    both = [ledger.reserve(seen, limits, Reservation(name, 0, NOON + 30), NOON) for name in ("r2", "r3")]
    assert [item.update(each) for each in both] == [True, False]
    assert ledger.in_flight(item.read()) == {"r2": NOON + 30}


def test_many_expired_places_are_taken_away_in_turns() -> None:
    door = Door(item := Item())
    for number in range(120):
        taken = Reservation(f"r{number}", 1, NOON)
        assert door.reserve({"tokens_per_day": 10_000}, taken, NOON - 1) != "tokens_per_day"
    limits = {"tokens_per_day": 10_000, "concurrent_streams": 1}
    assert door.reserve(limits, Reservation("rx", 1, NOON + 30), NOON) != "concurrent_streams"
    assert ledger.in_flight(item.read()) == {"rx": NOON + 30}


def test_no_expression_is_longer_than_dynamodb_takes() -> None:
    """4 kB, and 300 operators and functions (docs.aws.amazon.com/amazondynamodb, Constraints)."""
    places = {f"r{number:016x}": {"N": str(NOON - 1)} for number in range(50)}
    item = {"in_flight": {"M": places}, **{f"{unit}_start": {"N": "1"} for unit in UNITS}}
    update = ledger.reserve(item, LIMITS, Reservation("r" + "f" * 16, 10**6, NOON), NOON)
    assert max(len(update.update), len(update.condition)) < 4096
    assert update.condition.count("attribute_exists") + update.condition.count(" AND ") < 300


def test_no_name_in_an_expression_is_reserved() -> None:

    reserved = {
        word.lower() for word in files("moto.dynamodb.parsing").joinpath("reserved_keywords.txt").read_text().split()
    }
    assert "minute" in reserved
    names = {"in_flight", "expires", *(f"{unit}_{what}" for unit in UNITS for what in ("start", "tokens"))}
    assert names & reserved == set()
