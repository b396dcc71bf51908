"""The live view through Textual's pilot: what is to be seen at fixed sizes, and what keys and the mouse do."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from kylink_cli.errors import DatabaseError
from kylink_cli.store.runs import RunProgress
from tests.support.watched import ARABIC, FILLING, INTERVAL_SECONDS, Office, scene, settled, watched

PICTURES = Path(__file__).parent.parent / "data" / "watch"
SIZES = [(80, 24), (100, 30), (200, 50)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("name", "keys"), [("campaigns", []), ("campaign", ["enter"]), ("keys", ["question_mark"])])
def test_the_picture_is_the_one_that_was_looked_at(size: tuple[int, int], name: str, keys: list[str]) -> None:
    """See `tests/data/watch`; `python -m tests.support.watch_pictures` takes them anew."""
    expected = (PICTURES / f"{name}-{size[0]}x{size[1]}.txt").read_text(encoding="utf-8")
    assert "\n".join(watched(Office(), size, keys)) + "\n" == expected


def campaigns(seen: list[str]) -> list[str]:
    return [line.split()[0] for line in seen if line.startswith("c")]


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        ([], "c00"),
        (["s", "s"], "c01"),
        (["l"], "c00"),
        (["end"], "c29"),
        (["end", "home"], "c00"),
        (["slash", *"WINTER", "space", "2", "enter"], "c22"),
    ],
    ids=str,
)
def test_what_keys_show(keys: list[str], first: str) -> None:
    shown = campaigns(watched(Office(), (100, 24), keys))
    assert first in ({shown[0]} if keys[-1:] != ["end"] else {*shown})


def test_a_text_is_searched_for_until_escape() -> None:
    assert len(campaigns(watched(Office(), (100, 50), ["slash", *"inter", "space", "1", "enter"]))) == 10
    assert len(campaigns(watched(Office(), (100, 50), ["slash", *"inter", "space", "1", "escape"]))) == 30


@pytest.mark.parametrize(
    ("keys", "done"),
    [
        (["r"], []),
        (["r", "n"], []),
        (["r", "y"], [("replenish", "c00")]),
        (["down", "r", "y"], [("replenish", "c11")]),
        (["enter", "r", "y"], [("replenish", "c00")]),
        (["p", "y"], [("pause", "c00")]),
        (["end", "p", "y"], [("resume", "c05")]),
        (["a", "escape"], []),
        (["a", "y"], [("acknowledge", 7)]),
    ],
    ids=str,
)
def test_an_act_is_done_after_a_question_to_what_is_under_the_cursor(
    keys: list[str], done: list[tuple[str, object]]
) -> None:
    office = Office()
    watched(office, (80, 24), keys)
    assert office.done == done


def test_what_came_of_an_act_is_said() -> None:
    assert "alert 7: acknowledged" in watched(Office(), (80, 24), ["a", "y"])


def test_a_click_puts_the_cursor_on_a_row_and_a_second_one_opens_it() -> None:
    async def click(pilot: Pilot[None]) -> None:
        await pilot.click("#campaigns", offset=(3, 4), times=2)

    seen = watched(Office(), (80, 24), then=click)
    assert seen[0].startswith("[red] [2Jevil[/nope] is low")


def test_the_cursor_stays_on_its_campaign_when_the_order_changes() -> None:
    office = Office()

    async def swap(pilot: Pilot[None]) -> None:
        await pilot.press("down", "down")
        office.scene = replace(office.scene, campaigns=office.scene.campaigns[1:])
        pilot.app.look()  # type: ignore[attr-defined]
        await settled(pilot)
        await pilot.press("r", "y")

    watched(office, (80, 24), then=swap)
    assert office.done == [("replenish", "c22")]


def test_a_run_under_way_has_a_bar_for_each_campaign() -> None:
    progress = {"stock_replenish": RunProgress(9, 3, 2, 41, 5)}
    seen = watched(Office(replace(scene(), progress=progress, filling=FILLING)), (80, 24))
    assert seen[2].startswith("run 9: 3 campaigns done, 2 in work, 41 items")
    assert [line.split()[-2:] for line in seen[3:5]] == [["4/10", "c00"], ["0/9", "c01"]]
    assert seen[3].count("█") == 8


def test_what_can_t_be_read_is_said_in_a_line_above_the_last_picture() -> None:
    office = Office()

    async def fail(pilot: Pilot[None]) -> None:
        office.error = DatabaseError("the database failed: [gone]\x1b[2J")
        pilot.app.look()  # type: ignore[attr-defined]
        await settled(pilot)

    seen = watched(office, (80, 24), then=fail)
    assert seen[0] == "the database failed: [gone] [2J"
    assert campaigns(seen)[0] == "c00"


def test_nothing_is_known_until_the_first_look_and_an_empty_room_has_no_rows() -> None:
    seen = watched(Office(scene(0)), (80, 24), ["enter", "r", "p", "a", "down", "end"])
    assert seen[0].startswith("kylink · no campaigns yet: try 'kylink campaigns add'")
    assert campaigns(seen) == []


def test_where_an_error_does_not_fit_its_reason_is_seen() -> None:
    start = scene(3)
    failing = replace(start.campaigns[0], last_error="the supply service refuses the request (402): no balance")
    office = Office(replace(start, campaigns=[failing, *start.campaigns[1:]]))
    [narrow] = [line for line in watched(office, (80, 24)) if line.startswith("c00")]
    [wide] = [line for line in watched(office, (200, 24)) if line.startswith("c00")]
    assert narrow.endswith("  no balance")
    assert wide.endswith("  the supply service refuses the request (402): no balance")


def test_the_title_of_an_empty_room_fits_a_narrow_terminal() -> None:
    assert watched(Office(scene(0)), (80, 24))[0].endswith("'kylink demo'")


def test_a_name_from_right_to_left_does_not_turn_its_line_round() -> None:
    [line] = [line for line in watched(Office(), (100, 24)) if line.startswith("c02")]
    assert f"\u2068{ARABIC}\u2069" in line


def test_a_filter_that_is_left_open_swallows_no_letters_of_keys() -> None:
    async def type_q(pilot: Pilot[None]) -> None:
        await pilot.press("slash", "q")
        await settled(pilot)
        assert pilot.app.query_one(Input).value == "q"

    assert campaigns(watched(Office(), (80, 24), then=type_q)) == []


def test_one_look_follows_another_however_often_somebody_asks_for_one() -> None:
    office = Office()

    async def be_impatient(pilot: Pilot[None]) -> None:
        for _ in range(5):
            await pilot.press("enter", "escape", "a", "n")
            pilot.app.look()  # type: ignore[attr-defined]
            await settled(pilot)
        pending = [timer for timer in pilot.app._timers if timer._interval == INTERVAL_SECONDS]
        assert len(pending) == 1

    watched(office, (80, 24), then=be_impatient)


def test_no_key_is_wrong_anywhere() -> None:
    keys = ["slash", "l", "s", "question_mark", "tab", "x", "escape", "escape"]
    seen = watched(Office(), (80, 24), ["enter", *keys, "r", *keys, "slash", *keys])
    assert seen[0].startswith("kylink · 30")
