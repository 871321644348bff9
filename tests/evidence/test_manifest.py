import shutil
import subprocess
from pathlib import Path

import pytest

from tools.evidence.__main__ import main
from tools.evidence.manifest import (
    MANIFEST,
    ManifestError,
    sha256_of,
    sign,
    signer_of,
    verify,
    write_manifest,
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "junit").mkdir(parents=True)
    (folder / "index.html").write_text("front")
    (folder / "junit" / "quick.xml").write_text("<testsuites/>")
    (folder / "empty").write_text("")
    write_manifest(folder)
    return folder


def test_an_untouched_bundle_is_as_its_manifest_says(bundle: Path) -> None:
    assert not any(verify(bundle))


def test_what_was_edited_added_and_removed_is_named(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / "index.html").write_text("better")
    (bundle / "junit" / "more.xml").write_text("")
    (bundle / "empty").unlink()
    assert verify(bundle) == (("index.html",), ("junit/more.xml",), ("empty",))
    assert main(["--verify", str(bundle)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said == ["edited: index.html", "added: junit/more.xml", "removed: empty"]


def test_the_manifest_is_one_that_sha256sum_reads(bundle: Path) -> None:
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("there is no sha256sum")
    words = [tool, "--check", "--strict", "--quiet", MANIFEST]
    assert subprocess.run(words, cwd=bundle, check=False).returncode == 0
    (bundle / "index.html").write_text("better")
    assert subprocess.run(words, cwd=bundle, check=False, capture_output=True).returncode == 1


def test_the_hash_of_the_manifest_changes_with_any_file(bundle: Path) -> None:
    before = sha256_of(bundle / MANIFEST)
    assert write_manifest(bundle) == before
    (bundle / "empty").write_text(" ")
    assert write_manifest(bundle) != before


def test_a_link_that_leads_nowhere_counts_as_added(bundle: Path) -> None:
    (bundle / "link").symlink_to("nowhere")
    assert verify(bundle).added == ("link",)


@pytest.mark.parametrize("text", [None, "no hash\n", f"{'A' * 64}  index.html\n"])
def test_a_folder_without_a_manifest_is_refused_in_a_sentence(
    bundle: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / MANIFEST).unlink()
    if text is not None:
        (bundle / MANIFEST).write_text(text)
    assert main(["--verify", str(bundle)]) == 2
    assert MANIFEST in capsys.readouterr().err


def test_a_signature_names_the_signer_and_fits_no_other_manifest(
    bundle: Path, tmp_path: Path
) -> None:
    tool = shutil.which("ssh-keygen")
    if tool is None:
        pytest.skip("there is no ssh-keygen")
    key = tmp_path / "key"
    words = [tool, "-q", "-t", "ed25519", "-N", "", "-C", "qa@example.org", "-f", str(key)]
    subprocess.run(words, check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"qa@example.org {key.with_suffix('.pub').read_text()}")
    sign(bundle, key)
    assert not any(verify(bundle))
    assert signer_of(bundle, signers) == "qa@example.org"
    assert main(["--verify", str(bundle), "--signers", str(signers)]) == 0
    (bundle / "empty").write_text(" ")
    write_manifest(bundle)
    with pytest.raises(ManifestError, match="verify"):
        signer_of(bundle, signers)


def test_a_key_that_is_not_there_is_told(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="ssh-keygen"):
        sign(bundle, tmp_path / "none")
