#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A SHA-256 of everything that commands write, to compare two programs.

    output_hashes.py TAUT [OTHER]

One program: a line for each file and each answer. Two: only what differs, and status 1 if anything does.
Inputs are made by the first program's `simulate`. What tells version, time or place is taken out first.
Not a test of its own: it is run before and after a change that is to leave all outputs as they are.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# command lines; each writes into the current folder, and later ones read what earlier ones wrote
INPUTS = """
simulate fmri -o bold.nii.gz --size 12x12x6 --frames 120 --seed 3
simulate fmri -o float.nii --size 8x8x4 --frames 90 --datatype float32 --hrf glover --seed 4
simulate tv -o tv --series 40 --observed 120
simulate tv -o dense --law dense --series 20 --observed 60 --unknown 40
simulate lasso -o lasso --series 60 --observed 24 --unknown 48
simulate meeg -o meeg --positions 300 --sensors 20 --eeg 16 --seed 5
simulate digits -o digits --unknown 32
"""
COMMANDS = """
simulate fmri -o again --size 8x8x4 --frames 40 --ar1 0.1 --snr 6
deconv bold.nii.gz -o plain
deconv bold.nii.gz -o all --save all --debias --mask none --standardize psc
deconv bold.nii.gz -o bic --lambda-rule bic --lambda-scope run --bandpass 0.01:0.15
deconv bold.nii.gz -o ut --lambda-rule ut --hrf glover --drop 3 --frames 2:80
deconv bold.nii.gz -o full --conv full --detrend linear --solver fista --tol 1e-4
deconv bold.nii.gz -o scope --lambda 0.3 --lambda-scope run --mask bold_desc-brain_mask.nii.gz
deconv float.nii -o float --save activity,residual --compression 3
run batch.ini
run batch.ini
solve tv --data tv/X.npy -o tv.npy --hrf spm --tr 0.735 --lambda-ratio 0.1
solve tv --data dense/X.npy -o dense.npy --operator dense/A.npy --lambda-rule bic
solve tv --data tv/X.npy -o path.npy --hrf spm --tr 0.735 --path 5 --lambda-ratio 0.05
solve tv --data tv/X.npy -o fista.npy --solver fista --lambda 2 --trace fista.tsv
solve lasso --data lasso/X.npy -o lasso.npy --operator lasso/D.npy --lambda-ratio 0.2
solve lasso --data lasso/X.npy -o cd.npy --operator lasso/D.npy --lambda-ratio 0.2 --solver cd
sources meeg/sim-ave.fif --forward meeg/sim-fwd.fif --noise-cov meeg/sim-cov.fif -o l21 --debias
sources meeg/sim-ave.fif --forward meeg/sim-fwd.fif --noise-cov meeg/sim-cov.fif -o irl21 --model irl21 --map dspm
sources meeg/sim-ave.fif --forward meeg/sim-fwd.fif --noise-cov meeg/sim-cov.fif -o one --model lasso --tmin 0.05 --tmax 0.1
train lista --data lasso/X.npy --operator lasso/D.npy --lambda-ratio 0.2 --layers 3 --max-iter 30 -o lista.safetensors
train lpgd-taut --data tv/X.npy --hrf spm --tr 0.735 --conv full --lambda-ratio 0.1 --layers 2 --max-iter 20 -o taut.safetensors
train slista --forward meeg/sim-fwd.fif --noise-cov meeg/sim-cov.fif --lambda-ratio 0.6 --layers 2 --max-iter 8 --samples 16 -o slista.safetensors
apply lista.safetensors --data lasso/X.npy -o lista.npy --trace lista.tsv
apply taut.safetensors --data tv/X.npy -o taut.npy --certify 1e-6
sources meeg/sim-ave.fif --forward meeg/sim-fwd.fif --noise-cov meeg/sim-cov.fif -o net --network slista.safetensors
convert meeg/sim-ave.fif ave.edf
convert meeg/sim-ave.fif ave.npy
convert meeg/sim-ave.fif ave.wav
denoise meeg/sim-ave.fif -o quiet.fif --lambda-rule mad
hrf spm glover --tr 0.5
info bold.nii.gz float.nii meeg/sim-ave.fif meeg/sim-fwd.fif tv/X.npy --check
config --template
report plain
demo -o demo
reproduce theory -o theory
reproduce steps -o steps
"""
BATCH = """[input]
bold = bold.nii.gz; float.nii
[clean]
detrend = cosine:100
[solver]
lambda = 0.2
[output]
folder = batch
save = activity, innovation
"""
# members of JSON objects that differ from run to run, or from build to build
UNSTABLE = re.compile(
    r"seconds|^latency_|_s$|^(build|TautBuild|TautVersion|version|CPU|Libraries|read|prepare|solve"
    r"|write|total|times|mtime_ns|peak_rss_bytes|peak_bytes|latency|us|throughput)$")


def steady(value):
    """A JSON value without what differs from run to run."""
    if isinstance(value, dict):
        return {k: steady(v) for k, v in value.items() if not UNSTABLE.search(k)}
    if isinstance(value, list):
        return [steady(v) for v in value]
    return value


def content(name, data):
    """What of a file is to be the same."""
    if name.endswith(".json"):
        value = json.loads(data)
        for row in value.get("times", []) if isinstance(value, dict) else []:
            row.pop("value", None)
        data = json.dumps(steady(value), sort_keys=True).encode()
        data = re.sub(rb'"(mtime_ns|microseconds)": [0-9.e+-]+', b"", data)
    if name.endswith((".html", ".ini", ".svg", "stdout")):
        data = re.sub(rb"[0-9.e+-]+(&#8239;| )(s|ms|min|&micro;s|\xc2\xb5s)\b", b"TIME", data)
        data = re.sub(rb"<dt>[^<]*(time|voxel)[^<]*<dd>[^<]*", b"", data)
        data = re.sub(rb"[Tt]aut [0-9][^ <,]*", b"taut", data)
    if name.endswith(".tsv"):
        rows = [row.split(b"\t") for row in data.splitlines()]
        kept = [i for i, head in enumerate(rows[0]) if b"seconds" not in head]
        data = b"\n".join(b"\t".join(row[i] for i in kept) for row in rows)
    if name.endswith(".fif"):
        data = re.sub(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+", b"DATE", data)
    return data


def run_all(program, folder, lines, told):
    """Runs command lines in a folder; told gets what they print with --json."""
    for index, line in enumerate(lines.strip().splitlines()):
        words = line.split()
        done = subprocess.run([program, *words, "-q", "--json", "-j", "2", "--force"] if words[0] != "config"
                              else [program, *words], cwd=folder, capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{program}: {line}: status {done.returncode}: {done.stderr.decode()}")
        name = f"{index:02d} {line}"
        try:
            answer = json.dumps(steady(json.loads(done.stdout)), sort_keys=True).encode()
        except ValueError:
            answer = content("stdout", done.stdout)
        told[name] = answer


def hashes(program, inputs, folder):
    """{name: SHA-256} of all that the program writes in the folder, which it is given anew."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(inputs, folder, copy_function=shutil.copy2)
    before = set(folder.rglob("*"))
    told = {}
    run_all(program, folder, COMMANDS, told)
    for path in sorted(set(folder.rglob("*")) - before):
        if path.is_file():
            told[str(path.relative_to(folder))] = content(path.name, path.read_bytes())
    return {name: hashlib.sha256(data).hexdigest() for name, data in told.items()}


def main(programs):
    programs = [os.path.abspath(program) for program in programs]
    with tempfile.TemporaryDirectory() as top:
        inputs, folder = pathlib.Path(top) / "inputs", pathlib.Path(top) / "run"
        inputs.mkdir()
        (inputs / "batch.ini").write_text(BATCH)
        run_all(programs[0], inputs, INPUTS, {})
        found = [hashes(program, inputs, folder) for program in programs]
    if len(found) == 1:
        for name, digest in sorted(found[0].items()):
            print(digest, name)
        return 0
    names = sorted(set(found[0]) | set(found[1]))
    differ = [name for name in names if found[0].get(name) != found[1].get(name)]
    for name in differ:
        print("differs:" if name in found[0] and name in found[1] else "missing:", name)
    print(f"{len(COMMANDS.strip().splitlines())} commands, {len(names)} outputs, {len(differ)} differ")
    return len(differ) > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
