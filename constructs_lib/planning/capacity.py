"""How many instances an endpoint runs, at least and at most, and what an hour of them costs."""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.planning.hardware.instance_types import InstanceType


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The instances of an endpoint. Without scaling, the smallest and the largest number are the same.

    With several variants these are the instances of the first one; prices are those of all.

    Args:
        instances: The instance types in the order of their priority, at least one; several with instance pools.
        min_instances: The smallest number of instances; None if only the deployment knows it.
        max_instances: The largest number of instances; None if only the deployment knows it.
        max_copies: The largest number of copies of the model. Default: one on each instance.
        request_tokens: Prompt and answer of one request together, as clients send them. Default: not known.
        variants: The instances of the further variants. Default: there are none.
    """

    instances: tuple[InstanceType, ...]
    min_instances: int | None
    max_instances: int | None
    max_copies: int | None = None
    request_tokens: int | None = None
    variants: tuple[Capacity, ...] = ()

    @property
    def min_usd_per_hour(self) -> float | None:
        """What an hour of the smallest number costs, all of the first instance type; None if that is not known.

        US dollars, on demand, in us-east-1.
        """
        own = _total(self.min_instances, self.instances[0].price_usd_per_hour)
        return _sum([own, *(variant.min_usd_per_hour for variant in self.variants)])

    @property
    def max_usd_per_hour(self) -> float | None:
        """What an hour of the largest number costs, all of the dearest instance type; None if that is not known.

        US dollars, on demand, in us-east-1.
        """
        prices = [instance.price_usd_per_hour for instance in self.instances]
        known = [price for price in prices if price is not None]
        own = _total(self.max_instances, max(known) if len(known) == len(prices) else None)
        return _sum([own, *(variant.max_usd_per_hour for variant in self.variants)])

    @property
    def price_is_derived(self) -> bool:
        """Whether a price of these instance types is worked out from EC2's."""
        own = any(instance.price_is_derived for instance in self.instances)
        return own or any(variant.price_is_derived for variant in self.variants)


def _total(count: int | None, price: float | None) -> float | None:
    return None if count is None or price is None else count * price


def _sum(prices: list[float | None]) -> float | None:
    known = [price for price in prices if price is not None]
    return sum(known) if len(known) == len(prices) else None
