"""Write down what is deployed, so that tests can say what a change would replace.

`python -m scripts.logical_ids` writes the logical ids of the examples to tests/update_safety/logical_ids.json, and
`git diff` then shows which are new and which are gone. With `--release`, at the commit of a release, it also writes
the templates that later commits are compared with to released_templates.json beside it.
"""

from __future__ import annotations

import argparse

from scripts.logical_ids.examples import templates
from scripts.logical_ids.pinned import PINNED, RELEASED, logical_ids, render, render_released


def main(arguments: list[str] | None = None) -> None:
    """Write the files.

    Args:
        arguments: The command line without the program's name. Default: that of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.logical_ids", description=__doc__)
    parser.add_argument("--release", action="store_true", help="also write the templates of this release")
    options = parser.parse_args(arguments)
    found = templates()
    PINNED.write_text(render({name: logical_ids(each) for name, each in found.items()}), encoding="utf-8")
    if options.release:
        RELEASED.write_text(render_released(found), encoding="utf-8")


if __name__ == "__main__":
    main()
