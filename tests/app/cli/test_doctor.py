"""``tinghao doctor`` finds what would otherwise be found in the worst hour."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from tests.app.house import House
from tinghao.app.cli import doctor, main
from tinghao.app.database import Database


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    assert CliRunner().invoke(main, ["init", str(tmp_path), "--yes"]).exit_code == 0
    return tmp_path


def examined(folder: Path) -> Result:
    env = {"TINGHAO_CONFIG": str(folder / "tinghao.toml")}
    return CliRunner().invoke(main, ["doctor"], env=env)


def test_a_new_deployment_is_well(deployment: Path) -> None:
    result = examined(deployment)
    assert result.exit_code == 0, result.output
    assert "FAULT" not in result.stdout
    for what in ("settings", "keys", "disk", "calendar", "database", "schema", "clock", "halls"):
        assert f" {what} " in result.stdout


def test_key_files_that_others_can_read_are_a_fault(deployment: Path) -> None:
    (deployment / "keys" / "journal.pem").chmod(0o644)
    result = examined(deployment)
    assert result.exit_code == 1
    assert "can be read by others: chmod 600" in result.stdout


def test_a_missing_key_is_a_fault_and_the_rest_is_still_looked_at(deployment: Path) -> None:
    (deployment / "keys" / "secret.key").unlink()
    result = examined(deployment)
    assert result.exit_code == 1
    assert "There is no key file" in result.stdout
    assert "puyang loads" in result.stdout


def test_wrong_settings_are_a_fault(deployment: Path) -> None:
    (deployment / "tinghao.toml").write_text("port = 'x'\n")
    result = examined(deployment)
    assert result.exit_code == 1
    assert "allowed is a whole number" in result.stdout


def test_a_damaged_database_is_a_fault(deployment: Path) -> None:
    file = deployment / "tinghao.sqlite3"
    content = bytearray(file.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    file.write_bytes(content)
    assert examined(deployment).exit_code == 1


def test_a_database_of_a_newer_program_is_a_fault(deployment: Path) -> None:
    database = Database(f"sqlite:///{deployment / 'tinghao.sqlite3'}")
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    database.write_sync(lambda connection: connection.execute(newer))
    database.close()
    result = examined(deployment)
    assert result.exit_code == 1
    assert "newer Tinghao" in result.stdout


def test_a_full_disk_is_told_before_it_stops_the_hall(
    deployment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "DISK_FAIL", 1 << 60)
    monkeypatch.setattr(doctor, "DISK_WARN", 1 << 60)
    result = examined(deployment)
    assert result.exit_code == 1
    assert "MiB are free" in result.stdout


def test_a_clock_that_is_off_is_told(deployment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "database_now", lambda _: 0)
    result = examined(deployment)
    assert result.exit_code == 1
    assert "commands are refused" in result.stdout


@pytest.mark.parametrize(
    ("today", "level"),
    [
        (datetime(2026, 6, 1, tzinfo=UTC), "ok"),
        (datetime(2026, 12, 1, tzinfo=UTC), "warning"),
        (datetime(2027, 1, 1, tzinfo=UTC), "FAULT"),
    ],
)
def test_a_calendar_that_runs_out_is_told_in_time(
    today: datetime, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "covered_until", lambda: 2026)
    assert [finding.level for finding in doctor._calendar(today)] == [level]


async def test_it_says_which_process_serves(house: House, tmp_path: Path) -> None:
    config = tmp_path / "tinghao.toml"
    config.write_text(f'database_url = "sqlite:///{tmp_path}/hall.db"\n')
    result = examined(tmp_path)
    assert result.exit_code == 0, result.output
    assert "is served already, by process" in result.stdout
