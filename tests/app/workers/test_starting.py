"""What is wrong with a start of several workers is said once, before anything serves."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.load.deployment import Deployment, deploy
from tinghao.app.cli import main


def test_an_sqlite_file_has_one_process(tmp_path: Path) -> None:
    deployment = deploy(tmp_path, f"sqlite:///{tmp_path / 'hall.db'}")
    config = str(deployment.folder / "tinghao.toml")
    result = CliRunner().invoke(main, ["serve", "--config", config, "--workers", "2"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "2 workers need PostgreSQL: an SQLite file has one server." in result.stderr


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("prot = 8000", "sets prot, which is no setting. Did you mean port?"),
        ("workers = 0", "workers in"),
        ('host = "no.such.host.invalid"', "The address no.such.host.invalid is not known here"),
        ('secret_file = "nowhere.key"', "nowhere.key"),
        ('database_url = "postgresql://x@127.0.0.1:9/x"', "cannot be reached"),
    ],
)
async def test_a_wrong_setting_is_one_sentence(
    deployment: Deployment, setting: str, sentence: str
) -> None:
    file = deployment.folder / "tinghao.toml"
    kept = "" if setting.startswith("database_url") else file.read_text()
    file.write_text(f"{kept}redis_url = ''\n{setting}\n")
    code, output, errors = await deployment.command("serve", "--port", "0", "--workers", "2")
    assert (code, output) == (1, "")
    assert sentence in errors
    assert len([line for line in errors.splitlines() if line.startswith("Error: ")]) == 1
    assert "Traceback" not in errors
