# SPDX-License-Identifier: BSD-3-Clause
# Fills a manual page in: the line @OPTIONS@ becomes the options of the command of that page,
# @OPTIONS KIND@ those of one kind of its work, @COMMON_OPTIONS@ those of every command, @COMMANDS@
# the commands. Reads what `taut config --options` and `taut --help` say, then the page (scdoc).
#
# usage: awk -v command=NAME -f fill.awk OPTIONS HELP PAGE

function quoted(text)
{
    gsub(/[\\_*`<#]/, "\\\\&", text)
    return text
}

# "*-o, --output*=_DIR_" and its help
function option_lines(    names)
{
    names = ($4 == "" ? "" : $4 ", ") $3
    return "*" quoted(names) "*" ($5 == "" ? "" : "=_" quoted($5) "_") "\n\t" quoted($7) "\n\n"
}

BEGIN { FS = "\t" }

FNR == 1 { file++ }

file == 1 && $3 != "" { filled[$1 " " $2] = filled[$1 " " $2] option_lines() }

file == 2 && /^[^ ].*:$/ { listed = $0 == "Commands:" }
file == 2 && listed && match($0, /^  [a-z]+ +/) {
    name = $0
    gsub(/^ +| .*$/, "", name)
    commands = commands "*taut-" name "*(1)\n\t" quoted(substr($0, RLENGTH + 1)) "\n\n"
}

file == 3 && /^@OPTIONS .*@$/ {
    printf "%s", filled[command " " substr($0, 10, length($0) - 10)]
    next
}
file == 3 && $0 == "@OPTIONS@" { printf "%s", filled[command " "]; next }
file == 3 && $0 == "@COMMON_OPTIONS@" { printf "%s", filled["taut "]; next }
file == 3 && $0 == "@COMMANDS@" { printf "%s", commands; next }
file == 3
