#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The bash completion of the program, from what it says of its commands and options.
#
# usage: completion.sh TAUT
set -eu
export LC_ALL=C

# The kinds of work of a command: "fmri lasso tv" of `simulate fmri|lasso|tv`.
kinds()
{
    "$1" "$2" --help | sed -n 's/^  taut [a-z]* [^ ]* \[*\([a-z]*|[a-z|]*\).*/\1/p' | tr '|' ' '
}

# The help of a command and of each of its kinds.
help()
{
    "$1" "$2" --help
    for kind in $(kinds "$1" "$2"); do
        "$1" "$2" "$kind" --help
    done
}

# The long options of a section of a command's help, and "--option=a|b|C" for values.
options()
{
    help "$1" "$2" | awk -v section="$3" '
        /^[^ ].*:$/ { found = $0 == section ":" }
        found && match($0, /--[a-z][a-z0-9-]*(=[^ ]+)?/) {
            option = substr($0, RSTART, RLENGTH)
            rest = substr($0, RSTART + RLENGTH)
            cut = index(option, "=")
            print cut ? substr(option, 1, cut) : option
            if (index(option, "|"))
                print option
            else if (match(rest, /[a-z0-9-]+(\|[a-z0-9-]+)+/))
                print substr(option, 1, cut) substr(rest, RSTART, RLENGTH)
        }' | sort -u
}

names()
{
    options "$@" | grep -v '|' | tr '\n' ' '
}

# "    'deconv --conv') values='causal full' ;;" for each option with a list of words
values()
{
    options "$1" "$2" Options | awk -v command="$2" '
        index($0, "|") {
            cut = index($0, "=")
            option = substr($0, 1, cut - 1)
            n = split(substr($0, cut + 1), words, "|")
            for (i = 1; i <= n; i++)
                if (words[i] ~ /^[a-z0-9-]+$/)
                    found[option] = found[option] words[i] " "
        }
        END {
            for (option in found)
                printf "    %c%s %s%c) values=%c%s%c ;;\n", 39, command, option, 39, 39, found[option], 39
        }' | sort
}

commands=$("$1" --help | awk '/^[^ ].*:$/ { found = $0 == "Commands:" } found && /^  / { print $1 }')

cat <<'TEXT'
# bash completion for taut; generated

_taut()
{
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} kinds='' options='' values=''
TEXT
# shellcheck disable=SC2086 # a list
printf "    local commands='%s'\n" "$(printf '%s ' $commands)"
printf "    local common='%s'\n" "$(names "$1" config 'Options of every command')"
cat <<'TEXT'

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
        return
    fi
    if [ "$word" = = ]; then
        word=''
    elif [ "$previous" = = ]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $command in
TEXT
for command in $commands; do
    printf "    %s) kinds='%s' options='%s' ;;\n" "$command" "$(kinds "$1" "$command")" \
        "$(names "$1" "$command" Options)"
done
cat <<'TEXT'
    esac
    case "$command $previous" in
TEXT
for command in $commands; do
    values "$1" "$command"
done
cat <<'TEXT'
    *) ;;
    esac
    if [ -n "$values" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
    elif [ "${word:0:1}" = - ]; then
        mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$word")
        [ "${COMPREPLY[0]: -1}" != = ] || compopt -o nospace
    elif [ "$COMP_CWORD" -eq 2 ] && [ -n "$kinds" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$kinds" -- "$word")
    fi
}
complete -o default -F _taut taut
TEXT
