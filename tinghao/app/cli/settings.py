"""``tinghao settings``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tinghao.app.cli.deployment import config_option
from tinghao.app.settings import table
from tinghao.app.settings.page import markdown
from tinghao.app.settings.sources import find_file, load_settings, shown, source_of


@click.command()
@config_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the manual's page.")
def settings(config: Path | None, as_markdown: bool) -> None:
    """List every setting with the value in force, where it comes from, and what it does."""
    if as_markdown:
        click.echo(markdown(), nl=False)
        return
    file = find_file(config, os.environ)
    present = load_settings(file, os.environ)
    click.echo(f"file: {file or 'none'}\n")
    for row in table():
        value = shown(row.name, getattr(present, row.name))
        click.echo(f"{row.name} = {value}  [{source_of(row.name, file, os.environ)}]")
        click.echo(f"    {row.doc} Allowed: {row.allowed}. Environment: {row.variable}.")
