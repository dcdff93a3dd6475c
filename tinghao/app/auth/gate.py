"""The gate: every request and every socket asks here who its sender is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import Connection

from tinghao.app.auth import accounts, csrf, sessions, tokens
from tinghao.app.auth.caller import Caller
from tinghao.app.auth.headers import RawHeaders, Verdict, bearer_token, cookies, origin_verdict
from tinghao.app.auth.lookups import Lookups
from tinghao.app.auth.passwords import PasswordChecks, outdated
from tinghao.app.auth.sessions import DEVICE_LIFETIME, Found
from tinghao.app.auth.throttle import Throttle, account_delay, address_delay
from tinghao.app.auth.tokens import hashed
from tinghao.app.database import Database, DatabaseUnavailable
from tinghao.app.settings import Settings
from tinghao.queue.clock import Clock, machine_clock

T = TypeVar("T")

SESSION_COOKIE = "tinghao_session"
VISITOR_COOKIE = "tinghao_visitor"
HOST_PREFIX = "__Host-"
"""Before a cookie's name under https: no neighbour on a sub-domain can plant one then."""

MINUTE = 60_000_000
HOUR = 60 * MINUTE


class NotAuthenticatedError(Exception):
    """A bearer token that is not valid (any more)."""


class SignInRefusedError(Exception):
    """Wrong name or password, or the account is disabled: the answer does not tell which."""


class SignInWaitError(Exception):
    """Too many wrong tries: ``seconds`` until the next one."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} seconds")
        self.seconds = seconds


class SignedIn(Struct, frozen=True):
    """A new session: whose, and the secret for the cookie."""

    caller: Caller
    secret: str


class Gate:
    """Accounts, sessions and tokens of one database; ``secret`` signs cookies and CSRF tokens.

    Answers are remembered for ``remember`` seconds: so long a revocation by another process may
    take to be seen; one through this gate is seen at once.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        secret: bytes,
        *,
        clock: Clock = machine_clock,
        remember: float = 3.0,
    ) -> None:
        self.secret = secret
        self._database = database
        self._clock = clock
        self._idle = settings.session_idle_minutes * MINUTE
        self._lifetime = settings.session_hours * HOUR
        self._https_only = settings.public_url.startswith("https:")
        public = {settings.public_url.lower()} if settings.public_url else set()
        self._origins = frozenset(public | {one.lower() for one in settings.allowed_origins})
        self._found: Lookups[Found] = Lookups(remember)
        self._passwords = PasswordChecks()
        self._addresses = Throttle(address_delay)
        self._unknown_names = Throttle(account_delay)

    def close(self) -> None:
        """End the threads that check passwords."""
        self._passwords.close()

    # -- who is it?

    async def authenticate(self, headers: RawHeaders, *, address: str = "") -> Caller:
        """Who sent ``headers`` (lower-case names, as ASGI has them) from ``address``.

        A bearer token speaks louder than a cookie. A session that has ended makes a citizen, a
        wrong token raises NotAuthenticatedError: a device must notice. DatabaseUnavailable.
        """
        bearer = bearer_token(headers)
        if bearer is not None:
            found = await self._by_token(bearer)
            if found is None:
                raise NotAuthenticatedError
            return found.caller
        secret = self.session_secret(headers)
        if secret is not None:
            found = await self._by_session(hashed(secret))
            if found is not None:
                return found.caller
        return self._citizen(headers, address)

    async def holder(self, subject: str) -> Caller | None:
        """Whose session or token (see ``Caller.subject``) it is; None when it holds no more."""
        kind, _, name = subject.partition(":")
        if kind == "session":
            found = await self._by_session(name)
        elif kind == "token" and name.isdecimal():
            found = await self._ask(
                subject, lambda connection: sessions.by_token_id(connection, int(name))
            )
        else:
            return None
        return None if found is None else found.caller

    async def still_valid(self, caller: Caller) -> bool:
        """Whether an open socket's caller may still do what it could when it came."""
        subject = caller.subject
        return subject is None or await self.holder(subject) == caller

    def origin(self, headers: RawHeaders) -> Verdict:
        """Whether a page of ours sent it; a socket that comes with a cookie must be ``own``."""
        return origin_verdict(headers, self._origins)

    def session_secret(self, headers: RawHeaders) -> str | None:
        """The session cookie's value, if there is one."""
        return self._cookie(headers, SESSION_COOKIE)

    def visitor(self, headers: RawHeaders) -> str | None:
        """The id of a browser that nobody has signed in with, if it has a cookie of ours."""
        return csrf.visitor_of(self.secret, self._cookie(headers, VISITOR_COOKIE))

    def _cookie(self, headers: RawHeaders, name: str) -> str | None:
        jar = cookies(headers)
        value = jar.get(HOST_PREFIX + name)
        return value if value is not None or self._https_only else jar.get(name)

    def _citizen(self, headers: RawHeaders, address: str) -> Caller:
        visitor = self.visitor(headers)
        known_by = visitor if visitor is not None else f"address:{address}"
        return Caller(kind="citizen", id=f"citizen:{csrf.pseudonym(self.secret, known_by)}")

    async def _by_token(self, secret: str) -> Found | None:
        if not secret.startswith(tokens.PREFIX):
            return None
        key = hashed(secret)

        def touch(connection: Connection, found: Found, now: int) -> None:
            if found.caller.token_id is not None:
                tokens.touch(connection, found.caller.token_id, now)

        return await self._ask(
            key, lambda connection: sessions.by_token(connection, key), HOUR, touch
        )

    async def _by_session(self, key: str) -> Found | None:
        return await self._ask(
            key,
            lambda connection: sessions.by_session(connection, key, self._clock(), self._idle),
            MINUTE,
            lambda connection, found, now: sessions.touch(connection, key, now),
        )

    async def _ask(
        self,
        key: str,
        look: Callable[[Connection], Found | None],
        touch_every: int = 0,
        touch: Callable[[Connection, Found, int], None] | None = None,
    ) -> Found | None:
        """What ``look`` finds, from memory if it was asked just now; says it was used, coarsely."""

        async def ask() -> Found | None:
            found = await self._database.read(look)
            now = self._clock()
            if found is not None and touch is not None:
                stale = found.touched_at is None or now - found.touched_at >= touch_every
                if stale:
                    # Not knowing when a device was here last is no reason to turn it away.
                    with contextlib.suppress(DatabaseUnavailable):
                        await self._database.write(lambda connection: touch(connection, found, now))
            return found

        return await self._found.get(key, ask)

    # -- coming in and going out

    async def sign_in(
        self, username: str, password: str, *, address: str, before: str | None = None
    ) -> SignedIn:
        """A new session for a person; ``before``, the secret of the browser's old one, ends.

        Raises SignInRefusedError, SignInWaitError, TooManyChecksError or DatabaseUnavailable.
        """
        now = self._clock()
        known_by = accounts.folded(username)
        wait = max(self._addresses.wait(address, now), self._unknown_names.wait(known_by, now))
        if wait > 0:
            raise SignInWaitError(wait)
        attempt = await self._database.write(
            lambda connection: accounts.begin_attempt(connection, username, now)
        )
        if attempt is None:
            # As slow and as patient as with a name that exists, so that nobody can tell.
            self._unknown_names.failed(known_by, now)
        elif attempt.wait > 0:
            raise SignInWaitError(attempt.wait)
        right = await self._passwords.check(attempt.password if attempt else None, password)
        if attempt is None or not right or not attempt.active:
            self._addresses.failed(address, now)
            raise SignInRefusedError
        new_hash = await self._passwords.hash(password) if outdated(attempt.password) else None
        account_id = attempt.account_id

        def begin(connection: Connection) -> SignedIn:
            now = self._clock()
            accounts.attempt_succeeded(connection, account_id, now, new_hash)
            if before is not None:
                sessions.end(connection, hashed(before))
            secret = sessions.start(
                connection, now=now, lifetime=self._lifetime, account_id=account_id
            )
            return self._signed_in(connection, secret, now)

        signed_in = await self.change(begin)
        self._addresses.succeeded(address)
        return signed_in

    async def pair(self, token: str, *, before: str | None = None) -> SignedIn:
        """A device's session, for the token that was pasted into it once.

        Raises SignInRefusedError when the token is not valid.
        """

        def begin(connection: Connection) -> SignedIn:
            now = self._clock()
            found = sessions.by_token(connection, hashed(token))
            if found is None:
                raise SignInRefusedError
            if before is not None:
                sessions.end(connection, hashed(before))
            secret = sessions.start(
                connection, now=now, lifetime=DEVICE_LIFETIME, token_id=found.caller.token_id
            )
            return self._signed_in(connection, secret, now)

        return await self.change(begin)

    async def sign_out(self, secret: str) -> None:
        """End the session of that cookie."""
        await self.change(lambda connection: sessions.end(connection, hashed(secret)))

    def _signed_in(self, connection: Connection, secret: str, now: int) -> SignedIn:
        found = sessions.by_session(connection, hashed(secret), now, self._idle)
        if found is None:  # disabled or revoked while the password was checked
            raise SignInRefusedError
        return SignedIn(found.caller, secret)

    async def change(self, fn: Callable[[Connection], T]) -> T:
        """Change accounts or tokens in one transaction; what it revokes ends here at once."""
        result = await self._database.write(fn)
        self._found.forget()
        return result
