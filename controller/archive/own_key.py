"""The key of this computer that signs notes about its record, and the keys that it has had.

The key is made when it is first needed. Whoever may read its file may sign in its name, so the file
is for its owner alone. A key that was lost or renewed still checks what it signed: its public half
stays in the list beside it.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from controller.archive.one_step import replace_text
from controller.archive.signed_note import NoteError, PublicKey, SigningKey

KEY_FILE: Final = "record-key"
KNOWN_FILE: Final = "record-keys.txt"
KEYS_MAX: Final = 1000
"""Lines of the list that are read: a key lives for years."""


class KeyFileError(Exception):
    """The key cannot be made or read; ``sentence`` says what to do."""

    @property
    def sentence(self) -> str:
        """What is wrong, and the next step."""
        return str(self)


def own_key(folder: Path) -> SigningKey:
    """Return the key of this computer; makes it where there is none.

    Raises:
        KeyFileError: it cannot be read, or cannot be made.
    """
    path = folder / KEY_FILE
    try:
        return SigningKey.of(path.read_text("ascii"))
    except (FileNotFoundError, NotADirectoryError):
        return renewed_key(folder)
    except (OSError, ValueError, NoteError) as error:
        raise KeyFileError(
            f"The key {path} cannot be used ({_why(error)}): put it back from a backup, or move it "
            "away, and the next note makes a new one; what the old one signed stays checked."
        ) from error


def renewed_key(folder: Path) -> SigningKey:
    """Make a new key in place of the one there is; the old one's public half stays known.

    Raises:
        KeyFileError: it cannot be written.
    """
    key = SigningKey.made(f"corneum/{secrets.token_hex(4)}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remember(folder / KNOWN_FILE, key.public)  # first: what it signs must be checkable
        replace_text(folder / KEY_FILE, f"{key.text}\n")
    except OSError as error:
        raise KeyFileError(
            f"No key for notes about the record can be written in {folder} ({error.strerror}): "
            "mend its rights, or name another folder in XDG_CONFIG_HOME."
        ) from error
    return key


def known_keys(folder: Path) -> tuple[PublicKey, ...]:
    """Return the keys that this computer has, or has had; what cannot be read is none."""
    keys: list[PublicKey] = []
    with contextlib.suppress(OSError, ValueError):
        for line in (folder / KNOWN_FILE).read_text("utf-8").splitlines()[:KEYS_MAX]:
            with contextlib.suppress(NoteError):
                keys.append(PublicKey.of(line))
    return tuple(keys)


def _remember(path: Path, key: PublicKey) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, f"{key.text}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _why(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
