"""The memory of each GPU of an instance as an SVG picture."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from constructs_lib.cli.engine import compression
from constructs_lib.cli.formatting import gib, number, parameters
from constructs_lib.cli.plan_text import PARTS, MemoryShares, requested_tokens

if TYPE_CHECKING:
    from constructs_lib.cli.arguments import PlanArguments
    from constructs_lib.planning.sizing.candidates import Candidate

_FILLS = {"weights": "#2b6cb0", "cache": "#b83280", "reserve": "#d69e2e", "free": "#e2e8f0", "missing": "#c53030"}
_INK, _FAINT, _PAPER = "#1a202c", "#4a5568", "#ffffff"
_LEFT, _RIGHT, _BARS, _WIDTH = 90, 40, 112, 880
_ROW, _BAR = 38, 26
_LEGEND_ROW = 24


def svg(request: PlanArguments, candidate: Candidate) -> str:
    """The SVG document: a bar for each GPU, to scale, and a legend with sizes.

    Args:
        request: The arguments of `plan`.
        candidate: The instance.

    Raises:
        ValueError: The memory of its GPUs is not known.
    """
    if candidate.memory is None:
        raise ValueError(f"the memory of the GPUs of {candidate.instance.name} is not known")
    shares = MemoryShares.of(candidate.memory, requested_tokens(request, candidate), fits=candidate.fits)
    count = max(candidate.num_shard, candidate.instance.unit_count or 0)
    bottom = _BARS + count * _ROW
    legend = _legend(shares, request, candidate, bottom + 34)
    height = bottom + 34 + _LEGEND_ROW * len(legend) + 20
    title = f"Memory of {request.facts.hub_id} on {candidate.instance.name}"
    body = [
        f'<rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>',
        *_head(request, candidate, shares),
        *(line for gpu in range(count) for line in _gpu(gpu, shares, in_use=gpu < candidate.num_shard)),
        _scale(shares, bottom),
        *legend,
    ]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        ' role="img" font-family="system-ui, Helvetica, Arial, sans-serif">'
    )
    about = [f"<title>{escape(title)}</title>", f"<desc>{escape(_description(shares, count))}</desc>"]
    return "\n".join([opening, *about, *body, "</svg>\n"])


def _description(shares: MemoryShares, count: int) -> str:
    parts = ", ".join(f"{part.label} {gib(getattr(shares, part.name))}" for part in PARTS)
    short = f"; {gib(shares.missing)} missing" if shares.missing else ""
    gpus = f"1 GPU of {gib(shares.total)}" if count == 1 else f"{count} GPUs of {gib(shares.total)} each"
    return f"{gpus}: {parts}{short}"


def _head(request: PlanArguments, candidate: Candidate, shares: MemoryShares) -> list[str]:
    price, about = candidate.price_usd_per_hour, "about " if candidate.instance.price_is_derived else ""
    cost = "no price is published" if price is None else f"{about}${price:.3f} an hour"
    kind = compression(request.engine, request.options) or request.facts.quantization or request.facts.checkpoint_dtype
    model = (
        f"{parameters(request.facts.parameters)} parameters, {kind} · {request.engine.display_name} {request.version}"
    )
    hardware = f"{candidate.instance.accelerator_count} × {candidate.instance.accelerator}, {gib(shares.total)} each"
    verdict = "It fits." if candidate.fits else candidate.reason or "It does not fit."
    colour = _FAINT if candidate.fits else _FILLS["missing"]
    return [
        _text(_LEFT - 66, 34, f"{request.facts.hub_id} on {candidate.instance.name}", size=20, bold=True),
        _text(_LEFT - 66, 60, f"{model} · {hardware} · {cost}", colour=_FAINT),
        _text(_LEFT - 66, 86, verdict, colour=colour, bold=not candidate.fits),
    ]


def _gpu(gpu: int, shares: MemoryShares, *, in_use: bool) -> list[str]:
    top = _BARS + gpu * _ROW
    lines = [_text(_LEFT - 12, top + _BAR - 8, f"GPU {gpu}", colour=_FAINT, end=True)]
    width = _length(shares.total, shares)
    if not in_use:
        lines.append(_rect(_LEFT, top, width, _PAPER, stroke=_FAINT, dashed=True))
        lines.append(_text(_LEFT + 12, top + _BAR - 8, "idle", colour=_FAINT))
        return lines
    x = float(_LEFT)
    for part in PARTS:
        size = getattr(shares, part.name)
        lines += _part(
            x, top, _length(size, shares), _FILLS[part.name], gib(size), dark=part.name in ("weights", "cache")
        )
        x += _length(size, shares)
    lines.append(_rect(_LEFT, top, width, "none", stroke=_INK))
    if shares.missing:
        over = _length(shares.missing, shares)
        lines.append(_rect(_LEFT + width, top, over, "none", stroke=_FILLS["missing"], dashed=True))
    return lines


def _part(x: float, top: float, width: float, fill: str, label: str, *, dark: bool) -> list[str]:
    if width <= 0:
        return []
    lines = [_rect(x, top, width, fill)]
    if width > 62:
        lines.append(_text(x + width / 2, top + _BAR - 8, label, size=12, colour=_PAPER if dark else _INK, middle=True))
    return lines


def _scale(shares: MemoryShares, bottom: float) -> str:
    ends = [(0, "0"), (shares.total, gib(shares.total))]
    return "\n".join(
        _text(_LEFT + _length(size, shares), bottom + 8, label, size=12, colour=_FAINT, middle=True)
        for size, label in ends
    )


def _legend(shares: MemoryShares, request: PlanArguments, candidate: Candidate, top: float) -> list[str]:
    each = request.tokens or (candidate.memory.context if candidate.memory else 0)
    requests = request.concurrency or 1
    what = f"of {requests} × {number(each)} tokens" if requests > 1 else f"of {number(each)} tokens"
    more = {
        "cache": f" {what}",
        "reserve": f": what {request.engine.display_name} leaves unused, CUDA, the largest prefill",
    }
    rows = [(part.name, f"{part.label}{more.get(part.name, '')}", getattr(shares, part.name)) for part in PARTS]
    if shares.missing:
        rows.append(("missing", "does not fit", shares.missing))
    lines = []
    for index, (name, label, size) in enumerate(rows):
        y = top + index * _LEGEND_ROW
        outline = (
            {"fill": "none", "stroke": _FILLS[name], "dashed": True} if name == "missing" else {"fill": _FILLS[name]}
        )
        mark = f'<rect x="{_LEFT}" y="{y}" width="16" height="16" {_paint(**outline)}/>'
        lines.append(
            mark + _text(_LEFT + 110, y + 13, gib(size), end=True, size=14) + _text(_LEFT + 124, y + 13, label, size=14)
        )
    return lines


def _length(size: float, shares: MemoryShares) -> float:
    """Pixels of a size: the GPU and what is missing together take the full width."""
    return round((_WIDTH - _LEFT - _RIGHT) * size / (shares.total + shares.missing), 2)


def _paint(fill: str = "none", stroke: str | None = None, *, dashed: bool = False) -> str:
    line = f' stroke="{stroke}" stroke-width="1.5"' if stroke else ""
    return f'fill="{fill}"{line}' + (' stroke-dasharray="5 3"' if dashed else "")


def _rect(x: float, y: float, width: float, fill: str, stroke: str | None = None, *, dashed: bool = False) -> str:
    painted = _paint(fill, stroke, dashed=dashed)
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{_BAR}" {painted}/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 14,
    colour: str = _INK,
    bold: bool = False,
    middle: bool = False,
    end: bool = False,
) -> str:
    anchor = ' text-anchor="middle"' if middle else ' text-anchor="end"' if end else ""
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}"{anchor}{weight}>{escape(text)}</text>'
