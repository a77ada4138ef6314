"""Endpoints on TGI to move: a model on an instance type, with options."""

from __future__ import annotations

from typing import Any

from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.migration.migrate import Migration, migrate
from constructs_lib.planning.migration.outcome import Becomes
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.request import EndpointRequest

QWEN = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct", revision="a" * 40)


def request(
    options: TgiOptions | None = None,
    *,
    model: ModelChoice = QWEN,
    instance: InstanceType = InstanceType.G6E_12XLARGE,
    **more: Any,
) -> EndpointRequest:
    return EndpointRequest(engine=TGI, model=model, instance=instance, options=options or TgiOptions(), **more)


def moved(to: str, options: TgiOptions | None = None, **more: Any) -> Migration:
    return migrate(request(options, **more), engine_named(to))


def becomes(migration: Migration, option: str) -> Becomes:
    (found,) = [one.becomes for one in migration.outcomes if one.option == option]
    return found
