"""The page's files: where they are, how long they hold, and what cannot be seen."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from web.files import WEB, Folder

LIVEKIT = WEB / "vendor" / "livekit-client"
# Of dist/livekit-client.umd.js as npm publishes it; scripts/livekit-client prints it.
LIVEKIT_SHA384 = "HkA7rQNo8H04l1p4zoXX1Cy+h9YoYp8LvKt4vfMFhv4KFk07UkrNwIUnyBum8Pw6"
PACKAGE = json.loads((WEB.parent / "package.json").read_text())
SCRIPT = "export const answer = 42;\n" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files to be seen and some to be not."""
    (tmp_path / "page.html").write_text("<!doctype html>")
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "one.js").write_text(SCRIPT)
    for unseen in ("files.py", "package.json", ".hidden.js", "node_modules/x.js", ".git/x.js"):
        (tmp_path / unseen).parent.mkdir(exist_ok=True)
        (tmp_path / unseen).write_text("secret")
    return tmp_path


@pytest.fixture
def browser(folder: Path) -> TestClient:
    """Somebody who asks for files; `pages` get a header of their own."""
    routes = Folder(folder).routes("/base", pages={"X-Page": "yes"})
    return TestClient(Starlette(routes=routes), headers={"Accept-Encoding": "gzip"})


def element(browser: TestClient) -> str:
    """The address that avatar.js leads to, without the file."""
    text = browser.get("/base/avatar.js").text
    found = re.fullmatch(r'export \* from "\./(web/[0-9a-f]{16})/element/avatar-call\.js";\n', text)
    assert found, text
    return f"/base/{found[1]}"


def test_avatar_js_can_be_loaded_by_any_page_and_is_asked_for_each_time(browser):
    answer = browser.get("/base/avatar.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_file_under_the_digest_holds_for_ever(browser):
    answer = browser.get(f"{element(browser)}/part/one.js")
    assert answer.text == SCRIPT
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_changed_file_changes_the_address_and_the_old_one_still_leads_somewhere(browser, folder):
    before = element(browser)
    (folder / "part" / "one.js").write_text("export {};")
    assert element(browser) != before
    answer = browser.get(f"{before}/part/one.js")
    assert (answer.text, answer.headers["Cache-Control"]) == ("export {};", "no-cache")


def test_texts_are_packed_for_who_can_unpack_them(browser):
    packed = browser.get("/base/web/part/one.js")
    plain = browser.get("/base/web/part/one.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(SCRIPT) / 5
    assert "Content-Encoding" not in plain.headers
    assert packed.text == plain.text == SCRIPT
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


def test_a_script_travels_without_its_comments_and_its_lines_keep_their_numbers(browser, folder):
    script = """// Says
// something.

/**
 * Twice: /* x
 * @param {string} x
 */
export function twice(x) {
  // Here, too.
  return `https://${x}/*`; /* stays */
}
"""
    (folder / "part" / "one.js").write_text(script)
    sent = browser.get("/base/web/part/one.js").text.splitlines()
    kept = (8, 10, 11)
    assert sent == [line if n in kept else "" for n, line in enumerate(script.splitlines(), 1)]


def test_a_script_of_others_travels_as_it_is(browser, folder):
    (folder / "vendor").mkdir()
    (folder / "vendor" / "theirs.js").write_text("// Licence\nexport {};\n")
    assert browser.get("/base/web/vendor/theirs.js").text == "// Licence\nexport {};\n"


def test_what_gets_no_smaller_is_sent_as_it_is(browser):
    assert "Content-Encoding" not in browser.get("/base/web/page.html").headers


@pytest.mark.parametrize("spelling", ["{}", "W/{}", '"other", {}'])
def test_who_has_a_file_already_is_told_so(browser, spelling):
    first = browser.get("/base/web/part/one.js")
    known = {"If-None-Match": spelling.format(first.headers["ETag"])}
    again = browser.get("/base/web/part/one.js", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "no-cache"


def test_pages_among_the_files_get_their_headers(browser):
    assert browser.get("/base/web/page.html").headers["X-Page"] == "yes"
    assert "X-Page" not in browser.get("/base/web/part/one.js").headers


@pytest.mark.parametrize(
    "path",
    [
        "files.py",
        "package.json",
        ".hidden.js",
        "node_modules/x.js",
        ".git/x.js",
        "part",
        "",
        "nobody.js",
        "../web/page.html",
        "%2e%2e/page.html",
        "part/%2e%2e/page.html",
        "/etc/passwd",
        "%00.js",
        "x" * 5000 + ".js",
    ],
)
def test_nothing_else_can_be_seen(browser, path):
    for base in ("/base/web/", f"{element(browser)}/"):
        answer = browser.get(base + path)
        assert answer.status_code == 404 or answer.text == "<!doctype html>"


def test_the_page_and_its_parts_are_there():
    names = Folder().names()
    assert {"pages/index.html", "call/livekit.js"} <= set(names)
    assert not [name for name in names if "node_modules" in name or name.endswith(".py")]


def test_livekits_client_is_the_file_that_npm_publishes():
    content = (LIVEKIT / "livekit-client.umd.js").read_bytes()
    assert base64.b64encode(hashlib.sha384(content).digest()).decode() == LIVEKIT_SHA384


def test_livekits_client_comes_with_its_licences():
    licences = (LIVEKIT / "LICENCES.txt").read_text()
    assert f"livekit-client {PACKAGE['dependencies']['livekit-client']}, Apache-2.0" in licences
    assert "Permission is hereby granted" in licences


def test_dailys_client_is_the_one_that_the_page_is_tested_with():
    version = PACKAGE["devDependencies"]["@daily-co/daily-js"]
    assert f"/@daily-co/daily-js@{version}/" in (WEB / "call" / "daily.js").read_text()
