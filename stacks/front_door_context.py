"""Reads the context `front_door`: which endpoints a FrontDoorStack fronts, and under which names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from constructs_lib.planning.serving_limits import ServingOptions
from stacks.front_door_stack import ExistingEndpoint

_EXAMPLES = '-c front_door=llama=my-endpoint,falcon=my-other-endpoint or -c front_door=\'{"llama": "my-endpoint"}\''
_FACTS = tuple(ServingOptions.__annotations__)


def read_front_door(context: object) -> dict[str, ExistingEndpoint]:
    """The endpoints by the names of their models.

    Args:
        context: A list `name=endpoint,…`, or JSON (as text or, from cdk.json, as it is) with the name of an endpoint
            or an object `{"endpoint": …, "model_id": …, "max_total_tokens": …}` for each model.

    Raises:
        SystemExit: It is something else; all mistakes are told together.
    """
    entries = _entries(context)
    mistakes = [mistake for name, entry in entries if (mistake := _mistake(name, entry))]
    names = [name for name, _ in entries]
    mistakes += [f"{name!r} stands there twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if mistakes or not entries:
        found = "; ".join(mistakes) or "names no endpoint"
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
        raise SystemExit(f"front_door={text}: is no JSON: {error}. Write {_EXAMPLES}.") from None


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON with every member that it has, also those of the same name."""


def _mistake(name: str, entry: object) -> str | None:
    if isinstance(entry, str):
        return None if name and entry else f"{name or entry!r} is no name=endpoint"
    if not isinstance(entry, Mapping | _Pairs):
        return f"{name!r} has {entry!r} where an endpoint's name is wanted"
    members = dict(entry)
    if not isinstance(members.get("endpoint"), str):
        return f"{name!r} has no 'endpoint'"
    unknown = sorted(members.keys() - {"endpoint", "model_id", *_FACTS})
    return f"{name!r} has {', '.join(unknown)}; known are endpoint, model_id, {', '.join(_FACTS)}" if unknown else None


def _endpoint(entry: Any) -> ExistingEndpoint:
    if isinstance(entry, str):
        return ExistingEndpoint(endpoint_name=entry)
    members = dict(entry)
    name, model_id = members.pop("endpoint"), members.pop("model_id", None)
    return ExistingEndpoint(endpoint_name=name, model_id=model_id, serving=cast("ServingOptions", members))


def _shown(context: object) -> str:
    return context if isinstance(context, str) else json.dumps(context)
