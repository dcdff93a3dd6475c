"""The running service: its answers' headers, static files, health, one server a file, its end."""

import asyncio
import gzip
import json
import logging
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.app.house import House, open_house
from tinghao.app import log
from tinghao.app.database import DatabaseUnavailable
from tinghao.app.database.serving_lock import AlreadyServedError, ServeError
from tinghao.app.serving.listening import bound
from tinghao.app.serving.server import serving
from tinghao.app.settings import Settings
from tinghao.realtime.render import STATIC, asset


@asynccontextmanager
async def tinghao(*words: str, folder: Path) -> AsyncIterator[Process]:
    """The command line as a process of its own."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TINGHAO_")},
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tinghao", *words),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        env=environ,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def address_of(process: Process) -> str:
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    found = re.search(r"http://[\d.:]+", line)
    assert found is not None, line
    return found[0]


@pytest.fixture
async def deployment(tmp_path: Path) -> Path:
    async with tinghao("init", "hall", "--yes", folder=tmp_path) as process:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors
    return tmp_path / "hall"


async def test_every_answer_tells_the_browser_what_it_may_do(house: House) -> None:
    client = house.bearer(None)
    for path in ("/halls/puyang/lobby", "/nowhere", "/api/v1/halls/puyang", "/static/css/base.css"):
        headers = (await client.get(path, headers={"Accept": "text/html"})).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert "server" not in headers


async def test_what_is_personal_is_kept_by_no_cache(house: House) -> None:
    for path in ("/api/v1/halls/puyang/state", "/halls/puyang/console"):
        answer = await house.person("wang").get(path)
        assert answer.headers["cache-control"] == "no-store"


async def test_a_static_file_named_by_its_content_is_kept_for_good(house: House) -> None:
    client = house.bearer(None)
    named = await client.get(asset("css/base.css"))
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert named.headers["content-type"] == "text/css; charset=utf-8"
    assert named.content == (STATIC / "css" / "base.css").read_bytes()
    plain = await client.get("/static/css/base.css?v=another")
    assert plain.headers["cache-control"] == "no-cache"
    again = {"If-None-Match": plain.headers["etag"]}
    assert (await client.get("/static/css/base.css", headers=again)).status_code == 304


async def test_texts_travel_packed_when_the_browser_can_unpack_them(house: House) -> None:
    client = house.bearer(None)
    async with client.stream(
        "GET", "/static/css/base.css", headers={"Accept-Encoding": "gzip"}
    ) as answer:
        packed = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == (STATIC / "css" / "base.css").read_bytes()
    whole = await client.get("/static/css/base.css", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in whole.headers


@pytest.mark.parametrize("path", ["../app/server.py", "%2e%2e/app/server.py", "", "css", "no.css"])
async def test_nothing_but_static_files_is_static(house: House, path: str) -> None:
    assert (await house.bearer(None).get(f"/static/{path}")).status_code == 404


async def test_the_apis_manual_asks_no_other_host(house: House) -> None:
    client = house.bearer(None)
    page = await client.get("/docs")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/static/")
        assert (await client.get(address)).status_code == 200
    description = (await client.get("/schema/openapi.json")).json()
    assert description["info"]["title"] == "Tinghao 厅好"
    assert "/api/v1/halls/{hall}/tickets" in description["paths"]


async def test_a_head_is_answered_as_its_get(house: House) -> None:
    answer = await house.bearer(None).head("/halls/puyang/lobby")
    assert answer.status_code == 200
    assert answer.content == b""


async def test_health_is_told_without_a_name_or_cookie(house: House) -> None:
    client = house.bearer(None)
    assert (await client.get("/health/live")).json() == {"status": "ok"}
    assert (await client.get("/health/ready")).json() == {"status": "ok"}


async def test_a_server_without_its_database_is_alive_and_not_ready(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> None:
        raise DatabaseUnavailable("unreachable", "The database server cannot be reached.")

    monkeypatch.setattr(house.served.service.database, "read", away)
    client = house.bearer(None)
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()["reason"]) == (503, "database unreachable")
    assert (await client.get("/health/live")).status_code == 200


async def test_metrics_may_have_an_address_of_their_own(tmp_path: Path) -> None:
    with bound("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    async with open_house(tmp_path, metrics_address=f"127.0.0.1:{port}") as house:
        assert (await house.bearer(None).get("/metrics")).status_code == 404
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as scraper:
            assert "tinghao_" in (await scraper.get("/metrics")).text
            assert (await scraper.get("/halls/puyang/lobby")).status_code == 404


async def test_a_second_server_on_the_same_file_is_told_who_has_it(
    house: House, tmp_path: Path
) -> None:
    settings = Settings(
        data_directory=str(tmp_path), database_url=f"sqlite:///{tmp_path / 'hall.db'}", port=0
    )
    with pytest.raises(AlreadyServedError, match=f"by process {os.getpid()}"):
        async with serving(settings):
            pass
    assert (await house.bearer(None).get("/health/ready")).status_code == 200


async def test_a_taken_port_and_an_unknown_address_are_said_in_words() -> None:
    with bound("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"Port {port} of 127.0.0.1 cannot be taken"):
            bound("127.0.0.1", port).__enter__()
    with pytest.raises(ServeError, match=r"no\.such\.host\.invalid is not known"):
        bound("no.such.host.invalid", 1).__enter__()


async def test_a_start_without_a_deployment_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="tinghao init DIR"):
        async with serving(Settings(data_directory=str(tmp_path), port=0)):
            pass


async def test_sigterm_ends_open_sockets_for_a_restart_and_exits_with_0(deployment: Path) -> None:
    async with tinghao("serve", "--port", "0", folder=deployment) as process:
        url = await address_of(process)
        topic = f"{url.replace('http', 'ws', 1)}/ws/halls/puyang/lobby"
        async with connect(topic) as socket:
            await socket.recv()
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(socket.wait_closed(), 10)
            assert socket.close_code == 1012
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_sighup_replaces_nobody_where_there_is_one_process(deployment: Path) -> None:
    async with tinghao("serve", "--port", "0", folder=deployment) as process:
        url = await address_of(process)
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        line = await asyncio.wait_for(process.stderr.readline(), 10)
        while b"SIGHUP" not in line:
            line = await asyncio.wait_for(process.stderr.readline(), 10)
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/health/ready")).status_code == 200


async def test_a_request_that_is_being_answered_is_answered_before_the_end(
    deployment: Path,
) -> None:
    async with tinghao("serve", "--port", "0", folder=deployment) as process:
        url = await address_of(process)
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = b"name=x&password=y"
        writer.write(
            b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % len(body)
        )
        await writer.drain()
        async with httpx.AsyncClient(base_url=url) as client:  # our head has been read by then
            await client.get("/health/live")
        process.send_signal(signal.SIGTERM)
        writer.write(body)
        answer = await asyncio.wait_for(reader.readline(), 10)
        assert answer.startswith(b"HTTP/1.1 403")
        writer.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_wrong_setting_stops_the_start_with_one_sentence(deployment: Path) -> None:
    (deployment / "tinghao.toml").write_text("prot = 8000\n")
    async with tinghao("serve", folder=deployment) as process:
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode().count("\n") == 1
    assert "sets prot, which is no setting. Did you mean port?" in errors.decode()


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/t/abcdef", "/t/…"),
        ("/t/abcdef/paper", "/t/…/paper"),
        ("/api/v1/tickets/abcdef/cancel", "/api/v1/tickets/…/cancel"),
        ("/api/v1/halls/puyang/tickets", "/api/v1/halls/puyang/tickets"),
        ("/tickets/x", "/tickets/x"),
    ],
)
def test_a_tickets_token_is_not_logged(path: str, logged: str) -> None:
    assert log.masked(path) == logged


async def test_a_request_is_logged_without_query_token_and_name(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tinghao.access"):
        await house.person("wang").get("/t/secret-of-a-ticket?phone=13800000000")
    record = next(record for record in caplog.records if record.name == "tinghao.access")
    line = json.loads(log.JsonLines().format(record))
    assert (line["path"], line["status"], line["role"]) == ("/t/…", 404, "clerk")
    for formatted in (log.JsonLines().format(record), log.TextLines().format(record)):
        for personal in ("secret-of-a-ticket", "1380000", "wang", house.sessions["wang"], "127.0."):
            assert personal not in formatted


async def test_two_servers_of_one_postgresql_show_the_same_hall(
    tmp_path: Path, postgresql_url: str
) -> None:
    async with (
        open_house(tmp_path, postgresql_url) as one,
        open_house(tmp_path, postgresql_url, clock=one.clock) as other,
    ):
        desk, reader = one.bearer("integration"), other.bearer("integration")
        taken = await desk.post("/api/v1/halls/puyang/tickets", json={"category": "social"})
        assert taken.status_code == 201
        async with asyncio.timeout(10):
            while other.state().seq < one.state().seq:  # noqa: ASYNC110 - it follows by itself
                await asyncio.sleep(0.05)
        await reader.post("/api/v1/halls/puyang/windows/1/open", json={"staff": "001"})
        called = await reader.post("/api/v1/halls/puyang/windows/1/call-next")
        assert called.json()["number"] == taken.json()["number"]
        again = await desk.post("/api/v1/halls/puyang/windows/1/call-next")
        assert again.status_code == 409
