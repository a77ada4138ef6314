"""Write constructs_lib/planning/engines/server_arguments.json from the releases on PyPI (`make arguments`)."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urldefrag, urljoin
from urllib.request import urlopen

from scripts.generate_vllm_releases import IMAGES, OWN_CODE, TEXT, transformers_classes

TARGET = Path(__file__).parent.parent / "constructs_lib" / "planning" / "engines" / "server_arguments.json"
ABOUT = (
    "Arguments of servers, each with the first and the last of the releases below that have it (null: the newest has"
    " it): the fields of vLLM's EngineArgs, and what SGLang's launch_server takes, with underscores. Of SGLang also its"
    " parsers of tool calls and of reasoning, and the model_type, as transformers names it, of the architectures that"
    " it has, and of those that read images. Written by scripts/generate_server_arguments.py."
)
VLLM = (
    "0.8.4",
    "0.10.2",
    "0.11.1",
    "0.12.0",
    "0.14.0",
    "0.16.0",
    "0.17.0",
    "0.18.0",
    "0.19.0",
    "0.20.1",
    "0.22.1",
    "0.23.0",
    "0.26.0",
    "0.30.0",
)
"""Those in the images of DJL LMI that have a source distribution, and the newest in an image of AWS's."""

SGLANG = ("0.5.8", "0.5.13", "0.5.14", "0.5.15", "0.5.16", "0.5.17", "0.5.18", "0.5.19", "0.5.20")
"""Those in images of AWS's and Hugging Face's."""

_INDEX = "https://pypi.org/simple/vllm/"
_ENGINE_ARGS = "vllm/engine/arg_utils.py"
_SGLANG_FILES = re.compile(r"sglang/srt/(server_args|arg_groups/fields/\w+)\.py")
_MODELS = re.compile(r"sglang/srt/models/.*\.py")
_PARSERS = {
    "tool_call_parser": (r"sglang/srt/function_call/function_call_parser\.py", "ToolCallParserEnum"),
    "reasoning_parser": (r"sglang/srt/parser/reasoning_parser\.py", "DetectorMap"),
}


def generate(folder: Path) -> dict[str, object]:
    """The table, from distributions that are downloaded into a folder."""
    return {
        "about": ABOUT,
        "releases": {"vllm": VLLM, "sglang": SGLANG},
        "vllm": _spans({version: set(_vllm_fields(_sdist(version, folder))) for version in VLLM}),
        **_sglang(folder),
    }


def _sglang(folder: Path) -> dict[str, object]:
    text, images = transformers_classes(folder, TEXT) | OWN_CODE, transformers_classes(folder, IMAGES)
    found: dict[str, dict[str, set[str]]] = {}
    for version in SGLANG:
        wheel = _wheel(version, folder)
        run = set(_architectures(wheel))
        image_types = _types(images, run)
        tables = {
            "sglang": set(_sglang_arguments(wheel)),
            "sglang_tool_call_parser": set(_parsers(wheel, "tool_call_parser")),
            "sglang_reasoning_parser": set(_parsers(wheel, "reasoning_parser")),
            "sglang_model_types": _types(text, run) | image_types,
            "sglang_image_types": image_types,
        }
        for table, names in tables.items():
            found.setdefault(table, {})[version] = names
    return {table: _spans(names) for table, names in found.items()}


def _types(classes: Mapping[str, set[str]], run: set[str]) -> set[str]:
    return {model_type for model_type, names in classes.items() if names & run}


def _spans(found: dict[str, set[str]]) -> dict[str, list[list[str | None]]]:
    """For each name the first and last release of every time in which it was there."""
    releases = list(found)
    spans: dict[str, list[list[str | None]]] = {}
    for name in sorted(set().union(*found.values())):
        spans[name] = []
        for position, release in enumerate(releases):
            if name not in found[release]:
                continue
            if position == 0 or name not in found[releases[position - 1]]:
                spans[name].append([release, release])
            spans[name][-1][1] = None if release == releases[-1] else release
    return spans


def _sdist(version: str, folder: Path) -> Path:
    """The sources of a release of vLLM, whose wheels are hundreds of megabytes."""
    target = folder / f"vllm-{version}.tar.gz"
    if not target.exists():
        with urlopen(_INDEX) as page:
            links = re.findall(r'href="([^"]+)"', page.read().decode())
        link = next(one for one in links if urldefrag(one).url.endswith(f"/{target.name}"))
        with urlopen(urljoin(_INDEX, urldefrag(link).url)) as body:  # noqa: S310 - a link of that page
            target.write_bytes(body.read())
    return target


def _vllm_fields(sdist: Path) -> Iterator[str]:
    with tarfile.open(sdist) as archive:
        member = next(one for one in archive if one.name.endswith(_ENGINE_ARGS))
        file = archive.extractfile(member)
        if file is None:
            raise LookupError(f"{sdist} has no {_ENGINE_ARGS}")
        module = ast.parse(file.read())
    for statement in _class(module, "EngineArgs").body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _wheel(version: str, folder: Path) -> Path:
    found = sorted(folder.glob(f"sglang-{version}-*.whl"))
    if found:
        return found[0]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    platforms = [f"--platform={name}" for name in ("manylinux_2_34_x86_64", "manylinux2014_x86_64", "any")]
    command += ["--only-binary=:all:", "--python-version=3.11", *platforms]
    subprocess.run([*command, f"sglang=={version}"], check=True)
    return _wheel(version, folder)


def _sglang_arguments(wheel: Path) -> Iterator[str]:
    """Fields with a flag of their own, and the flags that are added one by one; without those that only stop it."""
    for module in _modules(wheel, _SGLANG_FILES):
        for node in ast.walk(module):
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Subscript(value=ast.Name(id="A")) as kind):
                    yield from _flags(name, kind)
                case ast.Call(func=ast.Attribute(attr="add_argument"), args=flags) if not _stops(node):
                    yield from map(_name, _texts(flags))


def _architectures(wheel: Path) -> Iterator[str]:
    """The classes that a module says to be its models."""
    for module in _modules(wheel, _MODELS):
        for statement in module.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id="EntryClass")], value=value):
                    yield from (node.id for node in ast.walk(value) if isinstance(node, ast.Name))


def _parsers(wheel: Path, option: str) -> Iterator[str]:
    """The keys of the table of an option's parsers, and `auto` where the option takes it."""
    path, table = _PARSERS[option]
    for module in _modules(wheel, re.compile(path)):
        for node in ast.walk(module):
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict(keys=keys)) if name == table:
                    yield from _texts([key for key in keys if key is not None])
    for module in _modules(wheel, _SGLANG_FILES):
        for node in ast.walk(module):
            match node:
                case ast.Call(args=[ast.Constant(value=flag), *_]) if flag == f"--{option.replace('_', '-')}":
                    choices = [one.value for one in node.keywords if one.arg == "choices"]
                    yield from (text for one in choices for text in _texts(list(ast.walk(one))) if text == "auto")


def _modules(wheel: Path, pattern: re.Pattern[str]) -> Iterator[ast.Module]:
    with zipfile.ZipFile(wheel) as archive:
        for name in filter(pattern.fullmatch, archive.namelist()):
            yield ast.parse(archive.read(name))


def _flags(name: str, annotation: ast.Subscript) -> Iterator[str]:
    for node in ast.walk(annotation):
        match node:
            case ast.keyword(arg="no_cli", value=ast.Constant(value=True)):
                return
    keywords = {node.arg: node.value for node in ast.walk(annotation) if isinstance(node, ast.keyword)}
    own, aliases = keywords.get("cli_name"), keywords.get("aliases")
    yield _name(str(own.value)) if isinstance(own, ast.Constant) else name
    if isinstance(aliases, ast.List):
        yield from map(_name, _texts(aliases.elts))


def _stops(call: ast.Call) -> bool:
    """Whether the flag is one that stops the server with a hint at its successor."""
    return any(one.arg == "error_message" for one in call.keywords) or any(
        isinstance(one.value, ast.Name) and one.value.id == "DeprecatedAction"
        for one in call.keywords
        if one.arg == "action"
    )


def _texts(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _name(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _class(module: ast.Module, name: str) -> ast.ClassDef:
    return next(one for one in module.body if isinstance(one, ast.ClassDef) and one.name == name)


def main() -> None:
    """Write the table and print its size; an argument names a folder that keeps the distributions."""
    with tempfile.TemporaryDirectory() as temporary:
        table = generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary))
    text = json.dumps(table, indent=1)
    lists = re.compile(r"\[[^][{}]*(?:\[[^][]*\][^][]*)*\]")
    TARGET.write_text(lists.sub(lambda found: json.dumps(json.loads(found.group())), text) + "\n", encoding="utf-8")
    sys.stderr.write(f"{len(VLLM)} releases of vLLM, {len(SGLANG)} of SGLang → {TARGET}\n")


if __name__ == "__main__":
    main()
