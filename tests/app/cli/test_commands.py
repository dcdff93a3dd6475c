"""The other commands: what they print, and that whatever goes wrong is one sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from tests.app.house import House
from tinghao.app import cli
from tinghao.app.auth import passwords
from tinghao.app.auth.tokens import hashed
from tinghao.app.cli import main
from tinghao.app.database import Database
from tinghao.app.settings import table

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command line in the folder of a new deployment."""
    config = str(tmp_path / "tinghao.toml")

    def run(*words: str, config: str = config, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, words, input=stdin, env={"TINGHAO_CONFIG": config})

    assert run("init", str(tmp_path), "--yes", config="").exit_code == 0
    return run


def stored(folder: Path, query: str) -> list[tuple[object, ...]]:
    database = Database(f"sqlite:///{folder / 'tinghao.sqlite3'}")
    try:
        return [tuple(row) for row in database.read_sync(lambda c: c.execute(text(query)).all())]
    finally:
        database.close()


def test_a_token_is_all_that_is_printed(run: Run, tmp_path: Path) -> None:
    result = run("token", "create", "--role", "kiosk", "--hall", "puyang", "--label", "门口")
    token = result.stdout.removesuffix("\n")
    assert token.startswith("th_")
    assert " " not in token
    assert (hashed(token), "kiosk") in stored(tmp_path, "SELECT hash, role FROM tokens")
    listed = run("token", "list").stdout
    assert "门口" in listed
    assert token not in listed


def test_a_token_is_revoked_once(run: Run) -> None:
    run("token", "create", "--role", "display")
    assert run("token", "revoke", "2").exit_code == 0
    assert "revoked" in run("token", "list").stdout
    again = run("token", "revoke", "2")
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == "Error: There is no token 2 that could be revoked.\n"


def test_a_hall_that_does_not_exist_gets_no_token(run: Run) -> None:
    result = run("token", "create", "--role", "kiosk", "--hall", "nowhere")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "There is no hall nowhere; known are puyang." in result.stderr


def test_an_account_is_made_with_a_password_that_is_told_once(run: Run, tmp_path: Path) -> None:
    words = ["--role", "clerk", "--hall", "puyang", "--badge", "012", "--name", "王建国"]
    result = run("account", "create", "Wang", *words)
    password = result.stdout.splitlines()[-1]
    rows = stored(
        tmp_path,
        "SELECT username, password, badge FROM accounts JOIN staff ON staff.id = staff_id",
    )
    (username, password_hash, badge) = rows[0]
    assert (username, badge) == ("wang", "012")
    assert passwords.matches(str(password_hash), password)
    assert "王建国" in run("account", "list").stdout


def test_a_password_may_be_typed_instead(run: Run, tmp_path: Path) -> None:
    typed = "a typed password"
    result = run("account", "password", "admin", "--ask", stdin=f"{typed}\n{typed}\n")
    assert result.exit_code == 0
    assert typed not in result.output
    [(password_hash,)] = stored(tmp_path, "SELECT password FROM accounts")
    assert passwords.matches(str(password_hash), typed)


def test_an_account_is_disabled_and_enabled(run: Run) -> None:
    assert run("account", "disable", "admin").exit_code == 0
    assert "disabled" in run("account", "list").stdout
    assert run("account", "enable", "ADMIN").exit_code == 0
    assert "disabled" not in run("account", "list").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["account", "disable", "nobody"], "There is no account nobody."),
        (["account", "password", "nobody"], "There is no account nobody."),
        (["account", "create", "admin", "--role", "clerk"], "There is an account admin already."),
        (["account", "create", "a b", "--role", "clerk"], "1 to 64 characters and no space."),
        (["account", "create", "x", "--role", "clerk", "--badge", "1"], "which with --hall."),
        (["account", "create", "x", "--role", "clerk", "--hall", "y"], "There is no hall y;"),
        (["journal", "show", "--hall", "nowhere"], "There is no hall nowhere; known are puyang."),
        (["journal", "verify", "--hall", "nowhere"], "There is no hall nowhere;"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(run: Run, words: list[str], sentence: str) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["token", "list"], ["journal", "verify"], ["account", "list"]])
def test_without_a_deployment_one_is_told_how_to_make_it(tmp_path: Path, words: list[str]) -> None:
    empty = tmp_path / "tinghao.toml"
    empty.touch()
    result = CliRunner().invoke(main, words, env={"TINGHAO_CONFIG": str(empty)})
    assert result.exit_code == 1
    assert "`tinghao init DIR` makes a deployment" in result.stderr


def test_what_nobody_foresaw_is_one_sentence_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("it broke")

    monkeypatch.setattr("tinghao.app.auth.tokens.every", broken)
    result = run("token", "list")
    assert result.exit_code == 1
    assert "RuntimeError: it broke" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in run("--traceback", "token", "list").stderr


def test_every_setting_is_listed_with_where_it_comes_from(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tinghao.toml").write_text("port = 9000\n")
    listed = run("settings").stdout
    assert "port = 9000  [file]" in listed
    for row in table():
        assert f"\n{row.name} = " in listed
        assert row.doc in listed


def test_the_journal_is_shown_as_it_is_stored(run: Run) -> None:
    [line] = run("journal", "show").stdout.splitlines()
    digest, entry = line.split("\t")
    assert len(digest) == 64
    assert json.loads(entry)["kind"] == "hall-configured"
    assert run("journal", "show", "--after", "1").stdout == ""


def test_a_journal_edited_by_hand_is_found_out(run: Run, tmp_path: Path) -> None:
    assert "puyang: 1 entries and 0 seals are sound" in run("journal", "verify").stdout
    database = Database(f"sqlite:///{tmp_path / 'tinghao.sqlite3'}")
    edit = text("UPDATE journal SET entry = replace(entry, '09:00', '10:00') WHERE seq = 1")
    database.write_sync(lambda connection: connection.execute(edit))
    database.close()
    result = run("journal", "verify")
    assert result.exit_code == 1
    assert "entry 1" in result.stdout


async def test_a_cut_tail_contradicts_the_exported_seals(house: House, tmp_path: Path) -> None:
    desk = house.bearer("integration")
    await desk.post("/api/v1/halls/puyang/tickets", json={"category": "social"})
    house.clock.wait(days=1)  # the day closes and is sealed
    await desk.post("/api/v1/halls/puyang/tickets", json={"category": "social"})
    config = tmp_path / "tinghao.toml"
    config.write_text(f'database_url = "sqlite:///{tmp_path}/hall.db"\n')

    def verify() -> Result:
        words = ["journal", "verify", "--hall", "puyang"]
        return CliRunner().invoke(main, words, env={"TINGHAO_CONFIG": str(config)})

    sound = verify()
    assert "1 seals are sound" in sound.stdout, sound.output
    last = house.state().seq

    def cut(connection):  # type: ignore[no-untyped-def]
        """Somebody who may write to the database takes the evidence away and covers it up."""
        hall = "hall_id = (SELECT id FROM halls WHERE code = 'puyang')"
        for table_ in ("seals", "checkpoints", "tickets", "stages", "windows"):
            connection.execute(text(f"DELETE FROM {table_} WHERE {hall}"))
        connection.execute(text(f"DELETE FROM journal WHERE {hall} AND seq > 1"))
        connection.execute(
            text(
                "UPDATE halls SET head_seq = 1, (head_hash, head_at) = "
                f"(SELECT hash, at FROM journal WHERE {hall} AND seq = 1) WHERE code = 'puyang'"
            )
        )

    database = Database(f"sqlite:///{tmp_path / 'hall.db'}")
    database.write_sync(cut)
    database.close()
    found = verify()
    assert last > 1
    assert found.exit_code == 1
    assert "the journal ends before entry" in found.stdout


def test_every_command_of_the_list_exists_and_explains_itself() -> None:
    for name in cli.COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0, name
        assert "Usage:" in result.stdout
