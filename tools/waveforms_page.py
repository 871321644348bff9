"""docs/WAVEFORMS.md: what is in a file of waveforms, made from the table of its channels."""

from controller.archive.channels import CHANNELS, Channel
from controller.archive.recording import GAP_MIN_S, KEEP_UP_S
from controller.archive.worker import TURN_S
from controller.record.waveform_feed import TAIL_S
from controller.record.waveform_process import FOLDER, file_name
from tools.tables import as_page, as_table

EXAMPLE = 16


def waveforms_page() -> str:
    """Return docs/WAVEFORMS.md."""
    name = f"{FOLDER}/{file_name(EXAMPLE)}"
    return as_page(
        "Waveforms",
        f"Each treatment leaves one file in the state folder, treatment {EXAMPLE} leaves "
        f"`{name}`: an [MCAP](https://mcap.dev) file with JSON messages, which public tools open. "
        "A row `waveform` of the record has its SHA-256 (see [RECORD.md](RECORD.md)), and "
        "`corneum records verify` compares both. The file is no part of what a treatment needs: "
        "where it cannot be written, the treatment goes on and the row says why.",
        "## Open it\n\n"
        "- **Foxglove**: *Open local file*, then a *Plot* panel with `/suction.a_kpa`, "
        "`/flow.g_per_min`, `/valve.percent`; a *State Transitions* panel with `/state.treatment`, "
        "`/contact.on_skin`, `/switch.pressed`; *Raw Messages* on `/gap` and `/alarm`. *Topics* "
        "lists the fields with their units.\n"
        "- **PlotJuggler**: *Data*, the file, all topics, *use the message's log time*; drag the "
        "fields into a plot. In the menu of a curve of a state choose *Steps*.\n"
        "- **Python**: `from controller.archive.waveforms import read`; "
        f"`read(Path('{file_name(EXAMPLE)}')).columns['/suction'].values['a_kpa']` is an array of "
        "doubles, `.log_time_ns` its times; `numpy.asarray` takes both as they are. Or any reader "
        "of MCAP, such as `mcap` of PyPI and `@mcap/core` of npm: the chunks are compressed by "
        "zstd.\n"
        "- **A spreadsheet**: `corneum records export 16 treatment-16.csv` writes a table with a "
        "row for each instant, `time` with the offset of your time zone; `.json` instead of `.csv` "
        "writes the rows of the record, too, and `.mcap` a copy of the file. A reading stands in "
        "the row of its own instant, a state also in those behind it, up to a gap.",
        "## What is in it\n\n"
        "The time of a message is wall time (UTC) in ns, derived from one pair of clocks at the "
        "beginning of the file: it never jumps, though the clock of the computer may be set. A "
        "field that nobody knew at an instant is left out of its message.",
        as_table(("topic", "what", "fields", "a message"), map(_cells, CHANNELS)),
        "The JSON Schema of each topic has the unit of each field under `unit`. Two records of "
        "metadata are beside them: `treatment` (its number, unit, simulated or not, program with "
        "version and SHA-256, plan with its fingerprint, version of Corneum, name of the journal "
        "with number and hash of its newest row at the beginning, and the pair of clocks `wall_s` "
        "and `mono_s`) and `end` (how it ended, readings, gaps). The client is in the record "
        f"alone. A file begins when the treatment does, and ends {TAIL_S:g} s after it.",
        "## What a gap looks like\n\n"
        f"Nothing is missing in silence. Where readings are further apart than {GAP_MIN_S:g} s, or "
        "one that the host had is not in the file, a message on `/gap` stands at the end of the "
        "gap: how many `seconds` it is long, how many samples were lost, and why. In a plot the "
        "curves have no point there; behind it every channel is said anew, so that no state is "
        "carried over it. `why` is one of: the recorder did not keep up; the unit sent no reading; "
        "the recorder ended and was started again; a damaged part of the file was left out.",
        "## When something goes wrong\n\n"
        "The kernel writes into a pipe and never waits; another process takes from it every "
        f"{TURN_S:g} s. A `kill -9` of that process loses what it had taken out, which is less "
        "than a second, and another goes on in the same file; a kill of the kernel loses nothing, "
        "and the file says under `end` that its kernel had gone. What both leave at a power cut is "
        "an unfinished file. `corneum records recover 16` (without a number: all files, and the "
        "lists of the record) makes a finished one of it, leaves a damaged middle out and marks it "
        "as a gap, says how many seconds are missing and from when, and keeps the old file beside "
        "it under `.damaged`. It ends with 1 where what it made does not read back.",
    )


def _cells(channel: Channel) -> tuple[str, ...]:
    fields = "; ".join(
        f"`{name}` {field.says}{f' [{field.unit}]' if field.unit else ''}"
        for name, field in channel.fields.items()
    )
    each = "for each reading, 50 a second"
    changes = f"for each change, and every {KEEP_UP_S:g} s"
    when = "when it happens" if channel.event else each if channel.steady else changes
    return (f"`{channel.topic}`", channel.says, fields, when)
