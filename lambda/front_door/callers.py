"""The file of callers: which models each of them may call, and how much; imported if there is one.

    {"consumers": {"team-a": {"keys": ["<id of an API key>", …], "models": ["llama"], "tokens_per_day": 100000}},
     "on_store_failure": "open"}

A consumer without `models` may call all. Where callers have tokens of a provider instead of API keys, the file has the
models of each scope in place of consumers: `{"scopes": {"llm:llama": ["llama"]}}`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from front_door.config import ConfigError

LIMITS = ("concurrent_streams", "tokens_per_minute", "tokens_per_day", "tokens_per_month")


class Caller(NamedTuple):
    """Whoever sends a request.

    Attributes:
        name: The consumer's name; None for a caller without an API key of a consumer.
        models: The names of the models that it may call; None: all.
        limits: How much it may use, by the names of `LIMITS`; empty: as much as it likes.
    """

    name: str | None
    models: frozenset[str] | None
    limits: Mapping[str, int]

    def may_call(self, model: str) -> bool:
        """Whether the caller may call the model with a name."""
        return self.models is None or model in self.models


class Callers(NamedTuple):
    """What the file says.

    Attributes:
        consumers: By the ids of their API keys; None if callers have tokens.
        scopes: The models of each scope; empty if callers have API keys.
        fails_closed: Whether requests are refused while the counters cannot be asked.
    """

    consumers: Mapping[str, Caller] | None
    scopes: Mapping[str, Iterable[str]]
    fails_closed: bool

    @property
    def has_limits(self) -> bool:
        """Whether any consumer has a limit."""
        return any(consumer.limits for consumer in (self.consumers or {}).values())

    def caller_of(self, event: Mapping[str, Any]) -> Caller:
        """The caller of a request, by the proxy event; one that the file does not know may call no model."""
        context = event.get("requestContext") or {}
        if self.consumers is not None:
            key_id = str((context.get("identity") or {}).get("apiKeyId"))
            return self.consumers.get(key_id, Caller(None, frozenset(), {}))
        granted = str((context.get("authorizer") or {}).get("scopes") or "").split()
        models = [model for scope in granted for model in self.scopes.get(scope, ())]
        return Caller(None, frozenset(models), {})


def read_callers(content: Any, models: Iterable[str]) -> Callers:
    """Read the content of the file.

    Args:
        content: The file, decoded.
        models: The names of the models.

    Raises:
        ConfigError: It is not what the FrontDoor construct writes.
    """
    entries, scopes, on_failure = content.get("consumers"), content.get("scopes"), content.get("on_store_failure")
    if (entries is None) == (scopes is None) or on_failure not in ("open", "closed"):
        raise ConfigError("The file of callers needs `consumers` or `scopes`, and `on_store_failure`: open or closed.")
    consumers: dict[str, Caller] = {}
    for name, entry in (entries or {}).items():
        caller, keys = _read_consumer(name, dict(entry))
        for key in keys:
            if not isinstance(key, str) or consumers.setdefault(key, caller) is not caller:
                raise ConfigError(f"A key of the consumer {name} has no id, or is another's too.")
    named = {each for caller in consumers.values() for each in caller.models or ()}.union(*(scopes or {}).values())
    if unknown := named.difference(models):
        raise ConfigError(f"Callers may call models that there are not: {', '.join(sorted(unknown))}.")
    return Callers(None if entries is None else consumers, scopes or {}, on_failure == "closed")


def _read_consumer(name: str, entry: dict[str, Any]) -> tuple[Caller, Iterable[Any]]:
    """A consumer, and the ids of its keys."""
    keys, models = entry.pop("keys"), entry.pop("models", None)
    for limit, value in entry.items():
        if limit not in LIMITS or type(value) is not int or value < 1:
            raise ConfigError(f"{limit} of the consumer {name} is no limit, or {value!r} no whole number from 1.")
    return Caller(name, None if models is None else frozenset(models), entry), keys
