"""What the command in a README's section "What it costs" prints: `python -m tests.examples.costs` writes it there."""

from __future__ import annotations

import contextlib
import io
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

from constructs_lib.cli.main import main
from tests.examples.catalogue import Example, Kind, commands, examples
from tests.examples.synthesis import synthesize

HEADING = "What it costs"


def command(example: Example) -> str:
    """The command of `tgi-endpoint` in a README.

    Raises:
        ValueError: There is none, or more than one.
    """
    (line,) = [each for each in commands(example.sections()[HEADING]) if "tgi-endpoint " in each]
    return line.rpartition("&& ")[2]


def excerpt(example: Example, folder: Path) -> str:
    """Of what the command prints, what is about costs; a line "…" stands for what comes before.

    Args:
        example: The example.
        folder: Where it runs, with the assembly in `cdk.out` if the command reads one.

    Raises:
        ValueError: The command fails, or is none of the library's.
    """
    program, *arguments = shlex.split(command(example))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder):
        status = main(arguments, out, err)
    if program != "tgi-endpoint" or status:
        raise ValueError(f"{example.name}: {command(example)} ended with {status}: {err.getvalue()}")
    text = out.getvalue()
    if example.kind is Kind.CLIENT:
        # Of the plan of its model, the end.
        _, _, end = text.rpartition("\n\n")
        return f"…\n{end}"
    return text


def write() -> None:
    """Write the output into the README of each example."""
    for example in examples(Kind.APP, Kind.CLIENT):
        with TemporaryDirectory() as folder:
            if example.kind is Kind.APP:
                synthesize(example, Path(folder))
            text, now = example.sections()[HEADING], excerpt(example, Path(folder))
        fences = "```\n```\n"  # of the command's end and of the output's begin
        written = text.replace(f"{fences}{example.output(HEADING)}```\n", f"{fences}{now}```\n", 1)
        path = example.folder / "README.md"
        path.write_text(path.read_text(encoding="utf-8").replace(text, written), encoding="utf-8")


if __name__ == "__main__":
    write()
