"""`corneum config schema`: the JSON Schema of each kind of file, as the models have it."""

import json
import sys

from controller.cli.outcome import ExitCode, Failure
from controller.config.schema import SCHEMAS, schema_text
from controller.config.suggest import near


def run(kind: str | None) -> ExitCode:
    """Print the schema of one kind, or one object with those of all kinds."""
    if kind is None:
        every = {name: json.loads(schema_text(model)) for name, model in SCHEMAS.items()}
        sys.stdout.write(json.dumps(every, indent=2, ensure_ascii=False) + "\n")
        return ExitCode.DONE
    model = SCHEMAS.get(kind)
    if model is None:
        meant = near(kind, SCHEMAS)
        raise Failure(
            f"There is no kind of file {kind!r}{f'; did you mean {meant}?' if meant else '.'}",
            f"Kinds are {', '.join(SCHEMAS)}.",
            ExitCode.USAGE,
        )
    sys.stdout.write(schema_text(model))
    return ExitCode.DONE
