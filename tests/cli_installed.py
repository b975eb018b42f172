# SPDX-License-Identifier: BSD-3-Clause
"""The installed library: examples in C, and in R where that is, compiled as their first lines say
against an installed tree, give the bytes of the command.

    cli_installed.py TAUT
"""
import array
import os
import pathlib
import random
import shutil
import subprocess
import sys

import cli
import images
from cli import environment, succeeds

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(cli.TAUT).parent.parent
N_TIME = 120
TREE = None


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')}"
    return done


def flags():
    """(flags, environment) of programs that use the library of the installed tree."""
    global TREE
    if cli.SANITIZER != "none":
        raise cli.Skip("a sanitizer would have to be in these programs too")
    for program in ("meson", "cc", "pkg-config"):
        if shutil.which(program) is None:
            raise cli.Skip(f"{program} is absent")
    if TREE is None:
        TREE = cli.tempfile.TemporaryDirectory()
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", TREE.name, "--tags",
            "devel,runtime", "--quiet")
    pc, = pathlib.Path(TREE.name).rglob("taut.pc")
    found = environment(PKG_CONFIG_PATH=pc.parent, PKG_CONFIG_SYSROOT_DIR=TREE.name,
                        LD_LIBRARY_PATH=pc.parent.parent, OPENBLAS_NUM_THREADS="1")
    return run("pkg-config", "--cflags", "--libs", "taut", env=found).stdout.decode().split(), found


def compile_c(name, *libraries):
    """(program, environment)."""
    given, found = flags()
    run("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", ROOT / "examples" / "c" / f"{name}.c", *given,
        *libraries, "-o", name)
    return pathlib.Path(name).resolve(), found


def series():
    """Numbers of 7 series, raw, and the solutions of the command, raw."""
    rand = random.Random(1)
    raw = array.array("d", (rand.gauss(0.0, 1.0) for _ in range(7 * N_TIME))).tobytes()
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (7, %d), }" % N_TIME
    header = header.ljust(117) + "\n"
    pathlib.Path("x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") +
                                      header.encode() + raw)
    succeeds("solve", "tv", "--hrf", "spm", "--tr", "2", "--data", "x.npy", "--lambda-ratio", "0.1", "-o",
             "u.npy", "-q", "--force")
    return raw, pathlib.Path("u.npy").read_bytes()[-len(raw):]


def test_arrays_in_c():
    program, found = compile_c("arrays")
    raw, expected = series()
    done = run(program, N_TIME, input=raw, env=found)
    assert done.stdout == expected and done.stderr.count(b"gap") == 7
    for bad in ("0", "x"):
        assert subprocess.run([program, bad], input=raw, capture_output=True, check=False,
                              env=found).returncode == 1


def test_a_run_in_c():
    if not pathlib.Path("/usr/include/nifti/nifti2_io.h").exists():
        raise cli.Skip("libnifti-dev is absent")
    program, found = compile_c("nifti", "-I/usr/include/nifti", "-lnifti2", "-lznz", "-lz")
    images.small_run("run_bold.nii.gz", (4, 3, 2, 60))
    run(program, "run_bold.nii.gz", "activity.nii.gz", env=found)
    succeeds("deconv", "run_bold.nii.gz", "--mask", "none", "-o", "out", "-q")
    ours, theirs = (images.read_image(p) for p in
                    ("activity.nii.gz", "out/run_desc-activity_bold.nii.gz"))
    assert ours[0] == theirs[0] and ours[1].tobytes() == theirs[1].tobytes()
    assert subprocess.run([program], capture_output=True, check=False, env=found).returncode == 2


def test_arrays_in_r():
    given, found = flags()
    if shutil.which("R") is None or shutil.which("make") is None:
        raise cli.Skip("r-base-core is absent")
    for name in ("taut.c", "taut.R"):
        shutil.copy(ROOT / "examples" / "r" / name, name)
    found = dict(found, PKG_LIBS=" ".join(f for f in given if not f.startswith("-I")),
                 PKG_CPPFLAGS=" ".join(f for f in given if f.startswith("-I")))
    run("R", "CMD", "SHLIB", "taut.c", env=found)
    raw, expected = series()
    pathlib.Path("x.f64").write_bytes(raw)
    done = run("Rscript", "taut.R", N_TIME, "x.f64", "u.f64", env=found)
    assert pathlib.Path("u.f64").read_bytes() == expected, done.stdout
    assert b"7 series" in done.stdout


def test_arrays_in_julia():
    _, found = flags()
    if shutil.which("julia") is None:
        raise cli.Skip("julia is absent")
    raw, expected = series()
    pathlib.Path("x.f64").write_bytes(raw)
    script = f"""include("{ROOT}/examples/julia/taut.jl")
        x = reshape(reinterpret(Float64, read("x.f64")), {N_TIME}, :) |> collect
        write("u.f64", deconvolve(x, hrf("spm", 2.0))[1])"""
    run("julia", "-e", script, env=found)
    assert pathlib.Path("u.f64").read_bytes() == expected


def test_the_python_package_is_installed():
    if sys.executable is None or flags() is None:
        raise cli.Skip("no interpreter")
    _, found = flags()
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", TREE.name, "--tags", "python-runtime",
        "--quiet")
    package, = pathlib.Path(TREE.name).rglob("taut/_library.py")
    text = (package.parent / "_installed.py").read_text()
    assert text.strip().endswith('libtaut.so.0"') and (package.parent / "torch.py").exists()


cli.run(globals())
