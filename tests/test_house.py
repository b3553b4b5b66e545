"""The rules of the house that a test can hold."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from pipelines.parts import PARTS
from pipelines.settings import environment_names

pytestmark = pytest.mark.patient

ROOT = Path(__file__).parents[1]
FUZZER = re.compile("hypothesis|schemathesis")
FOLDERS = ("bots", "guide", "liveavatar", "pipelines", "puppet", "sandbox", "sessions", "web")
MODULES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
LONGEST_FUNCTION = 60
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "expandvars", "dotenv"}
LONGEST_FILE = 400
CATCH_ALLS = {
    *("base", "common", "core", "func", "functions", "general", "generic", "helper", "helpers"),
    *("lib", "main", "manager", "misc", "shared", "stuff", "tool", "tools", "util", "utils"),
}
# Things that have a name of two words.
TWO_WORDS = {"sandbox/livekit_server.py"}
Rule = Callable[[Path], Iterable[str]]


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


def offences(breaks: Rule) -> list[str]:
    """Every place that breaks a rule, a line each."""
    return [f"{file.relative_to(ROOT)}: {what}" for file in MODULES for what in breaks(file)]


def told(found: list[str], rule: str) -> str:
    """What to say of them."""
    return "\n".join([f"{len(found)} times against the rule that {rule}:", *found])


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_functions_are_short():
    def long(file: Path) -> Iterator[str]:
        for function in functions(file):
            length = (function.end_lineno or 0) - function.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{function.name} has {length} lines"

    assert not (found := offences(long)), told(found, f"{LONGEST_FUNCTION} lines are enough")


def test_functions_say_what_they_return():
    def silent(file: Path) -> Iterator[str]:
        for function in functions(file):
            if function.returns is None:
                yield f"{function.name} in line {function.lineno}"

    assert not (found := offences(silent)), told(found, "return types are written")


def test_nothing_swallows_every_error():
    def swallows(file: Path) -> Iterator[str]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ExceptHandler) and _catches_all(node):
                if not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
                    yield f"line {node.lineno}"

    assert not (found := offences(swallows)), told(found, "no error goes unheard")


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {getattr(kind, "id", getattr(kind, "attr", "")) for kind in kinds}
    return None in kinds or bool(names & {"Exception", "BaseException"})


def test_modules_are_one_noun():
    """One word each, none of which says that it holds this and that."""

    def vague(file: Path) -> Iterator[str]:
        words = file.stem.strip("_").split("_")
        if len(words) > 1 and str(file.relative_to(ROOT)) not in TWO_WORDS:
            yield "is more than one word"
        yield from (f"{word} is no noun of its own" for word in words if word in CATCH_ALLS)

    assert not (found := offences(vague)), told(found, "a module is one noun")


def test_files_are_short():
    def long(file: Path) -> Iterator[str]:
        if (length := len(file.read_text().splitlines())) > LONGEST_FILE:
            yield f"has {length} lines"

    assert not (found := offences(long)), told(found, f"{LONGEST_FILE} lines are enough")


def test_the_fuzzer_is_imported_only_after_what_skips_a_file_without_it():
    """It is no part of the group that the README's command installs."""
    found = []
    for file in sorted((ROOT / "tests").glob("*/test_*.py")):
        names = [
            each.module if isinstance(each, ast.ImportFrom) else each.names[0].name
            for each in ast.parse(file.read_text()).body
            if isinstance(each, ast.Import | ast.ImportFrom)
        ]
        fuzzers = [at for at, name in enumerate(names) if name and FUZZER.match(name)]
        if fuzzers:
            found.append(file.name)
            assert "tests.fuzz" in names[: fuzzers[0]], file
    assert found
