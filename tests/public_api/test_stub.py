"""What of a package is its public API."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from scripts.public_api.stub import render


@pytest.fixture
def written(tmp_path: Path) -> str:
    """The public API of a package that has one of each kind."""
    package = tmp_path / "constructs_lib"
    package.mkdir()
    modules = {
        "__init__": """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from constructs_lib.inner import Base, Door, Facts, Kind, read
            __all__ = ["Base", "Door", "Facts", "Kind", "read"]
            """,
        "inner": '''
            from __future__ import annotations
            from dataclasses import dataclass
            from enum import StrEnum
            from functools import cached_property
            from typing import NotRequired, TypedDict, Unpack, overload
            from constructs import Construct

            DEFAULT = 256

            class Options(TypedDict):
                rate: NotRequired[float]
                """Requests a second."""
                name: str
                """Its name."""

            class Hidden(Construct):
                def inherited(self, one: int) -> int:
                    """Inherit."""

            class Base(Hidden):
                def of_base(self) -> None:
                    """Do."""

                def _private(self) -> None:
                    """Hide."""

            class Door(Base):
                url: str

                def __init__(self, scope: Construct, id: str, *, size: int = DEFAULT, **rest: Unpack[Options]) -> None:
                    self.id: str = id

                @cached_property
                def arn(self) -> str | None:
                    """Say."""

                @classmethod
                def of(cls, *names: str) -> Door:
                    """Create."""

                @staticmethod
                def public(one: int, /, two: int = 2) -> Door:
                    """Create."""

            @dataclass(frozen=True, kw_only=True)
            class Facts:
                layers: int
                heads: int = 8

            class Kind(StrEnum):
                FULL = "full"

            def read(path: str) -> Facts:
                """Read."""
            ''',
    }
    for name, text in modules.items():
        (package / f"{name}.py").write_text(dedent(text), encoding="utf-8")
    return render(tmp_path).split('"""\n\n', 1)[1]


def test_each_kind_of_object_is_written_with_types_and_defaults(written: str) -> None:
    assert written == dedent(
        """\
        class Base(Construct):
            def inherited(self, one: int) -> int: ...
            def of_base(self) -> None: ...

        class Door(Base):
            id: str
            url: str
            def __init__(self, scope: Construct, id: str, *, name: str, rate: float = ..., size: int = 256) -> None: ...
            @property
            def arn(self) -> str | None: ...
            @classmethod
            def of(cls, *names: str) -> Door: ...
            @staticmethod
            def public(one: int, /, two: int = 2) -> Door: ...

        class Facts:
            heads: int
            layers: int
            def __init__(self, *, heads: int = 8, layers: int) -> None: ...

        class Kind(StrEnum):
            FULL = "full"

        def read(path: str) -> Facts: ...
        """
    )


def test_an_attribute_without_a_type_is_an_error(tmp_path: Path) -> None:
    package = tmp_path / "constructs_lib"
    package.mkdir()
    (package / "__init__.py").write_text("from constructs_lib.a import A\n__all__ = ['A']\n")
    (package / "a.py").write_text("class A:\n    def __init__(self, x: int) -> None:\n        self.x = x + 1\n")
    with pytest.raises(TypeError) as raised:
        render(tmp_path)
    assert str(raised.value) == "constructs_lib.a.A.x: annotate it, so that the public API has its type"
