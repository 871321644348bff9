"""What is answered, written and told when something is raised, word for word and for each bound."""

import asyncio
import re
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from controller.api import faults
from controller.api.authority import Do, Origin, Role
from controller.api.faults import HEARD_MAX, WRITERS_MAX, FaultHandler
from controller.api.requests import Request, WhoSays
from controller.config.paths import NoStateFolderError
from controller.safety.refusal import Refusal, RefusedError, refusing

pytestmark = pytest.mark.realtime

DONE: Final = Path("/s/fault.txt")
REQUEST: Final = Request(
    id=9,
    do=Do.TREAT,
    who=WhoSays(name="anna", role=Role.QA, origin=Origin.LOCAL),
    args={"program": "refresh", "zones": ["nose", {"deep": "chin"}], "lower": None, "n": 7},
)
WORDS: Final = ("treat", "anna", "qa", "local", "refresh", "nose", "chin")


class Disk:
    """Writes files of faults: notes what it is given, and takes as long as a test wants."""

    def __init__(self) -> None:
        self.written: list[tuple[BaseException, str, tuple[str, ...]]] = []
        self.threads: set[tuple[str, bool]] = set()
        self.goes_on = threading.Event()
        self.goes_on.set()

    def __call__(
        self, error: BaseException, doing: str, private: tuple[str, ...], /
    ) -> Path | None:
        self.written.append((error, doing, private))
        me = threading.current_thread()
        self.threads.add((me.name, me.daemon))
        self.goes_on.wait(5.0)
        return DONE


def raised(source: str = "made-up.py") -> Exception:
    try:
        exec(compile("raise KeyError('anna')", source, "exec"))  # noqa: S102 - one line
    except KeyError as error:
        return error
    raise AssertionError


def fault(support: str, at: str = "made-up.py:1") -> tuple[str, str, str]:
    return (
        "fault",
        f"This is a fault of the kernel itself and no mistake of yours: KeyError at {at}. "
        "Whether what was asked for was done is not known.",
        f"Look at `corneum status` before you ask again. {support}",
    )


NO_FILE: Final = "Give this sentence to support: no file about it could be written."


def told(refused: Refusal) -> tuple[str, str, str]:
    assert refused.receipt is None
    return refused.code, refused.sentence, refused.next_step


async def raising(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("request_", "doing", "private"),
    [(REQUEST, "the request treat", WORDS), (None, "reading a request", ())],
    ids=["a request", "none"],
)
def test_a_fault_is_answered_with_its_file_and_no_word_of_the_request_may_stand_in_it(
    request_: Request | None, doing: str, private: tuple[str, ...]
) -> None:
    disk, error = Disk(), raised()

    async def scenario() -> None:
        answer = await FaultHandler(disk).told(error, request_)
        assert told(answer) == fault("Give the file /s/fault.txt to support.")

    asyncio.run(scenario())
    ((met, what, words),) = disk.written
    assert (met, what, sorted(words)) == (error, doing, sorted(private))
    assert disk.threads == {("fault-file", True)}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermissionError(13, "Permission denied", "/configs/x"),
            (
                "environment",
                "/configs/x cannot be used (Permission denied).",
                "Mend its rights, or name another place.",
            ),
        ),
        (
            NoStateFolderError("There is none."),
            (
                "environment",
                "There is none.",
                NoStateFolderError("There is none.").refusal.next_step,
            ),
        ),
    ],
)
def test_what_the_environment_refuses_is_answered_in_its_words_and_leaves_no_file(
    error: Exception, said: tuple[str, str, str]
) -> None:
    disk = Disk()
    answer = asyncio.run(FaultHandler(disk).told(error, REQUEST))
    assert told(answer) == said
    assert disk.written == []


def test_what_a_handler_gives_refuses_or_raises_comes_out_as_an_answer() -> None:
    async def giving() -> int:
        return 7

    async def scenario() -> None:
        desk, refusal = FaultHandler(Disk()), refusing("busy", "Wait.", "Ask again.")
        assert await desk.guarded(giving(), REQUEST) == 7
        with pytest.raises(RefusedError) as caught:
            await desk.guarded(raising(refusal), REQUEST)
        assert caught.value is refusal
        error = raised()
        with pytest.raises(RefusedError) as caught:
            await desk.guarded(raising(error), REQUEST)
        assert (caught.value.code, caught.value.__cause__) == ("fault", error)
        cancelled = asyncio.CancelledError()
        with pytest.raises(RefusedError) as caught:
            await desk.guarded(raising(cancelled), REQUEST)
        assert (caught.value.code, caught.value.__cause__) == ("fault", cancelled)
        assert "CancelledError" in caught.value.sentence

    asyncio.run(scenario())


def test_a_question_that_is_cancelled_from_outside_stays_cancelled() -> None:
    disk = Disk()

    async def scenario() -> None:
        asking = asyncio.create_task(FaultHandler(disk).guarded(asyncio.sleep(60.0), REQUEST))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(scenario())
    assert disk.written == []


# -- the disk --------------------------------------------------------------------------------------
def test_a_disk_that_hangs_is_waited_for_so_long_and_given_so_many_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faults, "WRITE_MAX_S", 0.02)
    disk = Disk()

    async def scenario() -> None:
        desk = FaultHandler(disk)
        disk.goes_on.clear()
        for number in range(WRITERS_MAX + 2):
            answer = await desk.told(raised(), None)
            assert told(answer) == fault(NO_FILE)
            assert len(disk.written) == min(number + 1, WRITERS_MAX)
        disk.goes_on.set()
        async with asyncio.timeout(5.0):
            while desk._writing:
                await asyncio.sleep(0.001)
        monkeypatch.undo()
        answer = await desk.told(raised(), None)
        assert told(answer) == fault("Give the file /s/fault.txt to support.")
        assert desk._writing == 0

    asyncio.run(scenario())


def test_a_process_that_may_have_no_more_threads_answers_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario() -> None:
        desk = FaultHandler(Disk())
        monkeypatch.setattr(threading.Thread, "start", start)
        assert told(await desk.told(raised(), None)) == fault(NO_FILE)
        assert desk._writing == 0

    asyncio.run(scenario())


def test_without_a_disk_the_loop_hears_of_the_fault_instead() -> None:
    heard: list[dict[str, Any]] = []
    error = raised()

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, about: heard.append(about))
        assert told(await FaultHandler().told(error, REQUEST)) == fault(NO_FILE)

    asyncio.run(scenario())
    assert heard == [{"message": "a fault in the request treat", "exception": error}]


# -- callbacks of the loop -------------------------------------------------------------------------
def test_what_a_callback_raises_is_told_once_for_each_place_and_up_to_a_bound(
    capsys: pytest.CaptureFixture[str],
) -> None:
    disk = Disk()

    async def scenario() -> None:
        desk, loop = FaultHandler(disk), asyncio.get_running_loop()
        for number in range(HEARD_MAX + 2):
            for _ in range(2):
                error = raised(f"{number}.py")
                desk.heard(loop, {"message": "x", "exception": error})
            async with asyncio.timeout(5.0):
                while desk._writing:
                    await asyncio.sleep(0)
            await asyncio.sleep(0)
        desk.heard(loop, {"message": "only words"})
        desk.heard(loop, {})
        desk.heard(loop, {"exception": KeyboardInterrupt()})

    asyncio.run(scenario())
    assert capsys.readouterr().err.splitlines() == [
        *(
            f"This is a fault of the kernel itself and no mistake of yours: KeyError at "
            f"{number}.py:1. Give the file /s/fault.txt to support."
            for number in range(HEARD_MAX)
        ),
        "only words",
        "",
    ]
    assert {(doing, private) for _, doing, private in disk.written} == {
        ("a callback of the loop", ())
    }


def test_one_place_that_raises_two_kinds_is_told_of_both(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def scenario() -> None:
        desk, loop = FaultHandler(Disk()), asyncio.get_running_loop()
        for error in (KeyError("x"), ValueError("x")):
            desk.heard(loop, {"exception": error})
        async with asyncio.timeout(5.0):
            while desk._writing:
                await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert re.findall(r"yours: (\w+)\.", capsys.readouterr().err) == ["KeyError", "ValueError"]
