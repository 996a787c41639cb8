"""The habits of the house that a program can check."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

import holdfast
from tests.architecture.source_files import PACKAGE, ROOT, source_files, tree

MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:home|root|Users|work|tmp|mnt)/\w")


@pytest.mark.parametrize("path", source_files(), ids=str)
def test_a_file_holds_one_concept(path: Path) -> None:
    """Past 350 lines a file holds two ideas, and its reader has lost the first."""
    assert len((PACKAGE / path).read_text(encoding="utf-8").splitlines()) <= 350


def test_no_two_public_classes_share_a_name() -> None:
    """A name that means two things sends its reader to the wrong file; one grep must find one class."""
    files: dict[str, list[str]] = {}
    for path in source_files():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files.setdefault(node.name, []).append(str(path))
    assert {name: found for name, found in files.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", source_files(), ids=str)
def test_every_file_says_in_words_what_it_is_for(path: Path) -> None:
    """A reader decides by the first lines whether to read on."""
    assert ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", source_files(), ids=str)
def test_every_public_function_and_class_is_documented(path: Path) -> None:
    """What has no underscore is used by others, who should not need to read the code."""
    undocumented = [name for name, node in public_definitions(tree(path)) if not ast.get_docstring(node)]
    assert undocumented == []


def test_no_file_names_a_path_of_one_machine() -> None:
    """A path of the author's machine works nowhere else."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    texts = [
        ROOT / name for name in listed if Path(name).suffix in {".py", ".toml", ".md", ".yaml", ".yml", ".ipynb", ""}
    ]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts
        if path.is_file() and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_the_public_names_are_few_and_all_of_them_exist() -> None:
    """At most twelve names to learn; each is loaded when first used."""
    names = list(getattr(holdfast, "__all__", []))
    assert len(names) <= 12
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(holdfast, name).__doc__ or name == "__version__", name


def test_tests_live_where_they_are_looked_for() -> None:
    """Six kinds of tests, six folders; a test elsewhere would not be found by its reader."""
    kinds = {"architecture", "property", "oracle", "unit", "end_to_end", "benchmarks"}
    assert {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")} <= kinds


def public_definitions(module: ast.Module) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """What has a name without underscore; a method of a derived class is documented in its base."""
    found = []
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            found.append((node.name, node))
            if isinstance(node, ast.ClassDef) and not node.bases:
                found += [
                    (f"{node.name}.{member.name}", member)
                    for member in node.body
                    if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and not member.name.startswith("_")
                ]
    return found
