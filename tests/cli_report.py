#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the page of `taut deconv` says: whether anything is found, where, when, in which voxels.

    cli_report.py TAUT
"""
import html
import json
import pathlib
import random
import re

import cli
from cli import succeeds
from images import read_image, write_image

SHAPE = (12, 12, 8, 120)
N = 12 * 12 * 8
TR_S = 2.0
ONSETS = (15, 40, 65, 95)  # frames
RESPONSE = [0.0, .087, .375, .385, .216, .077, .0, -.03, -.04, -.03, -.02, -.01]


def response_to(blocks):
    return [sum(h * blocks[t - k] for k, h in enumerate(RESPONSE) if t >= k)
            for t in range(SHAPE[3])]


def write_run(signal_of):
    """White noise of standard deviation 1 about 1000, and what signal_of(voxel, t) adds."""
    random.seed(5)
    values = [1000 + random.gauss(0, 1) + signal_of(v, t) for t in range(SHAPE[3]) for v in range(N)]
    write_image("run_bold.nii.gz", SHAPE, values, tr=TR_S)
    return values


def page(*arguments):
    succeeds("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--force", "-q", *arguments)
    text = pathlib.Path("out/run_desc-taut_report.html").read_text()
    facts = json.loads(pathlib.Path("out/run_desc-taut_report.json").read_text())
    return html.unescape(re.sub(r"<[^>]*>", " ", text)), text, facts


def volume(kind):
    return list(read_image(f"out/run_stat-{kind}_boldmap.nii.gz")[1])


def test_noise_is_not_found():
    write_run(lambda v, t: 0)
    text, _, facts = page()
    found = sum(e > facts["found"]["white_point"] for e in volume("explained"))
    assert "No activity is found." in text and found <= 6, found  # 1.2 expected
    n = len(facts["found"]["white"])
    assert sum(e > facts["found"]["white_point"] for e in facts["found"]["white"]) <= 3, n


def test_activity_is_found_in_its_place_and_at_its_time():
    blocks = [float(any(on <= t < on + 8 for on in ONSETS)) for t in range(SHAPE[3])]
    seen = response_to(blocks)
    inside = {x + 12 * (y + 12 * z) for x in (3, 4, 5) for y in (6, 7, 8) for z in (2, 3)}
    values = write_run(lambda v, t: 4 * seen[t] if v in inside else 0)
    text, raw, facts = page("--drop", "0")
    explained = volume("explained")
    found = {v for v in range(N) if explained[v] > facts["found"]["white_point"]}
    assert inside <= found and len(found - inside) <= 6, len(found)
    assert "Activity is found." in text and f"{len(found)} of {N} voxels" in text
    largest = int(re.search(r"largest cluster has (\d+) voxels", text)[1])
    assert 18 <= largest <= 20, largest
    rises = facts["courses"]["rises"]
    first = sorted(range(len(rises)), key=lambda t: -rises[t])[:4]
    assert all(min(abs(t - on) for on in ONSETS) <= 1 for t in first), first
    # the mean is of the recording, by frames
    mean = volume("mean")
    for v in (0, 300, N - 1):
        own = values[v::N]
        assert abs(mean[v] - sum(own) / len(own)) < 1e-3
    assert raw.index("<h2>Where") < raw.index("<h2>When") < raw.index("<h2>Certificates")
    assert facts["carpets"]["rows"][1] >= 3 and len(facts["carpets"]["images"]) == 3


def test_artefacts_are_no_examples():
    """Voxels of one large swing, or of a large beginning, fit better than activity does."""
    blocks = [float(any(on <= t < on + 8 for on in ONSETS)) for t in range(SHAPE[3])]
    swing = [float(50 <= t < 70) for t in range(SHAPE[3])]
    start = [float(t < 6) for t in range(SHAPE[3])]
    seen, odd, begin = response_to(blocks), response_to(swing), response_to(start)

    def signal(v, t):
        return 3 * seen[t] if v < 100 else 30 * odd[t] if v < 200 else 30 * begin[t] if v < 300 else 0

    write_run(signal)
    _, _, facts = page("--detrend", "constant")
    explained = volume("explained")
    assert min(explained[100:300]) > max(explained[:100]), "the artefacts are explained better"
    kinds = [trace["voxel"][0] + 12 * (trace["voxel"][1] + 12 * trace["voxel"][2])
             for trace in facts["traces"] if "found" in trace["label"]]
    assert len(kinds) == 2 and all(v < 100 for v in kinds), kinds
    assert facts["found"]["swings"][0] >= 90 and facts["found"]["swings"][1] >= 90, facts["found"]


def test_tested_pages_follow_p():
    blocks = [float(any(on <= t < on + 8 for on in ONSETS)) for t in range(SHAPE[3])]
    seen = response_to(blocks)
    write_run(lambda v, t: 4 * seen[t] if v < 60 else 0)
    text, _, facts = page("--null", "200")
    found = sum(p <= facts["found"]["alpha"] for p in volume("p"))
    assert f"{found} of {N} voxels" in text and "p ≤ 0.001" in text, found
    done = succeeds("report", "out")
    assert done.stdout.decode().strip().endswith("_report.html")
    again = pathlib.Path("out/run_desc-taut_report.html").read_text()
    assert html.unescape(re.sub(r"<[^>]*>", " ", again)) == text


def test_warnings_are_grouped_and_name_no_folder():
    write_run(lambda v, t: 0)
    text, raw, _ = page("--tr", "3")
    assert "1 warning" in text and "TR is 3 s by the option" in text, text[:3000]
    assert "<section class='warn'>" in raw


def test_censored_frames_are_shaded():
    write_run(lambda v, t: 0)
    rows = "".join(f"{0.9 if t in (30, 31) else 0.1}\n" for t in range(SHAPE[3]))
    pathlib.Path("fd.tsv").write_text("framewise_displacement\n" + rows)
    text, raw, facts = page("--confounds", "fd.tsv:scrub:FD=0.5")
    assert facts["courses"]["censored"][:2] == [30, 31], facts["courses"]["censored"]
    assert len(facts["courses"]["displacement"]) == SHAPE[3]
    assert "framewise displacement" in text and raw.count("class='shade'") >= 2


cli.run(globals())
