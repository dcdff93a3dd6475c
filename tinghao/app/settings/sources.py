"""Settings from one TOML file and the environment; the environment wins.

Whatever is wrong or unknown stops the start with a sentence that names the setting, the value and
what is allowed: a misspelt setting that is silently ignored is found in the worst hour.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tinghao.app.settings import Settings, refusal, table, type_of

PREFIX = "TINGHAO_"
FILE_VARIABLE = "TINGHAO_CONFIG"
FILE_NAME = "tinghao.toml"

NO_SETTINGS = frozenset({FILE_VARIABLE, "TINGHAO_REPLAY_TOKEN"})
"""Variables of ours that commands read themselves."""


class SettingsError(Exception):
    """A setting is wrong, unknown or unreadable; the message says which and what is allowed."""


def find_file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file: ``given``, else $TINGHAO_CONFIG, else ./tinghao.toml if it exists.

    Raises SettingsError when a file that was named does not exist.
    """
    named = given or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    if named is None:
        here = Path(FILE_NAME)
        return here.absolute() if here.is_file() else None
    if not named.is_file():
        raise SettingsError(f"There is no configuration file {named}.")
    return named.absolute()


def load_settings(file: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of the deployment that ``file`` describes; raises SettingsError."""
    values: dict[str, Any] = {}
    if file is not None:
        for name, value in _read_file(file).items():
            values[name] = _from_file(name, value, file)
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and variable not in NO_SETTINGS:
            name = variable.removeprefix(PREFIX).lower()
            values[name] = _from_environment(name, text, variable)
    base = file.parent if file is not None else Path.cwd()
    values["data_directory"] = str(base / Path(values.get("data_directory", ".")).expanduser())
    return Settings(**values)


def source_of(name: str, file: Path | None, environ: Mapping[str, str]) -> str:
    """Where the value in force comes from: ``environment``, ``file`` or ``default``."""
    if f"{PREFIX}{name.upper()}" in environ:
        return "environment"
    return "file" if file is not None and name in _read_file(file) else "default"


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.") from None


def _from_file(name: str, value: Any, file: Path) -> Any:
    _known(name, name, str(file))
    return _converted(name, value, f"{name} in {file}", strict=True)


def _from_environment(name: str, text: str, variable: str) -> Any:
    _known(name, variable, "the environment")
    kind = next(row.kind for row in table() if row.name == name)
    value: Any = text
    if kind == "list":
        value = [part.strip() for part in text.split(",") if part.strip()]
    return _converted(name, value, variable, strict=False)


def _known(name: str, written: str, where: str) -> None:
    names = [row.name for row in table()]
    if name in names:
        return
    near = difflib.get_close_matches(name, names, 1)
    hint = f"Did you mean {near[0]}?" if near else "`tinghao settings` lists the known ones."
    raise SettingsError(f"{where} sets {written}, which is no setting. {hint}")


def _converted(name: str, value: Any, written: str, *, strict: bool) -> Any:
    allowed = next(row.allowed for row in table() if row.name == name)
    try:
        result = msgspec.convert(value, type_of(name), strict=strict)
    except msgspec.ValidationError:
        raise SettingsError(f"{written} is {shown(name, value)}; allowed is {allowed}.") from None
    wrong = refusal(name, result)
    if wrong:
        raise SettingsError(f"{written} is {shown(name, value)}; allowed is {wrong}.")
    return result


def shown(name: str, value: Any) -> str:
    """``value`` as it may be printed: a database password is not."""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if name == "database_url":
        text = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", text)
    return repr(text) if isinstance(value, str) else text
