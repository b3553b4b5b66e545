# What a contributor runs; `uv run --group lint just --list` shows it.

npm := "node_modules/.bin"

# everything the gate checks beside the tests
check:
    ruff check .
    ruff format --check .
    pyright
    lint-imports
    @test -x {{npm}}/biome || { echo "Biome and TypeScript are not installed: run npm ci."; exit 1; }
    {{npm}}/biome ci
    {{npm}}/eslint web sandbox/page tests/browser
    {{npm}}/tsc --project .
    {{npm}}/tsc --project tests/web

# mend what can be mended by itself
fix:
    ruff check --fix .
    ruff format .
    {{npm}}/biome check --write

test *WORDS:
    uv run --group dev pytest {{WORDS}}

talk *WORDS:
    uv run avatar {{WORDS}}
