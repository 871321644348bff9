"""A run while it lasts: the rig, its one kernel, the record that outlives it, and the timeline."""

import asyncio
import random
from pathlib import Path
from typing import Final

from controller.api.authority import Do
from controller.api.requests import Request
from controller.record.clocks import Here
from controller.safety.refusal import RefusedError
from qa.rig import Rig
from qa.scenarios.answers import Answers, Told
from qa.scenarios.expectations import PromiseKept
from qa.scenarios.model import Scenario
from qa.scenarios.onlooker import Onlooker, limits_of
from qa.scenarios.process import KeptStore, KernelProcess
from qa.scenarios.story import Story
from qa.scenarios.timeline import note_device
from simulator.handpiece import Happening
from simulator.line import Weather

DAY_S: Final = 86_400.0


class Stage:
    """What steps act on."""

    def __init__(self, scenario: Scenario, made: Rig, configs: Path | None, story: Story) -> None:
        self.scenario = scenario
        self.rig = made
        self.story = story
        self.timeline = story.timeline
        self.store = KeptStore(made.journal_name())
        self.processes: list[KernelProcess] = []
        self._configs = configs
        self._wall_step_s = 0.0
        self._boot = 1
        self._asleep_s = 0.0
        self._chance = random.Random(f"{made.spec.seed} scenario")  # noqa: S311  it must repeat
        self.onlooker: Onlooker | None = None
        """Sees in every tick whether the promise holds, where the scenario asks for it."""
        self.answers = Answers(story.broken)
        """Judges what is answered to people."""
        if any(isinstance(each, PromiseKept) for each in scenario.expect):
            self.onlooker = Onlooker(made.handpiece, limits_of(scenario, configs), story.broken)
            self.store.on_row = self.onlooker.recorded
        for event in made.events:
            self._on_device(event)
        made.handpiece.record_to(self._on_device)

    @property
    def now_s(self) -> float:
        """Seconds since power-on."""
        return asyncio.get_running_loop().time()

    @property
    def process(self) -> KernelProcess | None:
        """The newest kernel."""
        return self.processes[-1] if self.processes else None

    @property
    def idle(self) -> bool:
        """True while nothing runs, or nobody is there who could run it."""
        process = self.process
        if process is None or process.killed or process.over:
            return True
        return process.kernel is not None and process.kernel.idle and not process.frozen

    @property
    def state(self) -> str:
        """The state of the treatment, as a kernel that runs sees it."""
        process = self.process
        if process is None or process.kernel is None or process.killed or process.frozen:
            return ""
        return process.kernel.control.state

    @property
    def hears(self) -> bool:
        """True while there is a kernel that can be asked."""
        process = self.process
        return process is not None and not process.killed and not process.over

    def note(self, subject: str, value: str, words: str = "", who: str = "scenario") -> None:
        """Let a subject have a value from now on."""
        self.timeline.put(self.now_s, who, subject, value, words)

    # -- the kernel --------------------------------------------------------------------------------
    def start_kernel(self) -> None:
        """Start a kernel on the record; one that is still there is killed first."""
        if self.process is not None and not self.process.over:
            self.process.kill()
        made = KernelProcess(self.rig, self.store, self._here(), self._configs)
        self.processes.append(made)
        made.start(lambda refused: self._ended(made, refused))
        self.note("kernel", "running")

    def ask(self, request: Request) -> None:
        """Ask the kernel; what it refuses is in the timeline."""
        process = self.process
        if process is None or process.killed or process.over:
            self.note("refused", "no_kernel", f"{request.do.value}: nobody answers", "host")
        else:
            told = self.answers.asked(request.do, hears=not process.frozen)
            process.ask(request, lambda refused: self._answered(request.do, told, refused))

    def wall_clock(self) -> float:
        """The time of the clinic's wall clock."""
        return self.rig.wall_clock() + self._wall_step_s

    def step_clock(self, days: float) -> None:
        """Set the wall clock."""
        self._wall_step_s += days * DAY_S

    def sleep(self, days: float) -> None:
        """Let the computer sleep: time passes for its clocks, and for nobody else."""
        self._wall_step_s += days * DAY_S
        self._asleep_s += days * DAY_S

    def reboot(self) -> None:
        """End what runs on the computer; its time since boot begins anew."""
        if self.process is not None and not self.process.over:
            self.process.kill()
            self.note("kernel", "killed")
            self.timeline.forget(self.now_s, "state", "link", "zone")
        self._boot += 1
        self._asleep_s = -self.now_s  # the loop goes on; since boot no time has passed

    def _here(self) -> Here:
        return Here(self.wall_clock, f"boot {self._boot}", lambda: self._asleep_s)

    # -- the line and the unit ---------------------------------------------------------------------
    def catch_up(self) -> None:
        """Let the device come to now, so that what is done to it has its right time."""
        self.rig.device.advance()

    def settle_down(self) -> None:
        """Let out what the device has to say about it."""
        self.rig.device.flush()

    def set_weather(self, weather: Weather) -> None:
        """Let the line misbehave from now on."""
        self.rig.device.set_weather(weather)

    def garbage(self, count: int) -> bytes:
        """Return bytes by chance."""
        return self._chance.randbytes(count)

    # -- the end -----------------------------------------------------------------------------------
    async def close(self) -> None:
        """End every kernel; raises what went wrong in one of them."""
        process = self.process
        if process is not None:
            process.thaw()
            process.end()
        for each in self.processes:
            await each.unwound()

    # -- inside ------------------------------------------------------------------------------------
    def _on_device(self, event: Happening) -> None:
        note_device(self.timeline, event)
        self.answers.happened(event)
        if self.onlooker is not None:
            self.onlooker.promise.happened(event)

    def _ended(self, process: KernelProcess, refused: RefusedError | None) -> None:
        if refused is not None:
            self.note("refused", refused.code, f"the kernel does not start: {refused}", "host")
        if process is self.process:
            self.note("kernel", "ended", who="host")

    def _answered(self, do: Do, told: Told, refused: RefusedError | None) -> None:
        told(refused)
        if refused is None:
            self.timeline.add(self.now_s, "host", f"{do.value}: done")
        else:
            words = f"{do.value}: refused ({refused.code}): {refused}"
            self.note("refused", refused.code, words, "host")
