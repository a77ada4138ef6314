"""What the function knows of its callers: a second file in the layer of its models. Pure Python: no aws_cdk here.

There is none while every caller may call every model without limits. Once there is one, it has every consumer of the
front door: the function refuses a key that it does not know, such as that of a consumer whose removal is under way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from constructs_lib.front_door.deployed_values import RenderedFile, render_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CALLERS_PATH = "front_door/callers.json"
"""Path of the file in its layer."""

KEY_ID_LENGTH = 10
"""Characters of the id that API Gateway gives to an API key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerLimits:
    """What one consumer may use, as documented at `FrontDoor.add_consumer`; None: without limit."""

    models: Sequence[str] | None = None
    tokens_per_minute: int | None = None
    concurrent_streams: int | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None

    @property
    def budgets(self) -> dict[str, int]:
        """Its limits on tokens by keyword, the shortest period first."""
        keywords = ("tokens_per_minute", "tokens_per_day", "tokens_per_month")
        return {keyword: limit for keyword in keywords if (limit := getattr(self, keyword)) is not None}

    @property
    def is_metered(self) -> bool:
        """Whether the function counts what the consumer uses, for which it needs the table."""
        return bool(self.budgets) or self.concurrent_streams is not None

    @property
    def restricts(self) -> bool:
        """Whether the function has to know the consumer."""
        return self.is_metered or self.models is not None

    def to_json(self) -> dict[str, object]:
        """The limits as the file has them."""
        models = {} if self.models is None else {"models": list(self.models)}
        streams = {} if self.concurrent_streams is None else {"concurrent_streams": self.concurrent_streams}
        return {**models, **self.budgets, **streams}


@dataclass(slots=True, kw_only=True)
class Callers:
    """Who may call what.

    Args:
        models_by_scope: The models that each scope of a token allows. None: tokens are not limited to models.
        on_store_failure: Whether consumers with limits may call while their use cannot be counted: open or closed.

    Attributes:
        key_ids: The ids of each consumer's keys, each a token.
        limits: What each consumer may use.
    """

    models_by_scope: Mapping[str, Sequence[str]] | None
    on_store_failure: str
    key_ids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limits: dict[str, ConsumerLimits] = field(default_factory=dict)

    @property
    def is_restricted(self) -> bool:
        """Whether the function needs the file."""
        return self.models_by_scope is not None or any(each.restricts for each in self.limits.values())

    def add(self, consumer: str, key_ids: tuple[str, ...], limits: ConsumerLimits) -> None:
        """Add a consumer."""
        self.key_ids[consumer], self.limits[consumer] = key_ids, limits

    def render(self, taken: tuple[str, ...] = ()) -> RenderedFile | None:
        """The file, and all that the deployment knows; None if the function does not need it.

        Args:
            taken: The values that the file of the models has numbered.
        """
        if not self.is_restricted:
            return None
        consumers = {name: {"keys": list(ids), **self.limits[name].to_json()} for name, ids in self.key_ids.items()}
        scopes = {scope: list(models) for scope, models in (self.models_by_scope or {}).items()}
        content: dict[str, object] = {"on_store_failure": self.on_store_failure}
        if consumers:
            content["consumers"] = consumers
        if self.models_by_scope is not None:
            content["scopes"] = scopes
        return render_file(content, taken)
