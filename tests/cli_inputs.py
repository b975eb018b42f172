#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `taut deconv` and `taut run` believe of a run before anything is solved: repetition time,
side-cars, mask, confounds. What they cannot know they refuse or tell, in every command.

    cli_inputs.py TAUT
"""
import gzip
import json
import math
import os
import pathlib
import random
import struct

import cli
from cli import refuses, said, succeeds, summary
from images import blocks, read_image, small_run, write_image

BROKEN = {
    "not a number": b'{"RepetitionTime": 2.0, "EchoTime": NaN}',
    "latin-1": '{"RepetitionTime": 2.0, "InstitutionName": "Universit\u00e4t"}'.encode("latin-1"),
    "byte order mark": b'\xef\xbb\xbf{"RepetitionTime": 2.0}',
    "line break": b'{"RepetitionTime": 2.0, "InstitutionAddress": "200\nRochester"}',
    "empty": b"",
    "cut short": b'{"RepetitionTime": 2.0',
}
RUN = "sub-01_task-rest_bold"


def outputs(folder="out"):
    return sorted(path.name for path in pathlib.Path(folder).glob("*"))


def write_config(name="c.ini", **sections):
    lines = []
    for section, keys in sections.items():
        lines += [f"[{section}]"] + [f"{key} = {value}" for key, value in keys.items()]
    pathlib.Path(name).write_text("\n".join(lines) + "\n")
    return name


def test_a_sidecar_that_cannot_be_read_is_refused_by_name():
    small_run(f"{RUN}.nii.gz")
    config = write_config(input={"bold": "sub-*_bold.nii.gz", "mask": "none"},
                          output={"folder": "out"})
    for what, text in BROKEN.items():
        pathlib.Path(f"{RUN}.json").write_bytes(text)
        for command in (("deconv", f"{RUN}.nii.gz", "-o", "out", "--mask", "none"),
                        ("run", config)):
            refuses(3, *command, says=f"{RUN}.json: ")
            assert outputs() == [], (what, outputs())
    os.unlink(f"{RUN}.json")
    os.symlink(".git/annex/objects/x.json", f"{RUN}.json")
    refuses(3, "run", config, says="annexed file not present")
    done = succeeds("deconv", f"{RUN}.nii.gz", "-o", "out", "--mask", "none", "--tr", "2")
    assert said(done).count(f"{RUN}.json: annexed file not present") == 1, said(done)


def test_the_time_is_that_of_the_dataset():
    os.makedirs("ds/sub-01/func")
    pathlib.Path("ds/dataset_description.json").write_text("{}")
    pathlib.Path("ds/task-rest_bold.json").write_text('{"RepetitionTime": 2.5, "TaskName": "rest"}')
    path = f"ds/sub-01/func/{RUN}.nii.gz"
    small_run(path, tr=1.0)
    done = summary("deconv", path, "-o", "out", "--mask", "none")
    assert done["tr"] == 2.5, done
    sidecar = json.loads(pathlib.Path("out/sub-01_task-rest_desc-activity_bold.json").read_text())
    assert sidecar["RepetitionTime"] == 2.5 and sidecar["TaskName"] == "rest", sidecar
    assert "bids::task-rest_bold.json" in sidecar["Sources"], sidecar["Sources"]
    assert "sidecar" in sidecar["InputChecksums"], sidecar


def test_the_first_frame_has_its_own_time():
    small_run(f"{RUN}.nii.gz", tr=2.0)
    pathlib.Path(f"{RUN}.json").write_text(
        '{"RepetitionTime": 2, "StartTime": 1.0, "SliceTimingCorrected": true, "DelayTime": 0.5}')
    succeeds("deconv", f"{RUN}.nii.gz", "-o", "out", "--mask", "none", "--drop", "5",
             "--frames", "3:30")
    sidecar = json.loads(pathlib.Path("out/sub-01_task-rest_desc-activity_bold.json").read_text())
    found = {name: sidecar.get(name) for name in
             ("StartTime", "SliceTimingCorrected", "DelayTime", "NumberOfVolumesDiscardedByUser")}
    assert found == {"StartTime": 17.0, "SliceTimingCorrected": True, "DelayTime": 0.5,
                     "NumberOfVolumesDiscardedByUser": 8}, found
    header = gzip.decompress(
        pathlib.Path("out/sub-01_task-rest_desc-activity_bold.nii.gz").read_bytes())
    assert struct.unpack_from("<f", header, 136) == (16.0,)  # toffset


def test_an_implausible_header_is_refused():
    small_run("b_bold.nii.gz", tr=0.002)
    refuses(3, "deconv", "b_bold.nii.gz", "-o", "out", "--mask", "none",
            says="repetition time: expected 0.05 to 20 s, found 0.002 s in the header")
    assert summary("deconv", "b_bold.nii.gz", "-o", "out", "--mask", "none",
                   "--tr", "1.5")["tr"] == 1.5


def test_what_reading_finds_is_told_once():
    path = small_run("g_bold.nii.gz")
    with open(path, "ab") as stream:
        stream.write(b"garbage!")
    done = succeeds("deconv", path, "-o", "out", "--mask", "auto")
    assert said(done).count("bytes after the last member") == 1, said(done)


# Response

def test_the_response_is_told_and_doubted():
    small_run()
    arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--force")
    done = succeeds(*arguments, "--hrf", "spm:delay=6:norm=peak", "--json")
    found = json.loads(done.stdout)
    assert abs(found["hrf_time_to_peak"] - 5.0) < 0.01, found
    assert abs(found["hrf_fwhm"] - 5.26) < 0.01 and found["warnings"] == [], found
    assert "its peak is at 5 s, its width 5.26 s" in said(done), said(done)
    hrf = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())["HRF"]
    assert abs(hrf["TimeToPeak"] - 5.0) < 0.01 and abs(hrf["FWHM"] - 5.26) < 0.01, hrf
    assert max(hrf["Samples"]) == 1.0, hrf
    for name in ("h.1D", "h.txt", "H.TXT", "h.csv"):
        lines = cli.taut("hrf", "spm:delay=16", "--tr", "2").stdout
        pathlib.Path(name).write_bytes(lines)
        done = succeeds(*arguments, "--hrf", f"./{name}:norm=sum", "--json")
        [warning] = json.loads(done.stdout)["warnings"]
        assert warning["count"] == 1 and "its peak is at" in warning["text"], warning
        assert said(done).count("its peak is at") == 2, said(done)  # told, and doubted


# Masks

def volume(name, value, shape=(4, 3, 2), **options):
    n = shape[0] * shape[1] * shape[2]
    return write_image(name, shape, [value(i) for i in range(n)], **options)


def test_data_whose_mean_says_nothing_are_taken_where_they_vary():
    shape, inside = (8, 8, 6, 40), 0
    rand = random.Random(4)
    is_inside = [2 <= i % 8 < 6 and 2 <= i // 8 % 8 < 6 for i in range(8 * 8 * 6)]
    series = []
    for brain in is_inside:
        values = [rand.gauss(0.0, 1.0) if brain else 0.0 for _ in range(40)]
        mean = sum(values) / 40
        series.append([value - mean for value in values])
        inside += brain
    write_image("z_bold.nii.gz", shape, [series[v][t] for t in range(40) for v in range(384)])
    done = cli.taut("deconv", "z_bold.nii.gz", "-o", "out", "--json")
    found = json.loads(done.stdout)
    assert found["n_voxels"] == inside == 96, found
    assert said(done).count("the mean is small beside the variation") == 1, said(done)


def test_the_mask_beside_a_run_is_used():
    name = "sub-01_task-rest_space-T1w_desc-preproc_bold.nii.gz"
    small_run(name)
    volume("sub-01_task-rest_space-T1w_desc-brain_mask.nii.gz", lambda i: i < 5, dtype="uint8")
    volume("sub-01_task-rest_desc-brain_mask.nii.gz", lambda i: i < 9, dtype="uint8")
    found = summary("deconv", name, "-o", "out")
    assert found["n_voxels"] == 5, found
    assert not any("auto_mask" in path for path in found["outputs"]), found["outputs"]
    sidecar = json.loads(pathlib.Path(
        "out/sub-01_task-rest_space-T1w_desc-activity_bold.json").read_text())
    assert "sub-01_task-rest_space-T1w_desc-brain_mask.nii.gz" in sidecar["Sources"], sidecar
    assert summary("deconv", name, "-o", "all", "--mask", "none")["n_voxels"] == 24


def test_a_mask_of_other_numbers_is_told_and_has_a_threshold():
    small_run()
    volume("p.nii", lambda i: i / 23)
    done = succeeds("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "p.nii", "--json")
    assert json.loads(done.stdout)["n_voxels"] == 23
    assert "24 distinct values from 0 to 1" in said(done) and "the 23 voxels" in said(done)
    done = succeeds("deconv", "run_bold.nii.gz", "-o", "half", "--mask", "p.nii", "--json",
                    "--mask-threshold", "0.5")
    assert json.loads(done.stdout)["n_voxels"] == 12 and "distinct" not in said(done), said(done)
    refuses(3, "deconv", "run_bold.nii.gz", "-o", "none", "--mask", "p.nii", "--mask-threshold",
            "1", says="above --mask-threshold")
    volume("labels.nii", lambda i: i % 4, dtype="int16")
    done = succeeds("deconv", "run_bold.nii.gz", "-o", "labels", "--mask", "labels.nii", "--json")
    assert json.loads(done.stdout)["n_voxels"] == 18 and "warning" not in said(done), said(done)


def test_a_mask_elsewhere_is_refused_with_its_distance_or_led_over():
    small_run()
    path = volume("m.nii", lambda i: i % 4 != 3, dtype="uint8")
    data = bytearray(path.read_bytes())
    data[280 + 12:280 + 16] = struct.pack("<f", 0.75)  # along x, of voxels of 3 mm
    path.write_bytes(data)
    refuses(3, "deconv", "run_bold.nii.gz", "-o", "out", "--mask", "m.nii",
            says="found voxels up to 0.75 mm (0.25 voxels) away")
    found = summary("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "m.nii",
                    "--mask-resample", "nearest")
    assert found["n_voxels"] == 18, found


# Confounds

MOTION = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
EXPANSIONS = ["", "_derivative1", "_power2", "_derivative1_power2"]
COLUMNS = {  # of the generations of fMRIPrep
    20: ["csf", "white_matter", "global_signal", "std_dvars", "dvars", "framewise_displacement"],
    21: ["csf", "white_matter", "csf_wm", "global_signal", "std_dvars", "dvars", "rmsd",
         "framewise_displacement", "w_comp_cor_00", "c_comp_cor_00"],
    23: ["csf", "white_matter", "csf_wm", "global_signal", "std_dvars", "dvars", "rmsd",
         "framewise_displacement", "w_comp_cor_00", "c_comp_cor_00", "edge_comp_00"],
    25: ["csf", "white_matter", "csf_wm", "global_signal", "std_dvars", "dvars", "rmsd",
         "framewise_displacement", "w_comp_cor_00", "c_comp_cor_00", "edge_comp_00"],
}


def confounds(generation, n_frames, n_unsteady=0, seed=1):
    """{column: fields} as a generation writes them."""
    rand = random.Random(seed)
    base = COLUMNS[generation] + MOTION
    table = {}
    for name in base:
        expansions = EXPANSIONS if name in MOTION + ["csf", "white_matter", "global_signal"] else [""]
        for expansion in expansions:
            values = [f"{rand.gauss(0.0, 1.0):.6f}" for _ in range(n_frames)]
            if "derivative1" in expansion or name in ("std_dvars", "dvars", "rmsd",
                                                      "framewise_displacement"):
                values[0] = "n/a"
            table[name + expansion] = values
    for i in range(6):
        table[f"a_comp_cor_{i:02d}"] = [f"{rand.gauss(0.0, 1.0):.6f}" for _ in range(n_frames)]
    for k in range(2):
        table[f"cosine{k:02d}"] = [f"{(t * (k + 1) % 7) - 3:.1f}" for t in range(n_frames)]
    for i in range(n_unsteady):
        table[f"non_steady_state_outlier{i:02d}"] = [f"{float(t == i)}" for t in range(n_frames)]
    return table


def write_table(path, table, separator="\t"):
    rows = zip(*table.values())
    lines = [separator.join(table)] + [separator.join(row) for row in rows]
    pathlib.Path(path).write_text("\n".join(lines) + "\n")
    return path


def test_confounds_need_a_choice_of_columns():
    small_run()
    write_table("c.tsv", confounds(23, 40))
    arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--confounds")
    done = refuses(2, *arguments, "c.tsv", says="6p, 9p, 12p, 24p, 36p, acompcor")
    assert outputs() == [], done
    refuses(2, "run", write_config(input={"bold": "run_bold.nii.gz", "mask": "none"},
                                   output={"folder": "out"}, clean={"confounds": "c.tsv"}),
            says="6p, 9p")
    refuses(2, *arguments, "c.tsv:42p", says="nearest")
    refuses(2, *arguments, "c.tsv:zz*", says='match "zz*"')
    refuses(3, *arguments, "c.tsv:36p", says="confounds: expected fewer than 38 regressors")
    for choice, n in (("6p", 6), ("9p", 9), ("24p", 24), ("trans,rot_?", 15), ("w_comp*", 1)):
        done = succeeds(*arguments, f"c.tsv:{choice}", "--force")
        sidecar = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())
        step = next(step for step in sidecar["Preprocessing"] if step["Step"] == "regress")
        assert len(step["Columns"].split(",")) == n, (choice, step)
        assert said(done).count("n/a in the first row") == (choice in ("24p", "trans,rot_?"))
        assert ("more than half" in said(done)) == (choice == "24p"), said(done)


def test_tables_of_all_programs_are_read():
    small_run()
    table = {name: values for name, values in confounds(20, 40).items() if name in MOTION}
    table["trial"] = ["go" if t % 2 else "None" for t in range(40)]
    arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--force",
                 "--confounds")
    os.makedirs("a:b")
    images = []
    for path, separator in (("a:b/c.tsv", "\t"), ("c.csv", ","), ("d.csv", "\t")):
        write_table(path, table, separator)
        succeeds(*arguments, f"{path}:6p")
        images.append(cli.images("out"))
        refuses(3, *arguments, f"{path}:trial", says='expected numbers, found "go"')
    del table["trial"]
    rows = ["  ".join(row) for row in zip(*table.values())]
    pathlib.Path("mc.par").write_text("\n".join(rows) + "\n")
    pathlib.Path("mc.1D").write_text("# 3dvolreg\n" + "\n".join(rows) + "\n")
    for path in ("mc.par", "mc.1D"):
        succeeds(*arguments, f"{path}:6p")
        images.append(cli.images("out"))
    assert all(image == images[0] for image in images[1:])


def test_frames_that_are_not_steady_are_dropped():
    small_run()
    write_table("c.tsv", confounds(23, 40, n_unsteady=3))
    arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--force", "--json",
                 "--confounds", "c.tsv:acompcor")
    done = succeeds(*arguments)
    assert json.loads(done.stdout)["n_frames"] == 37, done.stdout
    assert said(done).count("3 frames at the beginning are not steady, and dropped") == 1, said(done)
    sidecar = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())
    assert sidecar["Frames"]["Dropped"] == sidecar["NumberOfVolumesDiscardedByUser"] == 3, sidecar
    assert sidecar["StartTime"] == 6.0, sidecar
    step = next(step for step in sidecar["Preprocessing"] if step["Step"] == "regress")
    assert "non_steady" not in step["Columns"], step
    first = cli.images("out")
    succeeds(*arguments, "--drop", "3")
    assert cli.images("out") == first
    done = succeeds(*arguments, "--drop", "0")
    assert json.loads(done.stdout)["n_frames"] == 40, done.stdout
    assert "3 frames at the beginning are not steady, 0 are dropped" in said(done), said(done)


def write_generation(generation, folder, n_unsteady):
    """A subject of a generation: native and MNI, masks, confounds and side-cars."""
    os.makedirs(folder)
    stem = f"{folder}/sub-{generation}_task-rest"
    if generation >= 23:
        stem += "_run-01"
    shape = (4, 3, 2, 60)
    for space in ("", "_space-MNI152NLin2009cAsym" + ("_res-2" if generation >= 21 else "")):
        write_image(f"{stem}{space}_desc-preproc_bold.nii.gz", shape, blocks(24, 60), tr=1.0)
        pathlib.Path(f"{stem}{space}_desc-preproc_bold.json").write_text(
            '{"RepetitionTime": 2.2, "SkullStripped": false, "StartTime": 1.1, '
            '"SliceTimingCorrected": true, "TaskName": "rest"}')
        n = 9 if space else 5
        volume(f"{stem}{space}_desc-brain_mask.nii.gz", lambda i, n=n: i < n, dtype="uint8")
    ending = "regressors" if generation == 20 else "timeseries"
    write_table(f"{stem}_desc-confounds_{ending}.tsv", confounds(generation, 60, n_unsteady))


def test_four_generations_of_fmriprep_run_in_one_batch():
    unsteady = {20: 0, 21: 2, 23: 1, 25: 0}
    pathlib.Path("derivatives").mkdir()
    pathlib.Path("derivatives/dataset_description.json").write_text("{}")
    for generation, n in unsteady.items():
        write_generation(generation, f"derivatives/sub-{generation}/func", n)
    config = write_config(input={"bold": "derivatives/sub-*/func/*_desc-preproc_bold.nii.gz"},
                          clean={"confounds": "auto", "confound_columns": "24p"},
                          output={"folder": "out/{up2}"})
    found = summary("run", config)
    assert found["done"] == found["total"] == 8 and found["failed"] == 0, found
    for run in found["runs"]:
        generation = int(run["input"].split("sub-")[1][:2])
        assert run["tr"] == 2.2, run
        assert run["n_frames"] == 60 - unsteady[generation], run
        assert run["n_voxels"] == (9 if "space-" in run["input"] else 5), run
    again = summary("run", config)
    assert again["skipped"] == 8, again


# Runs that were joined

def write_joined(lengths):
    """run_bold.nii.gz, and one_bold.nii.gz, two_bold.nii.gz, ... of which it is made; a table each."""
    names = ("one", "two", "three")[:len(lengths)]
    joined, tables = [], []
    for i, (name, n) in enumerate(zip(names, lengths)):
        values = blocks(24, n, seed=i + 1, level=100.0 + 40.0 * i)
        joined += values
        write_image(f"{name}_bold.nii.gz", (4, 3, 2, n), values)
        rand = random.Random(i)
        tables.append([repr(rand.gauss(0.0, 1.0)) for _ in range(n)])
        write_table(f"{name}.tsv", {"csf": tables[-1]})
    write_image("run_bold.nii.gz", (4, 3, 2, sum(lengths)), joined)
    write_table("run.tsv", {"csf": sum(tables, [])})
    return names


def test_joined_runs_are_what_they_are_alone():
    lengths = (60, 45, 50)
    names = write_joined(lengths)
    options = ["--mask", "none", "--lambda-rule", "fixed", "--lambda", "0.4", "--save", "all",
               "--bandpass", "0.02:", "--detrend", "linear"]
    starts = "60,105"
    done = summary("deconv", "run_bold.nii.gz", "-o", "out", "--run-starts", starts, *options,
                   "--confounds", "run.tsv:csf")
    assert done["n_frames"] == 155 and done["status"]["solved"] == 24, done
    for name in names:
        succeeds("deconv", f"{name}_bold.nii.gz", "-o", "alone", *options, "--confounds",
                 f"{name}.tsv:csf")
    for image in ("activity", "innovation", "fitted", "residual"):
        _, found = read_image(f"out/run_desc-{image}_bold.nii.gz")
        expected = []
        for name in names:
            expected += read_image(f"alone/{name}_desc-{image}_bold.nii.gz")[1]
        assert list(found) == expected, image
    sidecar = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())
    assert sidecar["Frames"]["RunStarts"] == [0, 60, 105], sidecar["Frames"]
    pathlib.Path("starts.txt").write_text("0\n60\n105\n")
    again = summary("deconv", "run_bold.nii.gz", "-o", "file", "--run-starts", "starts.txt",
                    *options, "--confounds", "run.tsv:csf")
    assert cli.images("file") == cli.images("out"), again
    os.unlink("starts.txt")
    assert summary("run", "file/run_desc-taut_config.ini", "--force")["done"] == 1


def test_a_file_of_starts_stands_beside_its_configuration():
    write_joined((60, 45))
    pathlib.Path("study").mkdir()
    pathlib.Path("study/starts.txt").write_text("60\n")
    pathlib.Path("study/s.ini").write_text(
        "[input]\nbold = ../run_bold.nii.gz\nmask = none\nrun_starts = starts.txt\n[output]\nfolder = ../out\n")
    assert summary("run", "study/s.ini")["done"] == 1
    sidecar = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())
    assert sidecar["Frames"]["RunStarts"] == [0, 60], sidecar["Frames"]
    os.mkfifo("pipe")
    refuses(3, "deconv", "run_bold.nii.gz", "-o", "p", "--mask", "none", "--run-starts", "pipe", timeout=30)


def test_joined_runs_have_one_lambda():
    names = write_joined((60, 45))
    options = ["--mask", "none", "--lambda", "0.2"]
    succeeds("deconv", "run_bold.nii.gz", "-o", "out", "--run-starts", "60", *options)
    largest = [0.0] * 24
    for name in names:
        succeeds("deconv", f"{name}_bold.nii.gz", "-o", "alone", *options)
        _, own = read_image(f"alone/{name}_stat-lambdamax_boldmap.nii.gz")
        largest = list(map(max, largest, own))
    assert list(read_image("out/run_stat-lambdamax_boldmap.nii.gz")[1]) == largest
    _, used = read_image("out/run_stat-lambda_boldmap.nii.gz")
    assert all(abs(a - 0.2 * b) < 1e-6 * b for a, b in zip(used, largest)), used
    _, gaps = read_image("out/run_stat-gap_boldmap.nii.gz")
    assert 0.0 <= max(gaps) < 1e-10, max(gaps)
    succeeds("deconv", "run_bold.nii.gz", "-o", "wide", "--run-starts", "60", "--lambda-scope",
             "run", *options)
    _, used = read_image("wide/run_stat-lambda_boldmap.nii.gz")
    assert all(abs(a - 0.2 * max(largest)) < 1e-6 * a for a in used), used
    # frames are dropped at the beginning of the file
    succeeds("deconv", "run_bold.nii.gz", "-o", "drop", "--run-starts", "60", "--drop", "4",
             *options)
    sidecar = json.loads(pathlib.Path("drop/run_desc-activity_bold.json").read_text())
    assert sidecar["Frames"]["RunStarts"] == [4, 60], sidecar["Frames"]


def test_starts_that_are_none_are_refused():
    small_run()
    arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--run-starts")
    refuses(3, *arguments, "20,10", says="run-starts: expected frames that rise")
    refuses(3, *arguments, "0,40", says="found \"40\"")
    refuses(3, *arguments, "absent.txt", says="run-starts: expected frames")
    for options in (("--conv", "full"), ("--frames", "0:20"), ("--debias",), ("--null", "100"),
                    ("--lambda-rule", "mad"), ("--model", "spike"), ("--atlas", "absent.nii")):
        refuses(2, *arguments, "20", *options, says="run-starts: expected none")
    refuses(3, *arguments, "20,38", says="run 3: detrend: expected")


# Silence

def with_frames(values, frames, value, n=24):
    """The values of an image with some frames replaced."""
    values = list(values)
    for frame in frames:
        values[frame * n:(frame + 1) * n] = [value] * n
    return values


def test_frames_that_are_not_finite_are_named():
    shape = (4, 3, 2, 40)
    arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--force")
    write_image("run_bold.nii.gz", shape, with_frames(blocks(24, 40), (7, 20, 21, 22), math.nan))
    refuses(1, *arguments, "-q", says="found none of 24: 0 constant, 24 with NaN or infinity: those in "
                                "frames 7, 20-22 (from 0)")
    refuses(1, *arguments, "-q", "--drop", "5", says="in frames 7, 20-22 (from 0)")
    config = write_config(input={"bold": "run_bold.nii.gz", "mask": "none"},
                          output={"folder": "out"})
    refuses(1, "run", config, "-q", says="frames 7, 20-22")
    assert outputs() == []
    succeeds(*arguments, "--drop", "23")
    write_image("run_bold.nii.gz", shape, [100.0] * 960)
    refuses(1, *arguments, "-q", says="found none of 24: 24 constant, 0 with NaN or infinity")
    values = blocks(24, 40)
    for voxel in range(6):
        values[20 * 24 + voxel] = math.inf
    write_image("run_bold.nii.gz", shape, values)
    done = succeeds(*arguments, "--json")
    assert json.loads(done.stdout)["status"]["nonfinite"] == 6, done.stdout
    assert "6 of 24 voxels hold NaN or infinity: those in frame 20 (from 0)" in said(done)


def unsteady(n_frames, n_unsteady, seed=3):
    """6 x 6 x 4 voxels of noise about 1000, brighter at the beginning."""
    rand = random.Random(seed)
    return [1000.0 + rand.gauss(0.0, 10.0) + (t < n_unsteady) * 200.0 * 0.5 ** t
            for t in range(n_frames) for _ in range(144)]


def test_a_beginning_that_rules_the_map_is_told():
    arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--force")
    told = "their largest value in the first 3 frames"
    for n_unsteady, expected in ((0, None), (1, "(--drop 1)"), (3, "(--drop ")):
        write_image("run_bold.nii.gz", (6, 6, 4, 90), unsteady(90, n_unsteady))
        done = succeeds(*arguments)
        assert said(done).count(told) == (expected is not None), said(done)
        assert expected is None or expected in said(done), said(done)
    assert told not in said(succeeds(*arguments, "--drop", "3"))
    assert told not in said(succeeds(*arguments, "--frames", "3:80"))


def test_percent_is_of_a_mean():
    values = [value - 100.0 for value in blocks(24, 40)]
    write_image("run_bold.nii.gz", (4, 3, 2, 40), values)
    arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--force",
                 "--standardize", "psc")
    refuses(3, *arguments, says="standardize: expected a mean above the standard deviation")
    values = blocks(24, 40)
    for t in range(40):
        values[t * 24 + 2] -= 100.0
    write_image("run_bold.nii.gz", (4, 3, 2, 40), values)
    done = succeeds(*arguments, "--json")
    assert json.loads(done.stdout)["status"]["constant"] == 1, done.stdout
    assert "1 of 24 voxels have a mean below their standard deviation" in said(done), said(done)
    _, activity = read_image("out/run_desc-activity_bold.nii.gz")
    assert max(map(abs, activity)) < 100.0 and set(activity[2::24]) == {0.0}, max(activity)


# Messages and names

def with_header(path, **fields):
    """Overwrites fields of a NIfTI-1 header: name of the field -> (offset, format, value)."""
    data = bytearray(pathlib.Path(path).read_bytes())
    for offset, kind, value in fields.values():
        struct.pack_into("<" + kind, data, offset, value)
    pathlib.Path(path).write_bytes(data)
    return path


def test_what_is_no_run_is_named_for_what_it_is():
    shape = (4, 3, 2, 40)
    volume("three.nii", float)
    small_run("four.nii", shape)
    five = with_header(small_run("five.nii", shape), n=(40, "h", 5), t=(48, "h", 1),
                       v=(50, "h", 40))
    cifti = with_header(small_run("c.dtseries.nii", shape), n=(40, "h", 6), t=(48, "h", 1),
                        v=(50, "h", 40), w=(52, "h", 24), intent=(68, "h", 3002))
    small_run("pair.hdr", shape)
    small_run("old.hdr", shape)
    with_header("old.hdr", magic=(344, "i", 0))
    pathlib.Path("s.func.gii").write_text('<?xml version="1.0"?><GIFTI Version="1.0"></GIFTI>')
    pathlib.Path("d.ima").write_bytes(bytes(128) + b"DICM" + bytes(900))
    pathlib.Path("a.mgz").write_bytes(bytes(999))
    pathlib.Path("p.PAR").write_text("# === DATA DESCRIPTION FILE ====\n#\n.    Patient :   x\n")
    pathlib.Path("f.trk").write_bytes(b"TRACK" + bytes(995))
    pathlib.Path("m.vmrk").write_text("Brain Vision Data Exchange Marker File, Version 1.0\n")
    for path, says in (("three.nii", "found a single volume (3-D)"), (five, "fifth dimension"),
                       (cifti, "found CIFTI"), ("pair.img", "give its .hdr"),
                       ("old.hdr", "ANALYZE 7.5"), ("s.func.gii", "GIFTI"), ("d.ima", "DICOM"),
                       ("a.mgz", "MGH"), ("p.PAR", "Philips PAR"), ("f.trk", "TrackVis"),
                       ("m.vmrk", "give the .vhdr")):
        refuses(3, "deconv", path, "-o", "out", "--mask", "none", says=says)
    assert outputs() == []


def test_data_faults_are_no_usage():
    small_run("t3_bold.nii.gz", shape=(4, 3, 2, 3))
    refuses(3, "deconv", "t3_bold.nii.gz", "-o", "out", "--mask", "none", says="3 frames")
    small_run()
    write_table("c.tsv", {"framewise_displacement": ["n/a"] + ["0.9"] * 39})
    refuses(3, "deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--confounds",
            "c.tsv:scrub:FD=0.5", says="censoring: expected at least 4 of 40 frames")
    refuses(3, "deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--bandpass",
            "0.01:0.1", "--frames", "0:30", "--drop", "10", says="bandpass: expected more than 33")


def test_outputs_are_named_after_the_entities():
    names = {"sub-01_task-rest_cbv.nii.gz": "sub-01_task-rest", "SUB.NII.GZ": "SUB",
             "sub-01_task-rest_part-mag_bold.nii.gz": "sub-01_task-rest_part-mag",
             "sub-01_task-rest_space-MNI_desc-preproc_bold.nii": "sub-01_task-rest_space-MNI"}
    for name, stem in names.items():
        small_run("made.nii.gz" if name.lower().endswith("gz") else "made.nii")
        os.rename("made.nii.gz" if name.lower().endswith("gz") else "made.nii", name)
        found = summary("deconv", name, "-o", stem, "--mask", "none")
        assert f"{stem}/{stem}_desc-activity_bold.nii.gz" in found["outputs"], found["outputs"]
    small_run("P.hdr")
    pathlib.Path("P.hdr.gz").write_bytes(gzip.compress(pathlib.Path("P.hdr").read_bytes()))
    pathlib.Path("P.img.gz").write_bytes(gzip.compress(pathlib.Path("P.img").read_bytes()))
    os.rename("P.hdr", "Q.HDR")
    os.rename("P.img", "Q.IMG")
    for name, stem in (("P.hdr.gz", "P"), ("Q.HDR", "Q")):
        found = summary("deconv", name, "-o", "pairs", "--mask", "none")
        assert f"pairs/{stem}_desc-activity_bold.nii.gz" in found["outputs"], found["outputs"]


def test_one_frame_of_activity_is_four_dimensional():
    small_run()
    succeeds("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--conv", "full",
             "--frames", "0:17")
    data = gzip.decompress(pathlib.Path("out/run_desc-activity_bold.nii.gz").read_bytes())
    assert struct.unpack_from("<5h", data, 40) == (4, 4, 3, 2, 1)
    assert struct.unpack_from("<f", data, 92) == (2.0,)


def test_orientation_of_a_qform_survives_a_negative_voxel_size():
    # what nibabel makes of it: the size without its sign
    small_run("a.nii")
    with_header("a.nii", x=(80, "f", -3.0), q=(252, "h", 1), s=(254, "h", 0), b=(256, "f", 0.0),
                c=(260, "f", 1.0), d=(264, "f", 0.0), ox=(268, "f", 90.0), oy=(272, "f", -126.0),
                oz=(276, "f", -72.0))
    done = succeeds("deconv", "a.nii", "-o", "out", "--mask", "none")
    assert "voxel sizes: expected above 0, found -3" in said(done), said(done)
    data = gzip.decompress(pathlib.Path("out/a_desc-activity_bold.nii.gz").read_bytes())
    assert struct.unpack_from("<2h", data, 252) == (1, 0)
    assert struct.unpack_from("<6f", data, 256) == (0.0, 1.0, 0.0, 90.0, -126.0, -72.0)
    assert struct.unpack_from("<3f", data, 80) == (3.0, 3.0, 3.0)


def test_the_memory_that_is_told_is_that_of_the_process():
    small_run()
    held = b"x" * (300 << 20)  # of this process, and no matter of the one that it starts
    found = summary("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "-j", "1")
    assert found["peak_rss_bytes"] < len(held) // 2, found["peak_rss_bytes"]


def test_memory_stays_within_the_limit():
    if cli.SANITIZER != "none":
        return  # which has memory of its own
    shape = (28, 28, 24, 120)
    wave = [(k * 7919 % 1009) / 100.0 for k in range(1009)]
    n = shape[0] * shape[1] * shape[2] * shape[3]
    write_image("run_bold.nii.gz", shape, (wave * (n // 1009 + 1))[:n])
    for options in (("-j", "1"), ("-j", "4"), ("-j", "2", "--save", "all")):
        arguments = ("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--force", *options)
        done = refuses(3, *arguments, "--mem-limit", "1M", says="GiB of memory")
        needed = float(said(done).split(" need ")[1].split()[0]) * 2 ** 30
        limit = int(needed * 1.01)
        found = summary(*arguments, "--mem-limit", str(limit))
        assert 0.5 * limit < found["peak_rss_bytes"] < 1.05 * limit, (options, limit, found)


cli.run(globals())
