"""The rules of the house that a test can hold."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.parts import PARTS
from pipelines.settings import environment_names

ROOT = Path(__file__).parents[1]
FOLDERS = ("bots", "guide", "liveavatar", "pipelines", "puppet", "sandbox", "sessions", "web")
MODULES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
LONGEST_FUNCTION = 60
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "expandvars", "dotenv"}
ids = [str(file.relative_to(ROOT)) for file in MODULES]


def parts_table():
    """The README's table, from the table of parts."""
    head = "| kind | value | what it is | needs | runs |\n|---|---|---|---|---|\n"
    rows = []
    for row in PARTS:
        needs = ", ".join(f"`{environment_names(field)[0]}`" for field in row.needs) or "–"
        where = "here" if row.local else "cloud"
        rows.append(f"| {row.kind} | `{row.value}` | {row.summary} | {needs} | {where} |\n")
    return head + "".join(rows)


def test_the_readme_has_the_table_of_parts():
    readme = (ROOT / "README.md").read_text()
    written = readme.split("<!-- parts -->\n")[1].split("<!-- /parts -->")[0]
    assert written == parts_table(), f"put this into README.md:\n{parts_table()}"


def _names(tree: ast.AST) -> Iterator[str]:
    """Every name in a module, however it is reached: written, imported, or in quotes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield from name.split(".")
            case ast.ImportFrom(module=str(name)):
                yield from name.split(".")
            case ast.Constant(value=str(name)):
                yield from name.split("/")


def environment_reads(source: str) -> set[str]:
    """What reads the environment in a module, itself or by a library."""
    return ENVIRONMENT & set(_names(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.environ['HOME']",
        "import os; os.getenv('HOME')",
        "from os import environ as e",
        "import os.path; os.path.expandvars('$HOME')",
        "from os.path import expandvars",
        "import os; getattr(os, 'environ')",
        "open('/proc/self/environ')",
        "from dotenv import dotenv_values",
    ],
)
def test_every_road_to_the_environment_is_known(source):
    assert environment_reads(source)


def test_only_the_settings_read_the_environment():
    found = {str(f.relative_to(ROOT)): environment_reads(f.read_text()) for f in MODULES}
    assert {file for file, names in found.items() if names} == {"pipelines/settings.py"}


@pytest.mark.parametrize("file", MODULES, ids=ids)
def test_functions_are_short_and_say_what_they_return(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name
            assert node.returns is not None, f"{node.name} has no return type"


@pytest.mark.parametrize("file", MODULES, ids=ids)
def test_nothing_swallows_every_error(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ExceptHandler):
            catches_all = node.type is None or getattr(node.type, "id", "") in (
                "Exception",
                "BaseException",
            )
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            assert raises or not catches_all, f"line {node.lineno}"


@pytest.mark.parametrize("file", MODULES, ids=ids)
def test_modules_are_one_noun(file):
    assert file.stem not in ("utils", "helpers", "base", "manager", "common")
    assert len(file.read_text().splitlines()) <= 400
