"""What kylink does not do: ask first and record later. `python -m tests.faults.naive DATABASE URL KEY`.

The crash loop over this order must show losses: else it could not see any.
"""

import sqlite3
import sys
import uuid

import httpx

LOW_CAMPAIGNS = """
SELECT id, (SELECT count(*) FROM stock_items WHERE campaign_id = campaigns.id AND state = 'available') FROM campaigns
"""
STORE = """
INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, expirations)
VALUES (?, ?, 'available', datetime('now'), datetime('now', '+2 days'), 0)
"""


def main() -> None:
    """Fill every campaign up to ten items, call by call."""
    path, url, key = sys.argv[1:]
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as client:
        for campaign, available in database.execute(LOW_CAMPAIGNS).fetchall():
            for _ in range(10 - available):
                order = {"campaign_id": campaign, "user_id": "u1", "quantity": 1}
                answer = client.post(url, json=order, headers={"Idempotency-Key": str(uuid.uuid4())})
                database.execute(STORE, (campaign, answer.json()["items"][0]["value"]))


if __name__ == "__main__":
    main()
