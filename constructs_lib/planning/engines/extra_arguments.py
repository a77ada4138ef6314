"""`extra_args`: what an engine takes that none of its options covers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import String
from constructs_lib.planning.validation.unknown import Unknown

KEYWORD = "options.extra_args"

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_VALUE = String()


@dataclass(frozen=True, kw_only=True)
class ExtraArguments:
    """What is checked of an engine's further arguments.

    Args:
        server: The server and its version in messages, such as `SGLang 0.5.20`.
        owners: The argument of the construct that sets one, such as `options.tp_size` of `tp_size`.
        refused: Why one must not be set at all.
        known: The arguments that the server has. Default: not known.
        unknown: What the server makes of one that it does not have, after its name.
        meant: The option that is meant by a name of another server. Default: no such names.
    """

    server: str
    owners: Mapping[str, str]
    refused: Mapping[str, str]
    known: Collection[str] = ()
    unknown: str = ""
    meant: Mapping[str, str] = field(default_factory=dict)

    def read(self, given: object) -> tuple[dict[str, str | Unknown], list[Problem]]:
        """The arguments that are right, and what is wrong with the others.

        Args:
            given: What the caller gives; None for nothing.
        """
        if given is None:
            return {}, []
        if isinstance(given, Unknown):
            message = "must be known at synth, as each argument becomes a variable of its own"
            return {}, [Problem(KEYWORD, given, message, "Give a dict; its values may be known at deployment only.")]
        if not isinstance(given, Mapping):
            message = f"must be a mapping of names and texts, not {type(given).__name__}"
            return {}, [Problem(KEYWORD, given, message, "Give a dict.")]
        found = {name: list(self._problems(name, value)) for name, value in given.items()}
        right = {name: value for name, value in given.items() if not found[name]}
        return right, [one for problems in found.values() for one in problems]

    def _problems(self, name: object, value: object) -> Iterator[Problem]:
        keyword = f"{KEYWORD}[{name!r}]"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            fix = "Write it without dashes in front and with underscores, such as 'max_prefill_tokens'."
            yield Problem(keyword, value, "must be the name of an argument in lower case", fix)
            return
        if name in self.owners:
            yield Problem(keyword, value, f"is set by {self.owners[name]}", f"Use {self.owners[name]} instead.")
        elif name in self.refused:
            yield Problem(keyword, value, self.refused[name], "Leave it out.")
        elif self.known and name not in self.known:
            yield Problem(keyword, value, f"{self.server} has no such argument{self.unknown}", self._fix(name))
        if value != "" and not isinstance(value, Unknown) and (found := _VALUE.validate(value)):
            yield Problem(keyword, value, *found)

    def _fix(self, name: str) -> str:
        meant = self.meant.get(name)
        near = [meant] if meant else get_close_matches(name, sorted({*self.known, *self.owners}), n=1, cutoff=0.7)
        if not near:
            return "Leave it out, or use an image of a version that has it."
        return f"Did you mean {self.owners.get(near[0], repr(near[0]))}?"
