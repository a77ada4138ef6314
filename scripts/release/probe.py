"""What runs in an environment with the wheel, and without this checkout's library."""

from __future__ import annotations

import sys
from pathlib import Path

import constructs_lib
from scripts.logical_ids.examples import own_stacks
from scripts.logical_ids.pinned import logical_ids, read


def main() -> int:
    """Import each public name, synthesize each way to use the constructs, and compare the logical ids with the pinned.

    Returns:
        0 if all is as it is with the versions of the checkout, else 1.
    """
    if not Path(constructs_lib.__file__).is_relative_to(sys.prefix):
        sys.stderr.write(f"{constructs_lib.__file__} is not the wheel's\n")
        return 1
    for name in constructs_lib.__all__:
        getattr(constructs_lib, name)
    pinned = read(Path("logical_ids.json").read_text(encoding="utf-8"))
    other = [name for name, each in own_stacks().items() if not pinned[name].items() <= logical_ids(each).items()]
    if other:
        sys.stderr.write(f"these stacks have other logical ids or types of resources: {', '.join(other)}\n")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
