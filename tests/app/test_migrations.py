"""The schema that migrations make is the schema that the code expects."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from tinghao.app import migrations
from tinghao.app.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def test_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    migrations.upgrade(database)

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, migrations.every_table()))

    assert database.read_sync(differences) == []


def test_a_new_database_is_empty_and_then_current(database: Database) -> None:
    assert migrations.schema(database) == "empty"
    migrations.upgrade(database)
    assert migrations.schema(database) == "current"
    migrations.upgrade(database)
    assert migrations.schema(database) == "current"


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    database.write_sync(lambda connection: connection.execute(text("CREATE TABLE tokens (x int)")))
    with pytest.raises(Exception, match="tokens"):
        migrations.upgrade(database)
    assert migrations.schema(database) == "empty"


def test_a_database_of_a_newer_program_is_refused_by_name(database: Database) -> None:
    migrations.upgrade(database)
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    database.write_sync(lambda connection: connection.execute(newer))
    known = f"schema 9999.*up to {migrations.newest()}"
    with pytest.raises(migrations.SchemaTooNewError, match=known):
        migrations.upgrade(database)
    with pytest.raises(migrations.SchemaTooNewError, match="newer Tinghao"):
        migrations.schema(database)


def test_migrations_are_numbered_in_the_order_they_run() -> None:
    scripts = ScriptDirectory(str(migrations.FOLDER))
    in_order = [script.revision for script in scripts.walk_revisions()][::-1]
    assert in_order == sorted(in_order)
    assert migrations.newest() == scripts.get_current_head()
