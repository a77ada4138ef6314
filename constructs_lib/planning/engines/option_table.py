"""A table of options: which variable takes which option, what it may be, and which versions of an engine have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from constructs_lib.planning.engine import Environment, OptionValues
from constructs_lib.planning.images.catalogue import Version, format_version
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import OneOf, Rule, problem
from constructs_lib.planning.validation.unknown import Unknown

OLDEST: Version = (0, 0, 0)


@dataclass(frozen=True)
class EngineOption:
    """One option of an engine.

    Args:
        keyword: Its name in the engine's options.
        rule: What it may be.
        since: First version that has it.
        obsolete_since: First version that does without it: it is taken and not sent. Default: none.
        absent: First and last version of a time in which it was gone.
        variable: Its environment variable. Default: the keyword in capitals.
        older: Another name of the variable, and the first version that has the present one.
        values_since: First version that has a value, for values that came later than the option.
    """

    keyword: str
    rule: Rule
    since: Version = OLDEST
    obsolete_since: Version | None = None
    absent: tuple[Version, Version] | None = None
    variable: str = ""
    older: tuple[str, Version] | None = None
    values_since: Mapping[str, Version] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "variable", self.variable or self.keyword.upper())

    def name_in(self, version: Version) -> str:
        """The variable's name in that version."""
        return self.older[0] if self.older and version < self.older[1] else self.variable

    def is_in(self, version: Version) -> bool:
        """Whether that version has the option."""
        gone = self.absent is not None and self.absent[0] <= version <= self.absent[1]
        return version >= self.since and not gone

    def is_sent_to(self, version: Version) -> bool:
        """Whether that version reads its variable."""
        return self.obsolete_since is None or version < self.obsolete_since

    def problem(self, value: object, version: Version, engine: str) -> Problem | None:
        """What is wrong with a value for a version of the engine; of an `Unknown` one only that it is not there."""
        keyword = f"options.{self.keyword}"
        if not self.is_in(version):
            message = f"{engine} {format_version(version)} does not have it; {self._when()}"
            return Problem(keyword, value, message, "Leave it out, or change image.")
        found = problem(keyword, value, self._rule_in(version))
        since = self._value_since(value) if isinstance(value, str) else OLDEST
        if found is None or version >= since:
            return found
        return Problem(
            keyword,
            str(value),
            f"{engine} {format_version(version)} does not have it; it was added in {format_version(since)}",
            "Choose another one, or a newer image.",
        )

    def _rule_in(self, version: Version) -> Rule:
        """The rule with the values that the version has."""
        if not isinstance(self.rule, OneOf):
            return self.rule
        return replace(self.rule, members=tuple(m for m in self.rule.members if version >= self._value_since(m)))

    def _value_since(self, member: str) -> Version:
        return self.values_since.get(member, OLDEST)

    def _when(self) -> str:
        if self.absent:
            return f"it was missing from {format_version(self.absent[0])} to {format_version(self.absent[1])}"
        return f"it was added in {format_version(self.since)}"


def read_options(table: tuple[EngineOption, ...], options: object, version: Version, engine: str) -> OptionValues:
    """Check options one by one against a table.

    Args:
        table: The engine's options.
        options: Their values, by the keywords of the table; None for an option that is not given.
        version: Version of the engine.
        engine: Name of the engine in messages.
    """
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for option in table:
        value = getattr(options, option.keyword)
        if value is None:
            continue
        if found := option.problem(value, version, engine):
            problems.append(found)
        else:
            values[option.keyword] = value
    return OptionValues(values=values, problems=tuple(problems))


def option_variables(table: tuple[EngineOption, ...], values: Mapping[str, object], version: Version) -> Environment:
    """The variables of the given options, in the table's order."""
    return {
        option.name_in(version): value if isinstance(value, Unknown) else option.rule.to_env(value)
        for option in table
        if (value := values.get(option.keyword)) is not None and option.is_sent_to(version)
    }
