"""Signed notes: the published form, byte for byte, and what is not believed."""

import pytest

from controller.archive.signed_note import NoteError, PublicKey, SigningKey, opened

# The example of golang.org/x/mod/sumdb/note, which other implementations of the form share.
THEIR_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
THEIR_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
THEIR_LINE = (
    "\N{EM DASH} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfq"
    "dngotpRZb6KE6RyyBwJnAM=\n"
)
TEXT = "one\n\ntwo\n"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.made("corneum/0123abcd")


def test_a_note_of_another_implementation_is_read() -> None:
    theirs = PublicKey.of(THEIR_KEY)
    assert opened(f"{THEIR_TEXT}\n{THEIR_LINE}", [theirs]) == (THEIR_TEXT, theirs)
    assert theirs.text == THEIR_KEY


def test_a_text_with_empty_lines_comes_back_with_its_signer(key: SigningKey) -> None:
    assert opened(key.signed(TEXT), [key.public]) == (TEXT, key.public)


def test_a_key_is_the_same_after_it_was_written_down(key: SigningKey) -> None:
    assert SigningKey.of(key.text).signed(TEXT) == key.signed(TEXT)


def test_signatures_of_strangers_are_passed_over(key: SigningKey) -> None:
    note = key.signed(TEXT) + THEIR_LINE
    assert opened(note, [key.public]) == (TEXT, key.public)
    with pytest.raises(NoteError, match="no key that is known here signed it"):
        opened(note, [SigningKey.made("corneum/0123abcd").public])


def test_a_wrong_signature_of_a_known_key_spoils_the_note(key: SigningKey) -> None:
    note = key.signed(TEXT) + THEIR_LINE  # their signature is of another text
    with pytest.raises(NoteError, match="PeterNeumann does not fit to its text"):
        opened(note, [key.public, PublicKey.of(THEIR_KEY)])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda note: note.replace("two", "too"), "does not fit to its text"),
        (lambda note: note.replace("\n\n", "\n"), "does not end in lines of signatures"),
        (lambda note: note[:-1], "does not end in lines of signatures"),
        (lambda note: note + "\n", "does not end in lines of signatures"),
        (lambda note: note.replace("one", "on\te"), "control characters"),
        (lambda note: "x" * 20_000 + note, "longer than 16384 bytes"),
        (lambda note: note + note.splitlines(keepends=True)[-1] * 16, "does not end in lines"),
        (lambda _note: "", "does not end in lines of signatures"),
    ],
)
def test_what_is_no_note_is_told_why(key: SigningKey, change: object, why: str) -> None:
    assert callable(change)
    with pytest.raises(NoteError, match=why):
        opened(change(key.signed(TEXT)), [key.public])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        THEIR_KEY.replace("c7", "c8"),
        THEIR_KEY.replace("ARpc", "AAAA"),
        THEIR_KEY[:-4],
        "a name+c74f20a3+ARpc",
        "PeterNeumann+c74f20a3+???",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        PublicKey.of(text)


def test_a_private_key_that_was_touched_is_refused(key: SigningKey) -> None:
    for text in ("", key.public.text, key.text.replace("0123abcd", "0123abce"), key.text[:-8]):
        with pytest.raises(NoteError):
            SigningKey.of(text)


def test_a_name_with_a_space_or_a_plus_signs_nothing() -> None:
    for name in ("", "a b", "a+b", "a\N{NO-BREAK SPACE}b"):
        with pytest.raises(NoteError, match="no name of a key"):
            SigningKey.made(name)


def test_a_text_without_its_last_newline_is_not_signed(key: SigningKey) -> None:
    with pytest.raises(ValueError, match="ends in a newline"):
        key.signed("one")
