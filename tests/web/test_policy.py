"""The security headers of a page: it goes no further than it is allowed to."""

from web.policy import Reach, content_policy, page_headers, permissions


def directives(reach: Reach) -> dict[str, list[str]]:
    """The Content-Security-Policy, by directive."""
    split = (directive.split() for directive in content_policy(reach).split("; "))
    return {name: sources for name, *sources in split}


def test_a_page_that_stays_at_home_reaches_nothing_but_its_own_server():
    policy = directives(Reach())
    assert policy.pop("default-src") == ["'none'"]
    assert policy.pop("img-src") == ["'self'", "blob:", "data:"]
    assert policy.pop("media-src") == ["'self'", "blob:"]
    assert {source for sources in policy.values() for source in sources} == {"'self'", "'none'"}


def test_rooms_may_be_anywhere():
    assert directives(Reach(rooms=True))["connect-src"][1:] == ["ws:", "wss:", "http:", "https:"]


def test_daily_brings_its_script_its_frame_and_the_microphone():
    policy = directives(Reach(daily=True))
    assert policy["script-src"][1:] == [
        "https://cdn.jsdelivr.net/npm/@daily-co/daily-js@0.92.2/",
    ]
    assert policy["frame-src"][0] == "https://*.daily.co"
    assert policy["connect-src"] == ["'self'", "https://*.daily.co"]
    allowed = permissions(Reach(daily=True)).partition("microphone=(self")[2].partition(")")[0]
    assert allowed.replace('"', "").split() == policy["frame-src"]


def test_only_listed_pages_may_show_it_in_a_frame():
    assert directives(Reach())["frame-ancestors"] == ["'self'"]
    listed = Reach(embedders=["https://a.example"])
    assert directives(listed)["frame-ancestors"] == ["'self'", "https://a.example"]


def test_a_page_listens_and_does_nothing_else_with_the_machine():
    headers = page_headers(Reach())
    assert headers["Permissions-Policy"].startswith("microphone=(self), camera=()")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
