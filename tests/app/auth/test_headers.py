"""What headers say, above all: did a page of ours send this?"""

import pytest

from tinghao.app.auth.headers import bearer_token, cookies, origin_verdict

HOST = (b"host", b"hall.example:8000")


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ([HOST, (b"origin", b"http://hall.example:8000")], "own"),
        ([HOST, (b"origin", b"https://hall.example:8000")], "own"),
        ([HOST, (b"origin", b"http://HALL.example:8000")], "own"),
        ([(b"host", b"hall.example"), (b"origin", b"https://hall.example:443")], "own"),
        ([(b"host", b"[::1]:8000"), (b"origin", b"http://[::1]:8000")], "own"),
        ([HOST, (b"origin", b"https://city.example")], "own"),
        ([HOST, (b"origin", b"http://city.example")], "foreign"),
        ([HOST, (b"origin", b"http://hall.example")], "foreign"),
        ([HOST, (b"origin", b"http://evil.example")], "foreign"),
        ([HOST, (b"origin", b"http://hall.example:8000.evil.example")], "foreign"),
        ([HOST, (b"origin", b"null")], "foreign"),
        ([HOST, (b"origin", b"file://hall.example:8000")], "foreign"),
        ([HOST, (b"origin", b"http://hall.example:eight")], "foreign"),
        ([HOST, (b"sec-fetch-site", b"same-origin")], "own"),
        ([HOST, (b"sec-fetch-site", b"same-origin"), (b"origin", b"null")], "own"),
        ([HOST, (b"sec-fetch-site", b"same-site")], "foreign"),
        ([HOST, (b"sec-fetch-site", b"cross-site")], "foreign"),
        ([HOST, (b"referer", b"http://hall.example:8000/halls/puyang/kiosk")], "own"),
        ([HOST, (b"referer", b"http://evil.example/hall.example:8000")], "foreign"),
        ([HOST], "unknown"),
        ([(b"origin", b"http://hall.example:8000")], "foreign"),
    ],
)
def test_the_page_that_sent_it(headers: list[tuple[bytes, bytes]], verdict: str) -> None:
    assert origin_verdict(headers, frozenset({"https://city.example"})) == verdict


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        (b"Bearer th_1", "th_1"),
        (b"bearer  th_1 ", "th_1"),
        (b"Basic dXNlcg==", ""),
        (b"th_1", ""),
        (b"", ""),
        (None, None),
    ],
)
def test_a_bearer_token_is_found_and_another_scheme_is_nobody(
    value: bytes | None, secret: str | None
) -> None:
    headers = [] if value is None else [(b"authorization", value)]
    assert bearer_token(headers) == secret


def test_cookies_of_several_headers_are_one_jar_and_the_first_of_a_name_counts() -> None:
    headers = [(b"cookie", b"a=1; b=2;; c"), (b"accept", b"*/*"), (b"cookie", b"a=3; d=x=y")]
    assert cookies(headers) == {"a": "1", "b": "2", "d": "x=y"}
