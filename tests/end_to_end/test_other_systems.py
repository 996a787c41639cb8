"""On a system that lacks what Linux has, a model is trained all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.command import done
from tests.end_to_end.shop import Shop

ELSEWHERE = """
import os, sys

def refuse(event, arguments):
    if event == "open" and str(arguments[0]).startswith("/proc"):
        frame = sys._getframe(1)
        while (name := frame.f_globals["__name__"].split(".")[0]) in sys.stdlib_module_names:
            frame = frame.f_back
        if name == "holdfast":  # other packages know which system they are on
            raise FileNotFoundError(2, "No such file or directory", arguments[0])

sys.modules["fcntl"] = None
del os.sched_getaffinity
sys.addaudithook(refuse)

from holdfast.cli import main
main()
"""


def test_a_model_is_trained_without_fcntl_affinity_and_proc(tmp_path: Path) -> None:
    """Windows has none of them, macOS has the first alone; another system finds the model and takes it for its own."""
    config = Shop.build(tmp_path).config
    command = [sys.executable, "-c", ELSEWHERE, "train", str(config), "--json"]
    (tmp_path / "temporary").mkdir()  # of its own: who locks in another way takes others' folders for abandoned ones
    apart = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    answer = subprocess.run(command, capture_output=True, text=True, env=apart, check=False)
    assert answer.returncode == 0, answer.stderr
    there, here = json.loads(answer.stdout.splitlines()[-1]), done("train", config, "--json").json
    assert (there["fresh"], here["fresh"]) == (True, False)
    assert here["metrics"] == there["metrics"]
