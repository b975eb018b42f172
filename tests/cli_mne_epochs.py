# SPDX-License-Identifier: BSD-3-Clause
"""Epochs, codes and files of MNE-Python, beside what MNE-Python itself makes of them.

    cli_mne_epochs.py TAUT

Runs where MNE-Python can be imported, by this Python or by that of the system.
"""
import os
import pathlib
import sys

import cli
from cli import refuses, summary

try:
    import numpy as np
    import mne
    mne.set_log_level("ERROR")
except ImportError:
    SYSTEM = "/usr/bin/python3"
    if os.path.exists(SYSTEM) and os.path.realpath(sys.executable) != os.path.realpath(SYSTEM):
        os.execv(SYSTEM, [SYSTEM, *sys.argv])
    mne = None

MEEG = pathlib.Path(os.environ.get("TAUT_DATA", "absent")) / "meeg"
FORWARD = MEEG / "sample-small-meg-eeg-fwd.fif"
OPTIONS = ["--forward", FORWARD, "--noise-cov", MEEG / "sample-cov.fif", "-o", "out", "--force",
           "-q", "--orient", "fixed", "--lambda", "0.9", "--tmin", "0.04", "--tmax", "0.16"]
RATE = 600.614990234375


def recording():
    """A raw recording with noise and three kinds of codes, one of them above 32767, two of them
    overlapping; (raw, [first samples])."""
    if mne is None:
        raise cli.Skip("mne is absent")
    if not FORWARD.exists():
        raise cli.Skip(f"{FORWARD} is absent")
    info = mne.read_evokeds(MEEG / "sample-ave.fif", proj=False)[0].info
    rng = np.random.RandomState(0)
    data = 1e-13 * rng.randn(len(info["ch_names"]), 9000)
    scale = {"eeg": 1e6, "grad": 10, "mag": 1}
    for i, kind in enumerate(mne.io.pick.channel_type(info, i) for i in range(len(data))):
        data[i] *= scale.get(kind, 0)
    stim = data[info["ch_names"].index("STI 014")]
    for sample in range(700, 8400, 600):
        stim[sample:sample + 9] += 1
        stim[sample + 4:sample + 12] += 4      # 1, 5, 4: a rise to 5 and a fall to 4
        stim[sample + 200:sample + 205] = 40000
    raw = mne.io.RawArray(data, info, first_samp=1234)
    raw.save("r_raw.fif", overwrite=True, fmt="double")
    return raw


def average(evoked):
    """alpha_max of an average that MNE-Python made."""
    evoked = evoked.copy()
    mne.write_evokeds("e-ave.fif", evoked, overwrite=True)
    return summary("sources", "e-ave.fif", *OPTIONS)["alpha_max"]


def close(a, b, tolerance=1e-6):
    assert abs(a / b - 1) < tolerance, (a, b)


def epochs_of(raw, events, **options):
    return mne.Epochs(raw, events, tmin=-0.2, tmax=0.5, baseline=(None, 0), proj=False,
                      preload=True, picks="all", **options)


def test_codes_are_those_of_find_events():
    raw = recording()
    events = mne.find_events(raw, shortest_event=1)
    told = summary("info", "r_raw.fif")["files"][0]["codes"]
    values, counts = np.unique(events[:, 2], return_counts=True)
    assert [(c["value"], c["count"]) for c in told] == list(zip(values, counts)), told
    masked = mne.find_events(raw, shortest_event=1, mask=4)
    for code in values:
        mine = summary("sources", "r_raw.fif", *OPTIONS, "--epoch", "-0.2:0.5", "--baseline", ":0",
                       "--condition", code)
        theirs = epochs_of(raw, events, event_id=int(code))
        assert mine["nave"] == len(theirs)
        close(mine["alpha_max"], average(theirs.average(picks="all")))
    mine = summary("sources", "r_raw.fif", *OPTIONS, "--epoch", "-0.2:0.5", "--stim", "STI 014",
                   "--stim-mask", "4", "--baseline", ":0")
    theirs = epochs_of(raw, masked)
    assert mine["nave"] == len(theirs)
    close(mine["alpha_max"], average(theirs.average(picks="all")))
    for name in ("r-eve.fif", "r.eve"):
        mne.write_events(name, events, overwrite=True)
        mine = summary("sources", "r_raw.fif", *OPTIONS, "--epoch", "-0.2:0.5", "--baseline", ":0",
                       "--events", name, "--condition", "5")
        close(mine["alpha_max"], average(epochs_of(raw, events, event_id=5).average(picks="all")))


def test_bad_spans_drop_the_epochs_that_mne_drops():
    raw = recording()
    events = mne.find_events(raw, shortest_event=1)
    onsets = [900 / RATE, 2500.5 / RATE, 4300 / RATE, 6000 / RATE]
    raw.set_annotations(mne.Annotations(onsets, [0.3, 0.0, 0.001, 1.0],
                                        ["bad_a", "BAD boundary", "Bad c", "good"]))
    raw.save("r_raw.fif", overwrite=True, fmt="double")
    for code in (1, 40000):
        theirs = epochs_of(raw, events, event_id=code)
        mine = summary("sources", "r_raw.fif", *OPTIONS, "--epoch", "-0.2:0.5", "--baseline", ":0",
                       "--condition", code)
        assert mine["nave"] == len(theirs) < (events[:, 2] == code).sum()
        close(mine["alpha_max"], average(theirs.average(picks="all")))


def test_files_of_epochs():
    raw = recording()
    events = mne.find_events(raw, shortest_event=1)
    epochs = epochs_of(raw, events, event_id={"one": 1, "big": 40000})
    for options in ({}, {"fmt": "double"}, {"split_size": "8MB"}):
        epochs.save("x-epo.fif", overwrite=True, **options)
        for condition, name in (("one", "one"), ("big", "big"), ("40000", "big")):
            mine = summary("sources", "x-epo.fif", *OPTIONS, "--condition", condition)
            assert mine["nave"] == len(epochs[name])
            close(mine["alpha_max"], average(epochs[name].average(picks="all")))
    one = mne.EvokedArray(epochs["one"].get_data()[2], epochs.info, tmin=epochs.tmin)
    mine = summary("sources", "x-epo.fif", *OPTIONS, "--condition", "one", "--trial", "3")
    close(mine["alpha_max"], average(one))
    noise = [o if o != MEEG / "sample-cov.fif" else "baseline" for o in OPTIONS]
    mine = summary("sources", "x-epo.fif", *noise, "--condition", "one")
    assert mine["noise_samples"] == 120 * len(epochs["one"]), mine["noise_samples"]
    refuses(3, "sources", "x-epo.fif", *OPTIONS, "--condition", "two", says='of "one"')
    refuses(2, "sources", "x-epo.fif", *OPTIONS, "--epoch", "0:1", says="found epochs")
    told = summary("info", "--check", "x-epo.fif")["files"][0]
    assert told["format"] == "FIF epochs" and len(told["parts"]) == len(epochs)


def test_forward_solutions_of_fixed_orientation():
    raw = recording()
    forward = mne.convert_forward_solution(mne.read_forward_solution(FORWARD), surf_ori=True,
                                           force_fixed=True)
    # as it stands, and not the free one that it was made of
    forward["_orig_source_ori"] = mne.io.constants.FIFF.FIFFV_MNE_FIXED_ORI
    forward["_orig_sol"] = forward["sol"]["data"].copy()
    mne.write_forward_solution("fixed-fwd.fif", forward, overwrite=True)
    assert summary("info", "fixed-fwd.fif")["files"][0]["orientation"] == "fixed"
    average(epochs_of(raw, mne.find_events(raw, shortest_event=1), event_id=1).average(picks="all"))
    free = summary("sources", "e-ave.fif", *OPTIONS)
    fixed = [o if o != FORWARD else "fixed-fwd.fif" for o in OPTIONS]
    mine = summary("sources", "e-ave.fif", *fixed)
    close(mine["alpha_max"], free["alpha_max"])
    default = [o for o in fixed if o not in ("--orient", "fixed")]
    assert summary("sources", "e-ave.fif", *default)["orientation"] == "fixed"
    refuses(2, "sources", "e-ave.fif", *default, "--orient", "free", says="expected fixed")


cli.run(globals())
