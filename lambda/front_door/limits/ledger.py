"""A consumer's item in the table, and the expressions that change it; pure.

One item has all of a consumer's counters and what is in flight, so that one conditional UpdateItem decides about all
limits at once. A transaction over an item for each counter would cost eight times as much, and those of one consumer
would cancel each other: all of its requests write the same items.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling

    consumer      "team-a"
    period        "current"
    minute_start  when the minute began that `minute_tokens` counts; likewise day_… and month_…
    in_flight     {"r<id>": when it expires, …}: the requests that are not settled yet
    expires       when DynamoDB may delete the item: nothing in it counts any more

An entry of `in_flight` is added and taken away together with the tokens of its request. So a call that is repeated, as
its answer was lost, changes nothing.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

Item = Mapping[str, Any]
"""An item in DynamoDB's JSON; empty if there is none."""

CURRENT = "current"
STREAMS = "concurrent_streams"
_DAY_SECONDS = 86400
# The longest first: of those that have no room, it is the one to wait for.
_SECONDS = {"month": _DAY_SECONDS, "day": _DAY_SECONDS, "minute": 60}
# Each is a function in the condition, and an expression has at most 300 operators.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_MOST_REMOVED = 50


class Window(NamedTuple):
    """A minute, day or month of UTC for which a limit holds.

    Attributes:
        unit: Which of them.
        start: When it began, in seconds since the epoch.
    """

    unit: str
    start: int

    @property
    def limit(self) -> str:
        """The name of the limit."""
        return f"tokens_per_{self.unit}"

    @property
    def end(self) -> int:
        """When it ends and the next one begins."""
        if self.unit == "month":
            # The 32nd day of a month is one of the first of the next one.
            return start_of("month", self.start + 31 * _DAY_SECONDS)
        return self.start + _SECONDS[self.unit]


class Update(NamedTuple):
    """The expressions of an UpdateItem."""

    update: str
    condition: str
    values: dict[str, dict[str, Any]]


class Reservation(NamedTuple):
    """What a request takes.

    Attributes:
        id: Its key among those in flight: a letter and letters or digits.
        tokens: How many tokens.
        expires: When its place among the streams is free if nobody settles it, in seconds since the epoch.
    """

    id: str
    tokens: int
    expires: int


class Refusal(NamedTuple):
    """Why a request has to wait.

    Attributes:
        limit: The name of the limit.
        until: When there may be room, in seconds since the epoch.
    """

    limit: str
    until: int


def reserve(item: Item, limits: Mapping[str, int], taken: Reservation, now: float) -> Update:
    """The update that takes what a request needs, if there is room; or one that first makes room.

    Args:
        item: The item as it was seen last. If it has changed since, the condition may fail though there is room.
        limits: The consumer's.
        taken: What the request takes; no more tokens than each limit has.
        now: The time in seconds since the epoch.
    """
    place = f"in_flight.{taken.id}"
    expired = [key for key, until in in_flight(item).items() if until <= now]
    removed = f"REMOVE {', '.join(f'in_flight.{key}' for key in expired[:_MOST_REMOVED])}" if expired else ""
    if len(expired) > _MOST_REMOVED:
        return Update(removed, "attribute_exists(in_flight)", {})
    windows = current_windows(item, limits, now)
    values = {":until": _number(taken.expires), **({":tokens": _number(taken.tokens)} if windows else {})}
    sets, conditions, expires = [], [], taken.expires
    for window in windows:
        unit, start, count = window.unit, f"{window.unit}_start", f"{window.unit}_tokens"
        expires = max(expires, window.end)
        values[f":{unit}"] = _number(window.start)
        if _integer(item, start) == window.start:
            values[f":{unit}_left"] = _number(limits[window.limit] - taken.tokens)
            sets.append(f"{count} = {count} + :tokens")
            conditions.append(f"{start} = :{unit} AND {count} <= :{unit}_left")
        else:
            sets.append(f"{start} = :{unit}, {count} = :tokens")
            conditions.append(f"(attribute_not_exists({start}) OR {start} < :{unit})")
    if "in_flight" in item:
        sets.append(f"{place} = :until")
        conditions.append(f"attribute_exists(in_flight) AND attribute_not_exists({place})")
        if STREAMS in limits:
            values[":room"] = _number(limits[STREAMS] + len(expired))
            conditions += ["size(in_flight) < :room", *(f"attribute_exists(in_flight.{key})" for key in expired)]
    else:
        values[":until"] = {"M": {taken.id: _number(taken.expires)}}
        sets.append("in_flight = :until")
        conditions.append("attribute_not_exists(in_flight)")
    values[":expires"] = _number(expires + _DAY_SECONDS)
    update = f"SET {', '.join([*sets, 'expires = :expires'])} {removed}"
    return Update(update, " AND ".join(conditions), values)


def settle(windows: tuple[Window, ...], taken: Reservation, used: int) -> Update:
    """The update that puts what a request has used in place of what it has taken.

    Args:
        windows: Those whose counters still have what it has taken; the counters of others have begun anew.
        taken: What it has taken.
        used: How many tokens it has used.
    """
    place = f"in_flight.{taken.id}"
    values = {":more": _number(used - taken.tokens)} if windows else {}
    sets, conditions = [], [f"attribute_exists({place})"]
    for window in windows:
        unit = window.unit
        values[f":{unit}"] = _number(window.start)
        sets.append(f"{unit}_tokens = {unit}_tokens + :more")
        conditions.append(f"{unit}_start = :{unit}")
    update = f"SET {', '.join(sets)} " if sets else ""
    return Update(f"{update}REMOVE {place}", " AND ".join(conditions), values)


def current_windows(item: Item, limits: Mapping[str, int], now: float) -> tuple[Window, ...]:
    """The windows of a consumer's limits; one that another function has begun already, by its clock, counts as well."""
    return tuple(
        Window(unit, max(start_of(unit, now), _integer(item, f"{unit}_start")))
        for unit in _SECONDS
        if f"tokens_per_{unit}" in limits
    )


def still_counted(item: Item, windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """Those windows that the item still counts."""
    return tuple(window for window in windows if _integer(item, f"{window.unit}_start") == window.start)


def find_refusal(item: Item, limits: Mapping[str, int], tokens: int, now: float) -> Refusal | None:
    """The limit that has no room for a request, the one that lasts longest if several have none."""
    for window in still_counted(item, current_windows(item, limits, now)):
        if _integer(item, f"{window.unit}_tokens") + tokens > limits[window.limit]:
            return Refusal(window.limit, window.end)
    if STREAMS in limits:
        live = [until for until in in_flight(item).values() if until > now]
        if len(live) >= limits[STREAMS]:
            return Refusal(STREAMS, min(live))
    return None


def start_of(unit: str, now: float) -> int:
    """When the minute, day or month of a time began; the epoch has no leap seconds, so its days have one length."""
    seconds = int(now) - int(now) % _SECONDS[unit]
    return seconds - (time.gmtime(now).tm_mday - 1) * _DAY_SECONDS if unit == "month" else seconds


def in_flight(item: Item) -> dict[str, int]:
    """The requests that are not settled, with the times at which they expire."""
    return {key: int(until["N"]) for key, until in item.get("in_flight", {}).get("M", {}).items()}


def _integer(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _number(value: int) -> dict[str, Any]:
    return {"N": str(value)}
