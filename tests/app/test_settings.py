"""Settings: from where, which wins, and what is said about a wrong one."""

from pathlib import Path

import pytest

from tinghao.app.settings import Settings, table
from tinghao.app.settings.page import markdown
from tinghao.app.settings.sources import SettingsError, find_file, load_settings


def test_without_file_and_environment_the_defaults_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None, {"PATH": "/bin"})
    assert (settings.port, settings.host) == (8000, "127.0.0.1")
    assert settings.database_url == f"sqlite:///{tmp_path}/tinghao.sqlite3"
    assert settings.secret_path == tmp_path / "keys" / "secret.key"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tinghao.toml"
    file.write_text('port = 9000\nhost = "0.0.0.0"\n')
    settings = load_settings(file, {"TINGHAO_PORT": "9001"})
    assert (settings.port, settings.host) == (9001, "0.0.0.0")


def test_paths_are_beside_the_file_that_names_them(tmp_path: Path) -> None:
    file = tmp_path / "tinghao.toml"
    file.write_text('data_directory = "data"\njournal_key_file = "seal.pem"\n')
    settings = load_settings(file, {})
    assert settings.data_path == tmp_path / "data"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/tinghao.sqlite3"
    assert settings.journal_key_path == tmp_path / "data" / "seal.pem"
    relative = load_settings(file, {"TINGHAO_DATABASE_URL": "sqlite:///other.db"})
    assert relative.database_url == f"sqlite:///{tmp_path}/data/other.db"


def test_lists_and_switches_are_written_in_the_environment_as_words(tmp_path: Path) -> None:
    environ = {
        "TINGHAO_ALLOWED_ORIGINS": "https://a.example, http://b.example:81",
        "TINGHAO_ACCESS_LOG": "false",
    }
    settings = load_settings(None, environ)
    assert settings.allowed_origins == ("https://a.example", "http://b.example:81")
    assert settings.access_log is False


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("TINGHAO_PORT", "http", "TINGHAO_PORT is 'http'; allowed is a whole number from 0 to"),
        ("TINGHAO_PORT", "70000", "TINGHAO_PORT is '70000'; allowed is a whole number from 0 to"),
        ("TINGHAO_PORT", "", "TINGHAO_PORT is ''; allowed is a whole number from 0 to 65535"),
        ("TINGHAO_LOG_LEVEL", "loud", "is 'loud'; allowed is one of debug, info, warning, error"),
        ("TINGHAO_ACCESS_LOG", "maybe", "is 'maybe'; allowed is true or false"),
        ("TINGHAO_PUBLIC_URL", "hall.example", "allowed is empty, or http"),
        ("TINGHAO_PUBLIC_URL", "https://hall.example/path", "allowed is empty, or http"),
        ("TINGHAO_ALLOWED_ORIGINS", "https://a, b", "is https://a, b; allowed is a list of http"),
        ("TINGHAO_METRICS_ADDRESS", "9100", "allowed is empty, or HOST:PORT"),
        ("TINGHAO_DATABASE_URL", "mysql://x", "allowed is sqlite:///FILE or postgresql://"),
        ("TINGHAO_PROT", "1", "sets TINGHAO_PROT, which is no setting. Did you mean port?"),
        ("TINGHAO_COLOUR", "red", "which is no setting. `tinghao settings` lists the known ones"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_what_is_allowed(
    variable: str, value: str, message: str
) -> None:
    with pytest.raises(SettingsError) as wrong:
        load_settings(None, {variable: value})
    assert message in str(wrong.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("port = ", "is not valid TOML"),
        ("prot = 1", "tinghao.toml sets prot, which is no setting. Did you mean port?"),
        ('port = "8000"', "port in "),
        ("port = true", "allowed is a whole number"),
        ("[server]\nport = 1", "sets server, which is no setting"),
        ('allowed_origins = "https://a"', "allowed is a list of http"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "tinghao.toml"
    file.write_text(content)
    with pytest.raises(SettingsError) as wrong:
        load_settings(file, {})
    assert message in str(wrong.value)
    assert str(file) in str(wrong.value)


def test_a_database_password_is_never_repeated() -> None:
    with pytest.raises(SettingsError) as wrong:
        load_settings(None, {"TINGHAO_DATABASE_URL": "mysql://hall:s3cret@db/hall"})
    assert "s3cret" not in str(wrong.value)


def test_the_file_is_the_named_one_else_the_variables_else_the_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_file(None, {}) is None
    here, other = tmp_path / "tinghao.toml", tmp_path / "other.toml"
    here.touch()
    other.touch()
    assert find_file(None, {}) == here
    assert find_file(None, {"TINGHAO_CONFIG": "other.toml"}) == other
    assert find_file(here, {"TINGHAO_CONFIG": "other.toml"}) == here
    with pytest.raises(SettingsError, match=r"no configuration file gone\.toml"):
        find_file(Path("gone.toml"), {})


def test_every_default_is_itself_allowed() -> None:
    assert load_settings(None, {}) == Settings(data_directory=".")


def test_the_manual_lists_every_setting_as_the_code_has_it() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == markdown()
    assert all(row.doc.endswith(".") for row in table())
