"""Sheets as spreadsheets and services export them: what is read, what is refused, and that the rest is said."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kylink_cli.errors import BadFileError
from kylink_cli.imports.campaigns import CampaignFile, read_campaigns
from kylink_cli.imports.source import read_text
from kylink_cli.imports.values import ValueFile, parse_values, read_values
from kylink_cli.rules.campaign_import import CampaignRow, Plan, pausing
from kylink_cli.rules.campaigns import CampaignFacts

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NO_VALUES = (
    "line 1: the header: no column is named value: --column says which holds the values; "
    "if the line is a value itself, put a line 'value' before it"
)
REPORT = """\
Campaign report
"July 8, 2026 - July 31, 2026"
Campaign status,Campaign,Campaign ID,Budget,Budget name,Status,Campaign type,Impr.
Enabled,Video,21000000001,5000.00, --,Ended,Video,"25,881"
Paused,Sand,21000000002,500.00, --,Paused,Demand Gen,"20,287"
Removed, --,21000000003,500.00, --,Removed,Demand Gen,0
Total: Campaigns, --, --, --, --, --, --,"46,168"
Total: Account,,,,,,,"46,168"
"""
UPSTREAM = """\
campaignId,campaignName,country,finalUrl,cid,mccId,hasAffiliate,status
21000000001,A,US,https://shop.example/,123-456-7890,987-654-3210,TRUE,applied
21000000002,B,US; CA,,123-456-7890,987-654-3210,FALSE,no_affiliate_info
21000000003,C,,,123-456-7890,987-654-3210,TRUE,ready
"""


def campaigns(tmp_path: Path, text: str | bytes, name: str = "sheet.csv") -> CampaignFile:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_campaigns(str(path), "u1")


def values(text: str, column: str | None = None) -> list[str]:
    found = parse_values(text, NOW, column=column)
    assert found.faults == []
    return list(found.ends)


def faults(found: CampaignFile | ValueFile) -> list[str]:
    return [str(fault) for fault in found.faults]


@pytest.mark.parametrize(
    "text",
    [
        "1.23457E+11",
        "2.1E+10",
        '"2,1e+10"',
        "2E+10",
        "2.1E10",
        "21000000001.0",
        "21000000001.",
        '"21000000001,0"',
        '"21,000,000,001"',
        "21 000 000 001",
        "21\u00a0000\u202f000\u00a0001",
        "21.000.000.001",
        "21\u2019000\u2019000\u2019001",
        '"2,10,00,00,001"',
        "'21000000001",
        "\u201921000000001",
        '"=""21000000001"""',
        '="21000000001"',
        "#REF!",
        "#N/A",
        "#NAME?",
        "#DIV/0!",
        "########",
        "Err:502",
        "nan",
        "NaN",
        "NULL",
        "None",
        "<NA>",
        "n/a",
        " --",
        "-",
        "Total",
        "Totals",
        "Grand total",
        "Total: Account",
        "总计\uff1a广告系列",
        "合计",
        "\uff12\uff11\uff10",
        "TRUE",
    ],
)
@pytest.mark.parametrize("column", ["campaign_id", "user_id"])
def test_a_damaged_id_is_a_bad_row_that_says_how_to_get_it_right(tmp_path: Path, text: str, column: str) -> None:
    other = "user_id" if column == "campaign_id" else "campaign_id"
    found = campaigns(tmp_path, f"{other},{column},x\n9,{text},y\n")
    if text == " --" and column == "user_id":
        assert (faults(found), found.entries[0].fields["user_id"]) == ([], "u1")
        return
    assert found.entries == []
    [fault] = faults(found)
    assert fault.startswith(f"line 2: {column} is ")
    assert "export" in fault


@pytest.mark.parametrize("text", ["123-456-7890", "1e5", "12E3", "spring-sale", "total-war", "a.b", "nanny", "id#1"])
def test_an_id_that_only_looks_odd_is_one(tmp_path: Path, text: str) -> None:
    found = campaigns(tmp_path, f"campaign_id\n{text}\n")
    assert (faults(found), [entry.campaign_id for entry in found.entries]) == ([], [text])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_report_of_google_ads_is_read_as_it_comes(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = (
        REPORT
        if delimiter == ","
        else REPORT.replace(", 2026", " 2026")
        .replace('"25,881"', "25")
        .replace('"20,287"', "20")
        .replace('"46,168"', "46")
        .replace(",", "\t")
    )
    found = campaigns(tmp_path, text.replace("\n", "\r\n").encode(encoding))
    read = [(entry.campaign_id, entry.fields.get("name"), entry.fields["status"]) for entry in found.entries]
    assert read == [
        ("21000000001", "Video", "active"),
        ("21000000002", "Sand", "paused"),
        ("21000000003", None, "paused"),
    ]
    assert (found.faults, found.ignored) == ([], ["Budget", "Budget name", "Status", "Campaign type", "Impr."])
    assert found.notes == ["2 lines before the header were ignored", "2 lines of totals were ignored"]


def test_a_report_of_google_in_chinese_is_understood(tmp_path: Path) -> None:
    text = (
        "广告系列报告\n2026年7月\n广告系列状态,广告系列,广告系列 ID,状态\n已启用,甲,21000000001,有效\n"
        "已暂停,乙,21000000002,已暂停\n总计\uff1a广告系列, --, --, --\n"
    )
    found = campaigns(tmp_path, text)
    names = ("campaign_id", "name", "status")
    assert [tuple(entry.fields[name] for name in names) for entry in found.entries] == [
        ("21000000001", "甲", "active"),
        ("21000000002", "乙", "paused"),
    ]
    assert (found.faults, found.notes) == (
        [],
        ["2 lines before the header were ignored", "1 line of totals was ignored"],
    )


def test_what_programs_write_for_gaps_is_no_value_of_a_field(tmp_path: Path) -> None:
    rows = ["1,nan,NaN,None,5.0,20.0", "2,A,,,nan,", "3,B,,,5.5,", '4,C,,,"5,000",']
    text = "campaign_id,name,status,final_url,low_watermark,target_stock\n" + "\n".join(rows)
    found = campaigns(tmp_path, text)
    assert [dict(entry.fields) for entry in found.entries] == [
        {"user_id": "u1", "campaign_id": "1", "source_url": None, "low_watermark": 5, "target_stock": 20},
        {
            "user_id": "u1",
            "campaign_id": "2",
            "name": "A",
            "source_url": None,
            "low_watermark": None,
            "target_stock": None,
        },
    ]
    assert faults(found) == [
        f"line {line}: low_watermark is {text!r}: must be a whole number from 1 to 10000"
        for line, text in ((4, "5.5"), (5, "5,000"))
    ]


def test_totals_may_stand_under_the_ids_of_a_report(tmp_path: Path) -> None:
    text = 'Campaign ID,Campaign,Campaign state,Clicks\n838383833,"General (Q1, 16)",enabled,5\nTotal, --, --,11\n'
    found = campaigns(tmp_path, text)
    assert [dict(entry.fields) for entry in found.entries] == [
        {"user_id": "u1", "campaign_id": "838383833", "name": "General (Q1, 16)", "status": "active"}
    ]
    assert (found.faults, found.notes) == ([], ["1 line of totals was ignored"])


def test_a_sheet_of_the_editor_is_read(tmp_path: Path) -> None:
    text = "Campaign\tCampaign ID\tFinal URL\nBrand\t21000000001\thttps://a.example/\n"
    found = campaigns(tmp_path, text.encode("utf-16"))
    assert found.entries[0].fields["source_url"] == "https://a.example/"
    assert (found.faults, found.ignored, found.notes) == ([], [], [])


def test_a_status_that_means_something_else_is_ignored_and_said(tmp_path: Path) -> None:
    found = campaigns(tmp_path, UPSTREAM)
    assert [entry.fields.get("status") for entry in found.entries] == [None] * 3
    assert (found.faults, found.ignored) == ([], ["cid", "mccId", "hasAffiliate"])
    assert found.notes == [
        (
            "the column with the status holds none of active, enabled, paused, inactive, removed: "
            "it is not the campaigns' status, and was ignored"
        )
    ]


def test_one_odd_status_among_others_is_a_bad_row(tmp_path: Path) -> None:
    found = campaigns(tmp_path, "campaign_id,status\n1,Active\n2,inactive\n3,ready\n")
    assert [entry.fields["status"] for entry in found.entries] == ["active", "paused"]
    assert faults(found) == ["line 4: status is 'ready': must be active or paused"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('"campaign_id,user_id\n1,u\n', "line 1: the header can't be read: a quotation mark is not closed"),
        ("campaign_id,name,Campaign Name,campaign\n1,a,b,c\n", "line 1: the header: two columns hold the name"),
        ("sep=;\ncampaign_id;campaignId\n1;2\n", "line 2: the header: two columns hold the campaign_id"),
    ],
)
def test_an_error_in_the_header_is_named_as_such(tmp_path: Path, text: str, fault: str) -> None:
    try:
        found = faults(campaigns(tmp_path, text))
    except BadFileError as error:
        found = list(error.details)
    assert found == [fault]


def test_a_quotation_mark_that_is_not_closed_is_named_with_its_row(tmp_path: Path) -> None:
    found = campaigns(tmp_path, 'campaign_id,name\n1,"a\n2,b\n')
    assert faults(found) == ["line 2: the row can't be read: a quotation mark is not closed; the rest was not read"]


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u200b", "\ufeff", "\u2060", "\u3000", "\t"])
def test_blanks_around_are_no_part_of_ids_and_values(tmp_path: Path, blank: str) -> None:
    found = campaigns(tmp_path, f"{blank}campaign_id{blank},x\n{blank}42{blank},y\n")
    assert [entry.campaign_id for entry in found.entries] == ["42"]
    assert values(f"ABC{blank}\nABC\n{blank}D F\n") == ["ABC", "D F"]
    assert values(f"value;x\n{blank}ABC{blank};y\n") == ["ABC"]


def test_campaigns_are_read_from_a_json_document(tmp_path: Path) -> None:
    found = campaigns(tmp_path, '[\n {"campaignId": 42},\n {"campaignId": 1.5},\n 7\n]', "a.json")
    assert [entry.campaign_id for entry in found.entries] == ["42"]
    assert faults(found) == [
        "line 1: entry 2: a value must be text or a whole number, not 1.5",
        "line 1: entry 3: the line is not a JSON object",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "0,Code\n1,LS000001\n1,LS000002\n",
        "code,amount\nxk@MpA1p,500\nu#pEB2K,500\n",
        "code;amount\nA;5\n",
        "code\tamount\nA\t5\n",
        "code|amount\nA|5\n",
        "code,amount\n",
        "xk@MpA1p,500\nu#pEB2K,500\n",
        "Report of May\ncode,amount\nA,5\nB,6\n",
        "Coupon Code\nABC123\nDEF456\n",
        "code\nABC123\n",
        "Gutscheincode\nABC123\n",
        "Promo of May\nABC123\nDEF456\n",
        "sep=;\nCode;amount\nA;5\n",
        '"Code"\n"ABC"\n',
    ],
)
def test_a_sheet_without_a_column_of_values_is_refused(text: str) -> None:
    found = parse_values(text, NOW)
    assert (found.ends, faults(found)) == (
        {},
        [NO_VALUES],
    )


@pytest.mark.parametrize(
    "text",
    [
        "name,url\nA,https://x.example/?a=1\nB,https://x.example/?a=2\n",
        "Report of May\nname,url\nA,https://x.example/?a=1\n",
        '"Name";"Cost (USD)";"Link"\n"A";"5";"?a=1"\n',
        "Report of May\nvalue\nA1\n",
    ],
)
def test_a_sheet_of_addresses_without_a_column_of_values_is_refused(text: str) -> None:
    found = parse_values(text, NOW)
    assert (found.ends, faults(found)) == ({}, [NO_VALUES])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Summer Sale\nWinterSale\n", ["Summer Sale", "WinterSale"]),
        ("BLACK FRIDAY\nABC\nX1\n", ["BLACK FRIDAY", "ABC", "X1"]),
        ("hello world\n", ["hello world"]),
        ("value\nSummer Sale\nX1\n", ["Summer Sale", "X1"]),
        ("value\ncoupon code\nX1\n", ["coupon code", "X1"]),
        ("ids=1,2,3\nids=2,3,4\n", ["ids=1,2,3", "ids=2,3,4"]),
        ("https://x.example/p;s=1\nhttps://x.example/p;s=2\n", ["https://x.example/p;s=1", "https://x.example/p;s=2"]),
    ],
)
def test_a_plain_list_may_begin_with_several_words(text: str, expected: list[str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("0,Code\n1,A\n1,B\n", "code"),
        ("Coupon Code\nA\nB\n", "Coupon Code"),
        ('{"Coupon Code": "A"}\n{"Coupon Code": "B"}\n', "coupon_code"),
    ],
)
def test_the_column_of_the_values_may_be_named(text: str, column: str) -> None:
    assert values(text, column) == ["A", "B"]
    assert faults(parse_values(text, NOW, column="serial")) != []


@pytest.mark.parametrize(
    ("text", "expected", "notes"),
    [
        ('"ABC123"\n"D""EF,4"\n', ["ABC123", 'D"EF,4'], []),
        ("sep=;\nvalue;expires_at\nABC123;\n", ["ABC123"], []),
        ("sep=,\nA\nB\n", ["A", "B"], ["1 line without a value was ignored"]),
        ("# codes of May\nA1\n", ["A1"], ["1 line without a value was ignored"]),
        ("# of May\nvalue\nA1\n# more\n", ["A1"], ["1 comment was ignored"]),
        ("value\nA1\nvalue\nA2\n", ["A1", "A2"], ["1 more header line was ignored"]),
        ("A1\nvalue\nA2\n", ["A1", "A2"], ["1 line without a value was ignored"]),
        ('[{"value": "A"}, {"value": "B"}]', ["A", "B"], []),
        ("a=1;b=2\na=2;b=3\n", ["a=1;b=2", "a=2;b=3"], []),
        ("A\rB\r", ["A", "B"], []),
        ("[/x]\n{y}\n", ["[/x]", "{y}"], []),
    ],
)
def test_what_is_no_value_is_passed_over_and_said(
    tmp_path: Path, text: str, expected: list[str], notes: list[str]
) -> None:
    (tmp_path / "values").write_bytes(text.encode())
    found = read_values(str(tmp_path / "values"), NOW)
    assert (list(found.ends), found.notes, found.faults) == (expected, notes, [])


@pytest.mark.parametrize(
    "text",
    [
        "id,campaign_id,value,state\n1,9,A1,consumed\n2,9,A2,available\n3,9,A3,leased\n",
        (
            '{"items": [\n{"campaign_id": "9", "value": "A2", "state": "available"},\n'
            '{"value": "A1", "state": "expired"}, {"value": "A3", "state": "discarded"}\n]}\n'
        ),
    ],
)
def test_of_an_export_only_what_is_available_is_taken(tmp_path: Path, text: str) -> None:
    (tmp_path / "export").write_text(text)
    found = read_values(str(tmp_path / "export"), NOW, "1")
    assert (list(found.ends), found.notes) == (["A2"], ["2 items that are not available were left out"])


def test_an_unknown_state_is_a_bad_row() -> None:
    assert faults(parse_values("value,state\nA,CA\n", NOW)) == [
        "line 2: state is 'ca': must be one of available, leased, consumed, expired, discarded"
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"codes": ["A", "B"]}',
        '{"codes": ["A"]}\n{"codes": ["B"]}\n',
        '["A", "B"]',
        '{\n  "codes": [\n    "A"\n  ]\n}\n',
        '{"items": {"value": "A"}}',
        '[{"value": "A"}',
        '{"value": ["A"]}',
        '"ABC\nDEF\n',
        'ABC\n"DEF\n',
        '"ABC"x\n',
        'value,x\n"ABC,1\nDEF,2\n',
        '"value\nABC\n',
    ],
)
def test_json_of_another_shape_and_open_quotes_are_refused(text: str) -> None:
    assert faults(parse_values(text, NOW)) != []


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "NULL",
        "None",
        "--",
        "<NA>",
        "#N/A",
        "#REF!",
        "########",
        "1.23457E+11",
        "2,1e+10",
        '=""ABC""',
        "=HYPERLINK(A1)",
    ],
)
@pytest.mark.parametrize("frame", ['x;value\n1;"{}"\n', '"{}"\n'])
def test_a_damaged_value_is_a_bad_row(text: str, frame: str) -> None:
    found = parse_values(frame.format(text), NOW)
    assert found.ends == {}
    assert found.faults


@pytest.mark.parametrize("text", ["1.5", "21,000", "007", "1e10", "e+10", "=x", "none-such", "'tis", "-1", "none"])
def test_what_only_may_be_damaged_is_a_value(text: str) -> None:
    assert values(f'value\n"{text}"\n') == [text]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04\x14\0", "is a workbook or compressed, not text: export the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a workbook or compressed, not text: export the sheet as CSV"),
        (b"\x1f\x8b\x08", "is a workbook or compressed, not text: export the sheet as CSV"),
        (b"%PDF-1.7\n", "is a workbook or compressed, not text: export the sheet as CSV"),
        (b"<!DOCTYPE html>\n<p>Sign in</p>\n", "is a web page or XML: download the sheet itself, as CSV"),
        (b"\xef\xbb\xbf\n<HTML><body>\n", "is a web page or XML: download the sheet itself, as CSV"),
        (b"<?xml version='1.0'?>\n<items/>\n", "is a web page or XML: download the sheet itself, as CSV"),
    ],
)
def test_a_file_that_is_no_text_is_named_as_what_it_is(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "sheet").write_bytes(data)
    with pytest.raises(BadFileError, match=message):
        read_text(str(tmp_path / "sheet"))


@pytest.mark.parametrize("text", ["nan", "None", "NULL", "--", "<NA>"])
def test_what_programs_write_for_an_empty_cell_is_no_country(tmp_path: Path, text: str) -> None:
    found = campaigns(tmp_path, f"campaign_id,country\n1,{text}\n")
    assert (found.entries[0].fields["country"], found.doubts) == (None, [])


def test_each_doubtful_country_is_said_once(tmp_path: Path) -> None:
    rows = "".join(f"{number},Korea\n" for number in range(50)) + "".join(f"x{n},C{n}\n" for n in range(25))
    found = campaigns(tmp_path, f"campaign_id,country\n{rows}")
    assert found.doubts[0].startswith("country 'Korea' of 50 rows (line 2 is the first) is no country's name")
    assert (len(found.doubts), found.doubts[-1]) == (21, "… and 6 more")


def test_a_closed_standard_input_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(BadFileError, match="standard input is closed"):
        read_text("-")


def test_what_a_file_no_longer_holds_is_paused_where_that_is_asked_for() -> None:
    of_users = {key: CampaignFacts(key, "u1", key) for key in ("1", "2")} | {
        "3": CampaignFacts("3", "u1", "3", "paused")
    }
    plan = pausing(Plan([], [], 1, []), [CampaignRow(2, {"campaign_id": "1"})], of_users)
    assert [(after.campaign_id, after.status) for _, after in plan.updated] == [("2", "paused")]
    assert plan.missing == 1
