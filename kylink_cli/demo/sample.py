"""The sample campaigns of the demo: three users, every state that a stock can be in."""

from dataclasses import dataclass

COLUMNS = (
    "campaign_id",
    "user_id",
    "campaign_name",
    "country",
    "source_url",
    "low_watermark",
    "target_stock",
    "status",
)
ALWAYS_FAILING = "1007"
FLAKY = "1008"


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample campaign."""

    campaign_id: str
    user_id: str
    name: str
    country: str
    stock: int = 0  # items at the start
    low_watermark: int | None = None  # items; None for the rule's
    target_stock: int | None = None  # items; None for the rule's
    status: str = "active"

    def row(self) -> list[str]:
        """The campaign as a row of an import file, in the order of `COLUMNS`."""
        url = f"https://shop.example/{self.campaign_id}"
        own = ["" if number is None else str(number) for number in (self.low_watermark, self.target_stock)]
        return [self.campaign_id, self.user_id, self.name, self.country, url, *own, self.status]


SAMPLES = (
    Sample("1001", "alice", "Spring sale", "US"),
    Sample("1002", "alice", "Spring sale, search", "GB", stock=2),
    Sample("1003", "alice", "Outdoor shoes", "DE", stock=10),
    Sample("1004", "alice", "Outdoor shoes, brand", "DE", stock=4, low_watermark=8, target_stock=20),
    Sample("1005", "alice", "Winter clearance", "FR", status="paused"),
    Sample("1006", "bob", "Coffee machines", "IT"),
    Sample(ALWAYS_FAILING, "bob", "Coffee beans (its supply always fails)", "IT", stock=1),
    Sample(FLAKY, "bob", "Espresso cups (a flaky supply)", "ES"),
    Sample("1009", "bob", "Tea, loose", "GB", stock=12),
    Sample("1010", "carol", "Garden tools", "US", target_stock=40),
    Sample("1011", "carol", "Garden furniture", "US", stock=3),
    Sample("1012", "carol", "春季促销", "CN"),
    Sample("1013", "carol", "Plant seeds", "NL", stock=1, low_watermark=2),
    Sample("1014", "carol", "Lawn mowers", "SE", stock=25, low_watermark=5),
)
