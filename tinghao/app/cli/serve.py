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
@click.option(
    "--workers", metavar="N", type=click.IntRange(1, 64), help="Instead of the setting `workers`."
)
def serve(config: Path | None, host: str | None, port: int | None, workers: int | None) -> None:
    """Run the service until it is told to stop (Ctrl-C or SIGTERM).

    With several workers SIGHUP replaces them one after the other, while the service goes on.
    """
    settings = settings_of(config)
    if host is not None:
        settings = replace(settings, host=host)
    if port is not None:
        settings = replace(settings, port=port)
    if workers is not None:
        settings = replace(settings, workers=workers)
    announce = "Tinghao serves at {url} (stop with Ctrl-C)"
    # Only now, so that wrong settings are told without loading the web.
    if settings.workers == 1:
        from tinghao.app.serving import server  # noqa: PLC0415

        server.run(settings, announce=announce)
    else:
        from tinghao.app.serving.workers import launch  # noqa: PLC0415

        launch.run(settings, config, announce=announce)
