"""Signed notes: a text, and under it who vouches for it.

The form is that of C2SP (c2sp.org/signed-note, with Ed25519 of RFC 8032), which other tools read,
too: the text, an empty line, and one line for each signature.
"""

import base64
import binascii
import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519: Final = b"\x01"
"""Type of a signature in a key's text and id."""

KEY_ID_BYTES: Final = 4
PUBLIC_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

SIGNATURES_MAX: Final = 16
"""Signatures that are looked at; the form wants at least as many to be accepted."""

NOTE_MAX_BYTES: Final = 16_384
"""A note of ours has 300 bytes; what is longer is none."""

_DASH: Final = "\N{EM DASH} "
_PRIVATE: Final = "PRIVATE+KEY+"


class NoteError(Exception):
    """A note or key cannot be believed; the text is a clause that says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """By what a signature is known to be somebody's."""

    name: str
    raw: bytes
    """The 32 bytes of RFC 8032."""

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each signature of this key."""
        said = self.name.encode() + b"\n" + ED25519 + self.raw
        return hashlib.sha256(said).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as one word: name, id in hexadecimal and key, between plus signs."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.raw)}"

    @classmethod
    def of(cls, text: str) -> "PublicKey":
        """Read a key from its text.

        Raises:
            NoteError: it is none.
        """
        name, _, rest = text.strip().partition("+")
        said_id, _, encoded = rest.partition("+")
        raw = _bytes(encoded)
        key = cls(checked_name(name), raw[1:])
        if raw[:1] != ED25519 or len(key.raw) != PUBLIC_BYTES or key.key_id.hex() != said_id:
            raise NoteError("it is no public key of a signed note")
        return key


class SigningKey:
    """Somebody's own key."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = PublicKey(checked_name(name), raw)

    @classmethod
    def made(cls, name: str) -> "SigningKey":
        """Make a new key from the randomness of this computer."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, text: str) -> "SigningKey":
        """Read a key from what `text` gave.

        Raises:
            NoteError: it is none.
        """
        said = text.strip()
        name, _, rest = said.removeprefix(_PRIVATE).partition("+")
        said_id, _, encoded = rest.partition("+")
        raw = _bytes(encoded)
        if not said.startswith(_PRIVATE) or raw[:1] != ED25519 or len(raw) != 1 + PUBLIC_BYTES:
            raise NoteError("it is no private key of a signed note")
        key = cls(name, Ed25519PrivateKey.from_private_bytes(raw[1:]))
        if key.public.key_id.hex() != said_id:
            raise NoteError("its bytes do not fit to its name")
        return key

    @property
    def text(self) -> str:
        """The key as one word that nobody else may read."""
        name, seed = self.public.name, self._key.private_bytes_raw()
        return f"{_PRIVATE}{name}+{self.public.key_id.hex()}+{_base64(ED25519 + seed)}"

    def signed(self, text: str) -> str:
        """Return ``text``, which ends in a newline, as a note signed by this key."""
        if not text.endswith("\n"):
            raise ValueError("the text of a note ends in a newline")
        signature = self.public.key_id + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.public.name} {_base64(signature)}\n"


def opened(note: str, known: Sequence[PublicKey]) -> tuple[str, PublicKey]:
    """Return the text of a note and the first known key that signed it.

    Raises:
        NoteError: it is no note, no known key signed it, or a signature of a known key is wrong.
    """
    text, lines = _parts(note)
    signers: list[PublicKey] = []
    for line in lines:
        name, _, encoded = line.removeprefix(_DASH).rstrip("\n").rpartition(" ")
        said = _bytes(encoded)
        for key in known:
            if (key.name, key.key_id) == (name, said[:KEY_ID_BYTES]):
                _check(key, text, said[KEY_ID_BYTES:])
                signers.append(key)
    if not signers:
        raise NoteError("no key that is known here signed it")
    return text, signers[0]


def checked_name(name: str) -> str:
    """Return the name of a key; NoteError where the form does not allow it."""
    spaces = any(unicodedata.category(one)[0] in "ZC" for one in name)
    if not name or "+" in name or spaces:
        raise NoteError(f"{name[:40]!r} is no name of a key: no spaces, no plus, not empty")
    return name


def _parts(note: str) -> tuple[str, list[str]]:
    """Part a note at its last empty line."""
    if len(note.encode()) > NOTE_MAX_BYTES:
        raise NoteError(f"it is longer than {NOTE_MAX_BYTES} bytes")
    if any(one < " " and one != "\n" for one in note):
        raise NoteError("it has control characters")
    text, gap, rest = note.rpartition("\n\n")
    lines = rest.splitlines(keepends=True)
    whole = gap and lines and all(one.startswith(_DASH) and one.endswith("\n") for one in lines)
    if not whole or len(lines) > SIGNATURES_MAX:
        raise NoteError("it does not end in lines of signatures")
    return f"{text}\n", lines


def _check(key: PublicKey, text: str, signature: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, text.encode())
    except InvalidSignature as error:
        raise NoteError(f"its signature by {key.name} does not fit to its text") from error


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("it is not in base64") from error
