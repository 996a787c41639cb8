"""Modules of the user that register own aggregates: imported by name, because a configuration holds no code."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from holdfast.errors import ConfigError


def import_modules(names: Iterable[str], beside: Path) -> None:
    """Import each module, which runs its code; the folder ``beside`` is searched after everything that is installed.

    Raises
    ------
    ConfigError
        A module is not found, or its code stops.
    """
    folder = str(beside.resolve())
    sys.path.append(folder)
    try:
        for name in names:
            try:
                import_module(name)
            except ConfigError as error:
                raise ConfigError(f"modules: '{name}' cannot be imported. {error}") from None
            except ModuleNotFoundError as error:
                raise ConfigError(
                    f"modules: wanted the module '{name}', found no module '{error.name}' among the installed ones or "
                    f"in {folder}. Install it, or put it there."
                ) from None
            except Exception as error:  # whatever the code of a module raises
                raise ConfigError(
                    f"modules: importing '{name}' stopped with {type(error).__name__}. Run `python -c 'import {name}'` "
                    "to see where, and correct it."
                ) from None
    finally:
        sys.path.remove(folder)


def digests(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The SHA-256 of the source file of each imported module: a model depends on that code too."""
    found = []
    for name in names:
        file = getattr(sys.modules[name], "__file__", None)
        content = Path(file).read_bytes() if file and Path(file).is_file() else b""
        found.append((name, hashlib.sha256(content).hexdigest()))
    return tuple(found)
