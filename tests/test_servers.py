"""The servers that tests ask for are real, and each test's database is its own."""

import socket

import pytest
import sqlalchemy as sa

from tests import servers


def make_table(database_url):
    engine = sa.create_engine(database_url)
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE notice (text VARCHAR(20))"))
            connection.execute(sa.text("INSERT INTO notice VALUES ('一次办妥')"))
        with engine.connect() as connection:
            return connection.execute(sa.text("SELECT text FROM notice")).scalar_one()
    finally:
        engine.dispose()


def test_a_database_is_there(database_url):
    """A test can make tables and keep Chinese text in them, on both kinds of database."""
    assert make_table(database_url) == "一次办妥"


def test_a_database_is_new(database_url):
    """The table that the test above made is not there any more."""
    assert make_table(database_url) == "一次办妥"


def test_redis_answers(redis_url):
    """The URL leads to a server that answers."""
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(16) == b"+PONG\r\n"


def test_a_missing_program_is_named():
    """Whoever lacks a part learns which package holds it."""
    with pytest.raises(servers.MissingError, match=r"no-such-program .* \(Debian: such-package\)"):
        servers.executable("no-such-program", package="such-package")
