"""The entry point of `kylink` and of `python -m kylink_cli`."""

import gc

# A start makes some hundred thousand objects that live to its end, and in which there is no garbage to be found.
OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main() -> None:
    """Run the command line and end the process with its exit code."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from kylink_cli.cli import app

    try:
        app(prog_name="kylink")
    finally:
        # The interpreter looks through them all once more before it ends, which takes as long as a small run.
        gc.freeze()


if __name__ == "__main__":
    main()
