"""The real CDK CLI, run against the emulated control plane with an environment of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.deployment.control_plane import ACCOUNT, CREDENTIALS, REGION
from local.errors import UserError
from local.processes import piped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.processes import Children

ROOT = Path(__file__).resolve().parents[2]

QUIET = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "1",
    "NO_COLOR": "1",
    "FORCE_COLOR": "0",
    "PYTHONUNBUFFERED": "1",
}
# What the CLI prints around the sentence that matters.
NOISE = re.compile(r"feature flags are not configured|^\S*python\S* .*Subprocess exited|^\s*[│╭╰└]|^\s*(\^|~)+\s*$")
TRACEBACK = "Traceback (most recent call last):"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class Cdk:
    """Runs `cdk bootstrap`, `cdk synth` and `cdk deploy` for one run.

    Args:
        children: Ends the CLI with the run.
        folder: The run's folder; the cloud assembly and everything the CLI writes go there.
        endpoint_url: The emulated control plane.
        app: The folder with `cdk.json`; the clone by default.
        context: CDK context values on top of cdk.json's.
    """

    def __init__(
        self,
        children: Children,
        folder: Path,
        endpoint_url: str,
        *,
        app: Path = ROOT,
        context: Sequence[str] = (),
    ) -> None:
        self._children = children
        self._folder = folder
        self._app = app
        self._context = [part for value in context for part in ("--context", value)]
        self._environment = environment(folder, endpoint_url)
        self.assembly = folder / "cdk.out"

    async def bootstrap(self, on_line: Callable[[str], None]) -> None:
        """Prepares the emulated account, as once per account and Region on AWS."""
        await self._run(["bootstrap", f"aws://{ACCOUNT}/{REGION}"], on_line, cwd=self._folder)

    async def synth(self, on_line: Callable[[str], None]) -> None:
        """Writes the templates of the app to `assembly`."""
        await self._run(["synth", "--quiet", "--output", str(self.assembly), *self._context], on_line, cwd=self._app)

    async def deploy(self, stacks: Sequence[str], on_line: Callable[[str], None]) -> None:
        """Deploys stacks of the assembly; without a change set, whose answer by moto the CLI cannot read."""
        command = ["deploy", *stacks, "--app", str(self.assembly), "--method=direct", "--require-approval=never"]
        await self._run([*command, "--progress=events"], on_line, cwd=self._folder)

    def stacks(self) -> dict[str, Path]:
        """The stacks of the assembly and their templates."""
        manifest = json.loads((self.assembly / "manifest.json").read_text())
        return {
            artifact["properties"].get("stackName", name): self.assembly / artifact["properties"]["templateFile"]
            for name, artifact in manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        }

    def template(self, stack: str) -> dict[str, Any]:
        """The template of one stack of the assembly.

        Raises:
            UserError: If the app has no stack of that name.
        """
        stacks = self.stacks()
        if stack not in stacks:
            raise UserError(
                f"STACK={stack}: the app has no stack of this name.", f"Choose one of: {', '.join(sorted(stacks))}."
            )
        template: dict[str, Any] = json.loads(stacks[stack].read_text())
        return template

    async def _run(self, arguments: list[str], on_line: Callable[[str], None], *, cwd: Path) -> None:
        command = [cli(self._environment["PATH"]), *arguments, "--no-notices", "--no-color"]
        process = await self._children.start(command, env=self._environment, cwd=cwd)
        output = piped(process)
        lines: list[str] = []
        try:
            async for raw in output:
                line = ESCAPE.sub("", raw.decode(errors="replace")).rstrip()
                if line:
                    lines.append(line)
                    on_line(line)
            code = await process.wait()
        finally:
            await self._children.stop(process)
        if code != 0:
            raise UserError(explain(arguments[0], code, lines), advise(lines))


def environment(folder: Path, endpoint_url: str) -> dict[str, str]:
    """The environment of the CLI: this one without anything of AWS or of the user's configuration."""
    home = folder / "home"
    temporary = folder / "tmp"
    for place in (home, temporary):
        place.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "JSII_"))}
    path = os.pathsep.join(
        [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"), kept.get("PATH", os.defpath)]
    )
    return {
        **kept,
        **CREDENTIALS,
        **QUIET,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        "CDK_HOME": str(home / ".cdk"),
        "HOME": str(home),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / ".cache" / "jsii"),
        "NO_PROXY": "localhost,127.0.0.1",
        "PATH": path,
        "TMPDIR": str(temporary),
    }


def cli(path: str) -> str:
    """Where the CDK CLI is.

    Raises:
        UserError: If it is not installed.
    """
    found = shutil.which("cdk", path=path)
    if found is None:
        raise UserError(
            "The CDK CLI is not installed in this clone.", "Run it through make: `make demo`, `make serve`."
        )
    return found


def explain(command: str, code: int, lines: Sequence[str]) -> str:
    """The CLI's own words, without tracebacks."""
    told: list[str] = []
    tracing = False
    for line in lines:
        tracing = line.startswith(TRACEBACK) or (tracing and line.startswith(" "))
        if not tracing and not NOISE.search(line):
            told.append(line)
    return "\n".join([f"`cdk {command}` ended with exit code {code}:", *(f"  {line}" for line in told[-25:])])


def advise(lines: Sequence[str]) -> str:
    """What to change for the failures that have a known cause."""
    text = "\n".join(lines)
    if "Maximum schema version supported" in text:
        return "The CDK CLI is older than aws-cdk-lib: remove node_modules; make then installs the pinned one."
    if "ModuleNotFoundError" in text:
        return "A Python package is missing: run it through make, which installs the pinned ones."
    if "cdk.json" in text and "--app is required" in text:
        return "Run it in the clone: cdk.json names the app."
    return "Change what the message names and run the command again; `make synth` shows the whole output."
