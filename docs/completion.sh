#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The bash completion of the program, from its table of options: `taut config --options`.
#
# usage: completion.sh TAUT
set -eu
export LC_ALL=C
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
# Cells: command, kind, --option, -o, what stands for its value, its choices, help. First what
# options there are, then what may stand for their values: words, and lists of nothing else.
"$1" config --options | awk -F '\t' '
    function add(list, word) { return index(" " list, " " word " ") ? list : list word " " }
    function words(choices,    n, all, i, found) {
        n = split(choices, all, "|")
        for (i = 1; i <= n; i++)
            if (all[i] ~ /^[a-z0-9-]+$/)
                found = found all[i] " "
        return found
    }
    {
        if (!($1 in options) && $1 != "taut")
            order[++n_commands] = $1
        if ($2 != "")
            kinds[$1] = add(kinds[$1], $2)
        if ($3 == "" && $6 != "" && kinds[$1] == "")
            kinds[$1] = words($6)
        options[$1] = $3 == "" ? options[$1] "" : add(options[$1], $3 ($5 == "" ? "" : "="))
        found = words($6)
        if ($3 != "" && found != "")
            values[$1 " " $3] = values[$1 " " $3] found
    }
    END {
        q = "\047"
        print "    local common=" q options["taut"] q
        print "\n    COMPREPLY=()"
        print "    if [ \"$COMP_CWORD\" -eq 1 ]; then"
        print "        mapfile -t COMPREPLY < <(compgen -W \"$commands --help --version\" -- \"$word\")"
        print "        return\n    fi"
        print "    if [ \"$word\" = = ]; then\n        word=" q q
        print "    elif [ \"$previous\" = = ]; then\n        previous=${COMP_WORDS[COMP_CWORD - 2]}\n    fi"
        print "    case $command in"
        for (i = 1; i <= n_commands; i++)
            print "    " order[i] ") kinds=" q kinds[order[i]] q " options=" q options[order[i]] q " ;;"
        print "    esac\n    case \"$command $previous\" in"
        for (key in values)
            print "    " q key q ") values=" q values[key] q " ;;" | "sort"
        close("sort")
    }'
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
