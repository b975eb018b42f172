# SPDX-License-Identifier: BSD-3-Clause
"""Free text of a header, which may name a patient, reaches no output, log or message.

    cli_planted_words.py TAUT
"""
import gzip
import pathlib
import struct

import cli
from cli import contents, taut
from images import small_run

SECRET = b"DOE^JANE"
ESCAPE = b"\x1b]0;"


def plant(path):
    """Writes the words over every free-text field of the header, and into an extension."""
    data = bytearray(gzip.decompress(path.read_bytes()))
    text = SECRET + ESCAPE
    data[4:4 + 10] = text[:10]  # data_type
    data[14:14 + 18] = text.ljust(18, b"\0")  # db_name
    data[148:148 + 80] = text.ljust(80, b"\0")  # descrip
    data[228:228 + 24] = text.ljust(24, b"\0")  # aux_file
    data[328:328 + 16] = text.ljust(16, b"\0")  # intent_name
    extension = struct.pack("<ii", 32, 6) + text.ljust(24, b"\0")
    struct.pack_into("<f", data, 108, 352.0 + len(extension))
    data[348] = 1
    path.write_bytes(gzip.compress(bytes(data[:352]) + extension + bytes(data[352:])))


def is_silent(name, data):
    assert SECRET not in data, f"{name} holds the planted words"
    if not name.endswith(".gz"):
        assert b"\x1b" not in data, f"{name} holds an escape"


def test_header_text_reaches_nothing():
    image = small_run()
    plant(image)
    said = [
        taut("info", image),
        taut("info", "--check", "--json", "-v", image),
        taut("deconv", image, "--mask", "none", "--save", "all", "-v", "--json", "-o", "out",
             "--log", "log"),
        taut("deconv", image, "--mask", "none", "-o", "out"),
    ]
    assert [done.returncode for done in said] == [0, 0, 0, 4], [done.stderr for done in said]
    for done in said:
        is_silent(str(done.args), done.stdout + done.stderr)
    is_silent("log", pathlib.Path("log").read_bytes())
    for name, data in contents("out").items():
        is_silent(name, gzip.decompress(data) if name.endswith(".gz") else data)


def test_a_refused_header_is_not_quoted():
    image = small_run()
    plant(image)
    data = bytearray(gzip.decompress(image.read_bytes()))
    struct.pack_into("<h", data, 70, 1536)
    pathlib.Path("bad_bold.nii").write_bytes(bytes(data))
    done = taut("info", "--check", "-v", "bad_bold.nii")
    assert done.returncode == 3
    is_silent("stderr", done.stderr)


cli.run(globals())
