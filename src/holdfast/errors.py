"""Everything that can go wrong, as one tree, each branch with the exit code of the command line.

::

    HoldfastError            1   anything that the branches below do not name
    ├── ConfigError          2   wrong usage, or a configuration that cannot be right
    ├── DataError            3   the data cannot be used as it is
    ├── AuditError           4   the audit found a leak that nobody allowed
    ├── RegistryError        5   the model registry does not answer
    ├── LockedError          6   another job holds the lock
    ├── BundleError          1   a model bundle is damaged or belongs to another catalogue
    └── StorageError         1   memory or disk did not suffice

Every message says what was wanted, what was found and what to do. No message quotes a customer's data.
"""

from __future__ import annotations


class HoldfastError(Exception):
    """The root: catch it to catch every error that holdfast raises on purpose."""

    exit_code = 1


class ConfigError(HoldfastError):
    """A setting, an argument or a file name cannot be right; nothing was read or written."""

    exit_code = 2


class DataError(HoldfastError):
    """The data was read and cannot serve: a column is missing, too many rows are rejected, too few customers."""

    exit_code = 3


class AuditError(HoldfastError):
    """The audit found knowledge of the future in the features; no model was trained."""

    exit_code = 4


class RegistryError(HoldfastError):
    """The tracking server or model registry cannot be reached."""

    exit_code = 5


class LockedError(HoldfastError):
    """Another job works on the same output; this one did nothing."""

    exit_code = 6


class BundleError(HoldfastError):
    """A stored model does not match its hashes, its format or the catalogue of features."""


class StorageError(HoldfastError):
    """Memory or disk did not suffice for what was to be read or kept; what was there before is still there."""
