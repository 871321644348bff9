"""The manifest of a bundle: the SHA-256 of every file, and what was done to it since.

`MANIFEST.sha256` has the format of sha256sum, so that an auditor needs nothing of ours:
`sha256sum -c MANIFEST.sha256` finds what was edited or removed. `verify` also finds what was added.
A manifest cannot vouch for itself: its own hash is printed when the bundle is written, and belongs
into the letter that goes with it; or it is signed.
"""

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

MANIFEST: Final = "MANIFEST.sha256"
SIGNATURE: Final = "MANIFEST.sha256.sig"
NAMESPACE: Final = "corneum-evidence"
CHUNK_BYTES: Final = 1 << 20
SIGN_MAX_S: Final = 60.0  # the agent may ask a person for a passphrase
_LINE: Final = re.compile(r"([0-9a-f]{64})  (.+)")


class ManifestError(Exception):
    """There is no manifest, it is none, or it cannot be signed; the text says what to do."""


class Changes(NamedTuple):
    """How a folder differs from its manifest, by paths."""

    edited: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_manifest(bundle: Path) -> str:
    """Write the manifest of everything in a folder, and return the hash of the manifest."""
    lines = [f"{sha256_of(bundle / name)}  {name}" for name in sorted(_files(bundle))]
    manifest = bundle / MANIFEST
    manifest.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return sha256_of(manifest)


def verify(bundle: Path) -> Changes:
    """Return what was edited, added and removed since the manifest was written.

    Raises:
        ManifestError: there is no manifest, or a line of it is none.
    """
    listed = _listed(bundle)
    there = set(_files(bundle))
    return Changes(
        tuple(name for name in sorted(there & set(listed))
              if sha256_of(bundle / name) != listed[name]),
        tuple(sorted(there - set(listed))),
        tuple(sorted(set(listed) - there)),
    )  # fmt: skip


def _listed(bundle: Path) -> dict[str, str]:
    try:
        text = (bundle / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{bundle / MANIFEST} cannot be read: is this a bundle?") from error
    listed: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ManifestError(f"{bundle / MANIFEST}:{number} is no line of sha256sum")
        listed[match[2]] = match[1]
    return listed


def _files(bundle: Path) -> Iterator[str]:
    """Yield every path in a bundle but the manifest and its signature; a link is never followed."""
    for path in bundle.rglob("*"):
        name = path.relative_to(bundle).as_posix()
        if (path.is_file() or path.is_symlink()) and name not in (MANIFEST, SIGNATURE):
            yield name


def sign(bundle: Path, key: Path) -> None:
    """Sign the manifest with an SSH key, through OpenSSH.

    Raises:
        ManifestError: ssh-keygen is missing or refuses the key.
    """
    _keygen("sign", "-n", NAMESPACE, "-f", str(key), str(bundle / MANIFEST))


def signer_of(bundle: Path, signers: Path) -> str:
    """Return who signed the manifest, by a file of allowed signers (see ssh-keygen).

    Raises:
        ManifestError: nobody of the file did, or the manifest is not the one that was signed.
    """
    signature = str(bundle / SIGNATURE)
    who = _keygen("find-principals", "-f", str(signers), "-s", signature).split("\n")[0]
    _keygen(
        "verify", "-n", NAMESPACE, "-f", str(signers), "-I", who, "-s", signature,
        said=(bundle / MANIFEST).read_bytes(),
    )  # fmt: skip
    return who


def _keygen(verb: str, *words: str, said: bytes = b"") -> str:
    try:
        done = subprocess.run(
            ["ssh-keygen", "-Y", verb, *words],
            input=said, capture_output=True, timeout=SIGN_MAX_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ManifestError(f"ssh-keygen -Y {verb} does not work: {error}") from error
    if done.returncode != 0:
        why = done.stderr.decode(errors="replace").strip() or "no reason given"
        raise ManifestError(f"ssh-keygen -Y {verb}: {why}")
    return done.stdout.decode(errors="replace").strip()
