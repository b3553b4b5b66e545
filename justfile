# What a contributor runs; `uv run --group lint just --list` shows it.

# everything the gate checks beside the tests
check:
    ruff check .
    ruff format --check .
    pyright
    lint-imports

# mend what can be mended by itself
fix:
    ruff check --fix .
    ruff format .

test *WORDS:
    uv run pytest {{WORDS}}

talk *WORDS:
    uv run avatar {{WORDS}}
