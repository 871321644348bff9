"""Reading one TOML file, with each way in which that can fail told in a sentence."""

import codecs
import os
import stat
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from controller.config.errors import ConfigError
from controller.config.toml_words import syntax_words

FILE_MAX_BYTES: Final = 256 * 1024  # ten times the largest shipped file
PARSED_MAX: Final = 64
"""So many texts are kept parsed: those of some treatments, 14 each, most of which are the same."""
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_toml(path: Path) -> Mapping[str, object]:
    """Return the table of ``path``; ConfigError where it cannot be read or is not TOML.

    The file is read each time, and a text that was parsed before is not parsed again. Nobody
    changes a table: the next reader of the same text has the same one.
    """
    text = read_text(path)
    try:
        return _parsed(text)
    except tomllib.TOMLDecodeError as error:
        found = syntax_words(error, text)
        raise ConfigError(
            f"{path}, line {found.line}, {found.what}", file=path, field=found.field
        ) from error


@lru_cache(maxsize=PARSED_MAX)
def _parsed(text: str) -> Mapping[str, object]:
    return tomllib.loads(text)


def is_there(path: Path) -> bool:
    """Return whether there is a file at ``path``; ConfigError where that cannot be seen."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(path, error) from error


def check_folder(folder: Path) -> None:
    """Make sure that a folder is not empty only for those who may not look into it. ConfigError."""
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _unreadable(folder, error) from error


def read_text(path: Path) -> str:
    """Return the text of ``path``, without a byte order mark; ConfigError where it has none."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > FILE_MAX_BYTES:
        raise ConfigError(
            f"{path} is larger than {FILE_MAX_BYTES // 1024} KiB, which no configuration is; "
            "check that it is the right file.",
            file=path,
        )
    if data.startswith(_UTF_16) and len(data) > len(_UTF_16[0]):
        raise ConfigError(f"{path} is saved as UTF-16; save it as UTF-8.", file=path)
    try:
        return data.decode("utf-8-sig")  # editors of Windows begin a file with a mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}, is not UTF-8 text (byte {error.start}); save it as UTF-8.",
            file=path,
        ) from error


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be read ({error.strerror}); check the name and the permissions.",
        file=path,
    )
