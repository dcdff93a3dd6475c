"""Run by Alembic for each command; the connection and its transaction are the caller's."""

from alembic import context

from tinghao.app.migrations import every_table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=every_table(),
    transactional_ddl=True,  # SQLite too: all of it or nothing
    render_as_batch=True,  # SQLite cannot alter a column; a copied table can
)
context.run_migrations()
