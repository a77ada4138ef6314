"""`completion`: scripts that let bash, zsh and fish complete commands, options and values."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from constructs_lib.cli.errors import Parser, UsageError, nearest
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output

COMPLETE = "__complete"
"""The hidden command that the scripts call, with the words of the line up to the cursor."""

_DESCRIPTION = """Prints a script for a shell, which completes commands, options, and values: model ids, instance types,
engines, versions, Regions, and the stacks in cdk.out. It asks the installed tgi-endpoint, so it never needs renewal."""

_EPILOG = """examples:
  bash:  eval "$(%(prog)s bash)"                                 # in ~/.bashrc
  zsh:   eval "$(%(prog)s zsh)"                                  # in ~/.zshrc, after compinit
  fish:  %(prog)s fish > ~/.config/fish/completions/tgi-endpoint.fish
"""

# Each asks for the candidates: a line each, the value, a tab and what it is; or :files, or :folders.
_BASH = r"""_tgi_endpoint() {
    local current="${COMP_WORDS[COMP_CWORD]}" line
    COMPREPLY=()
    [[ $current == "=" ]] && current=""
    while IFS= read -r line; do
        case $line in
            :files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
            :folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
            *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("${1/#\~/$HOME}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _tgi_endpoint tgi-endpoint
"""

_ZSH = r"""#compdef tgi-endpoint
_tgi_endpoint() {
    local -a lines values
    lines=("${(@f)$("${words[1]/#\~/$HOME}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    case $lines[1] in
        '') return 1 ;;
        :files) _files ;;
        :folders) _files -/ ;;
        *)
            values=("${(@)lines//:/\\:}")
            values=("${(@)values/$'\t'/:}")
            _describe 'tgi-endpoint' values
            ;;
    esac
}
if [[ $funcstack[1] == _tgi_endpoint ]]; then
    _tgi_endpoint "$@"
else
    compdef _tgi_endpoint tgi-endpoint
fi
"""

_FISH = r"""function __tgi_endpoint_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    test -n "$current"; or set current ''
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -l found (command $program __complete $words[2..] $current 2>/dev/null)
    switch "$found[1]"
        case :files
            __fish_complete_path $current
        case :folders
            __fish_complete_directories $current
        case '*'
            printf '%s\n' $found
    end
end
complete -c tgi-endpoint -f -a '(__tgi_endpoint_complete)'
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def add_to(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `completion` to the commands."""
    parser = commands.add_parser(
        "completion",
        help="print the script with which a shell completes commands and values",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("shell", metavar="SHELL", nargs="?", help=f"one of {', '.join(_SCRIPTS)}")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace, problems: list[Problem], out: Output) -> int:
    shell, fix = arguments.shell, f"Use one of {', '.join(_SCRIPTS)}."
    if shell is None:
        problems.append(Problem("SHELL", None, "is missing", fix))
    elif shell not in _SCRIPTS:
        problems.append(Problem("SHELL", shell, "is not known", nearest(shell, _SCRIPTS, fix)))
    if problems:
        raise UsageError(problems, arguments.parser.format_usage().strip())
    out.write(_SCRIPTS[shell])
    return ExitStatus.FINE
