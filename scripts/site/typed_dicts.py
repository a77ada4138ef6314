"""An extension of Griffe: the keys of a TypedDict are its parameters, so that its docstring can describe them.

Griffe's own extension puts the keys into each signature that takes them; here each such class is documented once.
"""

from __future__ import annotations

from typing import Any

from griffe import Attribute, Class, Expr, Extension, Function, Parameter, ParameterKind, Parameters


class TypedDicts(Extension):
    """Gives each TypedDict a constructor."""

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Add the constructor, when the class has been read.

        Args:
            cls: Any class.
        """
        if not _is_typed_dict(cls):
            return
        parameters = [
            Parameter(name, annotation=key.annotation, kind=ParameterKind.keyword_only, default="…")
            for name, key in cls.members.items()
            if isinstance(key, Attribute)
        ]
        init = Function("__init__", parameters=Parameters(Parameter("self"), *parameters), returns="None")
        cls.set_member("__init__", init)


def _is_typed_dict(cls: Class) -> bool:
    """Whether it is one, or extends one: no other class says whether it is total."""
    paths = {base.canonical_path for base in cls.bases if isinstance(base, Expr)}
    return "typing.TypedDict" in paths or "total" in cls.keywords
