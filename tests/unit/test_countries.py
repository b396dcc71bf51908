"""The ISO codes of what people and sheets write for countries."""

import pycountry
import pytest

from kylink_cli.countries import read_countries

UNKNOWN = "is no country's name or ISO code, and goes to the supply service as it is"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "US"),
        ("us", "US"),
        (" us ", "US"),
        ("\uff35\uff33", "US"),
        ("USA", "US"),
        ("U.S.", "US"),
        ("U. S. A.", "US"),
        ("840", "US"),
        ("United States", "US"),
        ("united states of america", "US"),
        ("The United States", "US"),
        ("United States (US)", "US"),
        ("US;", "US"),
        ("US; USA", "US"),
        ("UK", "GB"),
        ("Great Britain", "GB"),
        ("Scotland", "GB"),
        ("South Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Korea, South", "KR"),
        ("North Korea", "KP"),
        ("Russia", "RU"),
        ("Taiwan", "TW"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Turkiye", "TR"),
        ("Côte d\u2019Ivoire", "CI"),
        ("Cote d'Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("Trinidad and Tobago", "TT"),
        ("Bosnia & Herzegovina", "BA"),
        ("Guinea Bissau", "GW"),
        ("St. Lucia", "LC"),
        ("Myanmar (Burma)", "MM"),
        ("The Netherlands", "NL"),
        ("Congo, Democratic Republic of the", "CD"),
        ("U.S. Virgin Islands", "VI"),
        ("Hong Kong", "HK"),
        ("Kosovo", "XK"),
        ("NA", "NA"),
        ("美国", "US"),
        ("美國", "US"),
        ("英国", "GB"),
        ("韩国", "KR"),
        ("朝鲜", "KP"),
        ("中国", "CN"),
        ("台湾", "TW"),
        ("日本", "JP"),
    ],
)
def test_a_country_becomes_its_code_where_there_is_no_doubt(text: str, code: str) -> None:
    found = read_countries(text)
    assert (found.text, found.doubt) == (code, None)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("US; CA", "US; CA"),
        ("us,ca", "US; CA"),
        ("US/CA", "US; CA"),
        ("US|CA", "US; CA"),
        ("US CA GB", "US; CA; GB"),
        ("US\nCA", "US; CA"),
        ("United Kingdom; Ireland", "GB; IE"),
        ("UK, US and Canada", "GB; US; CA"),
        ("Korea, Republic of; Japan", "KR; JP"),
        ("Trinidad and Tobago and Cuba", "Trinidad and Tobago and Cuba"),
        ("美国、加拿大", "US; CA"),
        ("日本\uff0c韩国", "JP; KR"),
    ],
)
def test_a_list_becomes_its_codes_and_is_doubtful(text: str, codes: str) -> None:
    found = read_countries(text)
    if codes == text and ";" not in text:
        assert found.doubt == UNKNOWN
        return
    assert (found.text, found.doubt) == (codes, f"names several countries: the supply service is told {codes}")


@pytest.mark.parametrize(
    "text",
    ["Korea", "Congo", "刚果", "Virgin Islands", "EU", "EN", "Worldwide", "*", "US-CA", "en-US", "US; Nowhere", "ca$h"],
)
def test_what_is_no_country_stays_and_is_doubtful(text: str) -> None:
    assert (read_countries(text).text, read_countries(text).doubt) == (text, UNKNOWN)


def test_every_country_is_known_by_each_of_its_names_but_one_that_two_share() -> None:
    wrong = [
        name
        for country in pycountry.countries
        for field in ("alpha_2", "alpha_3", "numeric", "name", "common_name", "official_name")
        if (name := getattr(country, field, None)) and read_countries(name).text != country.alpha_2
    ]
    assert wrong == ["Congo"]
