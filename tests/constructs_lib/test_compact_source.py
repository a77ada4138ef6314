"""The code of the functions is deployed without docstrings, comments and most types."""

from __future__ import annotations

import ast
import stat
from pathlib import Path

import pytest

from constructs_lib._compact_source import compact, compact_copy
from constructs_lib._lambda_root import lambda_root

SOURCES = sorted(path for path in lambda_root().rglob("*.py") if "__pycache__" not in path.parts)


class _Statements(ast.NodeVisitor):
    """What a module does, each statement and expression with its line; the types of functions do nothing."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def generic_visit(self, node: ast.AST) -> None:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text and isinstance(node.value.value, str):
            return
        if isinstance(node, ast.stmt | ast.expr):
            self.found.append((node.lineno, type(node).__name__))
            if isinstance(node, ast.Constant):
                self.found.append((node.lineno, repr(node.value)))
        super().generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Attribute) and node.value is not None:
            self.visit(ast.copy_location(ast.Assign([node.target], node.value), node))
        else:
            self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self.found.append((node.lineno, node.arg))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        node.returns = None
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if not isinstance(node.test, ast.Name) or node.test.id != "TYPE_CHECKING":
            self.generic_visit(node)


def statements(source: str) -> list[tuple[int, str]]:
    visitor = _Statements()
    visitor.visit(ast.parse(source))
    return visitor.found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(lambda_root())))
def test_a_module_does_the_same_on_the_same_lines(path: Path) -> None:
    source = path.read_text()
    compacted = compact(source)
    compile(compacted, path, "exec")
    assert statements(compacted) == statements(source)
    assert '"""' not in compacted
    assert not any(line.lstrip().startswith("#") for line in compacted.splitlines())


def test_a_function_that_has_nothing_but_a_docstring_keeps_a_body() -> None:
    source = 'def run() -> None:\n    """Run.\n\n    A "long" one.\n    """\n\n\nX = 1  # noqa: X\n# why\n'
    assert compact(source) == 'def run():\n ""\n\n\n\n\n\nX = 1\n\n'


def test_any_other_docstring_leaves_nothing() -> None:
    source = '"""A module."""\n\nX = 1\n"""One."""\n\n\ndef run():\n    """Run."""\n\n    if X:\n        return\n'
    assert compact(source) == "\n\nX = 1\n\n\n\ndef run():\n\n\n if X:\n  return\n"


@pytest.mark.parametrize(
    ("source", "compacted"),
    [
        ("def f(a: int) -> str:", "def f(a):"),
        ('    def f(self, a: dict[str, list[int]], *b: "C") -> "D | None":', " def f(self, a, *b):"),
        ("def f(\n    a: int,\n    *b: str,\n    c: str = 'd',\n) -> int:", "def f(\n a,\n *b,\n c = 'd',\n):"),
        ('def f(a: "A | None" = None, *, b: str = ", ", **c: object) -> None:', 'def f(a = None, *, b = ", ", **c):'),
        ("def f(a: Callable[[int], bool], b: bytes = b'') -> tuple[int, ...]:", "def f(a, b = b''):"),
        ("def f(a: Callable[[], bool] = lambda: True) -> None:", "def f(a: Callable[[], bool] = lambda: True):"),
        (
            "if TYPE_CHECKING:\n    from a import (\n        B,\n    )\n\n    from c import D\n\nX = 1",
            "\n\n\n\n\n\n\nX = 1",
        ),
    ],
)
def test_types_of_functions_are_left_out(source: str, compacted: str) -> None:
    source, compacted = (
        each if each.startswith(("if", "\n")) else f"{each}\n{indentation}pass"
        for each, indentation in ((source, "        "), (compacted, "  "))
    )
    assert compact(source) == compacted


def test_other_files_are_copied_as_they_are_with_their_modes() -> None:
    copy = compact_copy(lambda_root() / "front_door")
    assert [path.name for path in copy.iterdir()] == ["front_door"]
    bootstrap = copy / "front_door" / "bootstrap"
    assert bootstrap.read_bytes() == (lambda_root() / "front_door" / "bootstrap").read_bytes()
    assert bootstrap.stat().st_mode & stat.S_IXUSR
    assert not list(copy.rglob("*.pyc"))
    assert compact_copy(lambda_root() / "front_door") == copy
