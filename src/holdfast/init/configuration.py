"""A first configuration for raw tables: what can be guessed is guessed and said, what decides the answer is marked.

Two words stand in the comments of the file: DECIDE, where only the business knows, and CHECK, where we may be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from holdfast.config import parse
from holdfast.errors import ConfigError, StorageError
from holdfast.init.definition import Definition, propose
from holdfast.init.draft import Draft
from holdfast.init.guessing import guess
from holdfast.snapshots import observed_until
from holdfast.sources import Engine, open_sources
from holdfast.timeline import MICROSECONDS_PER_DAY, show


def write_configuration(files: Sequence[Path], output: Path, name: str) -> str:
    """Look at raw tables and write a commented configuration.

    Parameters
    ----------
    files : sequence of Path
        Parquet or CSV files; a folder stands for those in it.
    output : Path
        The file to write; paths inside are relative to its folder.
    name : str
        Names the model and the lists.

    Returns
    -------
    str
        What was guessed, what to look at, and the next command.

    Raises
    ------
    ConfigError
        The output exists, the name cannot be one, a file cannot be read, or no table shows orders or subscriptions.
    DataError
        The history is too short for any horizon.
    StorageError
        The disk refused.
    """
    if output.exists():
        raise ConfigError(
            f"Wanted to write {output}, but it is there already and may hold your changes. Name another with --output."
        )
    folder = output.resolve().parent
    draft = guess(files)
    _require_value(draft, files)
    here = Path.cwd()  # the folder of the output may not exist yet
    with open_sources(draft.settings(here), base=here, currency=draft.currency) as tables:
        definition = propose(draft, tables)
        text = _text(draft, folder, name, definition)
        parse(yaml.safe_load(text), output)
        told = _told(draft, tables, definition, output, text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StorageError(f"Wanted to write {output}; the system answered: {error.strerror}.") from error
    return told


def _require_value(draft: Draft, files: Sequence[Path]) -> None:
    kinds = {source.kind for source in draft.sources}
    if kinds & {"orders", "subscriptions"}:
        return
    shown = ", ".join(sorted(kinds)) or "nothing that we know"
    left = "".join(f"\n  {file.name}: {reason}" for file, reason in draft.left.items())
    raise ConfigError(
        f"Wanted a table of orders (customer, time, amount) or of subscriptions (customer, time, change, monthly "
        f"revenue) among {len(files)} files, found {shown}.{left}\n"
        "Add such a table, give its columns plainer names, or write the configuration by hand from configs/."
    )


def _text(draft: Draft, folder: Path, name: str, definition: Definition) -> str:
    """The whole file."""
    currency = f"currency: {draft.currency}" if draft.currency else "# currency: EUR"
    found = "as the orders say" if draft.currency else "CHECK: no column tells it; name it, and reasons show it"
    parts = [
        "# Written by `holdfast init`. Look for DECIDE, where only you know, and CHECK, where the guess may be wrong.",
        "# Paths are relative to this file. On the left our names, on the right those of your tables.",
        f"name: {name}",
        f"{currency}  # {found}",
        "",
        draft.sources_yaml(folder),
        *_decisions(definition, has_orders=not draft.contractual),
        *_outreach(draft, name, definition),
        "tracking:",
        "  folder: models  # MLflow on sqlite; name a server with `uri` instead",
        "output: lists",
        "",
    ]
    return "\n".join(parts)


def _decisions(definition: Definition, *, has_orders: bool) -> list[str]:
    horizon, churn = definition.horizon, definition.labels.churn
    if has_orders:
        population = f"{{bought_within_days: {2 * horizon:g}}}"
        lost = f"{{kind: no_order, horizon_days: {horizon:g}}}"
        said = [
            f"# DECIDE who counts as a customer (bought in the last {2 * horizon:g} days), when one is lost (buys",
            f"# nothing in the next {horizon:g}), and what one is worth (net revenue; `margin` if mapped). Choose the",
            "# days by how long your customers usually pause between orders.",
        ]
    else:
        population = "{subscribed: true}"
        lost = f"{{kind: subscription_end, horizon_days: {horizon:g}, grace_days: {churn.grace_days or 0:g}}}"
        grace = f"{churn.grace_days or 0:g}"
        said = [
            "# DECIDE who counts as a customer (has a running subscription), when one is lost (the last one ends in",
            f"# the next {horizon:g} days and is not taken up again within {grace}), and what one is worth (monthly",
            "# revenue times the time it runs).",
        ]
    steps = "on the first of each month" if definition.every == "month" else f"every {definition.every} days"
    return [
        *said,
        f"# With these, {definition.churned:.0%} of the customers churned at the test cutoffs.",
        f"population: {population}",
        f"churn: {lost}",
        f"value: {{of: {definition.labels.value.of}, horizon_days: {horizon:g}}}",
        "",
        f"# Learn {steps} from `first` on; test where the outcome is known and enough came before.",
        "cutoffs:",
        f"  every: {definition.every}",
        f"  first: {show(definition.first)}  # by then the sources have begun, and windows are filled",
        f"  test: [{', '.join(show(at) for at in definition.tests)}]",
        "",
    ]


def _outreach(draft: Draft, name: str, definition: Definition) -> list[str]:
    """Whom to contact and with what; every number is a guess that people can see."""
    kinds = {source.kind for source in draft.sources}
    unit = draft.currency or "the currency of the amounts"
    quiet = definition.horizon * (2 / 9 if draft.contractual else 2 / 3)
    customers = next((source for source in draft.sources if source.kind == "customers"), None)
    mapped = {*customers.columns, *customers.compute} if customers is not None else set[str]()
    consent = (
        []
        if "consent" in mapped
        else ["  unknown_consent: contact  # DECIDE: no column tells who agreed; `exclude` leaves everybody out"]
    )
    service = ["    service_recovery: {channel: phone, contact_cost: 6, save_rate: 0.2}"] if "tickets" in kinds else []
    return [
        f"# DECIDE whom to contact, how often, and with what. Costs are in {unit}.",
        "outreach:",
        "  quiet_days: 30  # nobody is contacted twice within so many days",
        "  control_share: 0.1  # held back at random: without them the list proves nothing",
        f"  control_salt: {name}  # the same name keeps the same customers in control from list to list",
        "  budget: {share: 0.1}  # of all scored customers; or {contacts: 500}",
        "  high_value_share: 0.1  # these deserve a person",
        *consent,
        "  stages:  # days of silence at which a customer counts as …",
        "    onboarding_days: 30  # (days since the first event)",
        f"    lapsing_days: {round(quiet)}",
        f"    dormant_days: {round(2 * quiet)}",
        f"    lost_days: {round(6 * quiet)}",
        "    lapsing_overdue_ratio: 2  # also lapsing: silent for twice the customer's own usual gap",
        "  # contact_cost: of one contact. offer_cost: of the gift, for the share who take it (accept_rate; the loyal",
        "  # take it too). save_rate: share of leaving customers whom it keeps; a guess until your own control group",
        "  # tells. Change these at any time, without training again. Remove what you do not offer.",
        "  actions:",
        "    onboarding_help: {channel: email, contact_cost: 0.5, save_rate: 0.08}",
        "    loyalty_reward: {channel: email, contact_cost: 0.2, offer_cost: 5, accept_rate: 0.3, save_rate: 0.06}",
        "    personal_offer: {channel: email, contact_cost: 0.2, offer_cost: 8, accept_rate: 0.2, save_rate: 0.08}",
        *service,
        "    account_manager_call: {channel: phone, contact_cost: 12, save_rate: 0.15}",
        "    feedback_survey: {channel: email, contact_cost: 0.1, save_rate: 0.02}",
        "    win_back: {channel: email, contact_cost: 0.2, offer_cost: 10, accept_rate: 0.1, save_rate: 0.05}",
        "",
    ]


def _told(draft: Draft, tables: Engine, definition: Definition, output: Path, text: str) -> str:
    """What to print: guesses with their confidence, what to look at, the next commands."""
    lines = [f"Wrote {output}. What the tables seem to be:", ""]
    report = {source.name: source for source in tables.report}
    for source in draft.sources:
        found = report[source.kind]
        columns = [*source.columns, *source.compute]
        lines.append(
            f"  {source.kind:<14} {source.table.file.name}  ({source.confidence}; {found.rows_in:,} rows, "
            f"{found.share_rejected:.1%} rejected; {', '.join(columns)})"
        )
    lines += [f"  not used       {file.name}: {reason}" for file, reason in draft.left.items()]
    questions = [question for source in draft.sources for question in source.questions]
    decide, check = (len(re.findall(rf"#.*\b{word}\b", text)) - 1 for word in ("DECIDE", "CHECK"))
    lines += [
        "",
        f"Read it before you use it: {decide} places say DECIDE, {check} say CHECK"
        + (f", and {len(questions)} comments ask about columns and values." if questions else "."),
        f"With the proposed definition, {definition.churned:.0%} of the customers churned at the test cutoffs.",
    ]
    if not 0.02 <= definition.churned <= 0.9:
        lines.append("That is too one-sided to learn much from: change population or horizon.")
    latest = observed_until(tables, definition.labels)
    as_of = show(-(-latest // MICROSECONDS_PER_DAY) * MICROSECONDS_PER_DAY)[:10]
    return "\n".join(
        [
            *lines,
            "",
            f"Next: holdfast check {output}",
            f"Then: holdfast train {output}",
            f"      holdfast promote {output}",
            f"      holdfast score {output} --as-of {as_of}",
        ]
    )
