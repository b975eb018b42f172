# SPDX-License-Identifier: BSD-3-Clause
# Fills a manual page in: the lines @OPTIONS@, @COMMON_OPTIONS@ and @COMMANDS@ become what the
# program itself says; @OPTIONS KIND@ what it says of the options of one kind of its work. Reads the
# output of --help, that of each KIND after a line "@KIND", then the page (scdoc).
#
# usage: awk -f fill.awk HELP PAGE

function quoted(text)
{
    gsub(/[\\_*`<#]/, "\\\\&", text)
    return text
}

# "-o, --output=DIR" -> "*-o, --output*=_DIR_"
function option_line(words,    cut)
{
    cut = index(words, "=")
    if (cut == 0)
        return "*" quoted(words) "*"
    return "*" quoted(substr(words, 1, cut - 1)) "*=_" quoted(substr(words, cut + 1)) "_"
}

function split_line(line,    gap)
{
    sub(/^ +/, "", line)
    gap = match(line, /  +/)
    words = gap ? substr(line, 1, gap - 1) : line
    text = gap ? substr(line, gap + RLENGTH) : ""
}

FNR == 1 { file++ }

file == 1 && /^@/ {
    part = " " substr($0, 2)
    section = ""
    next
}

file == 1 && /^[^ ].*:$/ {
    section = $0
    next
}

file == 1 && section != "" && /^  / {
    split_line($0)
    kind = section == "Commands:" ? "commands" : section == "Options of every command:" ? "common" : "own" part
    if (kind == "commands")
        filled[kind] = filled[kind] "*taut-" words "*(1)\n\t" quoted(text) "\n\n"
    else if (section != "Usage:")
        filled[kind] = filled[kind] option_line(words) "\n\t" quoted(text) "\n\n"
}

file == 2 && /^@OPTIONS .*@$/ {
    printf "%s", filled["own " substr($2, 1, length($2) - 1)]
    next
}
file == 2 && $0 == "@OPTIONS@" { printf "%s", filled["own"]; next }
file == 2 && $0 == "@COMMON_OPTIONS@" { printf "%s", filled["common"]; next }
file == 2 && $0 == "@COMMANDS@" { printf "%s", filled["commands"]; next }
file == 2
