# SPDX-License-Identifier: BSD-3-Clause
"""What `taut sources` believes of its inputs, beside MNE-Python: units, reference, rank,
compensation, orientation, channels. Inputs are made by MNE-Python, and so are the right values.

    mne_sources_gate.py TAUT
"""
import json
import os
import pathlib
import shutil
import struct
import warnings

import cli
from cli import refuses, said, succeeds, summary

DATA = pathlib.Path(os.environ.get("TAUT_DATA", "absent")) / "meeg"
FORWARD = DATA / "sample-small-meg-eeg-fwd.fif"
COVARIANCE = DATA / "sample-cov.fif"
EVOKED = DATA / "sample-ave.fif"
SEEDS = range(3)
ONE_ELECTRODE = range(10, 500, 50)  # positions of ten dipoles


def need():
    """(numpy, mne) or skipped."""
    if not EVOKED.exists():
        raise cli.Skip(f"{EVOKED} is absent")
    try:
        import mne
        import numpy as np
    except ImportError:
        raise cli.Skip("python3-mne is absent") from None
    warnings.simplefilter("ignore")
    mne.set_log_level("ERROR")
    return np, mne


class Head:
    """EEG of the sample subject: fixed gain (V / A m) and description of 60 electrodes."""

    def __init__(self):
        self.np, self.mne = need()
        mne = self.mne
        forward = mne.convert_forward_solution(mne.read_forward_solution(FORWARD), surf_ori=True,
                                               force_fixed=True)
        whole = mne.read_evokeds(EVOKED, proj=False)[0].info
        part = mne.pick_info(whole, mne.pick_types(whole, meg=False, eeg=True, exclude=[]))
        self.names = part["ch_names"]
        rows = [forward["sol"]["row_names"].index(name) for name in self.names]
        self.gain = forward["sol"]["data"][rows]
        self.position = forward["source_rr"]
        self.info = mne.create_info(self.names, 200.0, "eeg")
        with self.info._unlock():
            for key in ("chs", "dev_head_t", "dig"):
                self.info[key] = part[key]
        self.average = mne.io.proj.make_eeg_average_ref_proj(self.info, activate=False)

    def dipole(self, k, seed, n_time=30):
        """Potentials against infinity: 50 nA m at position k, white noise of 0.2 uV."""
        np = self.np
        noise = np.random.RandomState(seed).randn(60, n_time) * 2e-7
        return noise + np.outer(self.gain[:, k], 50e-9 * np.hanning(n_time))

    def write(self, data, projectors=None, custom=None, noise=None):
        """ave.fif and cov.fif."""
        evoked = self.mne.EvokedArray(data, self.info.copy(), tmin=0, nave=1, comment="x")
        if projectors:
            evoked.add_proj(projectors)
        if custom is not None:
            with evoked.info._unlock():
                evoked.info["custom_ref_applied"] = custom
        self.mne.write_evokeds("ave.fif", evoked, overwrite=True)
        noise = self.np.eye(60) * 4e-14 if noise is None else noise
        self.mne.Covariance(noise, self.names, [], projectors or [], 100).save("cov.fif",
                                                                              overwrite=True)
        return evoked


def arguments(recording="ave.fif", forward=FORWARD, noise="cov.fif"):
    return ["sources", recording, "--forward", forward, "--noise-cov", noise, "-o", "out",
            "--force", "-q"]


def solve(*options, **inputs):
    """The summary and what was said."""
    shutil.rmtree("out", ignore_errors=True)  # tables of other recordings
    done = succeeds(*arguments(**inputs), "--json", *options)
    return json.loads(done.stdout), said(done)


def strongest(np):
    """Place (m) of the source with the largest amplitude, and that (A m)."""
    table = next(pathlib.Path("out").glob("*_sources.tsv"))
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    at = {name: i for i, name in enumerate(rows[0])}
    best = max(rows[1:], key=lambda row: float(row[at["peak_amplitude"]]))
    return np.array([float(best[at[c]]) for c in "xyz"]), float(best[at["peak_amplitude"]])


def test_one_electrode_as_reference_moves_no_source():
    head = Head()
    np = head.np
    against_first = np.eye(60)
    against_first[:, 0] -= 1
    fixed = ["--orient", "fixed", "--lambda", "0.5"]
    for seed in SEEDS:
        away = {"added": [], "projector": [], "none": []}
        for k in ONE_ELECTRODE:
            data = against_first @ head.dipole(k, 100 * seed + k)
            for name, projectors, options in (("added", None, []),
                                              ("projector", [head.average], []),
                                              ("none", None, ["--reference", "none"])):
                head.write(data, projectors)
                found, told = solve(*fixed, *options)
                away[name].append(1e3 * np.linalg.norm(strongest(np)[0] - head.position[k]))
                if name == "added":
                    assert "applied as a projector over 60 channels" in told, told
                    assert found["rank"] == 59 and "added" in found["reference"], found
        assert np.median(away["added"]) < 0.01, away
        assert np.allclose(away["added"], away["projector"], atol=1e-3), away
        assert np.median(away["none"]) > 5, away  # or the test shows nothing


def test_an_average_reference_that_is_there_is_not_added():
    head = Head()
    for projectors in ([head.average], [head.average, head.average]):
        head.write(head.dipole(300, 0), projectors)
        found, told = solve("--orient", "fixed")
        assert "reference" not in told and "of the files" in found["reference"], told
    found, told = solve("--orient", "fixed", recording=EVOKED, noise=COVARIANCE,
                        *["--condition", "Left Auditory", "--tmin", "0.1", "--tmax", "0.1"])
    assert "reference:" not in told, told


def test_custom_references_are_refused_as_mne_does():
    head = Head()
    for custom in (1, 2):
        evoked = head.write(head.dipole(300, 0), custom=custom)
        try:
            head.mne.inverse_sparse.mixed_norm(
                evoked, head.mne.read_forward_solution(FORWARD), head.mne.read_cov("cov.fif"),
                alpha=50, loose=0)
            raise AssertionError("MNE-Python takes a custom reference")
        except ValueError as refusal:
            assert "reference" in str(refusal)
        refuses(3, *arguments(), says="reference: ")
    refuses(3, *arguments(), "--reference", "average", says="current source density")
    head.write(head.dipole(300, 0), custom=1)
    found, _ = solve("--orient", "fixed", "--reference", "average")
    assert found["rank"] == 59
    # It survives a conversion.
    raw = head.mne.io.RawArray(head.dipole(300, 0, 400), head.info.copy())
    with raw.info._unlock():
        raw.info["custom_ref_applied"] = 1
    raw.save("x_raw.fif", overwrite=True)
    succeeds("convert", "x_raw.fif", "y_raw.fif", "-q")
    assert head.mne.io.read_raw_fif("y_raw.fif").info["custom_ref_applied"] == 1
    refuses(3, *arguments(recording="y_raw.fif"), says="custom reference")


def edf(path, names, data_uv, unit):
    """An EDF file, 200 Hz, 0.01 of its unit a step."""
    def field(values, width):
        return b"".join(v.encode("latin-1").ljust(width) for v in values)
    n, n_records = len(names), data_uv.shape[1] // 200
    head = (field(["0"], 8) + field(["X X X X", "Startdate X X X X"], 80) +
            field(["01.01.20", "10.00.00", str(256 * (n + 1))], 8) + field([""], 44) +
            field([str(n_records), "1"], 8) + field([str(n)], 4))
    for value, width in ((None, 16), ("", 80), (unit, 8), ("-327.68", 8), ("327.67", 8),
                         ("-32768", 8), ("32767", 8), ("", 80), ("200", 8), ("", 32)):
        head += field(names if value is None else [value] * n, width)
    steps = (data_uv / 0.01).round().astype("<i2")
    pathlib.Path(path).write_bytes(head + b"".join(
        steps[:, 200 * r:200 * r + 200].tobytes() for r in range(n_records)))


def test_units_are_volts_or_are_refused_by_name():
    head = Head()
    np = head.np
    data = head.dipole(300, 0, 400)
    data -= data.mean(0)
    head.write(data, [head.average])
    options = ["--orient", "fixed", "--tmin", "0.5", "--tmax", "1.5"]
    rows = {unit: "name\ttype\tunits\n" + "".join(f"{name}\tEEG\t{unit}\n" for name in head.names)
            for unit in ("uV", "mV", "n/a", "spoons")}
    right = None
    for unit, table, factor, says in (
            ("uV", None, 1, ""), ("uV", "uV", 1, ""), ("", "uV", 1, ""), (".V", "uV", 1, ".V"),
            ("uv", "uV", 1, "uv"), ("uV", "mV", 1, "60 channels are not the file's"),
            ("", "mV", 1000, "whitened data"), ("mV", "uV", 1000, "are not the file's"),
            ("uV", "spoons", 1, ""), ("uV", "n/a", 1, "")):
        edf("rec.edf", head.names, data * 1e6, unit)
        pathlib.Path("rec_channels.tsv").unlink(missing_ok=True)
        if table is not None:
            pathlib.Path("rec_channels.tsv").write_text(rows[table])
        _, told = solve(*options, recording="rec.edf")
        amplitude = strongest(np)[1]
        right = right or amplitude
        assert 2e-8 < right < 6e-8, right
        assert abs(amplitude / right / factor - 1) < 1e-3, (unit, table, amplitude)
        assert says in told and (says or told == ""), (unit, table, told)
        succeeds("convert", "rec.edf", "rec.fif", "-q", "--force")
        read = head.mne.io.read_raw_fif("rec.fif", preload=True)
        assert set(read.get_channel_types()) == {"eeg"}
        assert np.allclose(read.get_data(), data * factor, atol=6e-9 * factor), (unit, table)
    for unit, table in (("", None), ("", "n/a"), ("", "spoons"), (".V", None), (".V", "spoons"),
                        ("uA", None)):
        edf("rec.edf", head.names, data * 1e6, unit)
        pathlib.Path("rec_channels.tsv").unlink(missing_ok=True)
        if table is not None:
            pathlib.Path("rec_channels.tsv").write_text(rows[table])
            refuses(3, "convert", "rec.edf", "no.fif", "-q", says="EEG 001")
        refuses(3, *arguments(recording="rec.edf"), *options,
                says="EEG 001, EEG 002, EEG 003, EEG 004 and 56 others: expected values in V")
    assert not pathlib.Path("no.fif").exists()
    few = ",".join(head.names[:3])
    refuses(3, *arguments(recording="rec.edf"), "--bads", few, says="EEG 004")


def test_compensation_is_that_of_the_forward_solution():
    np, mne = need()
    path = DATA / "raw_fif" / "test_ctf_comp_raw.fif"
    raw = mne.io.read_raw_fif(path, preload=True)
    raw.pick_types(meg=True, ref_meg=True, eeg=False)
    sphere = mne.make_sphere_model(r0=(0, 0, .04), head_radius=.09)
    space = mne.setup_volume_source_space(pos=30.0, sphere=sphere)
    for grade in (3, 0):
        own = raw.copy()
        if grade != raw.compensation_grade:
            own.apply_gradient_compensation(grade)
        forward = mne.make_forward_solution(
            own.info, trans=mne.transforms.Transform("head", "mri", np.eye(4)), src=space,
            bem=sphere, mindist=5.0)
        mne.write_forward_solution(f"{grade}-fwd.fif", forward, overwrite=True)
        mne.write_evokeds(f"{grade}-ave.fif", mne.EvokedArray(own.get_data()[:, :60], own.info,
                                                              nave=1, comment="x"), overwrite=True)
        mne.make_ad_hoc_cov(own.info).save("cov.fif", overwrite=True)
    for data in (3, 0):
        for forward in (3, 0):
            inputs = {"recording": f"{data}-ave.fif", "forward": f"{forward}-fwd.fif"}
            if data == forward:
                found, told = solve(**inputs)
                # A volume: free, unless something else is asked for.
                assert found["orientation"] == "free" and "orientation" not in told, told
                _, told = solve("--orient", "loose", **inputs)
                assert "orientation: loose at" in told, told
                _, told = solve("--orient", "fixed", **inputs)
                assert "orientation: fixed at" in told, told
            else:
                refuses(3, *arguments(**inputs),
                        says=f"expected grade {data}, that of {data}-ave.fif, found grade {forward}")


def test_files_that_share_few_channels_are_named_with_numbers():
    _, mne = need()
    forward = mne.read_forward_solution(FORWARD)
    covariance = mne.read_cov(COVARIANCE)
    three = ["MEG 0113", "MEG 0112", "MEG 0111", "EEG 001", "EEG 002", "EEG 003"]
    mne.write_forward_solution("six-fwd.fif", mne.pick_channels_forward(forward, include=three),
                               overwrite=True)
    mne.pick_channels_cov(covariance, include=three).save("six-cov.fif", overwrite=True)
    mne.write_forward_solution("meg-fwd.fif", mne.pick_types_forward(forward, meg=True, eeg=False),
                               overwrite=True)
    options = ["--condition", "Left Auditory", "--tmin", "0.1", "--tmax", "0.1"]
    for inputs, path in (({"forward": "six-fwd.fif", "noise": COVARIANCE}, "six-fwd.fif"),
                         ({"forward": FORWARD, "noise": "six-cov.fif"}, "six-cov.fif")):
        _, told = solve(*options, recording=EVOKED, **inputs)
        assert f"{path}: channels: has 3 of the 306 good meg channels" in told, told
        assert f"{path}: channels: has 3 of the 60 good eeg channels" in told, told
        assert "and 6 in all" in told
    _, told = solve(*options, recording=EVOKED, forward="meg-fwd.fif", noise=COVARIANCE)
    assert "has 0 of the 60 good eeg channels" in told and "meg channels" not in told, told
    _, told = solve(*options, recording=EVOKED, noise=COVARIANCE)
    assert "channels" not in told, told


def test_a_head_that_moved_and_units_that_differ_are_told():
    np, mne = need()
    forward = mne.read_forward_solution(FORWARD)
    moved = np.array(forward["info"]["dev_head_t"]["trans"])
    moved[:3, 3] += 0.02
    forward["info"]["dev_head_t"] = mne.transforms.Transform("meg", "head", moved)
    mne.write_forward_solution("moved-fwd.fif", forward, overwrite=True)
    options = ["--condition", "Left Auditory", "--tmin", "0.1", "--tmax", "0.1"]
    _, told = solve(*options, recording=EVOKED, forward="moved-fwd.fif", noise=COVARIANCE)
    assert "head: its sensors lie 35 mm from" in told, told
    covariance = mne.read_cov(COVARIANCE)
    covariance["data"][:] *= 1e-12
    covariance.save("cov.fif", overwrite=True)
    _, told = solve(*options, recording=EVOKED)
    assert "whitened data have an rms of" in told, told


def test_standard_errors_are_no_data_and_twins_are_asked_about():
    np, mne = need()
    average = mne.read_evokeds(EVOKED, condition="Left Auditory", proj=False)
    other = mne.read_evokeds(EVOKED, condition="Right visual", proj=False)
    error = average.copy()
    error.kind = "standard_error"
    error.data = 0.1 * np.abs(error.data)
    options = ["--tmin", "0.1", "--tmax", "0.1"]
    files = {"recording": "x-ave.fif", "noise": COVARIANCE}
    mne.write_evokeds("x-ave.fif", [average], overwrite=True)
    right = solve(*options, **files)[0]["alpha_max"]
    mne.write_evokeds("x-ave.fif", [error, average], overwrite=True)
    for more in ([], ["--condition", "Left Auditory"], ["--condition", "2"]):
        assert solve(*options, *more, **files)[0]["alpha_max"] == right, more
    refuses(2, *arguments(**files), "--condition", "Left Auditory (standard error)",
            says="standard error")
    mne.write_evokeds("x-ave.fif", [error], overwrite=True)
    refuses(3, *arguments(**files), says="standard errors alone")
    other.comment = average.comment
    mne.write_evokeds("x-ave.fif", [other, average], overwrite=True)
    refuses(2, *arguments(**files), "--condition", "Left Auditory", says="numbers 1, 2")
    assert solve(*options, "--condition", "2", **files)[0]["alpha_max"] == right
    assert solve(*options, "--condition", "1", **files)[0]["alpha_max"] != right


def separated(np, mne, seed):
    """MEG after signal-space separation: x_raw.fif, x-ave.fif, events.tsv; epochs, true place."""
    forward = mne.convert_forward_solution(mne.read_forward_solution(FORWARD), surf_ori=True,
                                           force_fixed=True)
    info = mne.read_evokeds(EVOKED, proj=False)[0].info
    info = mne.pick_info(info, mne.pick_types(info, meg=True, eeg=False, exclude=[]))
    with info._unlock():
        info["projs"], info["bads"] = [], []
    gain = forward["sol"]["data"][[forward["sol"]["row_names"].index(n) for n in info["ch_names"]]]
    rng = np.random.RandomState(seed)
    k, length, n_epochs = rng.randint(498), 300, 30
    level = np.array([2e-14 if mne.channel_type(info, i) == "mag" else 5e-13
                      for i in range(len(gain))])
    data = gain @ (rng.randn(498, length * n_epochs) * 3e-9)
    data += rng.randn(*data.shape) * level[:, None]
    events = np.arange(n_epochs) * length + 150
    for event in events:
        data[:, event + 20:event + 80] += np.outer(gain[:, k], 30e-9 * np.hanning(60))
    mne.preprocessing.maxwell_filter(mne.io.RawArray(data, info), origin=(0, 0, .04)).save(
        "x_raw.fif", overwrite=True)
    raw = mne.io.read_raw_fif("x_raw.fif", preload=True)
    pathlib.Path("events.tsv").write_text("onset\ttrial_type\n" + "".join(
        f"{event / info['sfreq']:.9f}\tx\n" for event in events))
    epochs = mne.Epochs(raw, np.c_[events + raw.first_samp, 0 * events, 0 * events + 1], 1, -.2, .2,
                        baseline=(None, 0), preload=True)
    mne.write_evokeds("x-ave.fif", epochs.average(), overwrite=True)
    return epochs, forward["source_rr"][k]


def test_separated_data_are_whitened_in_their_rank():
    np, mne = need()
    options = ["--orient", "fixed", "--lambda", "0.5", "--tmin", "0", "--tmax", "0.15"]
    for seed in SEEDS:
        epochs, place = separated(np, mne, seed)
        own = mne.compute_covariance(epochs, tmax=0, method="empirical", rank="info")
        own.save("cov.fif", overwrite=True)
        found, told = solve(*options, recording="x-ave.fif")
        right, amplitude = strongest(np)
        assert found["rank"] == 70 and "rank" not in told, told
        assert found["rank_of_data_from"]["meg"] == "signal-space separation"
        assert np.linalg.norm(right - place) < 1e-5, (seed, right, place)
        # noise of the baselines, shrunk; a covariance of full rank
        full = mne.cov.regularize(own, epochs.info, rank="full")
        full.save("full-cov.fif", overwrite=True)
        for inputs, more, says in (
                ({"recording": "x_raw.fif", "noise": "baseline"},
                 ["--events", "events.tsv", "--epoch", "-.2:.2", "--baseline", ":0"], ""),
                ({"recording": "x-ave.fif", "noise": "full-cov.fif"}, [],
                 "that of meg noise is 306, that of the data 70")):
            found, told = solve(*options, *more, **inputs)
            there, height = strongest(np)
            assert found["rank"] == 70 and says in told, told
            assert np.linalg.norm(there - right) < 1e-5, (seed, inputs)
            assert abs(height / amplitude - 1) < 0.15, (seed, inputs, height, amplitude)


cli.run(globals())
