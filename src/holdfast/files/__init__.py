"""Files and folders that are there whole or not at all, one holder at a time, and nothing left of who was killed.

The only room that locks, syncs and swaps. It needs the standard library alone, so it travels with a stored model.
"""

from holdfast.files.lock import locked
from holdfast.files.temporary import HIDDEN, TemporaryFolder, abandoned, sweep, temporary_folder
from holdfast.files.versioned_folder import LOCK_NAME, VERSIONS, Bytes, Content, VersionedFolder, versioned_folder
from holdfast.files.whole import ALL_BUT_OWNER, OTHERS, sha256, sync, whole_file, whole_folder, write, write_folder

__all__ = [
    "ALL_BUT_OWNER",
    "HIDDEN",
    "LOCK_NAME",
    "OTHERS",
    "VERSIONS",
    "Bytes",
    "Content",
    "TemporaryFolder",
    "VersionedFolder",
    "abandoned",
    "locked",
    "sha256",
    "sweep",
    "sync",
    "temporary_folder",
    "versioned_folder",
    "whole_file",
    "whole_folder",
    "write",
    "write_folder",
]
