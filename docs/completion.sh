#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The bash completion of the program, from what it says of its commands and options.
#
# usage: completion.sh TAUT
set -eu
export LC_ALL=C

# The long options of a section of a command's help, and "--option=a|b|C" for values.
options()
{
    "$1" "$2" --help | awk -v section="$3" '
        /^[^ ].*:$/ { found = $0 == section ":" }
        found && match($0, /--[a-z][a-z-]*(=[^ ]+)?/) {
            option = substr($0, RSTART, RLENGTH)
            cut = index(option, "=")
            print cut ? substr(option, 1, cut) : option
            if (index(option, "|"))
                print option
        }'
}

names()
{
    options "$@" | grep -v '|' | tr '\n' ' '
}

# "    'deconv --conv') values='causal full' ;;" for each option with a list of words
values()
{
    options "$1" "$2" Options | sed -n 's/=\(.*|.*\)/ \1/p' | while read -r option words; do
        words=$(printf '%s\n' "$words" | tr '|' '\n' | grep '^[a-z]' | grep -v : | tr '\n' ' ')
        printf "    '%s %s') values='%s' ;;\n" "$2" "$option" "${words% }"
    done
}

commands=$("$1" --help | awk '/^[^ ].*:$/ { found = $0 == "Commands:" } found && /^  / { print $1 }')

cat <<'TEXT'
# bash completion for taut; generated

_taut()
{
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options='' values=''
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
    printf "    %s) options='%s' ;;\n" "$command" "$(names "$1" "$command" Options)"
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
    fi
}
complete -o default -F _taut taut
TEXT
