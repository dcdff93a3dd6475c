"""The command line, kept as stable as the API.

A command that fails says one clear sentence on standard error and ends with a code other than 0;
``--traceback`` before the command shows where.
"""

from __future__ import annotations

import importlib
import traceback
from typing import Any

import click

from tinghao import __version__

# Loaded when they are called: a token is made in a fraction of a second, not after the whole web.
COMMANDS = {
    "init": "tinghao.app.cli.init:init",
    "serve": "tinghao.app.cli.serve:serve",
    "demo": "tinghao.app.cli.demo:demo",
    "token": "tinghao.app.cli.tokens:token",
    "account": "tinghao.app.cli.accounts:account",
    "journal": "tinghao.app.cli.journal:journal",
    "replay": "tinghao.app.records.cli:replay_command",
    "import": "tinghao.app.records.cli:import_command",
    "settings": "tinghao.app.cli.settings:settings",
    "doctor": "tinghao.app.cli.doctor:doctor",
    "backup": "tinghao.app.cli.backup:backup",
    "restore": "tinghao.app.cli.backup:restore",
}


class Commands(click.Group):
    """Commands by name, loaded late, whose errors become sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a deployment's life."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            from tinghao.app.cli.sentences import sentence_of  # noqa: PLC0415 - only when needed

            if ctx.params["traceback"]:
                click.echo(traceback.format_exc(), err=True)
            raise click.ClickException(sentence_of(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinghao")
@click.option("--traceback", is_flag=True, help="Show where an error came from.")
def main(traceback: bool) -> None:
    """Tinghao 厅好: real-time operations for a government service hall."""
