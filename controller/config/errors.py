"""The error of this package: one sentence that a person can act on."""

from pathlib import Path


class ConfigError(Exception):
    """A file cannot be used. ``str()`` is one sentence: file, field, value, range, next step."""

    def __init__(self, sentence: str, *, file: Path | None = None, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.file = file
        self.field = field
