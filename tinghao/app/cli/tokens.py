"""``tinghao token``: create, list, revoke."""

from __future__ import annotations

from pathlib import Path

import click

from tinghao.app.auth import tokens
from tinghao.app.auth.caller import TOKEN_ROLES
from tinghao.app.cli.deployment import config_option, open_database, settings_of
from tinghao.app.cli.times import day_text
from tinghao.queue.clock import machine_clock


@click.group()
def token() -> None:
    """Bearer tokens of devices and integrations."""


@token.command()
@click.option(
    "--role", required=True, type=click.Choice(TOKEN_ROLES), help="What the holder may do."
)
@click.option("--hall", metavar="CODE", help="Only in this hall; without it, in every one.")
@click.option("--window", type=click.IntRange(min=1), help="Only at this window.")
@click.option("--label", default="", help="Where it is used, for the list.")
@config_option
def create(
    role: str, hall: str | None, window: int | None, label: str, config: Path | None
) -> None:
    """Make a token. Standard output gets the token and nothing else; it is not shown again."""
    with open_database(settings_of(config)) as database:
        secret = database.write_sync(
            lambda connection: tokens.create(
                connection,
                role=role,
                now=machine_clock(),
                hall=hall,
                window=window,
                label=label,
            )
        )
    click.echo(secret)


@token.command("list")
@config_option
def list_(config: Path | None) -> None:
    """List all tokens, without their secrets."""
    with open_database(settings_of(config)) as database:
        every = database.read_sync(tokens.every)
    for each in every:
        state = "revoked" if each.revoked_at else f"used {day_text(each.used_at)}"
        where = each.hall or "every hall"
        if each.window is not None:
            where += f", window {each.window}"
        click.echo(f"{each.id:4}  {each.role:13}  {where:20}  {state:16}  {each.label}")


@token.command()
@click.argument("number", type=int)
@config_option
def revoke(number: int, config: Path | None) -> None:
    """End a token by its NUMBER in the list, and sign its devices out."""
    with open_database(settings_of(config)) as database:
        database.write_sync(lambda connection: tokens.revoke(connection, number, machine_clock()))
    click.echo(f"Token {number} is revoked. Open screens close within a minute.")
