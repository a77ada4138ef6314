"""Write constructs_lib/planning/scaling/time_zones.json from the installed tzdata (`make time-zones`)."""

from __future__ import annotations

import json
import sys
from importlib import metadata, resources
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "constructs_lib" / "planning" / "scaling" / "time_zones.json"
ABOUT = (
    "zones: the rule that each time zone of the IANA database follows from its last change of rules on, as POSIX writes"
    " it in TZ. links: other names of those zones. Changes of the clock before that rule begins are not here"
    " (America/Havana keeps daylight saving time until November 2027). Written by scripts/generate_time_zones.py."
)
_NO_PLACE = {"Factory"}


def generate() -> dict[str, Any]:
    """The rule of each zone, and the other names of zones."""
    folder = resources.files("tzdata.zoneinfo")
    lines = [line.split() for line in (folder / "tzdata.zi").read_text(encoding="utf-8").splitlines()]
    names = {line[1] for line in lines if line[0] == "Z"} - _NO_PLACE
    return {
        "about": ABOUT,
        "source": f"IANA time zone database, as in tzdata {metadata.version('tzdata')}",
        "zones": {name: _rule((folder / name).read_bytes()) for name in sorted(names)},
        "links": dict(sorted((line[2], line[1]) for line in lines if line[0] == "L")),
    }


def _rule(content: bytes) -> str:
    """The last line of a compiled zone (RFC 9636, 3.3)."""
    return content.rsplit(b"\n", 2)[1].decode("ascii")


def main() -> int:
    """Write the file."""
    TARGET.write_text(json.dumps(generate(), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
