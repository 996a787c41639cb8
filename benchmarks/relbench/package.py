"""The package RelBench: the only file that imports it, and says how to install it."""

from __future__ import annotations

from typing import Any

from holdfast.errors import ConfigError


def load_task(dataset: str, task: str) -> tuple[str, Any]:
    """Load a task of a RelBench database.

    Parameters
    ----------
    dataset : str
        Its name (``rel-hm``), its address on the hub that hosts it, or a local folder in RelBench's format. What is not
        local is downloaded once, by RelBench.
    task : str

    Returns
    -------
    tuple of str and task
        The database's own name, and the task.

    Raises
    ------
    ConfigError
        The package is not installed, or finds no such database or task.
    """
    try:
        import relbench
    except ImportError:
        raise ConfigError(
            "Wanted the package RelBench, found that it is not installed. Install it: pip install relbench."
        ) from None
    try:
        database = relbench.load_dataset(dataset)
        return str(database.manifest.name), database.load_task(task)
    except (OSError, ValueError, RuntimeError) as error:  # the hub's client derives its errors from these
        said = str(error).rstrip(".")
        raise ConfigError(
            f"Wanted the task {task} of the RelBench database {dataset}, found that RelBench cannot load it: {said}. "
            "Check both names and the network, or name a local folder that holds a manifest.yaml."
        ) from error
