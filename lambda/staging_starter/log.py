"""The function's log: one line of JSON for each thing that happened."""

import json
import sys


def log(level: str, **fields: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps({"level": level, **fields}) + "\n")
    sys.stdout.flush()
