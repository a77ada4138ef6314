"""The playground: a layer of its own, deployed only if it is asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aws_cdk import App, Stack

from constructs_lib import Access, AccessMethod
from constructs_lib._lambda_root import lambda_root
from constructs_lib.front_door.playground_page import render_page
from tests.constructs_lib.front_door.doubles import (
    Json,
    function,
    make_front_door,
    of_type,
    responses,
    template,
    variables,
)

PAGE = render_page(lambda_root() / "playground")


def assets_of(assembly: Path) -> dict[str, list[Path]]:
    """The files of each zipped asset, by its folder."""
    folders = [folder for folder in assembly.glob("asset.*") if folder.is_dir()]
    return {folder.name: [path for path in folder.rglob("*") if path.is_file()] for folder in folders}


def playground_layer(rendered: Json) -> tuple[str, Json]:
    layers = of_type(rendered, "Lambda::LayerVersion").items()
    ((name, layer),) = [
        (name, layer) for name, layer in layers if "trying its models" in layer["Properties"]["Description"]
    ]
    return name, layer["Properties"]


def test_the_page_is_deployed_as_a_layer_where_the_function_reads_it(app: App) -> None:
    stack = Stack(app, "Stack")
    rendered = template(make_front_door(stack, playground=True))
    name, layer = playground_layer(rendered)
    assert {"Ref": name} in function(rendered, "front_door")["Layers"]
    assert variables(rendered)["PLAYGROUND_PAGE"] == "/opt/playground/index.html"
    folder = Path(app.outdir) / f"asset.{layer['Content']['S3Key'].removesuffix('.zip')}"
    assert [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()] == ["playground/index.html"]
    assert (folder / "playground" / "index.html").read_text() == PAGE


def test_without_the_playground_nothing_of_it_is_deployed(app: App) -> None:
    stack = Stack(app, "Stack")
    rendered = template(make_front_door(stack))
    assert "PLAYGROUND_PAGE" not in variables(rendered)
    layers = of_type(rendered, "Lambda::LayerVersion").values()
    assert not [layer for layer in layers if "trying its models" in layer["Properties"]["Description"]]
    files = [path for paths in assets_of(Path(app.outdir)).values() for path in paths]
    assert not [path for path in files if path.suffix in (".html", ".css", ".js")]


def test_the_function_and_the_page_are_the_same_assets_for_every_front_door(app: App) -> None:
    stacks = {name: Stack(app, name) for name in ("One", "Two", "Without")}
    for name, stack in stacks.items():
        make_front_door(stack, playground=name != "Without")
    assembly = app.synth()
    templates = {name: assembly.get_stack_by_name(name).template for name in stacks}
    assert len({function(rendered)["Code"]["S3Key"] for rendered in templates.values()}) == 1
    pages = [playground_layer(templates[name])[1]["Content"]["S3Key"] for name in ("One", "Two")]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("access", "kind"),
    [
        (Access.api_keys(), "API key"),
        (Access.jwt(issuer="https://login.example.com/", audience="llm"), "access token"),
    ],
)
def test_the_page_knows_what_an_access_method_requires_by_the_error_type(access: AccessMethod, kind: str) -> None:
    rendered = template(make_front_door(access=access, playground=True))
    error = json.loads(responses(rendered)["UNAUTHORIZED"]["responseTemplates"]["application/json"])
    (token_type,) = re.findall(r'error_type === "(\w+)" \? "access token" : "API key"', PAGE)
    assert (error["error_type"] == token_type) == (kind == "access token")
