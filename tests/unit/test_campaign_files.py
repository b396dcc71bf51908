"""Files of campaigns and of values: whatever they hold, they are read or refused with their lines."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.errors import BadFileError
from kylink_cli.imports.campaigns import COLUMNS, CampaignFile, parse_campaigns, read_campaigns
from kylink_cli.imports.records import read_csv, read_json_lines
from kylink_cli.imports.source import read_text, refuse_faults
from kylink_cli.imports.values import parse_values
from kylink_cli.rules.campaign_import import Fault, plan_import
from kylink_cli.rules.campaigns import CampaignFacts, changed, parse_field

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read_bytes(tmp_path: Path, data: bytes, name: str = "campaigns.csv", user: str | None = None) -> CampaignFile:
    path = tmp_path / name
    path.write_bytes(data)
    return read_campaigns(str(path), user)


def faults_of(text: str) -> list[str]:
    return [str(fault) for fault in parse_campaigns(read_csv(text, COLUMNS), None).faults]


@pytest.mark.parametrize(
    "data",
    [
        b"campaign_id,user_id,low_watermark\n42,u1,5\n",
        b"\xef\xbb\xbfcampaign_id,user_id,low_watermark\r\n42,u1,5\r\n",
        b"campaignId;userId;lowWatermark\n42;u1;5\n",
        b"Campaign ID\tUser ID\tLow Watermark\n 42 \tu1\t5",
        b'"campaign_id","user_id","low_watermark"\n\n"42","u1","5"\n,,\n',
        b"cid,campaign_id,user_id,low_watermark,note\n7,42,u1,5,hello\n",
        b'{"campaign_id": 42, "user_id": "u1", "low_watermark": 5}\n',
        b'\xef\xbb\xbf\n{"campaignId": "42", "userId": "u1", "lowWatermark": "5", "nested": {"a": []}}',
    ],
)
def test_every_accepted_form_says_the_same(tmp_path: Path, data: bytes) -> None:
    found = read_bytes(tmp_path, data)
    assert [entry.fields for entry in found.entries] == [{"campaign_id": "42", "user_id": "u1", "low_watermark": 5}]
    assert found.faults == []


def test_a_sheet_export_is_read_with_the_user_that_is_named(tmp_path: Path) -> None:
    data = 'campaignName,campaignId,country,finalUrl,cid,mccId\n"Größe, 1",42,US,https://shop.example/?a=1,7,8\n'
    found = read_bytes(tmp_path, data.encode(), user="u1")
    assert found.ignored == ["cid", "mccId"]
    assert found.entries[0].fields == {
        "campaign_id": "42",
        "user_id": "u1",
        "name": "Größe, 1",
        "country": "US",
        "source_url": "https://shop.example/?a=1",
    }


def test_a_user_in_the_file_wins_over_the_one_that_is_named(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b"campaign_id,user_id\n1,theirs\n2,\n", user="ours")
    assert [entry.fields["user_id"] for entry in found.entries] == ["theirs", "ours"]


def test_an_empty_cell_clears_only_what_may_be_empty(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b"campaign_id,campaign_name,status,country,low_watermark\n42,,,,\n")
    assert found.entries[0].fields == {"campaign_id": "42", "country": None, "low_watermark": None}


def test_a_file_named_jsonl_is_json_lines_whatever_it_begins_with(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b'[1]\n{"campaign_id": "42"}\n', "campaigns.jsonl")
    assert [str(fault) for fault in found.faults] == ["line 1: the line is not a JSON object"]
    assert found.entries[0].line == 2


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("", None),
        (",u1,,,", "campaign_id is missing"),
        ("42,u1,ftp://x.example,,", "source_url is 'ftp://x.example': must be an http:// or https:// address"),
        ("42,u1,https://,,", "source_url is 'https://': must be an http:// or https:// address"),
        ("42,u1,http://[x,,", "source_url is 'http://[x': must be an http:// or https:// address"),
        ("42,u1,,0,", "low_watermark is '0': must be a whole number from 1 to 10000"),
        ("42,u1,,-1,", "low_watermark is '-1': must be a whole number from 1 to 10000"),
        ("42,u1,,1.5,", "low_watermark is '1.5': must be a whole number from 1 to 10000"),
        ("42,u1,,٣,", "low_watermark is '٣': must be a whole number from 1 to 10000"),
        ("42,u1,,,99999999999999", "target_stock is '99999999999999': must be a whole number from 2 to 20000"),
        ("4\x1b2,u1,,,", "campaign_id is '4 2': must not hold control characters"),
        ("4\u200b2,u1,,,", "campaign_id is '4\\u200b2': must not hold characters that can't be seen"),
        (f"{'x' * 201},u1,,,", f"campaign_id is '{'x' * 59}…': must have at most 200 characters, not 201"),
        ("42,u1", "the row has 2 cells, the header 5"),
        ("42,u1,,,,", "the row has 6 cells, the header 5"),
        ('"42"x,u1,,,', "the row can't be read: ',' expected after '\"'; the rest was not read"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_reason(row: str, fault: str | None) -> None:
    found = faults_of(f"campaign_id,user_id,source_url,low_watermark,target_stock\n{row}\n")
    assert found == ([] if fault is None else [f"line 2: {fault}"])


def test_a_campaign_may_appear_once() -> None:
    assert faults_of("campaign_id\n42\n43\n42\n") == ["line 4: campaign 42 is on line 2 already"]


def test_lines_are_counted_over_quoted_line_breaks() -> None:
    text = 'campaign_id,note\n42,"two\nlines"\n\n42,\n'
    assert faults_of(text) == ["line 5: campaign 42 is on line 2 already"]


def test_two_columns_for_one_field_are_refused() -> None:
    assert faults_of("campaign_id,source_url,finalUrl\n42,,\n") == [
        "line 1: the header: two columns hold the source_url"
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty: nothing was changed"),
        (b" \n\n", "is empty: nothing was changed"),
        (b"name,country\nA,US\n", "has no column campaign_id (or campaignId): its first line must name it"),
        (b"campaign_id\n42\n\xff\n", "is not UTF-8 text (line 3): save it as UTF-8"),
        (b"\xff\xfec\x00", "has no column campaign_id (or campaignId): its first line must name it"),
        (b"\xff\xfec", "is not UTF-8 text (line 1): save it as UTF-8"),
    ],
)
def test_a_file_that_is_none_of_it_is_refused_as_a_whole(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(BadFileError) as caught:
        read_bytes(tmp_path, data)
    assert str(caught.value) == f"{tmp_path / 'campaigns.csv'} {message}"


@pytest.mark.parametrize(
    ("name", "reason"), [("missing.csv", "no such file"), (".", "it is a directory"), ("\0", "null")]
)
def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(BadFileError, match=reason):
        read_text(f"{tmp_path}/{name}")


@pytest.mark.parametrize(("number", "last"), [(1, "line 1: bad"), (20, "line 20: bad"), (25, "… and 5 more")])
def test_the_first_twenty_faults_are_listed_in_the_order_of_their_lines(number: int, last: str) -> None:
    with pytest.raises(BadFileError) as caught:
        refuse_faults("a.csv", [Fault(line, "bad") for line in range(number, 0, -1)])
    assert caught.value.details[0] == "line 1: bad"
    assert caught.value.details[-1] == last
    assert len(caught.value.details) == min(number, 21)


def test_an_import_adds_updates_and_leaves_alone() -> None:
    existing = {key: CampaignFacts(key, "u1", key, low_watermark=5) for key in ("1", "2", "3")}
    text = "campaign_id,user_id,low_watermark,target_stock\n1,u1,5,\n2,u1,6,\n3,u1,5,5\n4,u1,,\n5,,,\n"
    entries = parse_campaigns(read_csv(text, COLUMNS), None).entries
    plan = plan_import(entries, existing)
    assert [facts.campaign_id for facts in plan.added] == ["4"]
    assert [after.low_watermark for _, after in plan.updated] == [6]
    assert plan.unchanged == 1
    assert [str(fault) for fault in plan.faults] == [
        "line 4: campaign 3: target_stock is 5: must be above low_watermark, which is 5",
        "line 6: campaign 5: user_id is missing, and the campaign is new: --user USER supplies it",
    ]


def test_a_campaign_of_another_user_is_a_bad_row_unless_it_is_to_be_taken_over() -> None:
    existing = {"1": CampaignFacts("1", "bob", "1"), "2": CampaignFacts("2", "alice", "2")}
    entries = parse_campaigns(read_csv("campaign_id,user_id\n1,alice\n2,alice\n", COLUMNS), None).entries
    plan = plan_import(entries, existing)
    assert [str(fault) for fault in plan.faults] == [
        "line 2: campaign 1: it belongs to another user: --take-over moves it to alice, with its stock"
    ]
    taken = plan_import(entries, existing, take_over=True)
    assert (taken.faults, [after.user_id for _, after in taken.updated]) == ([], ["alice"])


def test_a_new_campaign_without_a_name_is_called_by_its_id() -> None:
    assert changed(None, {"campaign_id": "42", "user_id": "u1"}) == CampaignFacts("42", "u1", "42")


@pytest.mark.parametrize("text", ["active", "ACTIVE", " Paused "])
def test_a_status_is_read_in_any_case(text: str) -> None:
    assert parse_field("status", text) == text.strip().lower()


def test_values_are_read_one_a_line_without_the_blanks_around_them() -> None:
    found = parse_values(" a=1&b=2 \r\n\n=x,y\n a=1&b=2 \n", NOW)
    assert found.ends == {"a=1&b=2": None, "=x,y": None}
    assert (found.duplicates, found.faults) == (1, [])


def test_values_are_read_from_csv_with_their_ends() -> None:
    found = parse_values('id,value,expiresAt\n1,"a,b",2026-03-02T01:00:00+01:00\n2,c,\n', NOW)
    assert found.ends == {"a,b": NOW + timedelta(days=1), "c": None}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("x,tomorrow", "expires_at is 'tomorrow': write it as 2026-02-06T08:00:00Z"),
        ("x,2027-01-01T00:00:00", "expires_at is '2027-01-01T00:00:00': write it as 2026-02-06T08:00:00Z"),
        ("x,2026-03-01T00:00:00Z", "expires_at is '2026-03-01T00:00:00Z': the value can no longer be used"),
        (" ,2027-01-01T00:00:00Z", "the value is empty"),
        ("x\x07y,", "the value holds control characters"),
        (f"{'x' * 4097},", "the value has 4097 characters: at most 4096 are allowed"),
    ],
)
def test_a_bad_value_is_named_with_its_line_and_reason(row: str, fault: str) -> None:
    found = parse_values(f"value,expires_at\n{row}\n", NOW)
    assert [str(f) for f in found.faults] == [f"line 2: {fault}"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
HEADED = st.sampled_from(["", "campaign_id,low_watermark\n", "campaignId;finalUrl\n", "value,expires_at\n"])
TEXTS = st.builds(lambda head, text: head + text, HEADED, st.text(st.characters(codec=None)))


@given(TEXTS)
def test_any_csv_is_read_or_has_faults(text: str) -> None:
    found = parse_campaigns(read_csv(text, COLUMNS), "u1")
    assert all(fault.line >= 1 for fault in found.faults)


@given(TEXTS)
def test_any_text_is_read_as_json_lines_or_has_faults(text: str) -> None:
    found = parse_campaigns(read_json_lines(text, COLUMNS), "u1")
    assert len(found.entries) + len(found.faults) <= text.count("\n") + 1


@given(st.lists(st.dictionaries(st.sampled_from(["campaign_id", "country", "status", "finalUrl"]), JSON), max_size=5))
def test_any_objects_are_read_or_have_faults(objects: list[dict[str, object]]) -> None:
    found = parse_campaigns(read_json_lines("\n".join(map(json.dumps, objects)), COLUMNS), "u1")
    assert len(found.entries) + len(found.faults) == len(objects)


@given(TEXTS)
def test_any_text_is_read_as_values_or_has_faults(text: str) -> None:
    found = parse_values(text, NOW)
    assert all(value.strip() for value in found.ends)


def test_deeply_nested_json_is_a_fault() -> None:
    found = read_json_lines('{"campaign_id":' + "[" * 100_000, COLUMNS)
    assert [str(fault) for fault in found.faults] == ["line 1: the line is not a JSON object"]
