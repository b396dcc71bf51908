"""Files as people have them, each with what becomes of it; tests/data/sheets holds them byte for byte."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kylink_cli.imports.campaigns import read_campaigns
from kylink_cli.imports.values import read_values
from kylink_cli.rules.damaged_ids import damage

SHEETS = Path(__file__).parent.parent / "data" / "sheets"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAMAGED = damage("1E+5")
NO_VALUES = (
    "line 1: the header: no column is named value: --column says which holds the values; "
    "if the line is a value itself, put a line 'value' before it"
)
OF_REPORT = [("21000000001", "Video views", "active"), ("21000000002", "MH sand", "paused")]

CAMPAIGNS = {
    "ads-total.csv": [("838383833", "General Terms (Q1, 16)", "active"), ("838383834", "Mens", "active")],
    "dashes.csv": [("123-456-7890", "A", None)],
    "editor-utf16.csv": [("21000000001", "Brand", None)],
    "google-campaign-report.csv": OF_REPORT,
    "google-no-title.csv": OF_REPORT,
    "google-rows-only.csv": OF_REPORT,
    "upstream-sheet.csv": [
        ("21000000001", "900-PM1-merchant-US-0101-777", None),
        ("21000000002", "901-LH1-merchant-US-0101-778", None),
        ("21000000003", "902-LB1-merchant-GB-0101-779", None),
    ],
}
DAMAGED_IDS = {
    "sci.csv": ["1.23457E+11", "2.1E+10"],
    "pandas-float.csv": ["21000000001.0", "21000000002.0"],
    "excel-text.csv": ["'21000000001", '="""21000000002"""'],
    "thousands.csv": ["21,000,000,001", "21 000 000 002"],
}
VALUES = {
    "cat.csv": ["A1", "A2"],
    "comment.txt": ["A1"],
    "nbsp-zwsp.txt": ["ABC123", "DEF"],
    "quoted.csv": ["ABC123", "DEF456"],
    "sep.csv": ["ABC123"],
    "spaces.txt": ["ABC123", "DEF"],
    "state-column.csv": ["A2"],
}
NAMED_COLUMN = {
    "code-amount.csv": ("code", ["xk@MpA1p", "u#pEB2K"]),
    "header-other.csv": ("Coupon Code", ["ABC123", "DEF456"]),
    "index-code.csv": ("code", ["LS000001", "LS000002"]),
}


def test_every_file_is_looked_at() -> None:
    known = CAMPAIGNS.keys() | DAMAGED_IDS.keys() | VALUES.keys() | NAMED_COLUMN.keys()
    assert {path.name for path in SHEETS.iterdir()} == known


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_sheet_of_campaigns_is_read(name: str) -> None:
    found = read_campaigns(str(SHEETS / name), "u1")
    names = ("campaign_id", "name", "status")
    assert [tuple(entry.fields.get(field) for field in names) for entry in found.entries] == CAMPAIGNS[name]
    assert found.faults == []


@pytest.mark.parametrize("name", DAMAGED_IDS)
def test_a_sheet_with_damaged_ids_is_refused_row_by_row(name: str) -> None:
    found = read_campaigns(str(SHEETS / name), "u1")
    assert found.entries == []
    assert [str(fault) for fault in found.faults] == [
        f"line {line}: campaign_id is {text!r}: {DAMAGED}" for line, text in enumerate(DAMAGED_IDS[name], start=2)
    ]


def test_the_countries_of_a_sheet_become_codes_and_a_list_is_doubtful() -> None:
    found = read_campaigns(str(SHEETS / "upstream-sheet.csv"), "u1")
    assert [entry.fields["country"] for entry in found.entries] == ["US", "US; CA", "GB; IE"]
    assert found.doubts == [
        "country 'US; CA' of 1 row (line 3) names several countries: the supply service is told US; CA",
        (
            "country 'United Kingdom; Ireland' of 1 row (line 4) "
            "names several countries: the supply service is told GB; IE"
        ),
    ]


@pytest.mark.parametrize("name", VALUES)
def test_a_file_of_values_is_read(name: str) -> None:
    found = read_values(str(SHEETS / name), NOW)
    assert (list(found.ends), found.faults) == (VALUES[name], [])


@pytest.mark.parametrize("name", NAMED_COLUMN)
def test_a_sheet_without_a_column_of_values_is_refused_until_one_is_named(name: str) -> None:
    column, expected = NAMED_COLUMN[name]
    refused = read_values(str(SHEETS / name), NOW)
    assert (list(refused.ends), [str(fault) for fault in refused.faults]) == ([], [NO_VALUES])
    found = read_values(str(SHEETS / name), NOW, column=column)
    assert (list(found.ends), found.faults) == (expected, [])


@pytest.mark.parametrize("name", [*CAMPAIGNS, *DAMAGED_IDS])
def test_a_sheet_of_campaigns_never_becomes_stock(name: str) -> None:
    found = read_values(str(SHEETS / name), NOW)
    assert (list(found.ends), [str(fault) for fault in found.faults]) == ([], [NO_VALUES])
