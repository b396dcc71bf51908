"""Take the pictures of the live view anew that tests compare with: `python -m tests.support.watch_pictures`.

Look at each before it is committed.
"""

from tests.support.watched import Office, watched
from tests.unit.test_watch_screens import PICTURES, SIZES

if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for size in SIZES:
        for name, keys in (("campaigns", []), ("campaign", ["enter"]), ("keys", ["question_mark"])):
            text = "\n".join(watched(Office(), size, keys)) + "\n"
            (PICTURES / f"{name}-{size[0]}x{size[1]}.txt").write_text(text, encoding="utf-8")
