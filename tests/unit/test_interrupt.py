"""Control-C while a query runs: the command stops at once, and nothing is left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

IN_A_QUERY = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
from holdfast import cli
from holdfast.sources.connection import connect, cursor, reading
from holdfast.sources.duck_tables import discard

LONG = "SELECT sum(sqrt(a.i) * sqrt(b.i)) FROM range(1000000) a(i), range(10000000) b(i)"
ASK = {
    "execute": lambda connection: connection.execute(LONG).fetchall(),
    "create": lambda connection: connection.execute(f"CREATE TABLE long AS {LONG}"),
    "arrow": lambda connection: connection.sql(LONG).to_arrow_table(),
    "reader": lambda connection: list(connection.sql(LONG).to_arrow_reader(1000)),
}

@cli.app.command()
def wait(how: str):
    connection, folder = connect("200MB", 2)
    try:
        with reading("the tables"), cursor(connection) as own:
            print(folder, flush=True)
            ASK[how](own)
    finally:
        discard(connection, folder)

cli.main()
"""


@pytest.mark.parametrize("how", ["execute", "create", "arrow", "reader"])
def test_control_c_stops_a_query_at_once(how: str) -> None:
    """DuckDB looks for signals between pieces of work that may take minutes, and then speaks of a runtime error."""
    command = [sys.executable, "-c", IN_A_QUERY, "wait", how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=100)
    assert time.monotonic() - began < 20
    assert (process.returncode, err) == (130, "Stopped. Nothing half-written was left.\n")
    assert not folder.exists()
