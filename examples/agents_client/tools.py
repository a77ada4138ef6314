"""What the agent may do: look up an order, and how long a parcel takes. Neither changes anything."""

from __future__ import annotations

import json
from pathlib import Path

from agents import function_tool

ORDERS = json.loads(Path(__file__).with_name("orders.json").read_text(encoding="utf-8"))
DAYS = {"netherlands": 2, "belgium": 2, "germany": 2, "norway": 8, "switzerland": 8, "united kingdom": 8}


@function_tool
def order_status(order: str) -> str:
    """The state of an order.

    Args:
        order: The number of the order, four digits.
    """
    # What the model sends may be anything: an answer in words lets it ask again, an exception would end the run.
    found = ORDERS.get(order.strip().lstrip("#"))
    if found is None:
        return f"There is no order {order!r}. Ask the customer for the number, which has four digits."
    parcel = f", parcel {found['parcel']}" if found["parcel"] else ""
    return f"Order {order}: {found['item']} to {found['country']}, {found['state']}{parcel}."


@function_tool
def delivery_days(country: str) -> str:
    """How many days a parcel takes to a country.

    Args:
        country: The country's name in English.
    """
    days = DAYS.get(country.strip().lower())
    if days is None:
        return f"{country!r} is not on the list. It takes 4 days in the rest of the European Union."
    return f"{days} days to {country}."
