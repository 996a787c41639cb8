"""The peers of the feature benchmark are a second and a third opinion on the features of orders."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.features import PEERS, holdfast, peer, spread
from benchmarks.peers import comparing, data
from benchmarks.peers.sets import CATALOGUE, SETS

pytest.importorskip("polars", reason="the peer is in the extra 'bench'")
CUTOFFS = data.cutoffs_of_a_year(12)


@pytest.fixture(scope="module", params=list(SETS))
def measured(request, tmp_path_factory) -> tuple[Path, str, list[int], float]:
    """A database, one of the sets, the timed cutoffs, and how many snapshots we find at them."""
    database = tmp_path_factory.mktemp(request.param) / "orders.duckdb"
    data.write(database, events=20_000, customers=1_000)
    comparing.choose(database)
    timed = spread(CUTOFFS, 3)
    return database, request.param, timed, holdfast(database, request.param, CUTOFFS, timed, 1)["timed_snapshots"]


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_computes_the_same_features(measured, name):
    """A time is worth comparing only between contenders that answer the same question."""
    database, chosen, timed, snapshots = measured
    assert peer(database, name, chosen, len(CUTOFFS), timed, 1)["timed_snapshots"] == snapshots
    assert comparing.compare(database, SETS[chosen], name) >= len(SETS[chosen]) * 3 * 150


def test_a_difference_stops_with_the_name_of_the_feature(measured):
    """A benchmark that goes on after a wrong value would measure nonsense."""
    database, chosen, timed, _ = measured
    peer(database, "duckdb", chosen, len(CUTOFFS), timed, 1)
    file = database.with_name(f"{database.name}.duckdb.npy")
    rows = np.load(file)
    rows[7, 4] = -1.0
    np.save(file, rows)
    with pytest.raises(SystemExit, match=f"{SETS[chosen][2].name} differs .* duckdb in 1 of"):
        comparing.compare(database, SETS[chosen], "duckdb")


def test_the_catalogue_is_measured_on_sixty_features_or_more():
    """Few features would flatter whoever sorts first."""
    assert len(CATALOGUE) >= 60


def test_one_row_in_a_thousand_is_late_and_one_in_twenty_a_refund(measured):
    """Data without late rows and refunds would spare the contenders their hard cases."""
    with data.connect(measured[0], "1GB") as connection:
        late, refunds = connection.sql(
            "SELECT avg((known_time > event_time)::INT), avg((amount < 0)::INT) FROM orders"
        ).fetchall()[0]
    assert 0.0003 < late < 0.003
    assert 0.04 < refunds < 0.06
