"""The page's few drawings, as inline SVG and bars that take their colours from the page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from holdfast.report.markup import Markup, tag

_WIDTH, _HEIGHT, _BASE, _LEFT, _RIGHT = 480, 236, 196, 48, 20


def histogram(everyone: NDArray[np.int64], listed: NDArray[np.int64]) -> Markup:
    """How risk is spread over all scored customers, with those to contact in the foreground.

    Parameters
    ----------
    everyone, listed : array of shape (n_bars,)
        How many customers, and how many of them to contact, have a risk in each of the equal bars between 0 and 1.
    """
    bins = len(everyone)
    edges = np.linspace(0, 1, bins + 1)
    top = _round_up(int(everyone.max()))
    step = (_WIDTH - _LEFT - _RIGHT) / bins
    bars = []
    for i, (count, chosen) in enumerate(zip(everyone, listed, strict=True)):
        x = _LEFT + i * step
        said = f"risk {edges[i]:.0%} to {edges[i + 1]:.0%}: {count:,} customers, {chosen:,} to contact"
        tall = tag("rect", **_bar(x, step, count / top), class_="all")
        short = tag("rect", **_bar(x, step, chosen / top), class_="contact") if chosen else None
        bars.append(tag("g", tag("title", said), tall, short))
    lines = [
        tag(
            "g",
            tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_y(share), y2=_y(share), class_="grid"),
            tag("text", f"{share * top:,.0f}", x=_LEFT - 8, y=_y(share) + 4, text_anchor="end"),
        )
        for share in (0, 0.5, 1)
    ]
    labels = [
        tag("text", f"{at:.0%}", x=f"{_LEFT + at * bins * step:.1f}", y=_BASE + 18, text_anchor="middle")
        for at in (0, 0.25, 0.5, 0.75, 1)
    ]
    axis = tag("text", "risk of churn", x=(_LEFT + _WIDTH - _RIGHT) / 2, y=_HEIGHT - 2, text_anchor="middle")
    said = f"Histogram of the risk of {int(everyone.sum()):,} customers, {int(listed.sum()):,} of them to contact"
    return tag(
        "svg", lines, bars, labels, axis, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=said, class_="chart"
    )


def stacked(parts: Mapping[str, int], said: str) -> Markup:
    """One bar whose parts add up to the whole; each part's class is its name, its order the mapping's."""
    whole = max(sum(parts.values()), 1)
    pieces = [
        tag(
            "span",
            class_=f"part {name}",
            style=f"flex-grow:{count / whole:.6f}",
            title=f"{name.replace('_', ' ')}: {count:,}",
        )
        for name, count in parts.items()
        if count
    ]
    return tag("div", pieces, class_="stacked", role="img", aria_label=said)


def meter(share: float, kind: str = "contact") -> Markup:
    """A thin bar for a share between 0 and 1."""
    width = min(max(share, 0.0), 1.0) * 100
    return tag("span", tag("span", class_=kind, style=f"width:{width:.1f}%"), class_="meter", aria_hidden="true")


def _bar(x: float, step: float, share: float) -> dict[str, str]:
    return {
        "x": f"{x + 1:.1f}",
        "width": f"{step - 2:.1f}",
        "y": f"{_y(share):.1f}",
        "height": f"{_BASE - _y(share):.1f}",
        "rx": "2",
    }


def _y(share: float) -> float:
    return _BASE - share * (_BASE - 12)


def _round_up(count: int) -> int:
    """The next number that reads well at the top of an axis: 1, 2, 3, 4, 5, 6, 8 or 10 times a power of ten."""
    power: int = 10 ** (len(str(max(count, 1))) - 1)
    return next((factor * power for factor in (1, 2, 3, 4, 5, 6, 8) if factor * power >= count), 10 * power)
