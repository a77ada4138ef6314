"""Write docs/request-path.svg: the way of a request and of its tokens (`python -m scripts.request_path_picture`).

The picture has a ground of its own for light and dark pages: it follows the reader's preference, and has no script.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TARGET = Path(__file__).parent.parent / "docs" / "request-path.svg"

WIDTH, HEIGHT = 900, 300
TOP, BOX_HEIGHT = 84, 128
FIRST, BOX_WIDTH, GAP = 12, 172, 62

STYLE = """
  .ground { fill: #f6f8fa; }
  .box { fill: #ffffff; stroke: #8795a5; stroke-width: 1.5; }
  .aws { fill: none; stroke: #8795a5; stroke-dasharray: 5 4; }
  .title { fill: #17324d; font-weight: 600; font-size: 17px; }
  .says { fill: #43515f; font-size: 14px; }
  .way { stroke: #0b62b8; fill: #0b62b8; }
  .back { stroke: #b85c00; fill: #b85c00; }
  .line { stroke-width: 2; fill: none; }
  .label { stroke: none; font-size: 13.5px; }
  text { font-family: system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #1b222b; }
    .box { fill: #242d38; stroke: #738496; }
    .aws { stroke: #738496; }
    .title { fill: #e8eef5; }
    .says { fill: #b6c3d1; }
    .way { stroke: #7ab7f5; fill: #7ab7f5; }
    .back { stroke: #ffb454; fill: #ffb454; }
  }
"""


@dataclass(frozen=True)
class Station:
    """What a request comes through.

    Args:
        title: Its name.
        says: What it does with the request, a line each.
        onward: The call to the next one.
        back: What comes back from the next one.
    """

    title: str
    says: tuple[str, ...]
    onward: str = ""
    back: str = ""


STATIONS = (
    Station("Your client", ("openai", "huggingface_hub", "text-generation, curl"), "HTTPS", "SSE"),
    Station("API Gateway", ("key, IAM or JWT", "quota, throttling", "web ACL, domain"), "stream", "stream"),
    Station("Lambda", ("routes, protocols", "limits, retries", "metering, errors"), "signed", "events"),
    Station("SageMaker", ("model server in its", "container: TGI, vLLM,", "SGLang, LMI, yours"), "", ""),
)


def draw() -> str:
    """The picture as SVG."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title">',
        f'<title id="title">{" → ".join(station.title for station in STATIONS)}, and the tokens back</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="10"/>',
    ]
    second = _left(1)
    lines.append(
        f'<rect class="aws" x="{second - 12}" y="28" width="{WIDTH - second + 4}" height="{HEIGHT - 92}" rx="10"/>'
    )
    lines.append(f'<text class="says" x="{second}" y="54">your AWS account</text>')
    for place, station in enumerate(STATIONS):
        lines += _box(_left(place), station)
        if station.onward:
            lines += _arrows(_left(place) + BOX_WIDTH, station)
    lines.append(
        f'<text class="back label" x="{WIDTH / 2}" y="{HEIGHT - 28}" text-anchor="middle">'
        "each token goes back when the model has it: no station waits for the whole answer</text>"
    )
    return "\n".join([*lines, "</svg>", ""])


def _left(place: int) -> int:
    return FIRST + place * (BOX_WIDTH + GAP)


def _box(left: int, station: Station) -> list[str]:
    lines = [
        f'<rect class="box" x="{left}" y="{TOP}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>',
        f'<text class="title" x="{left + 14}" y="{TOP + 30}">{station.title}</text>',
    ]
    return lines + [
        f'<text class="says" x="{left + 14}" y="{TOP + 58 + 22 * number}">{line}</text>'
        for number, line in enumerate(station.says)
    ]


def _arrows(left: int, station: Station) -> list[str]:
    start, end = left + 4, left + GAP - 6
    middle = (start + end) / 2
    there, back = TOP + 42, TOP + 96
    return [
        f'<path class="way line" d="M{start} {there}H{end - 6}"/>',
        f'<path class="way" d="M{end} {there}l-9 -5v10z"/>',
        f'<text class="way label" x="{middle}" y="{there - 9}" text-anchor="middle">{station.onward}</text>',
        f'<path class="back line" stroke-dasharray="3 4" d="M{end} {back}H{start + 6}"/>',
        f'<path class="back" d="M{start} {back}l9 -5v10z"/>',
        f'<text class="back label" x="{middle}" y="{back + 18}" text-anchor="middle">{station.back}</text>',
    ]


def main() -> None:
    """Write the picture."""
    TARGET.write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
