"""``tinghao demo``: one command, and a stranger sees a hall alive."""

import asyncio
import re
import signal
from pathlib import Path

import httpx

from tests.app.test_serving import tinghao


async def test_a_visitor_is_told_where_everything_is_and_can_sign_in(tmp_path: Path) -> None:
    words = ["demo", "--port", "0", "--speed", "300", "--data", str(tmp_path / "demo")]
    async with tinghao(*words, folder=tmp_path) as process:
        assert process.stdout is not None
        told = b""
        async with asyncio.timeout(60):
            while b"full of life" not in told:
                line = await process.stdout.readline()
                assert line, "the demo ended"
                told += line
        said = told.decode()
        assert "濮阳市行政服务中心" in said
        addresses = re.findall(r"http://\S+", said)
        url = addresses[0]
        async with httpx.AsyncClient(base_url=url, headers={"Accept": "text/html"}) as browser:
            for address in addresses:
                assert (await browser.get(address)).status_code in {200, 303}, address
            state = (await browser.get("/api/v1/halls/puyang/state")).json()
            assert sum(category["taken"] for category in state["categories"]) > 10
            found = re.search(r"clerk +(\S+) +clerk, badge", said)
            assert found is not None
            page = (await browser.get("/sign-in")).text
            token = re.search(r'name="_csrf_token" value="([^"]+)"', page)
            assert token is not None
            form = {"name": "clerk", "password": found[1], "_csrf_token": token[1]}
            answer = await browser.post("/sign-in", data=form, headers={"Origin": url})
            assert answer.headers["location"] == "/halls/puyang/console"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
        assert process.stderr is not None
        assert b"Traceback" not in await process.stderr.read()


async def test_a_demo_that_was_kept_lives_on_with_new_passwords(tmp_path: Path) -> None:
    said = []
    for _ in range(2):
        words = ["demo", "--port", "0", "--speed", "300", "--data", str(tmp_path / "demo")]
        async with tinghao(*words, folder=tmp_path) as process:
            assert process.stdout is not None
            told = b""
            async with asyncio.timeout(60):
                while b"Stop with" not in told:
                    told += await process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(process.wait(), 20) == 0
        said.append(re.search(rb"admin +(\S+)", told))
    assert said[0] is not None
    assert said[1] is not None
    assert said[0][1] != said[1][1]
