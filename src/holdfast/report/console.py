"""What a command prints: tables and sentences for people, or one JSON object on the last line for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from holdfast.audit import Audit
from holdfast.backtest import Backtest, LearningCurves
from holdfast.dataset import Built, Checked
from holdfast.explain.wording import number
from holdfast.features.feature import Feature
from holdfast.learning.tuning import tuning_sentence
from holdfast.outreach import RULES
from holdfast.report.results import Evaluated, Published, Runs, Trained
from holdfast.sampling import told
from holdfast.terminal import printable
from holdfast.timeline import LIFETIME
from holdfast.timeline import show as show_instant
from holdfast.tracking.entries import Promotion

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 140
SHOWN = ("auc", "average_precision", "log_loss", "brier", "calibration_error", "lift_at_10", "mae", "bias", "gini")


def show(result: Any, as_json: bool = False) -> None:
    """Print a result of a project or of one of its commands."""
    if as_json:
        _print_json(result.to_dict())
    else:
        content = render(result)
        _PrintableConsole().print(content, soft_wrap=isinstance(content, str))  # a path that is broken cannot be copied


def features(found: Iterable[Feature], as_json: bool) -> None:
    """Print the catalogue."""
    if as_json:
        _print_json([feature.record().to_json() for feature in found])
        return
    table = Table("feature", "unit", "window", "meaning", "family", box=None, header_style="bold")
    found = list(found)
    for feature in found:
        window = "lifetime" if feature.window == LIFETIME else f"{feature.window.count:g} days"
        table.add_row(feature.name, feature.unit, window, escape(feature.meaning.format(value="…")), feature.family)
    _PrintableConsole().print(table)
    _PrintableConsole().print(f"{len(found)} features")


def text(content: RenderableType) -> str:
    """What people would see, as plain text with markup for :func:`line`."""
    console = _PrintableConsole()
    with console.capture() as captured:
        console.print(content)
    return captured.get().rstrip()


def line(text: str) -> None:
    """Print one line of running text."""
    _PrintableConsole().print(text)


class _PrintableConsole(Console):
    """Names, categories and ids are somebody's texts: what steers a terminal is shown, not obeyed."""

    def __init__(self) -> None:
        """As wide as the terminal; a file or pipe has no width of its own and gets a wide page."""
        super().__init__(highlight=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(printable(text), **how)


def _plain(text: object) -> str:
    """Somebody's text within a line of ours: it can neither mark a word nor begin a line."""
    return escape(str(text).replace("\n", "\\n"))


def _print_json(content: Any) -> None:
    print(json.dumps(content, allow_nan=False, sort_keys=True))  # noqa: T201 - a command prints


@singledispatch
def render(result: Any) -> RenderableType:
    """What people see of a result."""
    raise TypeError(f"{type(result).__name__} has no printed form; register one in console.")


@render.register
def _(checked: Checked) -> RenderableType:
    table = Table(
        "source", "rows", "valid", "rejected", "share", "first", "last", "reasons", box=None, header_style="bold"
    )
    for source in checked.sources:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in source.rejected.items())
        table.add_row(
            _plain(source.name),
            f"{source.rows_in:,}",
            f"{source.rows_valid:,}",
            f"{source.rows_rejected:,}",
            f"{source.share_rejected:.2%}",
            *("" if at is None else show_instant(at)[:10] for at in (source.first, source.last)),
            _plain(reasons),
        )
    worst = max(source.share_rejected for source in checked.sources)
    verdict = (
        f"[green]good[/]: at most {worst:.2%} of a source is rejected, {checked.most_rejected:.2%} is allowed"
        if worst <= checked.most_rejected
        else f"[red]stop[/]: {worst:.2%} of a source is rejected, {checked.most_rejected:.2%} is allowed"
    )
    parts: list[RenderableType] = [
        table,
        f"{checked.customers:,} customers, {checked.data_from[:10]} to {checked.data_until[:10]}",
        verdict,
    ]
    if checked.undated:
        parts.append(
            f"[yellow]look[/]: attributes without a known time stop training: {_plain(', '.join(checked.undated))}"
        )
    if checked.rejects:
        parts.append(f"rejected rows are in {_plain(checked.rejects)}")
    if checked.audit:
        parts.append(render(checked.audit))
    return Group(*parts)


@render.register
def _(found: Audit) -> RenderableType:
    checks = ", ".join(f"{count:,} {what}" for what, count in found.checks.items())
    lines = [f"audit: {checks}"]
    lines += [f"[red]found[/] {_plain(finding.name)}: {_plain(finding.detail)}" for finding in found.findings]
    lines += [f"[yellow]allowed[/] {_plain(finding.name)}: {_plain(finding.detail)}" for finding in found.allowed]
    return "\n".join(lines if len(lines) > 1 else [f"{lines[0]}; [green]nothing knows the future[/]"])


@render.register
def _(built: Built) -> RenderableType:
    between = f"{built.cutoffs[0]} to {built.cutoffs[-1]}"
    return (
        f"{built.snapshots:,} snapshots of {built.features} features at {len(built.cutoffs)} cutoffs "
        f"({between}) are in {_plain(built.path)}"
    )


@render.register
def _(trained: Trained) -> RenderableType:
    what = "trained and registered" if trained.fresh else "unchanged: data, configuration and code are those of"
    lines = [
        f"{what} [bold]{trained.name} version {trained.version}[/] (challenger): {trained.snapshots:,} snapshots at "
        f"{trained.cutoffs} cutoffs, {trained.features} features",
        *([f"learnt from {told(trained.sample)}"] if trained.sample else []),
        *([f"[yellow]effort quick[/]: {trained.gives_up}"] if trained.gives_up else []),
        _choice(trained.choice),
        *(tuning_sentence(name, record) for name, record in (trained.tuning or {}).items()),
        f"tested at {trained.tested_at}: {_figures(trained.metrics)}",
        f"MLflow: {_plain(trained.tracking)}",
    ]
    return "\n".join(lines)


def _choice(record: Mapping[str, Any]) -> str:
    """What the risk score is made of, and by which record."""
    made_of, losses = record["chosen"], record["log_loss"]
    others = ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items() if name != made_of)
    why = (
        f"log loss {losses[made_of]:.4f} at the latest cutoff that could judge ({others})"
        if losses
        else "nobody judged"
    )
    return f"risk by {made_of}: {why}; calibration: {record['calibration']}"


@render.register
def _(result: Backtest) -> RenderableType:
    return escape(result.table())


@render.register
def _(curves: LearningCurves) -> RenderableType:
    return escape(curves.table())


@render.register
def _(evaluated: Evaluated) -> RenderableType:
    parts = (evaluated.backtest, evaluated.curves)
    return "\n\n".join(str(render(part)) for part in parts if part is not None)


@render.register
def _(promotion: Promotion) -> RenderableType:
    champion = f"version {promotion.champion}" if promotion.champion else "nobody"
    outcome = "[green]promoted[/]" if promotion.moved else "[yellow]not promoted[/]"
    why = f"{promotion.name} version {promotion.challenger}, because {_plain(promotion.reason)}"
    return f"{outcome}: {why}. Champion is {champion}."


@render.register
def _(published: Published) -> RenderableType:
    counts = published.counts
    groups = " + ".join(f"{counts[group]:,} {group.replace('_', ' ')}" for group in counts if group != "scored")
    share = published.expected_loss_on_list / published.expected_loss if published.expected_loss else 0.0
    lines = [
        f"scored {counts['scored']:,} customers as of {published.as_of} with version {published.model_version}:",
        f"{groups}",
        f"expected loss {number(published.expected_loss, 'currency', published.currency)}, of which "
        f"{number(published.expected_loss_on_list, 'currency', published.currency)} ({share:.0%}) is on the list",
        *(f"[yellow]not applied[/] rule {rule}: {RULES[rule].not_applied}" for rule in published.rules_not_applied),
        "",
        *_customers(published.first, published.currency),
        "",
        f"list    {_plain(published.folder)}",
        f"report  {_plain(published.folder / 'report.html')}",
    ]
    return "\n".join(lines)


@render.register
def _(runs: Runs) -> RenderableType:
    if not runs.records:
        return f"No model of {runs.name!r} has been trained yet."
    table = Table("version", "alias", "started", "status", "figures", box=None, header_style="bold")
    for record in runs.records:
        started = record.started.isoformat(sep=" ", timespec="minutes")
        table.add_row(record.version or "", ", ".join(record.aliases), started, record.status, _figures(record.metrics))
    return table


def _figures(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {metrics[name]:.3f}" for name in SHOWN if name in metrics)


def _customers(first: pd.DataFrame, currency: str | None) -> Iterator[str]:
    """Customers with action and reasons, as sentences."""
    for row in first.itertuples():
        yield (
            f"[bold]{row.rank}. {_plain(row.customer_id)}[/]  risk {row.p_churn:.0%}, leaving {row.p_leaving:.0%}, "
            f"{number(row.value_if_kept, 'currency', currency)} if kept, {row.stage}: "
            f"{_plain(row.action_words)} {_plain(row.channel_words)}"
        )
        for reason in (row.reason_1, row.reason_2, row.reason_3):
            if reason:
                yield f"     · {_plain(reason)}"
