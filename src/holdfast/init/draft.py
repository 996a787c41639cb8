"""A draft of the ``sources`` of a configuration: valid settings, and the same as YAML with its reasons as comments."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.init.profile import TableProfile
from holdfast.sources.settings import AttributeSettings, CsvSettings, SourceSettings


@dataclass(frozen=True)
class SourceDraft:
    """One table as a source.

    ``columns``, ``compute``, ``values``, ``attributes`` and ``where`` are as in :class:`SourceSettings`; ``notes``
    holds a comment for some of their names, ``questions`` what the reader has to decide. ``evidence`` is the weight of
    what speaks for the kind.
    """

    kind: str
    table: TableProfile
    columns: dict[str, str]
    evidence: float
    compute: dict[str, str] = field(default_factory=dict)
    where: str | None = None
    timezone: str | None = None
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    attributes: dict[str, AttributeSettings] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    questions: tuple[str, ...] = ()

    @property
    def confidence(self) -> str:
        """'clear', 'likely' or 'a guess'."""
        return "clear" if self.evidence >= 5 else "likely" if self.evidence >= 4 else "a guess"

    def settings(self, folder: Path) -> SourceSettings:
        """The draft as settings, with the path relative to ``folder``."""
        return SourceSettings(
            path=relative(self.table.file, folder),
            columns=self.columns,
            compute=self.compute,
            where=self.where,
            timezone=self.timezone,
            values=self.values,
            attributes=self.attributes,
            csv=CsvSettings.model_validate(self.table.csv),
        )


@dataclass(frozen=True)
class Draft:
    """Drafts of sources, and why the remaining tables became none."""

    sources: tuple[SourceDraft, ...]
    left: dict[Path, str]

    @property
    def currency(self) -> str | None:
        """The currency of the orders, if a column tells one and only one."""
        for source in self.sources:
            levels = source.table[source.columns["currency"]].levels if "currency" in source.columns else ()
            if len(levels) == 1:
                return levels[0].strip().upper()
        return None

    @property
    def contractual(self) -> bool:
        """Whether customers have subscriptions."""
        return any(source.kind == "subscriptions" for source in self.sources)

    def settings(self, folder: Path) -> dict[str, SourceSettings]:
        """All drafts as settings, by kind."""
        return {source.kind: source.settings(folder) for source in self.sources}

    def sources_yaml(self, folder: Path | str = ".") -> str:
        """The section ``sources:`` of a configuration that will lie in ``folder``, with reasons as comments."""
        lines = ["sources:"]
        for source in self.sources:
            lines += [*(f"  {line}".rstrip() for line in _source(source, Path(folder))), ""]
        if not self.sources:
            lines[0] = "sources: {}"
        lines += [f"  # {file.name} is not used: {reason}." for file, reason in self.left.items()]
        return "\n".join(lines).rstrip() + "\n"


def relative(file: Path, folder: Path) -> str:
    """The file's path as seen from the folder, with forward slashes."""
    return Path(os.path.relpath(file.absolute(), folder.absolute())).as_posix()


def scalar(text: str) -> str:
    """The text as a YAML scalar in one line."""
    import yaml  # only drafts need it

    written: str = yaml.safe_dump(text, allow_unicode=True, width=float("inf"), default_flow_style=True)
    return written.removesuffix("\n").removesuffix("...").strip()


def _source(source: SourceDraft, folder: Path) -> Iterator[str]:
    """One source, its lines without the outer indentation."""
    table = source.table
    yield f"{source.kind}:  # {source.confidence}, by the names and contents of its columns"
    yield f"  path: {scalar(relative(table.file, folder))}"
    yield from _pair("  ", "timezone", source.timezone, source.notes.get("timezone"))
    if table.csv:
        doubt = "  # not UTF-8: CHECK accents and currency signs" if "encoding" in table.csv else ""
        yield f"  csv: {_flow(table.csv)}{doubt}"
    yield "  columns:"
    for own, raw in source.columns.items():
        yield from _pair("    ", own, raw, source.notes.get(own))
    if source.compute:
        yield "  compute:"
        for own, expression in source.compute.items():
            yield from _pair("    ", own, expression, source.notes.get(own))
    yield from _pair("  ", "where", source.where, source.notes.get("where"))
    if source.values:
        yield "  values:"
        for own, pairs in source.values.items():
            yield f"    {own}: {_flow(pairs)}"
    if source.attributes:
        yield "  attributes:  # static: never changes, and known before the first event"
        for own, settings in source.attributes.items():
            yield f"    {own}: {{column: {_word(settings.column)}, static: {str(settings.static).lower()}}}"
    for question in source.questions:
        yield from textwrap.wrap(question, 110, initial_indent="  # ", subsequent_indent="  #   ")


def _pair(indent: str, key: str, value: str | None, note: str | None) -> Iterator[str]:
    if value is not None:
        yield f"{indent}{key}: {scalar(value)}" + (f"  # {note}" if note else "")


def _flow(pairs: dict[str, str]) -> str:
    """A mapping in one line; keys and values are quoted where YAML would read something else."""
    return "{" + ", ".join(f"{_word(key)}: {_word(value)}" for key, value in pairs.items()) + "}"


def _word(text: str) -> str:
    """The text inside braces: as it is if it is a plain word, else in quotes."""
    plain = re.fullmatch(r"\w[\w -]*\w|\w", text) and scalar(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)
