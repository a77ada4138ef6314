"""Write constructs_lib/planning/models/transformers.json from the releases on PyPI (`make fallbacks`)."""

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

from constructs_lib.planning.models.transformers import releases

TARGET = Path(__file__).parent.parent / "constructs_lib" / "planning" / "models" / "transformers.json"
ABOUT = (
    "From which of the releases in transformers.py on transformers can generate text with an architecture: causal_lm"
    " has a decoder for it, attention one that leaves its attention to others, seq2seq an encoder and decoder. Written"
    " by scripts/generate_transformers_types.py."
)
_AUTO = "transformers/models/auto/modeling_auto.py"
_MAPPINGS = {
    "causal_lm": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "seq2seq": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
}
_MODELING = re.compile(r"transformers/models/[^/]+/modeling_(?!tf_|flax_)[^/]+\.py")
_SWITCH = "_supports_attention_backend"


def generate(folder: Path) -> dict[str, object]:
    """The table, from wheels that are downloaded into a folder."""
    types: dict[str, dict[str, str]] = {}
    for release in releases():
        with zipfile.ZipFile(_wheel(release, folder)) as wheel:
            for name, model_type in _found(wheel):
                types.setdefault(model_type, {}).setdefault(name, release)
    return {"about": ABOUT, "types": {name: dict(sorted(types[name].items())) for name in sorted(types)}}


def _wheel(release: str, folder: Path) -> Path:
    wheel = folder / f"transformers-{release}-py3-none-any.whl"
    if not wheel.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
        subprocess.run([*command, f"transformers=={release}"], check=True)
    return wheel


def _found(wheel: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    auto = ast.parse(wheel.read(_AUTO))
    delegating = _delegating_classes(wheel)
    for name, variable in _MAPPINGS.items():
        for model_type, class_name in _mapping(auto, variable).items():
            yield name, model_type
            if name == "causal_lm" and class_name in delegating:
                yield "attention", model_type


def _mapping(module: ast.Module, variable: str) -> Mapping[str, str]:
    """A table such as `NAMES = OrderedDict([("bloom", "BloomForCausalLM"), …])`."""
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[pairs])) if name == variable:
                return dict(ast.literal_eval(pairs))
    raise LookupError(f"{_AUTO} has no {variable}")


def _delegating_classes(wheel: zipfile.ZipFile) -> set[str]:
    """Classes that set the switch, or that a class which sets it is a base of."""
    bases: dict[str, list[str]] = {}
    found: set[str] = set()
    for name in filter(_MODELING.fullmatch, wheel.namelist()):
        for statement in ast.parse(wheel.read(name)).body:
            if isinstance(statement, ast.ClassDef):
                bases[statement.name] = [base.id for base in statement.bases if isinstance(base, ast.Name)]
                if _sets_switch(statement):
                    found.add(statement.name)
    while more := {name for name, parents in bases.items() if found & set(parents)} - found:
        found |= more
    return found


def _sets_switch(statement: ast.ClassDef) -> bool:
    for one in statement.body:
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=True)) if name == _SWITCH:
                return True
    return False


def main() -> None:
    """Write the table and print the number of architectures; an argument names a folder that keeps the wheels."""
    with tempfile.TemporaryDirectory() as temporary:
        catalogue = generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary))
    text = json.dumps(catalogue, indent=1)
    row = re.compile(r"^  (\"[^\"]+\": )(\{.*?^  \})", re.DOTALL | re.MULTILINE)
    TARGET.write_text(row.sub(lambda found: f"  {found[1]}{json.dumps(json.loads(found[2]))}", text) + "\n", "utf-8")
    sys.stderr.write(f"{len(releases())} releases → {TARGET}\n")


if __name__ == "__main__":
    main()
