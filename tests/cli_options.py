#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every option of every command is in its help, its manual page and the completion.

    cli_options.py TAUT DOCS    DOCS: where manual pages and completion were built
"""
import pathlib
import subprocess
import sys

import cli
from cli import refuses, succeeds

DOCS = pathlib.Path(sys.argv[2]).resolve()


def listed():
    """(command, kind, option, letter, values, choices, help) of every option and argument."""
    lines = succeeds("config", "--options").stdout.decode().splitlines()
    rows = [tuple(line.split("\t")) for line in lines]
    assert all(len(row) == 7 for row in rows)
    assert len(rows) > 150, len(rows)
    return rows


def commands():
    text = succeeds("--help").stdout.decode().split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in text.splitlines()]


def test_every_command_has_its_options_listed():
    assert sorted({row[0] for row in listed()} - {"taut"}) == sorted(commands())


def test_every_option_is_in_the_help():
    texts = {}
    for command, kind, option, letter, values, _, about in listed():
        words = ["config"] if command == "taut" else [command] + [kind] * bool(kind)
        text = texts.setdefault((command, kind), succeeds(*words, "--help").stdout.decode())
        shown = (f"{letter}, " if letter else "") + option + (f"={values}" if values else "")
        if option:
            assert f"  {shown} " in text and about in text, (words, shown)


def test_every_option_is_in_the_manual_page():
    if not (DOCS / "taut.1").exists():
        raise cli.Skip("manual pages were not built, for want of scdoc")
    for command, _, option, letter, _, _, _ in listed():
        page = (DOCS / ("taut.1" if command == "taut" else f"taut-{command}.1")).read_text()
        shown = (f"{letter}, " if letter else "") + option
        assert not option or f"\\fB{shown}\\fR" in page, (command, shown)


def complete(*words):
    """What bash would offer for the last of the words."""
    script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _taut; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, DOCS / "taut", "taut", *words], check=True,
                          capture_output=True, text=True)
    return done.stdout.split()


def test_every_option_and_its_words_are_completed():
    offered = {command: complete(command, "--") for command in commands()}
    for command, kind, option, _, values, choices, _ in listed():
        word = option + ("=" if values else "")
        for name in [command] if command != "taut" else offered:
            assert not option or word in offered[name], (name, word)
        plain = [choice for choice in choices.split("|") if choice.replace("-", "a").isalnum()
                 and choice.islower()]
        if option and plain and command != "taut":
            found = complete(command, option, "")
            assert set(plain) <= set(found), (command, option, found)
        elif kind or plain:
            assert set([kind] if kind else plain) <= set(complete(command, "")), (command, kind)
    assert complete("")[:2] == commands()[:2]


def test_a_template_is_of_a_command_that_has_one():
    for command in ("deconv", "sources", "train"):
        text = succeeds("config", "--template", command).stdout.decode()
        assert text.count("\n[") >= 1
    assert succeeds("config", "--template").stdout == \
        succeeds("config", "--template", "deconv").stdout
    refuses(2, "config", "--template", "hrf", says="deconv|sources|train")
    refuses(2, "config", says="--template")


cli.run(globals())
