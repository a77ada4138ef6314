"""What `make` compiles is most of what the app has to compile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from scripts.warm_up import MODULES, source_of

ROOT = Path(__file__).resolve().parents[2]
LIST = """
import json, sys
import app
print(json.dumps([name for name, module in sys.modules.items() if getattr(module, "__file__", None)]))
"""


def test_the_largest_modules_that_the_app_imports_are_compiled() -> None:
    done = subprocess.run([sys.executable, "-c", LIST], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = [name for name in json.loads(done.stdout) if name.split(".")[0] == "aws_cdk" and name.count(".") < 2]
    sizes = {name: source_of(name).stat().st_size for name in imported if source_of(name).exists()}
    assert set(MODULES) <= set(sizes)
    assert sum(sizes[name] for name in MODULES) > 0.75 * sum(sizes.values())
