"""The reference: each public name once, and of each argument a type and a meaning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import griffe
import pytest
import yaml
from mkdocs.config import load_config

import constructs_lib
from scripts.site.typed_dicts import TypedDicts

ROOT = Path(__file__).resolve().parents[3]
AS_OF = {
    "constructs_lib.planning.serving_limits.ServingOptions": "constructs_lib.ServingFacts",
    "constructs_lib.endpoint.scale_to_zero.ZeroOptions": "constructs_lib.ScaleToZero",
}
"""Keys that are arguments of something else, which describes them."""

DIRECTIVE = re.compile(r"^::: (constructs_lib\.[\w.]+)\n((?:    .*\n)*)", re.MULTILINE)
ENTRIES = [
    (name, yaml.safe_load(options) or {})
    for page in sorted((ROOT / "docs" / "reference").glob("*.md"))
    for name, options in DIRECTIVE.findall(page.read_text(encoding="utf-8") + "\n")
]
PACKAGE = griffe.load(
    "constructs_lib",
    search_paths=[ROOT],
    allow_inspection=False,
    resolve_aliases=True,
    extensions=griffe.load_extensions(TypedDicts),
)


HIDDEN = [
    pattern.removeprefix("!")
    for pattern in load_config(str(ROOT / "mkdocs.yml"))
    .plugins["mkdocstrings"]
    .config["handlers"]["python"]["options"]["filters"]
]


def is_shown(name: str) -> bool:
    return not any(re.search(pattern, name) for pattern in HIDDEN)


def target_of(path: str) -> griffe.Object:
    found = PACKAGE[path.removeprefix("constructs_lib.")]
    return found.final_target if isinstance(found, griffe.Alias) else found


def members(target: griffe.Object, options: dict[str, dict[str, bool]]) -> Iterator[griffe.Object]:
    """Itself, and what the page has of it."""
    yield target
    if not target.is_class:
        return
    inherited = options.get("options", {}).get("inherited_members", True)
    for name, member in (target.all_members if inherited else target.members).items():
        if is_shown(name):
            yield member.final_target if isinstance(member, griffe.Alias) else member


def descriptions(shown: griffe.Object) -> dict[str, str]:
    """The arguments that its docstring describes."""
    return {
        argument.name.lstrip("*"): argument.description
        for section in (shown.docstring.parse("google") if shown.docstring else [])
        if section.kind is griffe.DocstringSectionKind.parameters
        for argument in section.value
    }


def undescribed(shown: griffe.Object, *, with_constructor: bool) -> Iterator[str]:
    """The arguments without a type or a meaning, and those that are described but are none."""
    if not (shown.is_function or (shown.is_class and with_constructor)):
        return
    assert isinstance(shown, griffe.Class | griffe.Function)
    described = descriptions(shown)
    if shown.path in AS_OF:
        described = {
            name: text for name, text in descriptions(target_of(AS_OF[shown.path])).items() if name in shown.members
        }
    parameters = [each for each in shown.parameters if each.name not in ("self", "cls")]
    for parameter in parameters:
        key = shown.members.get(parameter.name) if shown.is_class else None
        if parameter.annotation is None:
            yield f"{shown.path}({parameter.name}) has no type"
        # The keys that every metric takes are described once.
        if "MetricOptions" in str(parameter.annotation):
            continue
        if not described.get(parameter.name) and not (key and key.docstring):
            yield f"{shown.path}({parameter.name}) has no meaning"
    for name in described.keys() - {parameter.name for parameter in parameters}:
        yield f"{shown.path}({name}) is no argument"


def test_each_public_name_is_on_exactly_one_page() -> None:
    on_pages = Counter(name.removeprefix("constructs_lib.") for name, _ in ENTRIES)
    public = {name: count for name, count in on_pages.items() if "." not in name}
    assert public == dict.fromkeys(constructs_lib.__all__, 1)
    assert set(on_pages.values()) == {1}


@pytest.mark.parametrize(("name", "options"), ENTRIES, ids=[name for name, _ in ENTRIES])
def test_what_is_shown_has_a_docstring_and_each_argument_a_type_and_a_meaning(
    name: str, options: dict[str, dict[str, bool]]
) -> None:
    target = target_of(name)
    assert target.docstring, "without a docstring it is not shown"
    with_constructor = options.get("options", {}).get("merge_init_into_class", True)
    faults = [
        fault
        for shown in members(target, options)
        for fault in undescribed(shown, with_constructor=with_constructor or shown is not target)
    ]
    faults += [
        f"{shown.path} has no docstring"
        for shown in members(target, options)
        if shown.is_function and not shown.docstring
    ]
    assert faults == []


def test_a_method_of_every_engine_is_shown_once_and_nothing_of_jsii_is() -> None:
    entries = dict(ENTRIES)
    shown = {member.path for name, options in entries.items() for member in members(target_of(name), options)}
    assert "constructs_lib.endpoint.real_time.RealTimeEndpoint.auto_scale" in shown
    assert "auto_scale" not in target_of("constructs_lib.TgiEndpoint").members
    assert not entries["constructs_lib.TgiEndpoint"]["options"]["inherited_members"]
    assert {path.split(".")[0] for path in shown} == {"constructs_lib"}


def test_a_hidden_name_is_no_public_one_that_documents_use() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    code = "".join(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    used = set(re.findall(r"(?<!completions)(?<!responses)(?<!messages)\.([a-z]\w+)\(", code))
    assert "auto_scale" in used
    assert {name for name in used if not is_shown(name)} == set()


def test_what_is_wrong_with_a_docstring_is_found(tmp_path: Path) -> None:
    package = tmp_path / "wrong"
    package.mkdir()
    (package / "__init__.py").write_text(
        'def f(a, b: int, c: int):\n    """Do.\n\n    Args:\n        a: A.\n        c:\n        d: D.\n    """\n'
    )
    function = griffe.load("wrong", search_paths=[tmp_path], allow_inspection=False)["f"]
    assert sorted(undescribed(function, with_constructor=True)) == [
        "wrong.f(a) has no type",
        "wrong.f(b) has no meaning",
        "wrong.f(c) has no meaning",
        "wrong.f(d) is no argument",
    ]
