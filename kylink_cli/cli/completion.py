"""`kylink completion`: what a shell needs to complete commands, options and names."""

from enum import StrEnum
from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.completers import VARIABLE

# Unlike Typer's own, it makes one word of every name, whatever characters it holds.
_BASH = f"""\
_kylink_completion() {{
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        [ -z "$word" ] || COMPREPLY+=("$(printf '%q' "$word")")
    done < <(COMP_WORDS="${{COMP_WORDS[*]}}" COMP_CWORD=$COMP_CWORD {VARIABLE}=complete_bash "$1" 2>/dev/null)
}}
complete -o default -F _kylink_completion kylink"""


class Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "completion", json=False)(completion)


def completion(cli: Cli, shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print the script that lets a shell complete commands, options and ids.

    bash: kylink completion bash > ~/.local/share/bash-completion/completions/kylink
    zsh: kylink completion zsh > a file _kylink in a folder of $fpath
    fish: kylink completion fish > ~/.config/fish/completions/kylink.fish
    """
    if shell is Shell.BASH:
        cli.console.say(_BASH)
        return
    from typer._completion_shared import get_completion_script

    cli.console.say(get_completion_script(prog_name="kylink", complete_var=VARIABLE, shell=shell))
