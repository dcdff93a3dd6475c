"""The tables of accounts, sessions and tokens.

Of every secret only a hash is stored: Argon2id of a password, SHA-256 of a session id or token
(those are 256 random bits, so a fast hash is enough). Times are microseconds since 1970 UTC.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from tinghao.queue.tables import metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(64), nullable=False, unique=True),  # folded, see accounts.folded
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("hall", String(32), ForeignKey("halls.code"), nullable=True),  # NULL: every hall
    Column("staff_id", Integer, ForeignKey("staff.id"), nullable=True),
    Column("password", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),  # sign-ins begun since the last good one
    Column("blocked_until", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("signed_in_at", BigInteger, nullable=True),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("hall", String(32), ForeignKey("halls.code"), nullable=True),  # NULL: every hall
    Column("window", Integer, nullable=True),  # an evaluator or display of one window
    Column("label", String(80), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=True),  # to the hour
    Column("revoked_at", BigInteger, nullable=True),
)

# A session belongs to a person's account, or to a device that was paired by its token.
sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=True),
    Column("token_id", Integer, ForeignKey("tokens.id"), nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # to the minute
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "account_id"),
    Index(None, "token_id"),
    Index(None, "expires_at"),
)
