"""A virtual environment with what a file of requirements asks for and nothing else, made of links to our own packages.

Linking takes a second; an installation takes a minute and a network.
"""

from __future__ import annotations

import sysconfig
import venv
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def make_environment(folder: Path, requirements: Path) -> Path:
    """The interpreter of an environment that sees the requirements of the file, and what these require in turn."""
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    listed = requirements.read_text(encoding="utf-8").splitlines()
    for file in {file for package in required(listed) for file in package.files or ()}:  # two packages may share one
        if ".." not in file.parts:  # a command
            place = packages / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file.locate())
    return folder / "bin" / "python"


def required(lines: Iterable[str]) -> Iterator[Distribution]:
    """Each distribution that is installed here to satisfy the requirements, directly or not, once."""
    waiting, walked = [Requirement(line) for line in lines], set[tuple[str, str]]()
    while waiting:
        wanted = waiting.pop()
        found, name = distribution(wanted.name), canonicalize_name(wanted.name)
        assert wanted.specifier.contains(found.version, prereleases=True), f"wanted {wanted}, found {found.version}"
        for extra in {"", *wanted.extras} - {extra for known, extra in walked if known == name}:
            if not any(known == name for known, _ in walked):
                yield found
            walked.add((name, extra))
            needs = map(Requirement, found.requires or ())
            waiting += [each for each in needs if each.marker is None or each.marker.evaluate({"extra": extra})]
