"""The stock as consumers use it that are Python programs: `from kylink_cli import Stock`."""

import warnings
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from kylink_cli import leasing, wiring
from kylink_cli.errors import KylinkError, LeaseOverError
from kylink_cli.leasing import SILENT, Bell, LeaseResult, TakeRequest
from kylink_cli.settings.loading import load
from kylink_cli.store.engine.database import Database
from kylink_cli.store.takes import TakenLease


class Stock:
    """The stock of every campaign. It may be shared by threads, and is closed at the end, as by `with`.

        with Stock.open() as stock, stock.take("42") as lease:
            use(lease.value)

    confirms the lease when the block ends well, and gives the item back when it ends with an exception.
    """

    def __init__(self, database: Database, ttl_minutes: int, bell: Bell = SILENT) -> None:
        """Use an open database.

        Args:
            database: it is closed with the stock.
            ttl_minutes: how long a lease lasts unless its taker says, minutes.
            bell: what a take rings that leaves too little.
        """
        self._database = database
        self._ttl_minutes = ttl_minutes
        self._bell = bell

    @classmethod
    def open(cls, env_file: Path | None = None) -> Self:
        """Open the stock that the settings name.

        Args:
            env_file: where to read settings; None finds them as the command line does.

        Raises:
            ConfigError: a setting is bad.
            DatabaseError: the database is missing or can't be used.
        """
        loaded = load(env_file)
        if loaded.refused is not None:
            warnings.warn(loaded.refused, stacklevel=2)
        settings = loaded.settings
        bell = wiring.bell(settings, loaded.env_file)
        return cls(wiring.existing_database(settings), settings.lease_ttl_minutes, bell)

    def take(
        self,
        campaign_id: str,
        *,
        key: str | None = None,
        holder: str | None = None,
        ttl_minutes: int | None = None,
        wait: float = 0,
    ) -> "Lease":
        """Lease the item of a campaign that expires soonest.

        Args:
            campaign_id: whose stock.
            key: an idempotency key: the same one gets the same lease again.
            holder: who takes it, for people.
            ttl_minutes: how long it lasts, minutes; None for LEASE_TTL_MINUTES.
            wait: how long to wait for an item where there is none, seconds; at most 3,600.

        Raises:
            UsageError: an argument is out of bounds.
            NotFoundError: there is no such campaign.
            NoStockError: the campaign has nothing to lease, even after the wait; this is recorded.
            LeaseOverError: the key was used, and its lease was released or has expired.
            DatabaseError: the database failed; nothing was taken.
        """
        return self.take_many(campaign_id, 1, key=key, holder=holder, ttl_minutes=ttl_minutes, wait=wait)[0]

    def take_many(  # noqa: PLR0913  (all that a consumer may say, by name)
        self,
        campaign_id: str,
        count: int,
        *,
        key: str | None = None,
        holder: str | None = None,
        ttl_minutes: int | None = None,
        wait: float = 0,
    ) -> "list[Lease]":
        """Lease several items of a campaign at once, as many as there are; never none.

        Args:
            campaign_id: whose stock.
            count: items wanted, 1 to 1,000.
            key: an idempotency key: the same one gets the same leases again.
            holder: who takes them, for people.
            ttl_minutes: how long they last, minutes; None for LEASE_TTL_MINUTES.
            wait: how long to wait where there are none, seconds; at most 3,600.

        Raises:
            KylinkError: as `take`.
        """
        minutes = self._ttl_minutes if ttl_minutes is None else ttl_minutes
        request = TakeRequest(campaign_id, minutes, count, holder, key)
        taken = leasing.take(self._database, request, self._database.fresh_now(), wait_seconds=wait, bell=self._bell)
        return [Lease(self, lease, reused=taken.reused) for lease in taken.leases]

    def confirm(self, *tokens: str) -> list[LeaseResult]:
        """Say that items were used; an answer for each token.

        Raises:
            DatabaseError: the database failed; nothing was confirmed.
        """
        return leasing.confirm(self._database, tokens, self._database.fresh_now())

    def release(self, *tokens: str, error: str | None = None, discard: bool = False) -> list[LeaseResult]:
        """Give items back to the stock; an answer for each token.

        Args:
            tokens: the leases.
            error: why the items could not be used; None if nothing was wrong.
            discard: discard the items instead of returning them to stock.

        Raises:
            DatabaseError: the database failed; nothing was released.
        """
        return leasing.release(self._database, tokens, self._database.fresh_now(), error=error, discard=discard)

    def extend(self, *tokens: str, ttl_minutes: int) -> list[LeaseResult]:
        """Let leases end that many minutes from now, if they do not last longer already; an answer for each token.

        Raises:
            UsageError: the time is out of bounds.
            DatabaseError: the database failed; nothing was extended.
        """
        return leasing.extend(self._database, tokens, ttl_minutes, self._database.fresh_now())

    def close(self) -> None:
        """Close the database; leases stay what they are."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Lease:
    """One item, held for a time.

    As a context manager it is confirmed when the block ends well and released when it ends with an exception, unless
    the block itself has confirmed or released it.

    Attributes:
        token: names the lease; whoever has it can close the lease.
        campaign_id: the campaign.
        item_id: the item.
        value: the item's single-use value.
        expires_at: the deadline.
        reused: whether an earlier call with the same key took it.
    """

    def __init__(self, stock: Stock, taken: TakenLease, *, reused: bool) -> None:
        self._stock = stock
        self._is_open = True
        self.token = taken.token
        self.campaign_id = taken.campaign_id
        self.item_id = taken.item_id
        self.value = taken.value
        self.expires_at = taken.expires_at
        self.reused = reused

    def confirm(self) -> None:
        """Say that the item was used; twice does no harm.

        Raises:
            LeaseOverError: the lease was released, or has expired and was recovered: somebody else may use the item.
            DatabaseError: the database failed; nothing was confirmed.
        """
        self._require(self._stock.confirm(self.token))
        self._is_open = False

    def release(self, error: str | None = None, *, discard: bool = False) -> None:
        """Give the item back; twice does no harm.

        Args:
            error: why it could not be used; None if nothing was wrong.
            discard: discard it instead of returning it to stock.

        Raises:
            LeaseOverError: the lease was confirmed, or has expired and was recovered.
            DatabaseError: the database failed; nothing was released.
        """
        self._require(self._stock.release(self.token, error=error, discard=discard))
        self._is_open = False

    def extend(self, ttl_minutes: int) -> None:
        """Let the lease end that many minutes from now, if it does not last longer already.

        Raises:
            LeaseOverError: the lease has ended.
            UsageError: the time is out of bounds.
            DatabaseError: the database failed; nothing was extended.
        """
        result = self._require(self._stock.extend(self.token, ttl_minutes=ttl_minutes))
        self.expires_at = result.expires_at or self.expires_at

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_open:
            return
        if error is None:
            self.confirm()
        else:
            # The block's own exception is what the caller is to see, whatever becomes of the lease.
            with suppress(KylinkError):
                self._stock.release(self.token, error=f"{type(error).__name__}: {error}")

    @staticmethod
    def _require(results: list[LeaseResult]) -> LeaseResult:
        [result] = results
        if not result.ok:
            raise LeaseOverError(result.message)
        return result
