"""Every way in which a run cannot go on: one clear message, its exit code, and no trace."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.files import versioned_folder
from tests.end_to_end.command import HOLDFAST, Answer, done, holdfast
from tests.end_to_end.shop import AS_OF, Shop

Spoil = Callable[[pd.DataFrame], pd.DataFrame]


def require_message(answer: Answer, code: int, *parts: str) -> None:
    """One message on standard error that says these things, the exit code, and nothing that only we understand."""
    assert answer.code == code, answer.err
    assert "Traceback" not in answer.err
    assert len(answer.err.splitlines()) <= 4, answer.err
    assert answer.err.count("error:") == 1 or answer.err.startswith("The system refused"), answer.err
    assert len(answer.err) < 900
    for part in parts:
        assert part in answer.err, f"{part!r} is not in: {answer.err}"


def test_file_missing(tmp_path: Path) -> None:
    """A typo in a path, in the configuration as on the command line."""
    made = Shop.build(tmp_path, sources__orders__path="order.parquet")
    require_message(holdfast("check", made.config), 2, "orders", "order.parquet")
    require_message(holdfast("train", tmp_path / "nowhere.yaml"), 2, "nowhere.yaml", "No such file", "holdfast init")


def test_column_missing(tmp_path: Path) -> None:
    """The message lists what the table has, so that the right name can be copied from it."""
    made = Shop.build(tmp_path, sources__orders__columns__amount="amount_paid")
    require_message(holdfast("check", made.config), 2, "amount_paid", "who", "at", "paid", "sources.orders")


def test_required_column_not_mapped(tmp_path: Path) -> None:
    """Orders without amounts are not orders."""
    made = Shop.build(tmp_path, sources__orders__columns__amount=None)
    require_message(holdfast("check", made.config), 2, "orders", "amount", "sources.orders.columns")


def test_unknown_configuration_key(tmp_path: Path) -> None:
    """A silent typo would leave a default in charge of the answer."""
    made = Shop.build(tmp_path, churn__horizon_day=60)
    require_message(holdfast("train", made.config), 2, "churn.horizon_day", "unknown")


def test_key_that_decides_the_answer_missing(tmp_path: Path) -> None:
    """There is no default for what decides the answer."""
    made = Shop.build(tmp_path, churn__horizon_days=None)
    require_message(holdfast("train", made.config), 2, "churn.horizon_days", "missing")


def test_naive_times_without_a_zone(tmp_path: Path) -> None:
    """An hour of doubt moves orders across midnight, and with it across a cutoff."""
    made = Shop.build(tmp_path, spoil=lambda table: table.assign(at=table["at"].dt.tz_localize(None)))
    require_message(holdfast("check", made.config), 2, "orders", "at", "timezone")


def test_unknown_time_zone(tmp_path: Path) -> None:
    """Zones have names; this is none."""
    made = Shop.build(
        tmp_path,
        spoil=lambda table: table.assign(at=table["at"].dt.tz_localize(None)),
        sources__orders__timezone="Europe/Lutetia",
    )
    require_message(holdfast("check", made.config), 2, "Europe/Lutetia", "Europe/")


def test_a_tag_that_would_build_an_object(tmp_path: Path) -> None:
    """A configuration from elsewhere must not run anything."""
    made = Shop.build(tmp_path)
    trap = tmp_path / "was_run"
    made.config.write_text(
        f"name: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{trap}]]"
    )
    require_message(holdfast("check", made.config), 2, "line 1", "tag")
    assert not trap.exists()


@pytest.mark.parametrize("text", ["name: [", "- a list", "", "name: shop\nname: other"])
def test_no_mapping_of_settings(tmp_path: Path, text: str) -> None:
    """Broken YAML, another shape, nothing, and a key that stands twice."""
    (tmp_path / "shop.yaml").write_text(text)
    require_message(holdfast("check", tmp_path / "shop.yaml"), 2, "shop.yaml")


@pytest.mark.parametrize("command", [["score", "--as-of", "yesterday"], ["score", "--as-of", "2024-02-30"]])
def test_an_instant_that_is_none(shop: Shop, command: list[str]) -> None:
    """The calendar has no such day."""
    require_message(holdfast(command[0], shop.config, *command[1:]), 2, command[-1], "ISO 8601")


def test_an_empty_table(tmp_path: Path) -> None:
    """An export that failed in the night."""
    made = Shop.build(tmp_path, spoil=lambda table: table.head(0))
    require_message(holdfast("train", made.config), 3, "orders", "no rows")


def churns_never(table: pd.DataFrame) -> pd.DataFrame:
    """Everybody orders every week, to the end."""
    weeks = pd.date_range("2023-01-01", "2024-06-28", freq="7D", tz="UTC")
    grid = pd.MultiIndex.from_product([table["who"].unique(), weeks], names=["who", "at"]).to_frame(index=False)
    return grid.assign(paid=10.0, currency="EUR", number=np.arange(len(grid)))


def test_one_class_only(tmp_path: Path) -> None:
    """LightGBM would fit it without a word, and say that nobody ever leaves."""
    made = Shop.build(tmp_path, spoil=churns_never)
    require_message(holdfast("train", made.config), 3, "one class only", "no customer churned")
    require_message(holdfast("backtest", made.config), 3, "one class only")


def test_fewer_than_200_customers(tmp_path: Path) -> None:
    """A model of so few would be an anecdote."""
    made = Shop.build(tmp_path, customers=150)
    require_message(holdfast("train", made.config), 3, "200", "found 1")


@pytest.mark.parametrize("as_of", ["2024-08-01", "2019-01-01"])
def test_scoring_at_a_cutoff_beyond_the_data(shop: Shop, as_of: str) -> None:
    """Everybody would look lost, or nobody known."""
    require_message(holdfast("score", shop.config, "--as-of", as_of), 3, as_of, "2023-01-0", "2024-06-")


def test_training_at_a_cutoff_beyond_the_data(tmp_path: Path) -> None:
    """Its outcome is still open; the message tells from when on it can be used."""
    made = Shop.build(tmp_path, cutoffs__test=["2024-06-01"])
    require_message(holdfast("train", made.config), 3, "2024-06-01", "2024-07-31", "60 days of outcome")


def test_a_horizon_longer_than_the_history(tmp_path: Path) -> None:
    """Nobody can learn what happens in two years from one and a half."""
    made = Shop.build(tmp_path, churn__horizon_days=730, value__horizon_days=730)
    require_message(holdfast("train", made.config), 3, "730 days", "2024-06-")


def test_nothing_to_learn_from_before_the_test(tmp_path: Path) -> None:
    """The first outcome is complete after the test cutoff."""
    made = Shop.build(tmp_path, cutoffs__first="2024-02-15", cutoffs__every=30)
    require_message(holdfast("train", made.config), 3, "2024-04-01", "complete outcome", "Test from")


def infinite(share: float) -> Spoil:
    """Spoil this share of the amounts."""

    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        paid = table["paid"].to_numpy().copy()
        paid[: int(share * len(paid))] = np.inf
        return table.assign(paid=paid)

    return spoil


def test_infinite_amounts(tmp_path: Path) -> None:
    """A few are rejected and counted; many stop the run."""
    few = Shop.build(tmp_path / "few", spoil=infinite(0.01))
    checked = done("check", few.config, "--json").json
    assert "not a finite" in " ".join(checked["sources"]["orders"]["rejected"])
    many = Shop.build(tmp_path / "many", spoil=infinite(0.1))
    require_message(holdfast("check", many.config), 3, "orders", "10.0%", "5.0%", "not a finite")
    require_message(holdfast("train", many.config), 3, "orders", "10.0%")


def test_a_source_with_40_percent_rejects(tmp_path: Path) -> None:
    """The rest of such a table is not the business."""
    made = Shop.build(
        tmp_path, spoil=lambda table: table.assign(who=table["who"].where(np.arange(len(table)) % 5 < 3, None))
    )
    rejects = tmp_path / "rejects.parquet"
    answer = holdfast("check", made.config, "--rejects", rejects)
    require_message(answer, 3, "orders", "40.0%", "missing customer id", "rejects.parquet")
    assert "stop" in answer.out
    assert set(pd.read_parquet(rejects)["reason"]) == {"missing customer id"}
    for command in (["train"], ["score", "--as-of", AS_OF]):
        require_message(holdfast(command[0], made.config, *command[1:]), 3, "40.0%")


def test_mixed_currencies(tmp_path: Path) -> None:
    """A sum of euros and yen is no number."""
    made = Shop.build(
        tmp_path,
        spoil=lambda table: table.assign(currency=np.where(table.index % 2, "EUR", "JPY")),
        currency=None,
    )
    require_message(holdfast("train", made.config), 3, "mixed currencies", "2 of them", "'currency'")


def test_a_population_of_nobody(tmp_path: Path) -> None:
    """An unlucky definition is told with its numbers."""
    made = Shop.build(tmp_path, population={"bought_within_days": 0.0001})
    require_message(holdfast("train", made.config), 3, "Nobody belongs to the population", "bought_within_days")


def test_a_source_that_the_definition_needs_is_absent(tmp_path: Path) -> None:
    """Churn of subscriptions without subscriptions."""
    made = Shop.build(tmp_path, churn={"kind": "subscription_end", "horizon_days": 60, "grace_days": 14})
    require_message(holdfast("train", made.config), 2, "subscriptions")


def with_customers(made: Shop, **columns: Any) -> dict[str, Any]:
    """A table of customers beside the orders, and its entry in the configuration."""
    who = pd.read_parquet(made.folder / "orders.parquet")["who"].unique()
    pd.DataFrame({"id": who, **columns}).to_parquet(made.folder / "customers.parquet")
    return {"path": "customers.parquet", "columns": {"customer_id": "id"}}


def test_audit_stopped(tmp_path: Path) -> None:
    """An attribute without a known time may have been filled in after the customer left."""
    made = Shop.build(tmp_path)
    people = with_customers(made, mood="good") | {"attributes": {"mood": {"column": "mood"}}}
    made.write(sources__customers=people)
    require_message(holdfast("train", made.config), 4, "mood", "known_time")
    require_message(holdfast("check", made.config, "--audit"), 4, "mood")
    assert holdfast("promote", made.config).code == 1, "nothing was registered"


def test_all_customers_excluded(shop: Shop, tmp_path: Path) -> None:
    """Nobody agreed to be contacted: there is no list, and the one of yesterday stays."""
    people = with_customers(shop, ok=False)
    people["columns"]["consent"] = "ok"
    config = shop.write("nobody.yaml", sources__customers=people)
    answer = holdfast("score", config, "--as-of", AS_OF, "--output", tmp_path)
    require_message(answer, 3, "excluded", "consent")
    assert list(tmp_path.iterdir()) == []


def test_registry_unreachable(shop: Shop) -> None:
    """MLflow alone would wait four minutes."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        uri = f"http://someone:secret@127.0.0.1:{silent.getsockname()[1]}"
        config = shop.write("remote.yaml", tracking={"uri": uri})
        for command in (["score", "--as-of", AS_OF], ["promote"], ["runs"], ["train"]):
            answer = holdfast(command[0], config, *command[1:])
            require_message(answer, 5, "127.0.0.1", "tracking.uri")
            assert "secret" not in answer.err


def test_champion_missing(shop: Shop) -> None:
    """The message tells the two commands that make one."""
    config = shop.write("new.yaml", name="newcomer")
    require_message(holdfast("score", config, "--as-of", AS_OF), 1, "champion", "newcomer", "holdfast promote")
    require_message(holdfast("promote", config), 1, "No version", "newcomer", "holdfast train")


def test_champion_with_other_features_than_the_catalogue(shop: Shop) -> None:
    """The model learnt from a column that nobody maps any more."""
    pd.read_parquet(shop.folder / "orders.parquet").assign(group="a").to_parquet(shop.folder / "grouped.parquet")
    richer = {"path": "grouped.parquet", "columns": {"category": "group"}}
    richer["columns"] |= json.loads(shop.config.read_text())["sources"]["orders"]["columns"]
    config = shop.write("richer.yaml", name="richer", sources__orders=richer)
    done("train", config)
    done("promote", config)
    poorer = shop.write("poorer.yaml", name="richer")
    require_message(holdfast("score", poorer, "--as-of", AS_OF), 1, "categories", "catalogue")


def files_of_champion(shop: Shop) -> list[Path]:
    """The files of the bundle in charge."""
    from holdfast import Project

    with Project.open(shop.config) as project:
        _, stored = project.champion()
    return sorted(path for path in stored.bundle.rglob("*") if path.is_file())


def test_a_damaged_bundle(shop: Shop) -> None:
    """One flipped byte anywhere in the model's files must not become a score."""
    files = files_of_champion(shop)
    assert len(files) >= 3
    for path in files:
        whole = path.read_bytes()
        spoiled = bytearray(whole)
        spoiled[len(whole) // 2] ^= 1
        for content in (bytes(spoiled), whole[: len(whole) // 2], b""):
            path.write_bytes(content)
            try:
                answer = holdfast("score", shop.config, "--as-of", AS_OF, "--output", shop.folder / "spoiled")
            finally:
                path.write_bytes(whole)
            require_message(answer, 1, "undle")
    assert not (shop.folder / "spoiled" / f"as_of={AS_OF}").exists()


def test_another_job_holds_the_lock(shop: Shop, tmp_path: Path) -> None:
    """Two lists of one day would cost the customer two calls."""
    with versioned_folder(tmp_path):
        answer = holdfast("score", shop.config, "--as-of", AS_OF, "--output", tmp_path)
    require_message(answer, 6, "another job", str(tmp_path))
    done("score", shop.config, "--as-of", AS_OF, "--output", tmp_path)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own with little room; only the superuser may make one."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "holdfast-test", str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("this user may not mount a small file system; the limit on file sizes is tested anyway")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="only the superuser may mount")
def test_a_full_disk_for_the_list(shop: Shop, tmp_path: Path) -> None:
    """The message names the folder and the bytes; nothing is left of the attempt."""
    with small_disk(tmp_path / "disk", "16k") as disk:
        answer = holdfast("score", shop.config, "--as-of", AS_OF, "--output", disk)
        require_message(answer, 1, str(disk), "bytes", "Free space")
        assert not list(disk.glob("as_of=*"))


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="only the superuser may mount")
def test_a_full_disk_for_the_temporary_tables(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in reading it fills up, the message tells which folder is too small."""
    for number, size in enumerate(("12k", "256k", "600k")):
        with small_disk(tmp_path / str(number), size) as disk:
            monkeypatch.setattr(tempfile, "tempdir", str(disk))
            answer = holdfast("score", shop.config, "--as-of", AS_OF, "--output", tmp_path / "lists")
            require_message(answer, 1, str(disk), "disk is full", "TMPDIR")
            assert list(disk.iterdir()) == []
    assert not list(tmp_path.glob("lists/as_of=*"))


def limited(shop: Shop, most: int, *arguments: str | Path) -> Answer:
    """Run a command that may write no file larger than so many bytes: the same refusal as that of a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    done_ = subprocess.run(
        [*HOLDFAST, *map(str, arguments)],
        cwd=shop.folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    return Answer(done_.returncode, done_.stdout, done_.stderr)


@pytest.mark.parametrize(
    "arguments",
    [["score", "--as-of", AS_OF], ["train", "--force"], ["features", "build"]],
    ids=["score", "train", "features"],
)
def test_a_disk_that_takes_nothing_more(shop: Shop, arguments: list[str]) -> None:
    """Wherever it fills up, people are told so in one sentence, and what was there stays."""
    done("score", shop.config, "--as-of", AS_OF)
    before = sorted(path for path in shop.folder.rglob("*") if path.is_file())
    command, options = (arguments[:2], []) if arguments[0] == "features" else (arguments[:1], arguments[1:])
    answer = limited(shop, 100_000, *command, shop.config, *options)
    require_message(answer, 1)
    assert "disk" in answer.err.lower() or "space" in answer.err.lower() or "File too large" in answer.err
    after = sorted(path for path in shop.folder.rglob("*") if path.is_file())
    assert after == before
