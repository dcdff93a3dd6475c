"""``tinghao account``: create, list, password, disable, enable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from sqlalchemy import Connection, select

from tinghao.app.auth import accounts
from tinghao.app.auth.caller import ACCOUNT_ROLES
from tinghao.app.auth.passwords import hash_password, new_password
from tinghao.app.cli.deployment import config_option, open_database, settings_of
from tinghao.app.cli.sentences import CommandError
from tinghao.queue.clock import machine_clock
from tinghao.queue.people import add_person
from tinghao.queue.tables import halls, staff

_ask = click.option(
    "--ask", is_flag=True, help="Type the password instead of having one made and printed."
)


@click.group()
def account() -> None:
    """Accounts of people."""


@account.command()
@click.argument("username")
@click.option("--role", required=True, type=click.Choice(ACCOUNT_ROLES))
@click.option("--name", help="The name to show; without it, the user name.")
@click.option("--hall", metavar="CODE", help="Only in this hall; without it, in every one.")
@click.option(
    "--badge", help="The person's badge number in the hall; new ones join the hall's staff."
)
@_ask
@config_option
def create(
    username: str,
    role: str,
    name: str | None,
    hall: str | None,
    badge: str | None,
    ask: bool,
    config: Path | None,
) -> None:
    """Make an account."""
    shown = name or username
    with open_database(settings_of(config)) as database:
        password = _password(ask)
        password_hash = hash_password(password)

        def make(connection: Connection) -> None:
            accounts.check_hall(connection, hall)
            staff_id = None if badge is None else _staff(connection, hall, badge, shown)
            accounts.create(
                connection,
                username=username,
                name=shown,
                role=role,
                password_hash=password_hash,
                now=machine_clock(),
                hall=hall,
                staff_id=staff_id,
            )

        database.write_sync(make)
    _tell(f"Account {accounts.folded(username)} is there", password, ask)


@account.command("list")
@config_option
def list_(config: Path | None) -> None:
    """List all accounts."""
    with open_database(settings_of(config)) as database:
        for each in database.read_sync(accounts.every):
            state = "" if each.active else "  disabled"
            where = each.hall or "every hall"
            click.echo(f"{each.username:20}  {each.role:13}  {where:20}  {each.name}{state}")


@account.command()
@click.argument("username")
@_ask
@config_option
def password(username: str, ask: bool, config: Path | None) -> None:
    """Give an account a new password and sign it out everywhere."""
    with open_database(settings_of(config)) as database:
        if database.read_sync(lambda connection: accounts.find(connection, username)) is None:
            raise CommandError(f"There is no account {accounts.folded(username)}.")
        new = _password(ask)
        new_hash = hash_password(new)
        database.write_sync(
            lambda connection: accounts.set_password(connection, username, new_hash)
        )
    _tell(f"Account {accounts.folded(username)} has a new password", new, ask)


@account.command()
@click.argument("username")
@config_option
def disable(username: str, config: Path | None) -> None:
    """Let an account in no more and sign it out everywhere."""
    _change(config, lambda connection: accounts.set_active(connection, username, active=False))
    click.echo(f"Account {accounts.folded(username)} is disabled.")


@account.command()
@click.argument("username")
@config_option
def enable(username: str, config: Path | None) -> None:
    """Let a disabled account in again."""
    _change(config, lambda connection: accounts.set_active(connection, username, active=True))
    click.echo(f"Account {accounts.folded(username)} is enabled.")


def _change(config: Path | None, fn: Callable[[Connection], None]) -> None:
    with open_database(settings_of(config)) as database:
        database.write_sync(fn)


def _password(ask: bool) -> str:
    if not ask:
        return new_password()
    typed = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return str(typed)


def _tell(sentence: str, password: str, asked: bool) -> None:
    click.echo(f"{sentence}." if asked else f"{sentence}; its password, shown this once:")
    if not asked:
        click.echo(password)


def _staff(connection: Connection, hall: str | None, badge: str, name: str) -> int:
    """The staff member with that badge; a new one if nobody has it."""
    hall_id = connection.scalar(select(halls.c.id).where(halls.c.code == hall))
    if hall_id is None:
        raise CommandError("A badge belongs to a hall: say which with --hall.")
    known = connection.scalar(
        select(staff.c.id).where(staff.c.hall_id == hall_id, staff.c.badge == badge)
    )
    return int(known) if known is not None else add_person(connection, hall_id, badge, name)
