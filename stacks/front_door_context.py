"""Reads the context `front_door`: which endpoints a FrontDoorStack fronts, and under which names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from constructs_lib import ServingOptions
from stacks.front_door_stack import ENDPOINT_OF, ExistingEndpoint

_EXAMPLES = '-c front_door=llama=my-endpoint,falcon=my-other-endpoint or -c front_door=\'{"llama": "my-endpoint"}\''
_FACTS = tuple(ServingOptions.__annotations__)


def read_front_door(context: object) -> dict[str, ExistingEndpoint]:
    """The endpoints by the names of their models.

    Args:
        context: A list `name=endpoint,…`, or JSON (as a string or, from cdk.json, as an object) with the name of an
            endpoint or an object `{"endpoint": …, "engine": …, "model_id": …, "max_total_tokens": …}` for each model.

    Raises:
        SystemExit: The context is invalid; the message lists all errors.
    """
    entries = _entries(context)
    errors = [error for name, entry in entries if (error := _error(name, entry))]
    names = [name for name, _ in entries]
    errors += [f"{name!r} is listed twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if errors or not entries:
        found = "; ".join(errors) or "names no endpoint"
        raise SystemExit(f"front_door={_shown(context)}: {found}. Write {_EXAMPLES}.")
    return {name: _endpoint(entry) for name, entry in entries}


def _entries(context: object) -> list[tuple[str, Any]]:
    if isinstance(context, Mapping):
        return list(context.items())
    text = str(context).strip()
    if not text.startswith("{"):
        pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
        return [(name.strip(), endpoint.strip()) for name, _, endpoint in pairs]
    try:
        return cast("list[tuple[str, Any]]", json.loads(text, object_pairs_hook=_Pairs))
    except ValueError as error:
        raise SystemExit(f"front_door={text}: is not JSON: {error}. Write {_EXAMPLES}.") from None


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, including duplicates."""


def _error(name: str, entry: object) -> str | None:
    if isinstance(entry, str):
        return None if name and entry else f"{name or entry!r} is not name=endpoint"
    if not isinstance(entry, Mapping | _Pairs):
        return f"{name!r} must have the name of an endpoint, not {entry!r}"
    members = dict(entry)
    if not isinstance(members.get("endpoint"), str):
        return f"{name!r} has no 'endpoint'"
    if members.get("engine", "tgi") not in tuple(ENDPOINT_OF):
        return f"{name!r} has the engine {members['engine']!r}. Known engines are {', '.join(ENDPOINT_OF)}"
    unknown = sorted(members.keys() - {"endpoint", "engine", "model_id", *_FACTS})
    known = f"endpoint, engine, model_id, {', '.join(_FACTS)}"
    return f"{name!r} has unknown members: {', '.join(unknown)}. Known members are {known}" if unknown else None


def _endpoint(entry: Any) -> ExistingEndpoint:
    if isinstance(entry, str):
        return ExistingEndpoint(endpoint_name=entry)
    members = dict(entry)
    name, engine = members.pop("endpoint"), members.pop("engine", "tgi")
    model_id, serving = members.pop("model_id", None), cast("ServingOptions", members)
    return ExistingEndpoint(endpoint_name=name, engine=engine, model_id=model_id, serving=serving)


def _shown(context: object) -> str:
    return context if isinstance(context, str) else json.dumps(context)
