"""The code of the functions is deployed without docstrings, comments, most types and their imports."""

from __future__ import annotations

import ast
import stat
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

from constructs_lib._code_archive import code_archive
from constructs_lib._compact_source import compact
from constructs_lib._lambda_root import lambda_root
from tests.unpacked import unpacked

SOURCES = sorted(path for path in lambda_root().rglob("*.py") if "__pycache__" not in path.parts)


def copy_of(folder: str) -> Path:
    """A function as it is deployed."""
    return unpacked(code_archive(lambda_root() / folder).path)


class _Statements(ast.NodeVisitor):
    """What a module does, each statement and expression with its line; types do nothing but in classes."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []
        self._is_in_class = False

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
        if not self._is_in_class and node.value is not None:
            self.visit(ast.copy_location(ast.Assign([node.target], node.value), node))
        else:
            self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Names that nothing uses may be left out, and have a test of their own."""
        if node.col_offset:
            self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self.found.append((node.lineno, node.arg))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        node.returns = None
        self._visit_block(node, is_class=False)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A protocol does nothing either, and one that nothing uses but types is left out."""
        if "Protocol" not in [ast.unparse(base) for base in node.bases]:
            self._visit_block(node, is_class=True)

    def _visit_block(self, node: ast.ClassDef | ast.FunctionDef, *, is_class: bool) -> None:
        before, self._is_in_class = self._is_in_class, is_class
        self.generic_visit(node)
        self._is_in_class = before

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


def imported(tree: ast.Module) -> dict[str, tuple[str | None, int]]:
    """The names that a module imports from others at its top, with the module and the line."""
    found = [(node, each) for node in tree.body if isinstance(node, ast.ImportFrom) for each in node.names]
    return {each.asname or each.name: (node.module, node.lineno) for node, each in found}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(lambda_root())))
def test_a_module_imports_what_it_uses_on_the_same_lines(path: Path) -> None:
    before, after = imported(ast.parse(path.read_text())), imported(tree := ast.parse(compact(path.read_text())))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert before.items() >= after.items() >= {name: before[name] for name in used & before.keys()}.items()


def test_no_module_imports_a_name_for_others() -> None:
    sources = {".".join(path.relative_to(lambda_root()).with_suffix("").parts): path for path in SOURCES}
    sources = {name.removesuffix(".__init__"): path for name, path in sources.items()}
    names = {module: imported(ast.parse(path.read_text())) for module, path in sources.items()}
    passed_on = [
        f"{module} has {name} from {source}"
        for module, found in names.items()
        for name, (source, _) in found.items()
        if name in names.get(str(source), {})
    ]
    assert passed_on == []


def test_a_function_that_has_nothing_but_a_docstring_keeps_a_body() -> None:
    source = 'def run() -> None:\n    """Run.\n\n    A "long" one.\n    """\n\n\nX = 1  # noqa: X\n# why\n'
    assert compact(source) == 'def run():\n ""\n\n\n\n\n\nX=1\n\n'


def test_any_other_docstring_leaves_nothing() -> None:
    source = '"""A module."""\n\nX = 1\n"""One."""\n\n\ndef run():\n    """Run."""\n\n    if X:\n        return\n'
    assert compact(source) == "\n\nX=1\n\n\n\ndef run():\n\n\n if X:\n  return\n"


@pytest.mark.parametrize(
    ("source", "compacted"),
    [
        ("def f(a: int) -> str:", "def f(a):"),
        ('    def f(self, a: dict[str, list[int]], *b: "C") -> "D | None":', " def f(self,a,*b):"),
        ("def f(\n    a: int,\n    *b: str,\n    c: str = 'd',\n) -> int:", "def f(\na,\n*b,\nc='d',\n):"),
        ('def f(a: "A | None" = None, *, b: str = ", ", **c: object) -> None:', 'def f(a=None,*,b=", ",**c):'),
        ("def f(a: Callable[[int], bool], b: bytes = b'') -> tuple[int, ...]:", "def f(a,b=b''):"),
        ("def f(a: Callable[[], bool] = lambda: True) -> None:", "def f(a:Callable[[],bool]=lambda:True):"),
        (
            "if TYPE_CHECKING:\n    from a import (\n        B,\n    )\n\n    from c import D\n\nX = 1",
            "\n\n\n\n\n\n\nX=1",
        ),
    ],
)
def test_types_of_functions_are_left_out(source: str, compacted: str) -> None:
    source, compacted = (
        each if each.startswith(("if", "\n")) else f"{each}\n{indentation}pass"
        for each, indentation in ((source, "        "), (compacted, "  "))
    )
    assert compact(source) == compacted


@pytest.mark.parametrize(
    ("source", "compacted"),
    [
        ("from a import B, C\n\nX = C\n", "from a import C\n\nX=C\n"),
        ("from a import B\n\nX = 1\n", "\n\nX=1\n"),
        (
            "from a import (\n    B,\n    C as D,\n    E,\n)\n\nX = D, E\n",
            "from a import C as D,E\n\n\n\n\n\nX=D,E\n",
        ),
        ("from a import B\n\nX: 'B' = 'C'\n", "\n\nX='C'\n"),
        ("from a import B\n\nX = 'a B'\n", "from a import B\n\nX='a B'\n"),
        ("from a import B\n\ndef f(x: B) -> B:\n    return x\n", "\n\ndef f(x):\n return x\n"),
        ("def f():\n    from a import B\n", "def f():\n from a import B\n"),
    ],
)
def test_what_nothing_uses_is_not_imported(source: str, compacted: str) -> None:
    assert compact(source) == compacted


def test_protocols_are_left_out_that_are_types_alone() -> None:
    one = "class A(Protocol):\n    def run(self) -> int: ...\n\n"
    assert compact(f"{one}def f(a: A) -> A:\n    return a\n") == "\n\n\ndef f(a):\n return a\n"
    extended = "from b import B\n\n\nclass A(B, Protocol):\n    def run(self) -> int: ...\n\n"
    assert compact(f"{extended}X = 1\n") == "\n\n\n\n\n\nX=1\n"
    assert compact(f"X = 1\n\n{one}") == "X=1\n\n\n\n\n"
    assert compact(f"{one}X = [A]\n") == "class A(Protocol):\n def run(self)->int:...\n\nX=[A]\n"


def test_other_files_are_copied_as_they_are_with_their_modes() -> None:
    copy = copy_of("front_door")
    assert [path.name for path in copy.iterdir()] == ["front_door"]
    bootstrap = copy / "front_door" / "bootstrap"
    assert bootstrap.read_bytes() == (lambda_root() / "front_door" / "bootstrap").read_bytes()
    assert bootstrap.stat().st_mode & stat.S_IXUSR
    assert not list(copy.rglob("*.pyc"))
    assert copy_of("front_door") == copy


def test_packages_without_code_are_copied_without_their_file() -> None:
    root = lambda_root()
    folder = copy_of("front_door")
    copied = {str(path.relative_to(folder)) for path in folder.rglob("*.py")}
    sources = {str(path.relative_to(root)): path for path in SOURCES if root / "front_door" in path.parents}
    left_out = sources.keys() - copied
    assert "front_door/http/__init__.py" in left_out
    assert {"front_door/__init__.py", "front_door/engines/__init__.py", "front_door/protocols/__init__.py"} <= copied
    assert {Path(name).name for name in left_out} == {"__init__.py"}
    assert [statements(sources[name].read_text()) for name in left_out] == [[]] * len(left_out)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(lambda_root())))
def test_the_copy_imports_the_same_by_shorter_names(path: Path) -> None:
    folder, *inner = path.relative_to(lambda_root()).parts
    copied = copy_of(folder).joinpath(folder, *inner)
    package = ".".join([folder, *inner[:-1]])
    found = [
        (resolve_name("." * node.level + (node.module or ""), package), [each.name for each in node.names], node.lineno)
        for node in (ast.walk(ast.parse(copied.read_text())) if copied.exists() else ())
        if isinstance(node, ast.ImportFrom)
    ]
    expected = [
        (node.module, [each.name for each in node.names], node.lineno)
        for node in ast.walk(ast.parse(compact(path.read_text())))
        if isinstance(node, ast.ImportFrom)
    ]
    assert found == (expected if copied.exists() else [])


def test_every_module_is_imported_from_the_copy() -> None:
    copy = copy_of("front_door")
    modules = [".".join(path.relative_to(copy).with_suffix("").parts) for path in copy.rglob("*.py")]
    imports = "\n".join(f"import {name.removesuffix('.__init__')}" for name in modules)
    environment = {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", imports], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("source", "compacted"),
    [
        ("x = a if b else -c", "x=a if b else-c"),
        ("x = not (a or [1])  # a 'why'", "x=not(a or[1])"),
        ("x = f'a = {b!r:>{c}}' + \"it's = a \\\" # b\"", "x=f'a = {b!r:>{c}}'+\"it's = a \\\" # b\""),
        ("f(  # why\n    a,  # (why\n    *b\n)", "f(\na,\n*b\n)"),
        ("class A:\n    a: int = 1\n    b: str", "class A:\n a:int=1\n b:str"),
        ("class A:\n    def f(self):\n        a: int = 1", "class A:\n def f(self):\n  a=1"),
        ("def f():\n    a: int = 1\n    return a\n", "def f():\n a=1\n return a\n"),
        ("@a\nclass B(C): ...", "@a\nclass B(C):..."),
    ],
)
def test_spaces_that_separate_nothing_are_left_out(source: str, compacted: str) -> None:
    assert compact(source) == compacted
