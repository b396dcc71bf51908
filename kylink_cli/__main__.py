"""The entry point of `kylink` and of `python -m kylink_cli`."""

from kylink_cli.cli import app


def main() -> None:
    """Run the command line and end the process with its exit code."""
    app(prog_name="kylink")


if __name__ == "__main__":
    main()
