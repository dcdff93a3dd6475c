"""``tinghao serve``."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec.structs import replace

from tinghao.app.cli.deployment import config_option, settings_of


@click.command()
@config_option
@click.option("--host", metavar="H", help="Instead of the setting `host`.")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), help="Instead of the setting `port`."
)
def serve(config: Path | None, host: str | None, port: int | None) -> None:
    """Run the service until it is told to stop (Ctrl-C or SIGTERM)."""
    from tinghao.app import server  # noqa: PLC0415 - wrong settings are told without the web

    settings = settings_of(config)
    if host is not None:
        settings = replace(settings, host=host)
    if port is not None:
        settings = replace(settings, port=port)
    server.run(settings, announce="Tinghao serves at {url} (stop with Ctrl-C)")
