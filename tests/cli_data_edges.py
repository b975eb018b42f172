# SPDX-License-Identifier: BSD-3-Clause
"""Data at the edges: each series gets a status, each refusal a line, and good series never suffer.

    cli_data_edges.py TAUT
"""
import math
import os
import pathlib

import cli
from cli import refuses, said, summary
from images import blocks, read_image, series_of, small_run, write_image

SHAPE = (4, 3, 2, 40)
N_VOXELS = 24
OUTSIDE, SOLVED, CONSTANT, NONFINITE = 0, 1, 2, 3


def deconv(*arguments, name="run_bold.nii.gz", out="out"):
    """Deconvolves; the JSON summary."""
    return summary("deconv", name, "-o", out, "--mask", "none", *arguments)


def activity(out="out"):
    return read_image(f"{out}/run_desc-activity_bold.nii.gz")


def statuses(out="out"):
    return list(read_image(f"{out}/run_stat-status_boldmap.nii.gz")[1])


def with_series(values, voxel, series):
    """The values of an image with the series of one voxel replaced."""
    values = list(values)
    values[voxel::N_VOXELS] = series
    return values


def test_each_bad_series_has_its_status_and_the_others_are_solved():
    good = blocks(N_VOXELS, 40)
    bad = {
        0: ([math.nan] * 40, NONFINITE),
        3: ([1.0] * 20 + [math.inf] + [1.0] * 19, NONFINITE),
        5: ([math.nan] + series_of(SHAPE, good, 5)[1:], NONFINITE),
        7: ([0.0] * 40, CONSTANT),
        11: ([-3.5] * 40, CONSTANT),
    }
    values = good
    for voxel, (series, _) in bad.items():
        values = with_series(values, voxel, series)
    write_image("run_bold.nii.gz", SHAPE, values)
    found = deconv()["status"]
    assert (found["solved"], found["constant"], found["nonfinite"]) == (N_VOXELS - 5, 2, 3), found
    expected = [bad[v][1] if v in bad else SOLVED for v in range(N_VOXELS)]
    assert statuses() == expected

    write_image("good_bold.nii.gz", SHAPE, good)
    deconv(name="good_bold.nii.gz", out="good")
    _, reference = read_image("good/good_desc-activity_bold.nii.gz")
    shape, u = activity()
    for voxel in range(N_VOXELS):
        expected = [0.0] * 40 if voxel in bad else series_of(shape, reference, voxel)
        assert series_of(shape, u, voxel) == expected, voxel


def test_one_spike_is_solved():
    values = with_series(blocks(N_VOXELS, 40), 2, [0.0] * 17 + [1000.0] + [0.0] * 22)
    write_image("run_bold.nii.gz", SHAPE, values)
    assert deconv()["status"]["solved"] == N_VOXELS


def test_one_voxel_is_a_run():
    write_image("run_bold.nii.gz", (1, 1, 1, 40), blocks(1, 40))
    assert deconv()["status"]["solved"] == 1


def test_few_frames_are_done_or_refused():
    for n_frames in (1, 2, 3, 5):
        write_image("run_bold.nii.gz", (2, 2, 1, n_frames), blocks(4, n_frames))
        done = cli.taut("deconv", "run_bold.nii.gz", "--mask", "none", "--force",
                            "-o", "out")
        assert done.returncode in (0, 2, 3), (n_frames, said(done))
        if done.returncode != 0:
            assert len(said(done).splitlines()) == 1, done.stderr
        else:
            assert all(math.isfinite(u) for u in activity()[1])


def test_a_run_shorter_than_the_response_is_refused_where_it_must_be():
    write_image("run_bold.nii.gz", (2, 2, 1, 12), blocks(4, 12))
    assert deconv("--conv", "causal")["n_frames"] == 12
    refuses(3, "deconv", "run_bold.nii.gz", "--mask", "none", "--conv", "full",
            "-o", "full")


def test_a_run_without_a_repetition_time_asks_for_one():
    for tr in (0.0, -2.0, math.nan, math.inf, 1e9):
        small_run(tr=tr)
        refuses(3, "deconv", "run_bold.nii.gz", "--mask", "none", "-o", "out",
                says="--tr")
        assert not pathlib.Path("out").exists() or not os.listdir("out")
        assert deconv("--tr", 2, "--force", out="given")["tr"] == 2


def test_the_unit_of_the_repetition_time_is_read():
    for units, tr in ((10, 2.0), (18, 2000.0), (26, 2e6)):
        small_run(tr=tr, units=units)
        assert deconv("--force")["tr"] == 2.0


def test_an_impossible_repetition_time_is_wrong_usage():
    small_run()
    for tr in ("0", "-1", "nan", "25", "2,0", "2s", ""):
        refuses(2, "deconv", "run_bold.nii.gz", "--mask", "none", "--tr", tr,
                "-o", "out")


def test_scale_and_sign_of_the_data_do_not_matter():
    centred = blocks(N_VOXELS, 40, level=0.0)
    write_image("run_bold.nii.gz", SHAPE, centred, dtype="float64")
    deconv()
    _, expected = activity()
    largest = max(abs(u) for u in expected)
    for scale in (1e-30, 1e-12, 1e12, 1e30, -1.0):
        write_image("run_bold.nii.gz", SHAPE, [scale * y for y in centred], dtype="float64")
        assert deconv("--force", out="scaled")["status"]["solved"] == N_VOXELS
        _, found = activity("scaled")
        sign = math.copysign(1.0, scale)
        worst = max(abs(sign * a - b) for a, b in zip(found, expected))
        assert worst <= 1e-4 * largest, (scale, worst)


def test_subnormal_data_end_with_finite_numbers():
    values = [1e-41 * y for y in blocks(N_VOXELS, 40)]
    write_image("run_bold.nii.gz", SHAPE, values)
    status = deconv()["status"]
    assert sum(status.values()) == N_VOXELS
    assert all(math.isfinite(u) for u in activity()[1])


def test_masks_that_do_not_fit_are_refused():
    image = small_run()
    mask = "mask.nii.gz"

    def refused(says):
        refuses(3, "deconv", image, "--mask", mask, "-o", "out", says=says)

    write_image(mask, (4, 3, 3), [1] * 36, "uint8")
    refused("mask")
    write_image(mask, SHAPE[:3], [0] * N_VOXELS, "uint8")
    refused("mask")
    write_image(mask, SHAPE[:3], [math.nan] * N_VOXELS)
    refused("mask")
    data = bytearray(write_image("moved.nii", SHAPE[:3], [1] * N_VOXELS, "uint8").read_bytes())
    data[280 + 12:280 + 16] = b"\0\0\xa0\x40"  # srow_x: 5 mm to the right
    pathlib.Path("moved.nii").write_bytes(data)
    refuses(3, "deconv", image, "--mask", "moved.nii", "-o", "out")


def test_nan_in_a_mask_is_outside():
    image = small_run()
    inside = [1.0] * 10 + [math.nan] * 4 + [0.0] * 10
    write_image("mask.nii.gz", SHAPE[:3], inside)
    found = summary("deconv", image, "--mask", "mask.nii.gz", "-o", "out")
    assert found["n_voxels"] == 10
    assert statuses() == [SOLVED] * 10 + [OUTSIDE] * 14
    shape, u = activity()
    assert all(series_of(shape, u, v) == [0.0] * 40 for v in range(10, N_VOXELS))


def test_a_large_lambda_gives_constants():
    small_run()
    found = deconv("--lambda-rule", "fixed", "--lambda", "1e9")
    assert found["status"]["solved"] == N_VOXELS
    assert found["jumps"]["max"] == 0
    assert deconv("--lambda", 1, out="one")["jumps"]["max"] == 0


def test_a_lambda_that_is_none_is_wrong_usage():
    small_run()
    for value in ("nan", "inf", "-0.1", "0,1", "", "1e"):
        refuses(2, "deconv", "run_bold.nii.gz", "--mask", "none", f"--lambda={value}",
                "-o", "out")
    assert not pathlib.Path("out").exists()


def test_an_absent_or_cut_input_is_refused_before_anything_is_written():
    refuses(3, "deconv", "absent_bold.nii.gz", "-o", "out")
    data = small_run().read_bytes()
    for size in (0, 10, 200, len(data) // 2, len(data) - 9, len(data) - 1):
        pathlib.Path("run_bold.nii.gz").write_bytes(data[:size])
        refuses(3, "deconv", "run_bold.nii.gz", "--mask", "none", "-o", "out")
    assert not pathlib.Path("out").exists() or not os.listdir("out")


cli.run(globals())
