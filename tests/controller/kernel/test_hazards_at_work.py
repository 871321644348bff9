"""Hazards that only the host can answer, injected into the running service."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from controller.api.requests import ApiError, Request
from controller.config.locate import shipped_configs
from controller.record.store import Store
from qa.loop import run_virtual
from qa.rig import RigSpec, Service, service
from simulator.handpiece import Happening
from tests.controller.record.edits import bodies

REMOTE = {"name": "fleet", "role": "supervisor", "origin": "remote"}
QUIET = {"BOOT", "DISARMED", "SELFTEST", "READY"}
GIVEN_UP_MAX_S = 1.2
"""From the last byte to a line that is given up: a second, and a look."""
SHUT_MAX_S = 0.25
"""From the end of a zone to a shut valve: the line, one beat, the spring."""


def moved(made: Service) -> bool:
    return any(
        event["kind"] == "valve" or (event["kind"] == "mode" and event["mode"] not in QUIET)
        for event in made.rig.events
    )


def client_in(tmp_path: Path, change: tuple[str, str]) -> Path:
    folder = tmp_path / "configs"
    shutil.copytree(shipped_configs(), folder)
    demo = folder / "clients" / "demo.toml"
    before, after = change
    text = demo.read_text()
    assert before in text
    demo.write_text(text.replace(before, after))
    return folder


@pytest.mark.hazard("H53", shows="works")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("active_infection = false", "active_infection = true"), "infection"),
        (("pregnancy = false", ""), "pregnancy"),
        (("exclusions = []", 'exclusions = ["nose"]'), "ose"),
    ],
)
def test_a_contraindication_or_an_excluded_zone_stops_the_start(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    async def scenario() -> tuple[ApiError, bool]:
        async with service(RigSpec(configs=client_in(tmp_path, change))) as made:
            with pytest.raises(ApiError) as refused:
                await made.ask("treat", program="refresh", client="demo", zones=["nose"])
            await asyncio.sleep(2.0)
            return refused.value, moved(made)

    error, anything = run_virtual(scenario())
    assert words in error.sentence
    assert not anything


def test_a_refused_wish_leaves_a_row_with_the_chain_of_its_limits() -> None:
    async def scenario() -> list[tuple[str, str]]:
        async with service() as made:
            with pytest.raises(ApiError):
                await made.ask(
                    "treat", program="refresh", client="demo", lower={"suction_kpa": 39.0}
                )

            def question(store: Store) -> list[tuple[str, str]]:
                said = map(json.loads, bodies(store.connection(), "refused"))
                return [(each["code"], each["receipt"]["binding"]) for each in said]

            return await made.kernel._outside.journal.read(question)

    assert run_virtual(scenario()) == [("raised", "program")]


@pytest.mark.hazard("H21", "H22", shows="works")
@pytest.mark.parametrize("do", ["treat", "resume", "ack", "reset", "shutdown"])
def test_nobody_starts_or_raises_from_elsewhere(do: str) -> None:
    async def scenario() -> tuple[ApiError, bool]:
        async with service() as made:
            wish = {"program": "refresh", "client": "demo"} if do == "treat" else {}
            request = Request.model_validate({"do": do, "who": REMOTE, "args": wish})
            with pytest.raises(ApiError) as refused:
                await made.kernel.handle(request)
            await asyncio.sleep(2.0)
            return refused.value, moved(made)

    error, anything = run_virtual(scenario())
    assert error.code == "not_allowed"
    assert not anything


@pytest.mark.hazard("H41")
def test_a_reading_says_how_old_it_is() -> None:
    async def scenario() -> float:
        async with service() as made:
            await asyncio.sleep(1.0)
            return float(made.snapshot()["live"]["age_ms"])

    assert run_virtual(scenario()) <= 40.0


@pytest.mark.hazard("H41", shows="works")
def test_on_a_silent_line_the_age_grows_and_no_value_passes_for_live() -> None:
    async def scenario() -> None:
        async with service() as made:
            await asyncio.sleep(1.0)
            made.rig.device.silent = True
            loop = asyncio.get_running_loop()
            silent_at_s = loop.time()
            while made.snapshot()["link"]["state"] == "identified":
                silent_s = loop.time() - silent_at_s
                assert silent_s <= GIVEN_UP_MAX_S
                on_its_way_s = 0.005
                assert made.snapshot()["live"]["age_ms"] / 1000.0 >= silent_s - on_its_way_s
                await asyncio.sleep(0.05)
            for _ in range(40):  # the unit is looked for meanwhile, and its old values are gone
                assert made.snapshot()["live"] is None
                await asyncio.sleep(0.05)
            made.rig.device.silent = False
            await made.until(lambda: made.snapshot()["live"] is not None, 10.0)
            assert made.snapshot()["live"]["age_ms"] <= 100.0

    run_virtual(scenario())


@pytest.mark.hazard("H50", shows="works")
def test_after_a_zone_no_crystal_falls_until_the_tip_was_lifted() -> None:
    async def scenario() -> list[tuple[float, bool]]:
        async with service() as made:
            await made.ask("treat", program="refresh", client="demo", zones=["nose", "chin"])
            await made.until(lambda: _zone_state(made, 0) == "done", 120.0)
            done_s = made.rig.handpiece.plant.truth.t_s
            await made.until(lambda: _contact_s(made, 1) > 1.0, 60.0)
            shut_s = done_s + SHUT_MAX_S
            return [
                (number_of(event, "t_s"), event["kind"] == "contact" and not event["on"])
                for event in made.rig.events
                if number_of(event, "t_s") > shut_s
                and (event["kind"] == "contact" or number_of(event, "open_percent") > 1.0)
            ]

    after = run_virtual(scenario())
    assert after
    first_is_a_lift = after[0][1]
    assert first_is_a_lift


def number_of(event: Happening, name: str) -> float:
    value = event.get(name, 0.0)
    return float(value) if isinstance(value, int | float) else 0.0


def _zone_state(made: Service, number: int) -> str:
    return str(made.snapshot()["treatment"]["zones"][number]["state"])


def _contact_s(made: Service, number: int) -> float:
    return float(made.snapshot()["treatment"]["zones"][number]["contact_s"])
