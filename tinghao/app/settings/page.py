"""The manual's page of settings, made from the table so that it is never out of date."""

from __future__ import annotations

from tinghao.app.settings import Row, table

_HEAD = """\
# Settings

<!-- Made by `tinghao settings --markdown`; a test holds it against the table in the code. -->

Every setting stands in one TOML file, in the environment, or nowhere: then its default holds. The
environment wins. The file is the one named by `--config`, else by `TINGHAO_CONFIG`, else
`tinghao.toml` in the current folder. `tinghao settings` prints what is in force and where each
value comes from.

A wrong value or a name that is no setting stops the start with a sentence that says which, and
what is allowed. (On Kubernetes, give the pod `enableServiceLinks: false`: a service named `tinghao`
would otherwise put `TINGHAO_PORT=tcp://…` into the environment.)

`{data_directory}` inside a value stands for that setting.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(row) for row in table())])


def default_text(row: Row) -> str:
    """A default as it is written in a TOML file."""
    if isinstance(row.default, bool):
        return "true" if row.default else "false"
    if isinstance(row.default, tuple):
        return "[" + ", ".join(f'"{each}"' for each in row.default) + "]"
    return f'"{row.default}"' if isinstance(row.default, str) else str(row.default)


def _section(row: Row) -> str:
    return (
        f"## `{row.name}`\n\n{row.doc}\n\n"
        f"- in the file: `{row.name} = {default_text(row)}` (the default)\n"
        f"- in the environment: `{row.variable}`\n"
        f"- allowed: {row.allowed}\n"
    )
