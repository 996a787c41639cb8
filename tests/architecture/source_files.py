"""The source as text and syntax trees, read once for all architecture tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "holdfast"


@cache
def source_files() -> tuple[Path, ...]:
    """Every Python file of the package, relative to ``src/holdfast``."""
    return tuple(sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse((PACKAGE / path).read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[str]:
    """Full names of all modules that a file imports anywhere, also inside functions."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                package = ("holdfast", *path.parts)[: -node.level]
                module = ".".join((*package, *([node.module] if node.module else [])))
            else:
                module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    """The room of DESIGN.md that a file belongs to: its top folder or its own name."""
    return path.parts[0].removesuffix(".py")


def importers(package: str) -> list[Path]:
    """Files that import a package or anything below it."""
    return [
        path
        for path in source_files()
        if any(name == package or name.startswith(f"{package}.") for name in imported(path))
    ]
