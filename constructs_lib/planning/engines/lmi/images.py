"""AWS's images of DJL LMI. The catalogue names them by the version of DJL Serving, the tag by that of LMI as well.

One version of DJL Serving is in several of LMI, with another vLLM each, so here LMI's is the version.
"""

from __future__ import annotations

import re
from typing import Any

from constructs_lib.planning.images.catalogue import ImageFamily

_LMI = r"-lmi(\d+\.\d+\.\d+)-"


class LmiImages(ImageFamily):
    """The images by their version of LMI, such as `27.0.0`."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of images.json, oldest first, with the version of LMI."""
        named = [(re.search(_LMI, row["tag"]), row) for row in super().rows]
        rows = [row | {"version": found[1]} for found, row in named if found]
        return sorted(rows, key=lambda row: [int(part) for part in row["version"].split(".")])


IMAGES = LmiImages(
    "djl-lmi",
    construct="LmiImage",
    cuda_since=(
        ((25, 0, 0), (13, 0)),
        ((21, 0, 0), (12, 9)),
        ((15, 0, 0), (12, 8)),
        ((14, 0, 0), (12, 6)),
        ((0, 0, 0), (12, 4)),
    ),
    version_in_tag=_LMI,
)
