"""`kylink completion`: what a shell needs to complete commands, options and names."""

from enum import StrEnum
from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.completers import VARIABLE


class Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# Unlike Typer's own, it makes one word of every name, whatever characters it holds.
_BASH = f"""\
_kylink_completion() {{
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        [ -z "$word" ] || COMPREPLY+=("$(printf '%q' "$word")")
    done < <(COMP_WORDS="${{COMP_WORDS[*]}}" COMP_CWORD=$COMP_CWORD {VARIABLE}=complete_bash "$1" 2>/dev/null)
}}
# The order of kylink's answer is the natural one of ids; shells before bash 4.4 know no other than their own.
complete -o nosort -o default -F _kylink_completion kylink 2>/dev/null ||
    complete -o default -F _kylink_completion kylink"""

# Typer's own has the shell evaluate what it is given. Here a name is read as a line and handed on as a word, never as
# code; the lines are those for fish: a name, a tab, and what people call it.
_ZSH = f"""\
#compdef kylink
_kylink() {{
    local line
    local -a names texts
    while IFS= read -r line; do
        [[ -n "$line" ]] || continue
        names+=("${{line%%$'\\t'*}}")
        texts+=("${{line/$'\\t'/  -- }}")
    done < <(_TYPER_COMPLETE_ARGS="${{words[1,CURRENT]}}" _TYPER_COMPLETE_FISH_ACTION=get-args \\
        {VARIABLE}=complete_fish "${{words[1]}}" 2>/dev/null)
    if (( $#names )); then
        compadd -V kylink -l -d texts -a names
    else
        _files
    fi
}}
if [[ "$funcstack[1]" = _kylink ]]; then
    _kylink "$@"
else
    compdef _kylink kylink
fi"""
_OWN_SCRIPTS = {Shell.BASH: _BASH, Shell.ZSH: _ZSH}


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "completion", json=False)(completion)


def completion(cli: Cli, shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print what lets a shell complete commands, options and ids.

    bash: kylink completion bash > ~/.local/share/bash-completion/completions/kylink
    zsh: kylink completion zsh > a file _kylink in a folder of $fpath
    fish: kylink completion fish > ~/.config/fish/completions/kylink.fish
    """
    if shell in _OWN_SCRIPTS:
        cli.console.say(_OWN_SCRIPTS[shell])
        return
    from typer._completion_shared import get_completion_script

    cli.console.say(get_completion_script(prog_name="kylink", complete_var=VARIABLE, shell=shell))
