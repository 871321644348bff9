"""Reading one TOML file, with each way in which that can fail told in a sentence."""

import tomllib
from pathlib import Path
from typing import Final

from controller.config.errors import ConfigError

FILE_MAX_BYTES: Final = 256 * 1024  # ten times the largest shipped file


def read_toml(path: Path) -> dict[str, object]:
    """Return the table of ``path``; ConfigError where it cannot be read or is not TOML."""
    text = _read_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path} is not valid TOML: {str(error).rstrip('.')}; correct that line and try again.",
            file=path,
        ) from error


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); check the name and the permissions.",
            file=path,
        ) from error
    if len(data) > FILE_MAX_BYTES:
        raise ConfigError(
            f"{path} is larger than {FILE_MAX_BYTES // 1024} KiB, which no configuration is; "
            "check that it is the right file.",
            file=path,
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.", file=path
        ) from error
