"""How a command ends: its exit code, and one message on standard error."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast import errors
from holdfast.errors import HoldfastError
from tests.end_to_end.command import apart, holdfast
from tests.end_to_end.shop import Shop

CODES = {
    "HoldfastError": 1,
    "ConfigError": 2,
    "DataError": 3,
    "AuditError": 4,
    "RegistryError": 5,
    "LockedError": 6,
    "BundleError": 1,
    "StorageError": 1,
}

REFUSED = """
import sys
from pathlib import Path
from holdfast import cli

@cli.app.command()
def write(name: str):
    Path(name).write_text("in a folder that is a file")

cli.main()
"""

WAITING = """
import signal
import time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
from holdfast import cli

@cli.app.command()
def wait():
    print("!", flush=True)
    time.sleep(60)

cli.main()
"""


EARLY = """
import os
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from holdfast import cli

class Modules:
    def find_spec(self, name, path=None, target=None):
        os.kill(os.getpid(), signal.SIGINT)

def app():
    import sys
    sys.meta_path.insert(0, Modules())
    import a_library

cli.app = app
cli.main()
"""


def test_every_error_has_the_documented_code() -> None:
    """Schedulers decide by these numbers."""
    found = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, HoldfastError)
    }
    assert found == CODES
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert (
        "0 done · 2 wrong usage or configuration · 3 data rejected · 4 audit stopped · 5 registry unreachable" in readme
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["train"],
        ["train", "a", "b"],
        ["simulate", "bakery", "x"],
        ["score", "x.yaml"],
        ["check", "--fast", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    """An unknown command, a missing or superfluous argument, an unknown choice or option."""
    answer = holdfast(*arguments)
    assert answer.code == 2
    assert "Usage:" in answer.err
    assert "Traceback" not in answer.err


def test_an_error_of_ours_becomes_one_message(tmp_path: Path) -> None:
    """With its kind in front."""
    answer = holdfast("train", tmp_path / "none.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Config error: Wanted a configuration file")


def test_a_table_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file stands in the way of its folder; the message says what was wanted and that nothing has changed."""
    made = Shop.build(tmp_path)
    answer = holdfast("features", "build", made.config, "--output", made.config / "x.parquet")
    assert answer.code == 1
    assert answer.err.startswith(f"Storage error: Wanted to write the snapshots to {made.config / 'x.parquet'}")
    assert answer.err.count("\n") == 1


def test_a_refusal_of_the_system_names_the_file(tmp_path: Path) -> None:
    """Where no room of ours has words for it."""
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-c", REFUSED, "write", str(tmp_path / "file" / "x")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.startswith("The system refused: ")
    assert str(tmp_path / "file") in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_an_interrupted_command_says_so_and_ends_with_130(tmp_path: Path) -> None:
    """Control-C is no accident, and leaves nothing half-written."""
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == "!"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped" in err
    assert "Traceback" not in err


def test_an_interrupt_before_the_command_runs_is_no_accident_either() -> None:
    """Reading the libraries takes a second or two, in which people change their mind."""
    answer = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (130, "Stopped. Nothing half-written was left.\n")


def test_simulating_through_the_command_line(tmp_path: Path) -> None:
    """The same folder twice is built once."""
    arguments = ["simulate", "subscription", tmp_path / "demo", "--customers", 50]
    assert holdfast(*arguments).out.startswith("built: ")
    assert holdfast(*arguments).out.startswith("is there already: ")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("keep me")
    answer = holdfast("simulate", "retail", foreign)
    assert answer.code == 2
    assert (foreign / "mine.txt").read_text() == "keep me"


def test_the_demo_outside_of_the_project_says_what_is_missing(tmp_path: Path) -> None:
    """It reads its configuration from the project's folder."""
    answer = apart("demo", folder=tmp_path)
    assert answer.code == 2
    assert "--config" in answer.err
