"""``tinghao init``: a deployment whole or not at all, and what is told once."""

import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from tinghao.app.auth.passwords import matches
from tinghao.app.cli import main
from tinghao.app.database import Database


def run(*words: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, words, env={"TINGHAO_CONFIG": "", **(env or {})})


def made(folder: Path, *words: str) -> Result:
    result = run("init", str(folder), "--yes", *words)
    assert result.exit_code == 0, result.output
    return result


def told(result: Result, what: str) -> str:
    found = re.search(rf"{what}\s+(\S+)$", result.stdout, re.MULTILINE)
    assert found is not None
    return found[1]


def test_a_deployment_is_complete(tmp_path: Path) -> None:
    result = made(tmp_path / "hall")
    names = {path.relative_to(tmp_path / "hall").as_posix() for path in tmp_path.rglob("*.*")}
    assert {"tinghao.toml", "tinghao.sqlite3", "keys/secret.key", "keys/journal.pem"} <= names
    assert told(result, "API token").startswith("th_")
    database = Database(f"sqlite:///{tmp_path / 'hall' / 'tinghao.sqlite3'}")
    stored = database.read_sync(
        lambda c: c.execute(text("SELECT username, role, password FROM accounts")).one()
    )
    database.close()
    assert (stored.username, stored.role) == ("admin", "administrator")
    assert matches(stored.password, told(result, "password"))


def test_what_is_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    made(tmp_path)
    for name in ("tinghao.toml", "tinghao.sqlite3", "keys/secret.key", "keys/journal.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name


def test_two_deployments_share_no_secret(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one"), made(tmp_path / "other")
    assert told(one, "password") != told(other, "password")
    for name in ("keys/secret.key", "keys/journal.pem"):
        assert (tmp_path / "one" / name).read_bytes() != (tmp_path / "other" / name).read_bytes()


def test_a_second_time_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    made(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    result = run("init", str(tmp_path), "--yes")
    assert result.exit_code == 1
    assert "holds a deployment already" in result.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_a_failure_on_the_way_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "tinghao.toml")

    monkeypatch.setattr("tinghao.app.cli.init._write_configuration", full)
    result = run("init", str(tmp_path), "--yes")
    assert result.exit_code == 1
    assert result.stderr == "Error: No space left on device (tinghao.toml).\n"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    made(tmp_path)


def test_the_hall_may_have_a_code_of_its_own(tmp_path: Path) -> None:
    made(tmp_path, "--hall", "fanxian")
    token = ["token", "create", "--role", "kiosk", "--hall", "fanxian"]
    config = ["--config", str(tmp_path / "tinghao.toml")]
    assert run(*token, *config).exit_code == 0


@pytest.mark.parametrize("code", ["Puyang", "pu yang", "濮阳", "", "-x", "x" * 33])
def test_a_code_that_makes_no_address_is_refused(tmp_path: Path, code: str) -> None:
    result = run("init", str(tmp_path / "hall"), "--yes", f"--hall={code}")
    if code:
        assert result.exit_code == 1
        assert "cannot be a hall's code" in result.stderr
        assert not (tmp_path / "hall").exists()
    else:
        assert result.exit_code == 0  # as if it had not been given


def test_nothing_is_made_without_a_yes(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["init", str(tmp_path / "hall")], input="n\n")
    assert result.exit_code == 1
    assert not (tmp_path / "hall").exists()


def test_another_database_is_written_into_the_configuration(
    tmp_path: Path, postgresql_url: str
) -> None:
    result = run("init", str(tmp_path), "--yes", env={"TINGHAO_DATABASE_URL": postgresql_url})
    assert result.exit_code == 0, result.output
    assert f'database_url = "{postgresql_url}"' in (tmp_path / "tinghao.toml").read_text()
    config = ["--config", str(tmp_path / "tinghao.toml")]
    assert "puyang: 1 entries" in run("journal", "verify", *config).stdout
    again = run("init", str(tmp_path / "b"), "--yes", env={"TINGHAO_DATABASE_URL": postgresql_url})
    assert again.exit_code == 1
    assert "holds a deployment already" in again.stderr
