"""Prometheus itself scrapes us and can be asked."""

import asyncio
from pathlib import Path

import httpx

from tests import servers
from tests.app.house import House
from tests.monitoring.scraping import at_window, take

CONFIG = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: tinghao
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


async def test_prometheus_reads_the_hall(house: House, prometheus: Path, tmp_path: Path) -> None:
    """A scrape succeeds, and the figures can be asked for as an alert would."""
    for _ in range(3):
        await take(house)
    await at_window(house, 1, "open")
    await at_window(house, 1, "call-next")
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(port=house.served.port))
    port = servers.free_port()
    command: list[object] = [
        prometheus,
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with servers.process(command, tmp_path / "prometheus.log"):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/") as asking:
            hall = 'hall="puyang",category="social"'
            assert await answer(asking, f"tinghao_tickets_waiting{{{hall}}}") == 2
            assert await answer(asking, f"tinghao_tickets_called_total{{{hall}}}") == 1
            served = f'tinghao_wait_seconds_bucket{{{hall},le="60.0"}}'
            assert await answer(asking, served) == 1
            assert await answer(asking, 'up{job="tinghao"}') == 1


async def answer(asking: httpx.AsyncClient, query: str) -> float:
    """The one figure that a query gives, as soon as there is one."""
    async with asyncio.timeout(30):
        while True:
            try:
                found = (await asking.get("query", params={"query": query})).json()
                result = found["data"]["result"]
            except (httpx.TransportError, KeyError, ValueError):
                result = []
            if result:
                [figure] = result
                return float(figure["value"][1])
            await asyncio.sleep(0.1)
