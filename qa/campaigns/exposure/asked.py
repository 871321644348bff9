"""What a person asked of a campaign of treatments."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from qa.campaigns.kept import folder_sha256


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command; where it runs makes no difference to its figures."""

    n: int
    seed: int
    programs: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """Words that the key of a row must have, all of them."""
    workers: int = 0
    dask: str | None = None
    report: Path | None = None
    configs: Path | None = None

    @property
    def campaign(self) -> str:
        """What kept results must be of, to be those of this campaign: not only its rows count."""
        of = "" if self.configs is None else f" --configs {folder_sha256(self.configs)}"
        return f"treatments --n {self.n} --seed {self.seed}{of}"

    @property
    def command(self) -> str:
        """The command that gives the same figures again."""
        chosen = "".join(f" --program {name}" for name in self.programs)
        words = "".join(f" --only {shlex.quote(word)}" for word in self.only)
        return f"corneum-sim campaign treatments --n {self.n} --seed {self.seed}{chosen}{words}"
