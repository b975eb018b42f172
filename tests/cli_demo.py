#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut demo` leaves a page that stands alone, and `taut report` draws it again.

    cli_demo.py TAUT
"""
import base64
import collections
import html.parser
import json
import os
import re
import shutil
import struct
import urllib.parse
import zlib

import cli

STEM = "out/sub-sim_task-phantom"
PAGE = STEM + "_desc-taut_report.html"
PNG = "data:image/png;base64,"
SECTIONS = ["Where", "When", "Voxels", "Noise and λ", "Preprocessing and provenance",
            "Certificates"]
VOID = {"meta", "line", "rect", "image", "img", "path", "br", "tr", "td", "th", "p"}  # end may be absent


class Page(html.parser.HTMLParser):
    """Tags, texts and what a page refers to."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.references, self.texts, self.broken = [], [], [], [], []
        self.pictures, self.of_tag = [], collections.defaultdict(list)
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.of_tag[tag].append(dict(attributes))
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
                is_picture = value.startswith(PNG)
                (self.pictures if is_picture else self.references).append(value)
            if name.startswith("on"):
                self.broken.append("%s has %s" % (tag, name))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.broken.append("</%s> ends nothing" % tag)

    def handle_data(self, data):
        self.texts.append(data)


def demo(*arguments):
    done = cli.taut("demo", "-o", "out", *arguments)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_page(text):
    page = Page(text)
    assert not page.broken and not page.open, (page.broken, page.open)
    assert page.pictures and all(r.startswith("./") for r in page.references)
    for tag in page.of_tag["img"] + page.of_tag["image"]:
        assert set(tag) <= {"alt", "style", "src", "x", "y", "width", "height", "href",
                            "preserveaspectratio"}, tag
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    assert "url(" not in styles and "@import" not in styles and "http" not in styles
    assert "default-src 'none'" in text
    return page


def check_png(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        size, = struct.unpack(">I", data[at:at + 4])
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
        crc, = struct.unpack(">I", data[at + 8 + size:at + 12 + size])
        assert zlib.crc32(kind + body) == crc, kind
        chunks[kind] = body
        at += 12 + size
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == (width + 1) * height and len(chunks[b"PLTE"]) in (3 * 65, 3 * 256)
    return len(set(rows))


def test_demo_names_its_page_and_three_things_to_see():
    code, out, err = demo("-q")
    lines = out.splitlines()
    assert code == 0 and err == "" and lines[0] == PAGE, (out, err)
    assert len([line for line in lines if line.startswith("  ")]) == 3, out
    assert os.path.getsize(PAGE) < 1 << 20
    assert not [name for name in os.listdir("out") if name.startswith(".")]


def test_demo_finds_the_activity_that_was_drawn():
    code, out, _ = demo("-q", "--json")
    facts = json.loads(out)
    assert code == 0 and facts["command"] == "demo" and facts["report"] == PAGE, facts
    assert facts["status"]["solved"] == facts["n_voxels"] and facts["gap"]["max"] <= 1e-6, facts
    found = {region["name"]: region["correlation"] for region in facts["regions"]}
    assert found["long blocks"] > 0.75 and found["blocks and spikes"] > 0.75, found
    assert found["isolated spikes"] > 0.3, found


def test_demo_overwrites_only_when_forced():
    demo("-q")
    before = os.stat(PAGE).st_mtime_ns
    code, _, err = demo("-q")
    assert code == 4 and err.count("\n") == 1 and os.stat(PAGE).st_mtime_ns == before, err
    assert demo("-q", "--force")[0] == 0


def test_page_stands_alone():
    demo("-q")
    page = check_page(read(PAGE))
    assert page.tags.count("svg") >= 6
    colours = [check_png(base64.b64decode(picture[len(PNG):], validate=True))
               for picture in page.pictures]
    assert max(colours) > 50 and sum(n > 10 for n in colours) > len(colours) / 2, colours
    text = " ".join(page.texts)
    headings = re.findall(r"<h2>(.*?)</h2>", read(PAGE))
    assert headings == SECTIONS, headings
    assert text.index("Activity is found.") < text.index("Where")
    for word in ("solved", "tolerance", "time (s)", "percent signal", "jumps of the activity", "mm",
                 "observed x", "activity u", "cosine:128", "ratio", "spm", "880"):
        assert word in text, word


def test_names_are_escaped_in_the_page():
    demo("-q")
    name = "a<img src=x onerror=alert(1)>&\"'\n\x1b[31m_bold.nii.gz"
    shutil.copy(STEM + "_bold.nii.gz", name)
    done = cli.taut("deconv", name, "-o", "odd", "--tr", "2", "--mask",
                    STEM + "_desc-brain_mask.nii.gz", "-q")
    assert done.returncode == 0, done.stderr
    [path] = [f for f in os.listdir("odd") if f.endswith("_report.html")]
    text = read(os.path.join("odd", path))
    page = check_page(text)
    assert "\x1b" not in text and "onerror" not in " ".join(map(str, page.of_tag["img"]))
    assert os.path.basename(path) in map(urllib.parse.unquote, (r[2:] for r in page.references))
    assert "a<img src=x onerror=alert(1)>&\"'" in "".join(page.texts)


def test_report_draws_the_same_page_again():
    demo("-q")
    before = read(PAGE)
    os.remove(PAGE)
    done = cli.taut("report", "out")
    assert done.returncode == 0 and done.stdout.decode() == PAGE + "\n", done.stderr
    assert read(PAGE) == before


def test_report_distrusts_what_it_reads():
    demo("-q")
    path = PAGE[:-5] + ".json"
    good = json.loads(read(path))
    page = read(PAGE)
    bad = []
    for name in good:
        bad.append({k: v for k, v in good.items() if k != name})
        bad.append({**good, name: {"no": "such"}})
    bad.append({**good, "n_time": 1e300})
    bad.append({**good, "tr": 0})
    bad.append({**good, "traces": [{**good["traces"][0], "x": good["traces"][0]["x"][:-1]}]})
    bad.append({**good, "h": [1, "2"]})
    carpets = json.loads(json.dumps(good["carpets"]))
    carpets["images"][0]["png"] = "x'/><script>"
    bad.append({**good, "carpets": carpets})
    bad.append({**good, "found": {**good["found"], "white_point": 2}})
    bad.append({**good, "courses": {**good["courses"], "rises": [0]}})
    bad.append({**good, "warnings": [{"text": "a", "count": 0}]})
    for case in bad:
        with open(path, "w") as file:
            json.dump(case, file)
        done = cli.taut("report", "out")
        assert done.returncode == 3 and done.stderr.count(b"\n") == 1, (done, case.keys())
        assert path.encode() in done.stderr, done.stderr
    with open(path, "w") as file:
        file.write("{")
    assert cli.taut("report", "out").returncode == 3
    with open(path, "w") as file:
        json.dump(good, file)
    os.remove(STEM + "_stat-gap_boldmap.nii.gz")
    assert cli.taut("report", "out").returncode == 3
    assert read(PAGE) == page


def test_report_of_a_folder_without_results_is_refused():
    os.mkdir("empty")
    for folder in ("empty", "absent"):
        done = cli.taut("report", folder)
        assert done.returncode == 3 and folder.encode() in done.stderr, done.stderr


cli.run(globals())
