# SPDX-License-Identifier: BSD-3-Clause
"""taut.NiftiDeconvolver: images in and out, beside `taut deconv` and the estimator of arrays.

    python_nifti.py TAUT
"""
import json
import os
import pathlib
import pickle
import sys

import cli
import images
import pycase
from cli import succeeds
from pycase import np, raises, taut

try:
    import nibabel
except ImportError:
    pycase.skip_all("python3-nibabel is absent")

DATA = pathlib.Path(os.environ.get("TAUT_DATA", "absent"))
SHAPE = (5, 4, 3)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def run(n_time=60, seed=1, t_r=2.0):
    values = np.array(images.blocks(60, n_time, seed), np.float32).reshape(n_time, 3, 4, 5).T
    image = nibabel.Nifti1Image(np.ascontiguousarray(values), AFFINE)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((3.0, 3.0, 3.0, t_r))
    return image


def volume(values):
    return nibabel.Nifti1Image(np.asarray(values).astype(np.int16), AFFINE)


def mask():
    inside = np.zeros(SHAPE)
    inside[1:4, 1:, :2] = 1
    return volume(inside)


def test_the_command_finds_the_same_activity():
    nibabel.save(run(), "run_bold.nii.gz")
    nibabel.save(mask(), "mask.nii.gz")
    succeeds("deconv", "run_bold.nii.gz", "--mask", "mask.nii.gz", "-o", "out", "-q")
    theirs = nibabel.load("out/run_desc-activity_bold.nii.gz")
    ours = taut.NiftiDeconvolver("mask.nii.gz").fit_transform("run_bold.nii.gz")
    assert np.asarray(ours.dataobj).tobytes() == np.asarray(theirs.dataobj).tobytes()
    assert ours.header.get_zooms() == theirs.header.get_zooms()
    assert np.allclose(ours.affine, theirs.affine)
    assert (np.asarray(ours.dataobj)[np.asarray(mask().dataobj) == 0] == 0.0).all()


def test_real_runs_are_those_of_the_command():
    folder = DATA / "fmri" / "pyhrf_localizer"
    bold = folder / "pyhrf_subj0_bold_session0.nii.gz"
    if not bold.exists():
        raise cli.Skip(f"{bold} is absent")
    labels = folder / "pyhrf_subj0_parcellation.nii.gz"
    succeeds("deconv", bold, "--mask", labels, "--tr", "2.4", "--hrf", "glover", "-o", "out", "-q")
    theirs = nibabel.load(next(pathlib.Path("out").glob("*activity_bold.nii.gz")))
    found = taut.NiftiDeconvolver(labels, t_r=2.4, hrf="glover").fit(bold)
    assert (np.asarray(found.coef_img_.dataobj) == np.asarray(theirs.dataobj)).all()
    parcels = taut.NiftiDeconvolver(labels_img=labels, t_r=2.4, hrf="glover").fit(bold)
    assert parcels.labels_.tolist() == [1, 2] and parcels.coef_.shape == (125, 2)
    assert parcels.gap_.max() < 1e-12


def test_maps_and_arrays_agree():
    found = taut.NiftiDeconvolver(mask(), lam=0.05).fit(run())
    inside = np.asarray(mask().dataobj) != 0
    x = np.asarray(run().dataobj)[inside].T
    plain = taut.Deconvolver(t_r=2.0, lam=0.05).fit(x)
    for name in ("coef", "innovation", "fitted", "lambda", "gap", "status", "n_jumps"):
        array, image = getattr(found, name + "_"), getattr(found, name + "_img_")
        assert np.array_equal(array, getattr(plain, name + "_")), name
        assert np.allclose(np.asarray(image.dataobj)[inside].T, array, rtol=1e-6), name
    assert found.t_r_ == 2.0 and (np.asarray(found.mask_img_.dataobj) == inside).all()
    assert found.inverse_transform(np.arange(inside.sum())).get_data_dtype() == np.int32


def test_labels_are_means_of_their_voxels():
    values = np.zeros(SHAPE)
    values[0], values[1], values[3] = 7, 2, 9
    found = taut.NiftiDeconvolver(labels_img=volume(values)).fit(run())
    assert found.labels_.tolist() == [2, 7, 9]
    data = np.asarray(run().dataobj, dtype=np.float64)
    means = np.stack([data[values == label].mean(axis=0) for label in (2, 7, 9)], axis=1)
    assert np.allclose(taut.Deconvolver(t_r=2.0).fit(means).coef_, found.coef_, atol=1e-9)
    painted = np.asarray(found.coef_img_.dataobj)
    assert np.allclose(painted[0, 2, 1], found.coef_[:, 1], rtol=1e-6) and (painted[2] == 0.0).all()
    inner = np.zeros(SHAPE)
    inner[0, 0, 0] = inner[3] = 1
    both = taut.NiftiDeconvolver(volume(inner), volume(values)).fit(run())
    assert both.labels_.tolist() == [7, 9]
    one = taut.Deconvolver(t_r=2.0).fit(data[0, 0, 0][:, None])
    assert np.allclose(both.coef_[:, 0], one.coef_[:, 0], atol=1e-9)


def test_without_a_mask_all_that_varies_is_used():
    image = run()
    data = np.asarray(image.dataobj).copy()
    data[0, 0, 0], data[1, 1, 1, 5] = 4.0, np.nan
    found = taut.NiftiDeconvolver().fit(nibabel.Nifti1Image(data, AFFINE, image.header))
    assert found.coef_.shape == (60, 58)


def test_the_interval_is_that_beside_the_file():
    nibabel.save(run(t_r=1.5), "a_bold.nii.gz")
    assert taut.NiftiDeconvolver().fit("a_bold.nii.gz").t_r_ == 1.5
    pathlib.Path("a_bold.json").write_text(json.dumps({"RepetitionTime": 2.5}))
    assert taut.NiftiDeconvolver().fit(pathlib.Path("a_bold.nii.gz")).t_r_ == 2.5
    assert taut.NiftiDeconvolver(t_r=3.0).fit("a_bold.nii.gz").t_r_ == 3.0
    image = run(t_r=1500.0)
    image.header.set_xyzt_units("mm", "msec")
    assert taut.NiftiDeconvolver().fit(image).t_r_ == 1.5
    raises(ValueError, "t_r: expected one", taut.NiftiDeconvolver().fit, run(t_r=0.0))


def test_confounds_are_arrays_or_tables():
    confounds = np.random.default_rng(0).standard_normal((60, 2))
    expected = taut.NiftiDeconvolver(mask(), confounds=confounds).fit(run()).coef_
    lines = ["a\tb"] + ["\t".join(repr(float(v)) for v in row) for row in confounds]
    pathlib.Path("c.tsv").write_text("\n".join(lines) + "\n")
    assert (taut.NiftiDeconvolver(mask(), confounds="c.tsv").fit(run()).coef_ == expected).all()
    assert (taut.NiftiDeconvolver(mask()).fit(run(), confounds=confounds).coef_ == expected).all()
    np.savetxt("c.txt", confounds, fmt="%.18e")
    assert (taut.NiftiDeconvolver(mask(), confounds="c.txt").fit(run()).coef_ == expected).all()
    pathlib.Path("c.tsv").write_text("a\tb\nn/a\t1\n" + "\n".join(lines[2:]) + "\n")
    raises(ValueError, "confound", taut.NiftiDeconvolver(mask(), confounds="c.tsv").fit, run())
    pathlib.Path("c.tsv").write_text("a\tb\nx\ty\n")
    raises(ValueError, "confounds: expected a table", taut.NiftiDeconvolver(mask(), confounds="c.tsv").fit, run())
    pandas = pycase.need("pandas")
    frame = pandas.DataFrame(confounds, columns=["a", "b"])
    assert (taut.NiftiDeconvolver(mask(), confounds=frame).fit(run()).coef_ == expected).all()


def test_another_run_is_transformed():
    found = taut.NiftiDeconvolver(mask()).fit(run())
    other = run(80, seed=2)
    expected = taut.NiftiDeconvolver(mask()).fit_transform(other)
    assert (np.asarray(found.transform(other).dataobj) == np.asarray(expected.dataobj)).all()
    again = pickle.loads(pickle.dumps(found))
    assert (again.transform(other).get_fdata() == expected.get_fdata()).all()
    raises(ValueError, "imgs: expected the grid of the run", found.transform,
           run().slicer[:4])


def test_a_report_is_a_page():
    found = taut.NiftiDeconvolver(mask(), hrf="glover").fit(run())
    report = found.generate_report()
    report.save_as_html("report.html")
    page = pathlib.Path("report.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and "18 solved" in page and "glover" in page
    assert found._repr_html_() == report._repr_html_()
    assert "NiftiDeconvolver" in taut.NiftiDeconvolver()._repr_html_()
    with_figure = "data:image/png;base64" in page
    assert with_figure or "matplotlib is absent" in page
    kept = {name: module for name, module in sys.modules.items() if name.startswith("matplotlib")}
    sys.modules["matplotlib.figure"] = None
    assert "matplotlib is absent" in found.generate_report().body
    del sys.modules["matplotlib.figure"]
    sys.modules.update(kept)


def test_it_clones_and_stands_in_a_pipeline():
    base, pipeline = pycase.need("sklearn.base"), pycase.need("sklearn.pipeline")
    first = taut.NiftiDeconvolver(mask(), lam=0.2)
    assert base.clone(first).get_params()["lam"] == 0.2
    made = pipeline.make_pipeline(taut.NiftiDeconvolver(mask()))
    assert made.fit_transform(run()).shape == (*SHAPE, 60)


def test_what_is_wrong_is_said():
    fit = taut.NiftiDeconvolver(mask()).fit
    raises(taut.InvalidTypeError, "imgs: expected an image or its path", fit, 3)
    raises(ValueError, "imgs: expected an image of 4 axes", fit, mask())
    raises(FileNotFoundError, "absent", fit, "absent.nii.gz")
    pathlib.Path("text.nii").write_text("no image")
    raises(ValueError, "expected an image that nibabel reads", fit, "text.nii")
    raises(ValueError, "mask_img: expected the grid", taut.NiftiDeconvolver(
        nibabel.Nifti1Image(np.ones((2, 2, 2), np.int16), AFFINE)).fit, run())
    raises(ValueError, "with another affine", taut.NiftiDeconvolver(
        nibabel.Nifti1Image(np.ones(SHAPE, np.int16), 2 * AFFINE)).fit, run())
    raises(ValueError, "expected voxels inside", taut.NiftiDeconvolver(volume(np.zeros(SHAPE))).fit, run())
    half = nibabel.Nifti1Image(np.full(SHAPE, 0.5, np.float32), AFFINE)
    raises(ValueError, "whole numbers", taut.NiftiDeconvolver(labels_img=half).fit, run())
    raises(taut.NotFittedError, "not fitted", taut.NiftiDeconvolver().transform, run())
    raises(AttributeError, "not fitted", lambda: taut.NiftiDeconvolver().gap_img_)
    raises(ValueError, "X: expected 18 voxels", fit(run()).inverse_transform, np.zeros(5))
    sys.modules["nibabel"], kept = None, sys.modules["nibabel"]
    try:
        raises(taut.NotApplicableError, "expected nibabel", fit, "run.nii")
    finally:
        sys.modules["nibabel"] = kept


cli.run(globals())
