"""A migration as JSON, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from constructs_lib.planning.migration.code import endpoint_code, steps
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from constructs_lib.planning.migration.code import Names
    from constructs_lib.planning.migration.migrate import Migration
    from constructs_lib.planning.migration.outcome import Outcome


def report(path: str, names: Names, migration: Migration) -> dict[str, Any]:
    """A migration as JSON values; prices are US dollars in us-east-1.

    Args:
        path: Path of the endpoint, or the model.
        names: What the code calls things.
        migration: The migration.
    """
    target, new = migration.target, migration.new
    return {
        "endpoint": path,
        "model": migration.before.model,
        "from": {"engine": migration.source.engine.name, "version": migration.source.image_choice.version},
        "to": {"engine": target.engine.name, "version": target.image_choice.version},
        "lost": [one.option for one in migration.lost],
        "options": [_outcome(one) for one in migration.outcomes],
        "clients": [asdict(one) for one in migration.differences],
        "fits": not migration.problems,
        "moved": asdict(migration.moved) if migration.moved else None,
        "problems": [{"keyword": one.keyword, "message": one.message, "fix": one.fix} for one in migration.problems],
        "warnings": [asdict(one) for one in new.warnings],
        "before": migration.before.to_json(),
        "after": migration.after.to_json() if migration.after else None,
        "memory": new.memory.to_json() if new.memory else None,
        "environment": None if migration.problems else new.environment,
        "code": None if migration.problems else endpoint_code(migration, names),
        "steps": [{"purpose": purpose, "code": code} for purpose, code in steps(names)],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    becomes = outcome.becomes
    return {
        "option": outcome.option,
        "value": repr(outcome.value) if isinstance(outcome.value, Unknown) else outcome.value,
        "set_by": "you" if outcome.given else "plan",
        "fate": str(becomes.fate),
        "settings": dict(becomes.settings),
        "variables": dict(becomes.variables),
        "reason": becomes.reason,
    }
