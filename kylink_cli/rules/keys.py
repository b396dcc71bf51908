"""Keys of the HTTP face: `kylink_` and a public id, by which a key is found, and a secret of 256 random bits.

Only the hash of the secret is kept. It needs no salt and no slow hash: nobody can guess such a secret.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(r"kylink_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key as its holder shows it."""

    public_id: str
    secret: str

    def __str__(self) -> str:
        """What its holder is given, once."""
        return f"kylink_{self.public_id}_{self.secret}"

    @property
    def secret_hash(self) -> str:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def fits(self, secret_hash: str) -> bool:
        """Whether the secret is the one of this hash; how long that takes does not tell how much of it is right."""
        return hmac.compare_digest(self.secret_hash, secret_hash)


def new_key() -> GivenKey:
    """A key that nobody can guess."""
    return GivenKey(secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES))


def read_key(text: str) -> GivenKey | None:
    """A key out of what a caller shows; None if it is none."""
    parts = _KEY.fullmatch(text)
    return None if parts is None else GivenKey(*parts.groups())
