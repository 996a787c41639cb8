"""HTML as nested calls, where every text is escaped unless it is markup already.

>>> tag("p", "a < b", class_="note")
'<p class="note">a &lt; b</p>'
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from holdfast.terminal import printable

_VOID = frozenset({"meta", "br", "rect", "line", "path", "col"})


class Markup(str):
    """Text that is HTML already; only this module makes it from data."""

    __slots__ = ()


Child = str | int | Markup | Iterable["Child"] | None


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """An element; ``class_`` and the like lose their underscore, other underscores become hyphens."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>" if name in ("meta", "br", "col") else f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Markup:
    """All children one after another; what is no markup is escaped."""
    return Markup("".join(_text(child) for child in children))


def _text(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return str(child)
    if isinstance(child, str | int):
        return escape(printable(str(child)), quote=True)
    return join(child)


def table(head: Iterable[Child], rows: Iterable[Iterable[Child]], class_: str | None = None) -> Markup:
    """A table; each cell carries its column's heading, which small screens show beside it."""
    names = [_text(name) for name in head]
    body = (
        tag(
            "tr",
            (
                Markup(f'<td data-label="{name}"><div>{_text(cell)}</div></td>')
                for name, cell in zip(names, row, strict=True)
            ),
        )
        for row in rows
    )
    heading = tag("thead", tag("tr", (tag("th", Markup(name), scope="col") for name in names)))
    return tag("table", heading, tag("tbody", body), class_=class_)
