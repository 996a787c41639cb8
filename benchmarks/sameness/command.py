"""A program: the command line of the package at hand, started as the installed script starts it.

    python command.py MODULE:FUNCTION ARGUMENT …

A file rather than ``python -c``, which DuckDB takes for a person at a prompt, to whom it draws progress on the output.
"""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    module, function = sys.argv.pop(1).split(":")
    sys.argv[0] = "holdfast"
    sys.exit(getattr(import_module(module), function)())
