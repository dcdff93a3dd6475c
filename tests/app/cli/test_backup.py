"""``tinghao backup`` and ``tinghao restore``: what was is again, and says that it is a restore."""

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from tests import servers
from tests.app.house import House
from tinghao.app.cli import main
from tinghao.app.database import Database
from tinghao.app.settings.sources import load_settings


def run(folder: Path, *words: str) -> Result:
    env = {"TINGHAO_CONFIG": str(folder / "tinghao.toml")}
    return CliRunner().invoke(main, words, env=env)


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    folder = tmp_path / "hall"
    assert CliRunner().invoke(main, ["init", str(folder), "--yes"]).exit_code == 0
    return folder


@pytest.fixture
def backup(deployment: Path, tmp_path: Path) -> Path:
    file = tmp_path / "hall.tgz"
    result = run(deployment, "backup", str(file))
    assert result.exit_code == 0, result.output
    return file


def epoch(folder: Path) -> str:
    return epoch_at(f"sqlite:///{folder / 'tinghao.sqlite3'}")


def test_a_deployment_comes_back_somewhere_else(
    deployment: Path, backup: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    result = run(elsewhere, "restore", str(backup), "--into", str(elsewhere))
    assert result.exit_code == 0, result.output
    for name in ("tinghao.toml", "keys/secret.key", "keys/journal.pem"):
        assert (elsewhere / name).read_bytes() == (deployment / name).read_bytes()
        assert stat.S_IMODE((elsewhere / name).stat().st_mode) == 0o600
    assert "are sound" in run(elsewhere, "journal", "verify").stdout


def test_a_restore_begins_a_new_epoch_and_signs_everybody_out(
    deployment: Path, backup: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    run(elsewhere, "restore", str(backup), "--into", str(elsewhere))
    assert epoch(elsewhere) != epoch(deployment)
    database = Database(f"sqlite:///{elsewhere / 'tinghao.sqlite3'}")
    count = text("SELECT count(*) FROM sessions")
    assert database.read_sync(lambda c: c.scalar(count)) == 0
    database.close()


def test_a_deployment_that_is_there_is_not_touched_unless_it_is_said(
    deployment: Path, backup: Path
) -> None:
    before = epoch(deployment)
    result = run(deployment, "restore", str(backup), "--into", str(deployment))
    assert result.exit_code == 1
    assert "nothing was changed" in result.stderr
    assert epoch(deployment) == before


def test_what_was_there_is_kept_aside(deployment: Path, backup: Path) -> None:
    before = epoch(deployment)
    words = ["restore", str(backup), "--into", str(deployment), "--replace"]
    result = run(deployment, *words)
    assert result.exit_code == 0, result.output
    [aside] = deployment.glob("before-restore-*")
    assert epoch(aside) == before
    assert (aside / "keys" / "secret.key").exists()
    assert "are sound" in run(deployment, "journal", "verify").stdout


async def test_a_running_hall_is_backed_up_with_its_seals(house: House, tmp_path: Path) -> None:
    desk = house.bearer("integration")
    for _ in range(3):
        await desk.post("/api/v1/halls/puyang/tickets", json={"category": "social"})
    house.clock.wait(days=1)
    await desk.post("/api/v1/halls/puyang/tickets", json={"category": "social"})
    config = tmp_path / "tinghao.toml"
    config.write_text('database_url = "sqlite:///{data_directory}/hall.db"\n')
    file, elsewhere = tmp_path / "hall.tgz", tmp_path / "elsewhere"
    assert run(tmp_path, "backup", str(file)).exit_code == 0
    await desk.post("/api/v1/halls/puyang/tickets", json={"category": "social"})
    result = run(elsewhere, "restore", str(file), "--into", str(elsewhere))
    assert result.exit_code == 0, result.output
    checked = run(elsewhere, "journal", "verify")
    assert checked.exit_code == 0, checked.output
    assert f"puyang: {house.state().seq - 1} entries and 1 seals" in checked.stdout
    refused = run(tmp_path, "restore", str(file), "--into", str(tmp_path), "--replace")
    assert refused.exit_code == 1
    assert "is served already" in refused.stderr
    assert house.state().seq > 0


def test_a_backup_is_readable_by_its_owner_only_and_not_overwritten(
    deployment: Path, backup: Path
) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    content = backup.read_bytes()
    result = run(deployment, "backup", str(backup))
    assert result.exit_code == 1
    assert "exists already" in result.stderr
    assert backup.read_bytes() == content


@pytest.mark.parametrize("damage", ["cut", "another file", "edited", "outside", "link"])
def test_a_damaged_backup_is_refused(backup: Path, tmp_path: Path, damage: str) -> None:
    if damage == "cut":
        backup.write_bytes(backup.read_bytes()[:1000])
    elif damage == "another file":
        backup.write_bytes(b"not an archive")
    else:
        held = contents(backup)
        if damage == "edited":
            held["manifest.json"] = held["manifest.json"].replace(b'"seq":1', b'"seq":2')
        if damage == "outside":
            held["../outside"] = b"not where it belongs"
        with tarfile.open(backup, "w:gz") as tar:
            for name, content in held.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            if damage == "link":
                link = tarfile.TarInfo("seals")
                link.type, link.linkname = tarfile.SYMTYPE, "/etc"
                tar.addfile(link)
    elsewhere = tmp_path / "elsewhere"
    result = run(elsewhere, "restore", str(backup), "--into", str(elsewhere))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert not (elsewhere / "tinghao.sqlite3").exists()


def contents(archive: Path) -> dict[str, bytes]:
    """The files in an archive."""
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read() for name, file in files.items() if file is not None}


@pytest.fixture
def on_postgresql(tmp_path: Path, postgresql_url: str) -> Path:
    """The folder of a deployment on PostgreSQL."""
    folder = tmp_path / "hall"
    env = {"TINGHAO_DATABASE_URL": postgresql_url}
    made = CliRunner().invoke(main, ["init", str(folder), "--yes"], env=env)
    assert made.exit_code == 0, made.output
    return folder


def test_on_postgresql_its_own_programs_are_called(
    on_postgresql: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{servers.postgres_binaries()}:{os.environ['PATH']}")
    dump = tmp_path / "hall.dump"
    result = run(on_postgresql, "backup", str(dump))
    assert result.exit_code == 0, result.output
    assert dump.read_bytes().startswith(b"PGDMP")
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    full = run(on_postgresql, "restore", str(dump))
    assert full.exit_code == 1
    assert "The database is not empty; nothing was changed." in full.stderr
    url = load_settings(on_postgresql / "tinghao.toml", {}).database_url
    before = epoch_at(url)
    database = Database(url)
    database.write_sync(lambda c: c.execute(text("DROP SCHEMA public CASCADE")))
    database.write_sync(lambda c: c.execute(text("CREATE SCHEMA public")))
    database.close()
    result = run(on_postgresql, "restore", str(dump))
    assert result.exit_code == 0, result.output
    assert epoch_at(url) != before
    assert "are sound" in run(on_postgresql, "journal", "verify").stdout


def test_where_they_are_missing_one_is_told_what_to_call(
    on_postgresql: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run(on_postgresql, "backup", str(tmp_path / "hall.dump"))
    assert result.exit_code == 1
    assert f"pg_dump --format=custom --file={tmp_path}/hall.dump --dbname=" in result.stderr


def test_a_database_brought_back_by_hand_gets_a_new_epoch(deployment: Path) -> None:
    before = epoch(deployment)
    result = run(deployment, "journal", "new-epoch")
    assert result.exit_code == 0
    assert epoch(deployment) in result.stdout
    assert epoch(deployment) != before


def epoch_at(url: str) -> str:
    database = Database(url)
    found = database.read_sync(lambda c: c.scalar(text("SELECT epoch FROM halls")))
    database.close()
    return str(found)
