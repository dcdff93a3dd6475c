"""Origins, addresses and what the application is told of a request."""

import pytest
from websockets.datastructures import Headers

from tinghao.realtime.handshake import client_address, handshake, is_allowed_origin


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "hall.example", True),
        ("https://hall.example", "hall.example", True),
        ("https://hall.example", "hall.example:443", True),
        ("https://HALL.example", "hall.example", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://other.example", "hall.example", True),  # listed below
        ("http://hall.example:8000", "hall.example", False),
        ("https://hall.example.evil", "hall.example", False),
        ("https://evil.example", "hall.example", False),
        ("null", "hall.example", False),
        ("", "hall.example", False),
        ("https://", "", False),
        ("https://hall.example:x", "hall.example", False),
        ("file://hall.example", "hall.example", False),
    ],
)
def test_only_our_own_pages_and_those_allowed_may_connect(
    origin: str | None, host: str, allowed: bool
) -> None:
    headers = Headers({"Host": host})
    if origin is not None:
        headers["Origin"] = origin
    assert is_allowed_origin(headers, {"https://other.example"}) is allowed


def test_a_request_that_names_two_origins_or_hosts_is_nobodys() -> None:
    two = Headers([("Origin", "https://a"), ("Origin", "https://a"), ("Host", "a")])
    assert not is_allowed_origin(two, ())
    two = Headers([("Origin", "https://a"), ("Host", "a"), ("Host", "a")])
    assert not is_allowed_origin(two, ())


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("9.9.9.9", [], {"10.0.0.1"}, "9.9.9.9"),
        ("9.9.9.9", ["1.1.1.1"], {"10.0.0.1"}, "9.9.9.9"),  # anybody may say anything
        ("10.0.0.1", ["1.1.1.1, 2.2.2.2"], {"10.0.0.1"}, "2.2.2.2"),
        ("10.0.0.1", ["1.1.1.1", "2.2.2.2, 10.0.0.1"], {"10.0.0.1"}, "2.2.2.2"),
        ("10.0.0.1", [], {"10.0.0.1"}, ""),
        ("10.0.0.1", [" , "], {"10.0.0.1"}, ""),
        ("8.8.8.8", ["1.1.1.1, 2.2.2.2"], {"*"}, "1.1.1.1"),
        ("", [], set(), ""),
    ],
)
def test_a_client_is_known_by_the_nearest_address_that_is_no_proxy_of_ours(
    peer: str, forwarded: list[str], trusted: set[str], address: str
) -> None:
    headers = Headers([("X-Forwarded-For", value) for value in forwarded])
    assert client_address(peer, headers, trusted) == address


def test_the_application_sees_plain_headers_and_no_cookie_without_an_origin() -> None:
    page = Headers([("Origin", "https://a"), ("Cookie", "a=1"), ("Cookie", "b=2"), ("X", "1")])
    assert handshake(page, "1.1.1.1").headers == {
        "origin": "https://a",
        "cookie": "a=1; b=2",
        "x": "1",
    }
    device = Headers([("Authorization", "Bearer x"), ("Cookie", "a=1")])
    assert handshake(device, "").headers == {"authorization": "Bearer x"}
