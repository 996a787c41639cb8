"""Modules of the user: imported by name, from what is installed or from beside the configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from holdfast.errors import ConfigError
from holdfast.features.modules import import_modules
from holdfast.history.custom import REGISTERED

REGISTERING = """
from holdfast import aggregate

@aggregate("first_second")
def first_second(times, cutoff):
    return times[0] / 1e6
"""


def written(folder: Path, name: str, text: str) -> str:
    """A module in a folder."""
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return name


def test_a_module_beside_the_configuration_registers_its_aggregates(tmp_path: Path) -> None:
    """A folder with a YAML and a Python file is all that a project needs; the search path stays as it was."""
    before = list(sys.path)
    import_modules([written(tmp_path, "aggregates_of_a_test", REGISTERING)], tmp_path)
    assert REGISTERED["first_second"].name == "first_second"
    assert sys.path == before


def test_an_installed_module_goes_before_one_beside_the_configuration(tmp_path: Path) -> None:
    """A file called json.py must not replace the library of Python."""
    import_modules([written(tmp_path, "json", "raise RuntimeError")], tmp_path)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "wanted the module '{name}', found no module '{name}' among the installed ones or in "),
        ("import nowhere_to_be_found", "found no module 'nowhere_to_be_found'"),
        ("x = 1 / 0", "importing '{name}' stopped with ZeroDivisionError"),
        ("def f(:", "importing '{name}' stopped with SyntaxError"),
        (REGISTERING.replace("times[0]", "t").replace("(times,", "(t,"), "'{name}' cannot be imported. Wanted the own"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(tmp_path: Path, text: str | None, part: str) -> None:
    """With its name, and what stopped it."""
    name = f"wrong_{abs(hash(part))}"
    if text is not None:
        written(tmp_path, name, text)
    before = list(sys.path)
    with pytest.raises(ConfigError) as caught:
        import_modules([name], tmp_path)
    assert part.format(name=name) in str(caught.value)
    assert sys.path == before
