#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plants one small mistake after the other in a copy of the tree, and says which no test notices.

    tests/mutants.py [--folder DIR] [--list] [PATTERN...]

Each mistake is a row of MUTANTS: a file, text that stands in it once, what to put there instead,
and the unit tests that are to notice. The copy is a Git worktree of the last commit in DIR (default
build-mutants/), built once; a mutant then costs one file and its tests. PATTERNs choose rows whose
file has them in its name. It ends with "N killed, N survived" and takes a few minutes where
compilations are cached and 20 where not: for a night, not for each change. A row whose text is gone
is an error: move it with the code.
"""
import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 300  # a test that hangs has noticed

# Survivors that are known, and why: (file, what is put there).
EQUIVALENT = {
    ("solvers/prox_tv.c", "if (w_high < -mu) {"):
        "where the string only touches the wall, nothing is added to `high`; the segment begins at "
        "another sample of the same value",
}

MUTANTS = [
    # deconv
    ("deconv/noise.c", "/ 0.6744897501960817", "/ 0.68", "noise"),
    ("deconv/lambda_rule.c", "least_mad_ratio = 1e-6", "least_mad_ratio = 2e-6", "lambda_rule"),
    ("deconv/lambda_rule.c", "least_criterion_ratio = 0.01", "least_criterion_ratio = 0.02",
     "lambda_rule"),
    ("deconv/lambda_rule.c", "LAMBDA_AIC ? 2.0 : log(", "LAMBDA_AIC ? 2.5 : log(", "lambda_rule"),
    ("deconv/lambda_rule.c", "1.0 + 4.0 * log_n", "1.0 + 2.0 * log_n", "lambda_rule"),
    ("deconv/automask.c", "LOWER_QUANTILE = 0.2", "LOWER_QUANTILE = 0.25", "automask"),
    ("deconv/automask.c", "UPPER_QUANTILE = 0.85", "UPPER_QUANTILE = 0.8", "automask"),
    ("deconv/automask.c", "OPENING = 2", "OPENING = 1", "automask"),
    ("deconv/butterworth.c", "bilinear_scale * tan(0.5 * G_PI * edge)",
     "bilinear_scale * (0.5 * G_PI * edge)", "clean"),
    ("deconv/clean.c", "/ (double) (n - 1));\n    } else", "/ (double) n);\n    } else", "clean"),
    ("deconv/clean.c", "relative = 1e-13", "relative = 1e-17", "clean"),
    ("deconv/clean.c", "(t + 0.5) * (double) k", "t * (double) k", "clean"),
    # solvers
    ("solvers/prox_tv.c", "if (w_high <= -mu) {", "if (w_high < -mu) {", "prox_tv"),
    ("solvers/prox_tv.c", "y[begin] - 2.0 * mu", "y[begin] - mu", "prox_tv"),
    ("solvers/problem.c", "rounding = 1e-13; // relative", "rounding = 0.0; // relative",
     "problem first_order methods"),
    ("solvers/problem.c", "out[i - 1] -= jump;", "out[i - 1] += jump;", "problem"),
    ("solvers/solver.c", "nonfinite += x[t] - x[t];", "nonfinite += x[t] - x[0];",
     "methods first_order lasso"),
    ("solvers/solver.c", "count += u[i] != u[i - 1];", "count += u[i] != u[0];",
     "problem methods segment_active_set dense_tv"),
    ("solvers/fista.c", ".duality_gap <\n", ".duality_gap >\n",
     "segment_active_set dense_tv first_order"),
    ("solvers/lars.c", "(piece->from - piece->to) *", "(piece->from) *", "lasso methods"),
    ("solvers/homotopy.c", "walk->norm2 - fit - lambda * point.penalty",
     "walk->norm2 - fit + lambda * point.penalty", "homotopy"),
    ("solvers/exact.c", "result->lambda / (h * h)", "result->lambda / h",
     "first_order segment_active_set agreement"),
    ("solvers/cd.c", "-s->lambda / worst), s->lambda / worst",
     "-s->lambda / worst), 2.0 * s->lambda / worst", "lasso"),
    # sources
    ("sources/whiten.c", "DEPENDENT    1e-2", "DEPENDENT    2e-2", "whiten"),
    ("sources/whiten.c", "MUCH_REDUCED 0.9", "MUCH_REDUCED 0.3", "whiten"),
    ("sources/time_reduction.c", "NEGLIGIBLE 1e-12", "NEGLIGIBLE 1e-11", "mixed_norm"),
    ("sources/reweighted.c", "weight[k] = 2.0 * sqrt(", "weight[k] = sqrt(", "reweighted"),
    ("sources/amplitude_bias.c", "step * gradient[k], 1.0)", "step * gradient[k], 0.9)",
     "amplitude_bias"),
    ("sources/minimum_norm.c", "1.0 / (input->snr * input->snr)", "1.0 / input->snr",
     "minimum_norm"),
    ("sources/epochs.c", "if (height > epochs", "if (height >= epochs", "epochs"),
    ("sources/epochs.c", "+= x[t] - level;", "+= x[t];", "epochs"),
    ("sources/band_pass.c", "HAMMING_LENGTH 3.3", "HAMMING_LENGTH 3.1", "band_pass"),
    ("sources/leadfield.c", "normalise(normals + 3 * k);", "(void) normalise;", "leadfield"),
    # unrolled
    ("unrolled/shrink.c", "in[i] > 0.0 ? -passed : passed", "in[i] > 0.0 ? passed : -passed",
     "network"),
    ("unrolled/clip.c", "lambda[v] += th * at_bound", "lambda[v] += at_bound", "network"),
    ("unrolled/tv_prox.c", "lambda_gradient[v] += mu * slope", "lambda_gradient[v] += slope", "network"),
    ("unrolled/train_loss.c", "gradient[i] /= (double) n_series;", "", "train"),
    ("unrolled/optimise.c", "alpha[j] - beta", "alpha[j] + beta", "train"),
    # io
    ("io/bytes.c", "n > cursor->n - cursor->at", "n > cursor->n", "bytes"),
    ("io/bytes.c", "(bits ^ 0x800000) - 0x800000", "bits", "bytes reader_edf"),
]


def run(words, folder, **options):
    return subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **options)


def prepare(folder):
    """A worktree of the last commit, with a build folder in it."""
    if not (folder / "meson.build").exists():
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "--detach", folder, "HEAD"],
                       check=True, stdout=subprocess.DEVNULL)
    if not (folder / "build" / "build.ninja").exists():
        subprocess.run(["meson", "setup", "build", "--buildtype=debugoptimized"], cwd=folder,
                       check=True, stdout=subprocess.DEVNULL)


def is_noticed(folder, tests):
    """How the tests notice, or "" where they do not."""
    targets = [f"tests/test_{name}" for name in tests]
    built = run(["ninja", "-C", "build", *targets], folder, text=True)
    if built.returncode != 0:
        sys.exit(f"mutants: does not compile:\n{built.stdout}")
    environment = dict(os.environ, TAUT_GOLDEN=str(folder / "tests" / "data"),
                       OPENBLAS_NUM_THREADS="1", TAUT_CONFIGS=str(folder / "configs"))
    environment.setdefault("TAUT_DATA", "absent")
    for name, target in zip(tests, targets):
        try:
            done = run([folder / "build" / target], folder, env=environment, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"{name} hangs"
        if done.returncode != 0:
            return f"{name} fails"
    return ""


def plant(folder, file, old, new, tests):
    """The mutant's fate: how it was noticed, or ""; the file is as before afterwards."""
    path = folder / file
    text = path.read_text()
    if text.count(old) != 1:
        sys.exit(f"mutants: {file}: expected {old!r} once, found it {text.count(old)} times")
    try:
        path.write_text(text.replace(old, new))
        return is_noticed(folder, tests.split())
    finally:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build-mutants")
    parser.add_argument("--list", action="store_true", help="show the mutants and stop")
    parser.add_argument("pattern", nargs="*", help="mutants of files that have this in their name")
    options = parser.parse_args()
    chosen = [row for row in MUTANTS
              if not options.pattern or any(p in row[0] for p in options.pattern)]
    if options.list:
        for file, old, new, tests in chosen:
            print(f"{file}: {old!r} > {new!r} ({tests})")
        return 0
    folder = options.folder.resolve()
    prepare(folder)
    for tests in sorted({row[3] for row in chosen}):
        if verdict := is_noticed(folder, tests.split()):
            sys.exit(f"mutants: without a mutant, {verdict}")
    survived = 0
    for file, old, new, tests in chosen:
        verdict = plant(folder, file, old, new, tests)
        survived += not verdict
        known = EQUIVALENT.get((file, new), "")
        print(f"{'killed  ' if verdict else 'SURVIVED'} {file}: {old!r} > {new!r}: "
              f"{verdict or known or 'unexplained'}", flush=True)
    print(f"{len(chosen) - survived} killed, {survived} survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
