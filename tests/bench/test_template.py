"""The front door's function, as bench/ finds it in a cloud assembly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import pytest

from bench.template import front_door_function


def write_template(assembly: Path, *environments: dict[str, str]) -> None:
    resources: dict[str, Any] = {
        f"Layer{name}": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Key": f"{name}.zip"}}}
        for name in ("page", "facts")
    }
    resources |= {
        f"Function{number}": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"S3Key": f"hash{number}.zip"},
                "Handler": f"package.handler{number}",
                "Environment": {"Variables": variables},
                "Layers": [{"Ref": "Layerpage"}, {"Ref": "Layerfacts"}],
            },
        }
        for number, variables in enumerate(environments)
    }
    (assembly / "Stack.template.json").write_text(json.dumps({"Resources": resources}))


def test_it_is_the_one_that_has_an_exec_wrapper(tmp_path: Path) -> None:
    models_file = tmp_path / "asset.facts" / "folder" / "models.json"
    models_file.parent.mkdir(parents=True)
    models_file.touch()
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/package/bootstrap", "MODELS_FILE": "/opt/folder/models.json"}
    write_template(tmp_path, {}, variables)
    archive = tmp_path / "asset.hash1.zip"
    with ZipFile(archive, "w") as opened:
        entry = ZipInfo("package/bootstrap")
        entry.external_attr = 0o755 << 16
        opened.writestr(entry, "#!/bin/sh")
    function = front_door_function(tmp_path)
    assert (function.archive, function.task_root) == (archive, tmp_path / "asset.hash1")
    wrapper = function.task_root / function.wrapper
    assert (wrapper.read_text(), wrapper.stat().st_mode & 0o777) == ("#!/bin/sh", 0o755)
    assert (function.handler, function.wrapper) == ("package.handler1", "package/bootstrap")
    assert function.models_file == models_file


@pytest.mark.parametrize("count", [0, 2])
def test_none_or_two_are_an_error(tmp_path: Path, count: int) -> None:
    write_template(tmp_path, {}, *[{"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/run"}] * count)
    with pytest.raises(RuntimeError, match=f"{count} functions in .* have an exec wrapper, expected one"):
        front_door_function(tmp_path)
