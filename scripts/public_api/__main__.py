"""Write the public API of constructs_lib to tests/public_api/pinned.pyi.

`git diff` then shows what a change adds, and this prints what it breaks for programs that use the last release; each
has to be named in CHANGELOG.md. With `--release`, the present API becomes that of the last release.
"""

from __future__ import annotations

import argparse
import sys

from scripts.changelog import CHANGELOG
from scripts.public_api.announced import missing
from scripts.public_api.breaking import breaks
from scripts.public_api.pinned import PINNED, RELEASED
from scripts.public_api.stub import render


def main(arguments: list[str] | None = None) -> int:
    """Write the files, and say what breaks.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        1 if the changelog does not name everything that breaks, else 0.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.public_api", description=__doc__)
    parser.add_argument("--release", action="store_true", help="also write the API of the last release")
    options = parser.parse_args(arguments)
    text = render()
    PINNED.write_text(text, encoding="utf-8")
    if options.release:
        RELEASED.write_text(text, encoding="utf-8")
    broken = breaks(RELEASED.read_text(encoding="utf-8"), text)
    unnamed = missing(broken, CHANGELOG.read_text(encoding="utf-8"))
    for each in broken:
        sys.stdout.write(f"{each}\n")
    sys.stdout.write(f"{len(broken)} breaking changes since the last release.\n")
    for line in unnamed:
        sys.stderr.write(f'error: CHANGELOG.md, "Changed" or "Removed": {line}\n')
    return 1 if unnamed else 0


if __name__ == "__main__":
    sys.exit(main())
