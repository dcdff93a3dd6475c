"""Tokens against forged requests, without anything stored.

A page carries a token that only this service can make for the holder of a cookie: for a signed-in
person or paired device from the secret of the session, for anybody else from a signed visitor's
cookie (the double-submit pattern). A cookie that is not ours, say from before the secret was
changed, counts as none and is replaced.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

HEADER = b"x-csrftoken"
FIELD = "_csrf_token"


def new_visitor() -> str:
    """An id for a browser that nobody has signed in with: 128 random bits."""
    return secrets.token_urlsafe(16)


def visitor_cookie(secret: bytes, visitor: str) -> str:
    """The cookie's value: the id and its signature."""
    return f"{visitor}.{_mac(secret, 'visitor', visitor)}"


def visitor_of(secret: bytes, cookie: str | None) -> str | None:
    """The visitor's id, or None when the cookie is absent or not signed by us."""
    visitor, dot, signature = (cookie or "").partition(".")
    if not dot or not _equal(signature, _mac(secret, "visitor", visitor)):
        return None
    return visitor


def token_for(secret: bytes, owner: str) -> str:
    """The token of the pages of ``owner``: a session's secret or a visitor's id."""
    return _mac(secret, "csrf", owner)


def is_token_of(secret: bytes, owner: str, token: str | None) -> bool:
    """Whether ``token`` was made for ``owner``; takes the same time for every wrong one."""
    return token is not None and _equal(token, token_for(secret, owner))


def pseudonym(secret: bytes, text: str) -> str:
    """A name for something that must not be stored itself, such as a network address."""
    return _mac(secret, "pseudonym", text)[:22]


def _mac(secret: bytes, purpose: str, text: str) -> str:
    digest = hmac.digest(secret, f"{purpose}:{text}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _equal(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
