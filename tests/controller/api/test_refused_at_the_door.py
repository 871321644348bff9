"""Who is refused at the door of the socket is told why; who is let in and looks sees all."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from controller.api import server as server_module
from controller.api.peer import peer_uid
from tests.controller.api.served import say, serving

NOBODY_UID = 65_534

pytestmark = pytest.mark.realtime


@pytest.mark.hazard("H12")
def test_a_foreign_account_is_told_whose_kernel_it_is_and_the_next_one_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
        async with serving(tmp_path) as (desk, path, _):
            monkeypatch.setattr(server_module, "peer_uid", lambda _line: NOBODY_UID)
            refused = await say(path, b'{"id": 1, "do": "stop"}\n', 2)
            monkeypatch.setattr(server_module, "peer_uid", peer_uid)
            return refused, await say(path, b'{"id": 2, "do": "ack"}\n'), desk.stops

    refused, (answered,), stops = asyncio.run(scenario())
    assert [answer["error"]["code"] for answer in refused] == ["not_allowed"]
    assert f"user {NOBODY_UID} may not speak to it" in refused[0]["error"]["sentence"]
    assert stops == 0
    assert (answered["id"], answered["ok"]) == (2, True)


@pytest.mark.parametrize("do", ["status", "watch"])
def test_whoever_looks_is_answered_with_all_there_is_to_see(tmp_path: Path, do: str) -> None:
    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path) as (_, path, _):
            asked = f'{{"id": 1, "do": "stop"}}\n{{"id": 2, "do": "{do}"}}\n'
            return await say(path, asked.encode(), 2)

    said = {answer["id"]: answer for answer in asyncio.run(scenario())}
    assert said[2]["ok"] is True
    assert said[2]["result"] == {"stops": 1, "padding": ""}
