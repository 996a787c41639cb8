"""Where machine code is kept when the installation is read-only."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import holdfast

ADD_UP = """
import numpy as np
from holdfast.history.prefix_sums import sums
print(sums(np.array([1.0, 2.5])).thousandths.tolist())
"""


@pytest.fixture
def read_only(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that can write neither beside the package nor in a home.

    A file stands where folders would be made, so that root, too, is refused.
    """
    package = tmp_path / "installed" / "holdfast"
    shutil.copytree(Path(holdfast.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        (folder / "__pycache__").touch()
    (tmp_path / "temporary").mkdir()
    hidden = ("NUMBA_", "XDG_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return environment | {"PYTHONPATH": str(package.parent), "HOME": os.devnull, "TMPDIR": str(tmp_path / "temporary")}


def add_up(environment: dict[str, str]) -> list[Path]:
    """Run the kernel in a new process; what lies in its temporary folder afterwards."""
    told = subprocess.run([sys.executable, "-c", ADD_UP], env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout == "[0, 1000, 3500]\n"
    return sorted(Path(environment["TMPDIR"]).rglob("*"))


def test_a_read_only_installation_without_a_home_keeps_machine_code_in_the_temporary_folder(
    read_only: dict[str, str],
) -> None:
    """Every container is such an installation; it compiles once, and only its own user may lay code there."""
    folder, *kept = add_up(read_only)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert any(path.suffix == ".nbi" for path in kept)
    compiled = {path: path.stat().st_mtime_ns for path in kept if path.suffix == ".nbc"}
    add_up(read_only)
    assert {path: path.stat().st_mtime_ns for path in compiled} == compiled, "the second process compiled again"


def test_a_temporary_folder_that_others_may_write_to_holds_no_code(read_only: dict[str, str]) -> None:
    """Whoever can put a file there could have any code run as this user."""
    folder = add_up(read_only)[0]
    shutil.rmtree(folder)
    folder.mkdir()
    folder.chmod(0o777)
    assert add_up(read_only) == [folder]
