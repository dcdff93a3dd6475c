"""The tables of the hall's work, one schema for SQLite and PostgreSQL.

Times are integer microseconds since 1970 UTC; a business day is the integer yyyymmdd of the
hall's own date. The journal is the truth; every other table here is written in the same
transaction as the journal entry that it repeats for those who query.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _hall() -> Column[int]:
    return Column("hall_id", Integer, ForeignKey("halls.id"), nullable=False)


halls = Table(
    "halls",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(32), nullable=False, unique=True),
    # The journal's incarnation: a restore makes a new one, nothing else does.
    Column("epoch", String(16), nullable=False),
    Column("head_seq", BigInteger, nullable=False),
    Column("head_hash", String(64), nullable=False),
    Column("head_at", BigInteger, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    _hall(),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("half_hour", Integer, nullable=False),  # 0..47, of the hall's own day
    Column("kind", String(40), nullable=False),
    Column("entry", Text, nullable=False),  # the canonical text that the hash covers
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("hall_id", "seq"),
    Index(None, "hall_id", "day"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _hall(),
    Column("seq", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("hall_id", "seq"),
)

seals = Table(
    "seals",
    metadata,
    _hall(),
    Column("seq", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("epoch", String(16), nullable=False),  # of the journal when it was sealed
    Column("hash", String(64), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("signature", String(128), nullable=False),  # Ed25519, hexadecimal
    PrimaryKeyConstraint("hall_id", "seq"),
)

staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True),
    _hall(),
    Column("badge", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("active", Boolean, nullable=False),
    UniqueConstraint("hall_id", "badge"),
)

texts = Table(
    "texts",
    metadata,
    Column("id", String(32), primary_key=True),
    _hall(),
    Column("salt", String(32), nullable=False),
    Column("text", Text, nullable=True),  # NULL once erased; the commitment stays in the journal
    Column("written_at", BigInteger, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    _hall(),
    Column("id", BigInteger, nullable=False),  # the seq of its take
    Column("day", Integer, nullable=False),
    Column("half_hour", Integer, nullable=False),  # of the take
    Column("number", String(16), nullable=False),
    Column("category", String(32), nullable=False),
    Column("item", String(64), nullable=True),
    Column("channel", String(16), nullable=False),
    Column("priority", String(16), nullable=True),
    Column("ground", String(16), nullable=True),
    Column("state", String(16), nullable=False),
    Column("stage", Integer, nullable=False),
    Column("window", Integer, nullable=True),
    Column("taken_at", BigInteger, nullable=False),
    Column("called_at", BigInteger, nullable=True),  # first call of all stages
    Column("started_at", BigInteger, nullable=True),
    Column("finished_at", BigInteger, nullable=True),
    Column("settled_at", BigInteger, nullable=True),
    Column("result", String(32), nullable=True),
    Column("reason", String(32), nullable=True),
    Column("grade", Integer, nullable=True),
    Column("life", Text, nullable=False),  # the whole Ticket value, for what is loaded by id
    Column("token_hash", String(64), nullable=True, unique=True),
    PrimaryKeyConstraint("hall_id", "id"),
    UniqueConstraint("hall_id", "day", "number"),
    Index(None, "hall_id", "state"),
)

stages = Table(
    "stages",
    metadata,
    _hall(),
    Column("ticket_id", BigInteger, nullable=False),
    Column("no", Integer, nullable=False),  # 1 for the take, one more for each transfer
    Column("day", Integer, nullable=False),
    Column("half_hour", Integer, nullable=False),  # of entering the stage
    Column("category", String(32), nullable=False),
    Column("window", Integer, nullable=True),
    Column("staff_id", Integer, nullable=True),
    Column("entered_at", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("called_at", BigInteger, nullable=True),
    Column("calls", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=True),
    Column("held_us", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("outcome", String(16), nullable=True),
    PrimaryKeyConstraint("hall_id", "ticket_id", "no"),
    Index(None, "hall_id", "day"),
)

windows = Table(
    "windows",
    metadata,
    _hall(),
    Column("number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("staff_id", Integer, nullable=True),
    Column("since", BigInteger, nullable=False),
    Column("ticket_id", BigInteger, nullable=True),
    Column("pause_reason", String(32), nullable=True),
    Column("categories", Text, nullable=False),
    PrimaryKeyConstraint("hall_id", "number"),
)

answers = Table(
    "answers",
    metadata,
    _hall(),
    Column("caller", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the command, to refuse another body
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False),  # machine time, for the 24 hours it is kept
    PrimaryKeyConstraint("hall_id", "caller", "key"),
    Index(None, "at"),
)
