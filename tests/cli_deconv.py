#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut deconv`: what it writes is a minimiser, says where it comes from, and is refused in one line
where it cannot be.

    cli_deconv.py TAUT
"""
import json
import os
import pathlib
import struct

import cli
from cli import refuses, said, succeeds, summary, taut
from images import blocks, read_image, series_of, small_run, write_image

SHAPE = (4, 3, 2, 60)
N_VOXELS = 24
FIELDS = {"command", "version", "input", "outputs", "n_voxels", "n_frames", "tr", "hrf", "lambda",
          "status", "gap", "jumps", "seconds", "solve_cpu_seconds", "peak_rss_bytes"}


def run(*arguments, name="run_bold.nii.gz", out="out"):
    """Deconvolves all voxels of a small run; the JSON summary."""
    return summary("deconv", name, "-o", out, "--mask", "none", *arguments)


def image(kind, out="out"):
    return read_image(f"{out}/run_desc-{kind}_bold.nii.gz")


def volume(kind, out="out"):
    return list(read_image(f"{out}/run_stat-{kind}_boldmap.nii.gz")[1])


def sidecar(kind="activity", out="out"):
    return json.loads(pathlib.Path(f"{out}/run_desc-{kind}_bold.json").read_text())


def convolve(h, u, n):
    return [sum(h[k] * u[t - k] for k in range(len(h)) if 0 <= t - k < len(u)) for t in range(n)]


def correlate(h, r, n):
    return [sum(h[k] * r[j + k] for k in range(len(h)) if j + k < len(r)) for j in range(n)]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def cumulative(v):
    total, sums = 0.0, []
    for value in v[:-1]:
        total += value
        sums.append(total)
    return sums


def relative_gap(h, y, u, weight):
    """The duality gap of u over the objective of the best constant, by formulas of its own."""
    level = convolve(h, [1.0] * len(u), len(y))
    norm2 = dot(level, level)

    def project(x):
        c = dot(level, x) / norm2
        return [a - c * s for a, s in zip(x, level)]
    y0 = project(y)
    r = project([a - b for a, b in zip(y, convolve(h, u, len(y)))])
    jumps = sum(abs(b - a) for a, b in zip(u, u[1:]))
    primal = 0.5 * dot(r, r) + weight * jumps
    bound = max(abs(s) for s in cumulative(correlate(h, r, len(u))))
    scale = min(1.0, weight / bound) if bound > 0 else 1.0
    dual = scale * dot(r, y0) - 0.5 * scale * scale * dot(r, r)
    return (primal - dual) / (0.5 * dot(y0, y0))


def check_minimisers(n_unknown):
    """Every activity minimises the objective of its own sidecar, as far as float32 can tell."""
    h = sidecar()["HRF"]["Samples"]
    shape, u = image("activity")
    assert shape[3] == n_unknown, shape
    fitted, residual = image("fitted")[1], image("residual")[1]
    weights = volume("lambda")
    full = (*SHAPE[:3], len(fitted) // N_VOXELS)
    for voxel in range(0, N_VOXELS, 5):
        fit = series_of(full, fitted, voxel)
        y = [a + b for a, b in zip(fit, series_of(full, residual, voxel))]
        activity = series_of(shape, u, voxel)
        again = convolve(h, activity, len(y))
        assert max(abs(a - b) for a, b in zip(again, fit)) < 1e-5, voxel
        assert -1e-6 < relative_gap(h, y, activity, weights[voxel]) < 1e-5, voxel


def test_activity_minimises_what_it_says():
    small_run(shape=SHAPE)
    run("--save", "all")
    check_minimisers(60)
    shape, u = image("activity")
    _, innovation = image("innovation")
    first = [b - a for a, b in zip(u[:-N_VOXELS], u[N_VOXELS:])]
    assert not any(innovation[:N_VOXELS])
    assert max(abs(a - b) for a, b in zip(first, innovation[N_VOXELS:])) < 1e-6
    jumps = [sum(1 for x in series_of(shape, innovation, v) if x != 0.0) for v in range(N_VOXELS)]
    assert jumps == [int(n) for n in volume("jumps")]
    assert max(volume("gap")) < 1e-10
    ratio = [a / b for a, b in zip(volume("lambda"), volume("lambdamax"))]
    assert max(abs(r - 0.1) for r in ratio) < 1e-6


def test_full_convolution_has_fewer_unknowns():
    small_run(shape=SHAPE)
    run("--save", "all", "--conv", "full")
    n_h = len(sidecar()["HRF"]["Samples"])
    check_minimisers(60 - n_h + 1)
    assert sidecar()["Convolution"] == "full"


def test_run_scope_and_fixed_have_one_lambda():
    small_run(shape=SHAPE)
    run("--lambda-scope", "run")
    weights = volume("lambda")
    assert min(weights) == max(weights)
    assert abs(weights[0] - 0.1 * max(volume("lambdamax"))) < 1e-6 * weights[0]
    run("--lambda-rule", "fixed", "--lambda", "0.25", out="fixed")
    assert set(volume("lambda", "fixed")) == {0.25}
    run("--lambda-rule", "map:fixed/run_stat-lambda_boldmap.nii.gz", out="map")
    assert image("activity", "map") == image("activity", "fixed")


def test_every_rule_is_recorded():
    small_run(shape=SHAPE)
    for rule in ("ratio", "fixed", "ut", "lut", "mad", "bic", "aic"):
        found = run("--lambda-rule", rule, out=rule)
        assert found["status"]["solved"] == N_VOXELS, (rule, found)
        told = sidecar(out=rule)["Lambda"]
        assert told["Rule"] == rule and ("Sigma" in told) == (rule in ("ut", "lut", "mad")), told


def test_summary_has_its_fields():
    small_run(shape=SHAPE)
    found = run()
    assert FIELDS <= set(found), FIELDS - set(found)
    assert found["n_voxels"] == N_VOXELS and found["n_frames"] == 60 and found["tr"] == 2
    assert set(found["status"]) == {"solved", "constant", "nonfinite", "inaccurate", "skipped"}
    assert set(found["seconds"]) == {"read", "prepare", "solve", "write", "total"}
    assert set(found["lambda"]) == {"min", "median", "max"}
    listed = {pathlib.Path(path).name for path in found["outputs"]}
    assert listed == set(cli.contents("out")), listed ^ set(cli.contents("out"))


def test_outputs_have_the_geometry_of_the_input():
    small_run(shape=SHAPE, tr=1.5)
    run()
    original, written = pathlib.Path("run_bold.nii.gz"), pathlib.Path(
        "out/run_desc-activity_bold.nii.gz")
    import gzip
    a, b = (gzip.decompress(path.read_bytes()) for path in (original, written))
    assert struct.unpack_from("<4h", a, 40) == struct.unpack_from("<4h", b, 40)
    assert struct.unpack_from("<4f", a, 80) == struct.unpack_from("<4f", b, 80)  # pixdim, TR
    assert struct.unpack_from("<12f", a, 280) == struct.unpack_from("<12f", b, 280)


def test_the_stem_loses_bold_and_desc():
    for name, stem in (("sub-1_task-x_desc-preproc_bold.nii.gz", "sub-1_task-x"),
                       ("sub-1_desc-a_space-b_bold.nii", "sub-1_space-b"),
                       ("plain.nii", "plain")):
        small_run(name=name, shape=SHAPE)
        found = run(name=name, out=stem)
        assert f"{stem}/{stem}_desc-activity_bold.nii.gz" in found["outputs"], found["outputs"]


def test_repetition_times_in_conflict_are_both_named():
    small_run(shape=SHAPE, tr=2.0)
    pathlib.Path("run_bold.json").write_text('{"RepetitionTime": 1.5, "TaskName": "rest"}')
    done = succeeds("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "-q")
    warnings = [line for line in said(done).splitlines() if "warning" in line]
    assert len(warnings) == 1 and "1.5 s" in warnings[0] and "2 s" in warnings[0], warnings
    assert sidecar()["RepetitionTime"] == 1.5 and sidecar()["TRSource"] == "sidecar"
    assert sidecar()["TaskName"] == "rest"
    found = run("--tr", "0.8", out="given")
    assert found["tr"] == 0.8 and sidecar(out="given")["TRSource"] == "option"


def test_a_refusal_is_one_line_without_warnings():
    small_run(shape=SHAPE, tr=2.0)
    pathlib.Path("run_bold.json").write_text('{"RepetitionTime": 1.5}')
    write_image("mask.nii", (4, 3, 3), [1.0] * 36)
    refuses(3, "deconv", "run_bold.nii.gz", "-o", "out", "--mask", "mask.nii", says="4 x 3 x 2")
    cut = pathlib.Path("run_bold.nii.gz").read_bytes()
    pathlib.Path("run_bold.nii.gz").write_bytes(cut[:len(cut) // 2])
    refuses(3, "deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", says="run_bold.nii.gz")
    assert not pathlib.Path("out").exists()


def test_usage_is_refused_with_the_nearest_name():
    small_run(shape=SHAPE)
    base = ("deconv", "run_bold.nii.gz", "-o", "out")
    refuses(2, *base, "--lamda", "0.1", says="did you mean --lambda?")
    refuses(2, *base, "--solver", "exct", says="did you mean exact?")
    refuses(2, *base, "--hrf", "spn", says="spm")
    refuses(2, *base, "--detrend", "cosine", says="--detrend")
    refuses(2, *base, "--frames", "ten", says="--frames")
    refuses(2, *base, "--save", "everything", says="--save")
    refuses(2, *base, "--lambda", "1.5", says="up to 1")
    refuses(2, "deconv", "run_bold.nii.gz", says="-o")
    refuses(2, "deconv", "a", "b", "-o", "out", says="b")
    refuses(2, "decnov", "a", says="did you mean deconv?")
    refuses(3, *base, "--frames", "0:100", says="60")
    refuses(3, *base, "--drop", "60", says="60")
    refuses(3, *base, "--hrf", "absent.txt", says="absent.txt")
    refuses(3, *base, "--mem-limit", "1k", says="--mem-limit")
    assert not pathlib.Path("out").exists()


def test_existing_outputs_need_force():
    small_run(shape=SHAPE)
    run()
    before = cli.contents("out")
    refuses(4, "deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", says="--force")
    assert cli.contents("out") == before
    run("--force", "--lambda", "0.2")
    assert cli.contents("out") != before
    cli.has_no_temporaries("out")


def test_an_output_is_never_an_input():
    small_run(name="run_desc-activity_bold.nii.gz", shape=SHAPE)
    refuses(4, "deconv", "run_desc-activity_bold.nii.gz", "-o", ".", "--mask", "none", "--force",
            says="is an input")


def test_strict_tells_of_inaccurate_series():
    small_run(shape=SHAPE)
    arguments = ("deconv", "run_bold.nii.gz", "--mask", "none", "--solver", "pgd", "--max-iter", 2)
    assert taut(*arguments, "-o", "strict", "--strict").returncode == 5
    found = summary(*arguments, "-o", "out")
    assert found["status"]["inaccurate"] > 0 and found["gap"]["max"] > 1e-6, found
    assert 4.0 in volume("status")


def test_confounds_leave_nothing_of_themselves():
    values = blocks(N_VOXELS, 60)
    ramp = [((t * 7) % 11) / 11.0 for t in range(60)]
    values = [v + 5.0 * ramp[i // N_VOXELS] for i, v in enumerate(values)]
    write_image("run_bold.nii.gz", SHAPE, values)
    rows = ["\t".join(("odd", "csf"))] + [f"{r}\t{0.5 - r * r}" for r in ramp]
    pathlib.Path("c.tsv").write_text("\n".join(rows) + "\n")
    run("--confounds", "c.tsv:odd", "--save", "all")
    fitted, residual = image("fitted")[1], image("residual")[1]
    mean = sum(ramp) / 60
    for voxel in range(N_VOXELS):
        y = [a + b for a, b in zip(series_of(SHAPE, fitted, voxel),
                                   series_of(SHAPE, residual, voxel))]
        assert abs(dot(y, [r - mean for r in ramp])) < 1e-3, voxel
    base = ("deconv", "run_bold.nii.gz", "--mask", "none", "-o", "no")
    refuses(2, *base, "--confounds", "c.tsv:ood", says="odd")
    refuses(3, *base, "--confounds", "d.tsv:all", says="d.tsv")
    pathlib.Path("c.tsv").write_text("\n".join(rows[:-1]) + "\n")
    refuses(3, *base, "--confounds", "c.tsv:all", says="59")


def test_censored_frames_change_nothing():
    still = [0.1] * 60
    still[20] = still[40] = 0.9
    pathlib.Path("c.tsv").write_text("framewise_displacement\n" +
                                     "\n".join(str(d) for d in still) + "\n")
    censored = [20, 21, 40, 41]
    values = blocks(N_VOXELS, 60)
    for out in ("as-it-is", "spoilt"):
        write_image("run_bold.nii.gz", SHAPE, values)
        run("--confounds", "c.tsv:scrub:FD=.5", "--save", "all", out=out)
        assert sidecar(out=out)["Frames"]["Censored"] == censored
        values = [1e6 if i // N_VOXELS in censored else v for i, v in enumerate(values)]
    assert cli.images("as-it-is") == cli.images("spoilt")
    residual = image("residual", "spoilt")[1]
    for t in range(60):
        frame = residual[t * N_VOXELS:(t + 1) * N_VOXELS]
        assert all(r == 0.0 for r in frame) == (t in censored), t


def test_a_mask_is_made_and_used_again():
    succeeds("simulate", "fmri", "-o", "sim", "--size", "12x12x8", "--frames", "60", "-q")
    bold = "sim/sub-sim_task-phantom_bold.nii.gz"
    stem = "sub-sim_task-phantom"
    os.rename(f"sim/{stem}_desc-brain_mask.nii.gz", "truth.nii.gz")  # or it would be the mask
    found = summary("deconv", bold, "-o", "out")
    _, mask = read_image(f"out/{stem}_desc-auto_mask.nii.gz")
    assert set(mask) == {0, 1} and sum(mask) == found["n_voxels"]
    summary("deconv", bold, "-o", "again", "--mask", f"out/{stem}_desc-auto_mask.nii.gz")
    name = f"{stem}_desc-activity_bold.nii.gz"
    assert cli.images("out")[name] == cli.images("again")[name]
    _, truth = read_image("truth.nii.gz")
    overlap = sum(1 for a, b in zip(mask, truth) if a and b)
    assert 2 * overlap / (sum(mask) + sum(1 for b in truth if b)) > 0.8


def test_frames_are_chosen_after_cleaning():
    small_run(shape=SHAPE)
    found = run("--frames", "10:30", "--drop", "5")
    assert found["n_frames"] == 30
    frames = sidecar()["Frames"]
    assert frames == {"First": 15, "Count": 30, "Dropped": 5, "Censored": []}, frames


if __name__ == "__main__":
    cli.run(globals())
