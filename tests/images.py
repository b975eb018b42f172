# SPDX-License-Identifier: BSD-3-Clause
"""Small NIfTI images, written and read by Python's own library alone."""
import array
import gzip
import math
import pathlib
import random
import struct
import sys

# name: (NIfTI code, bits, struct character)
TYPES = {
    "uint8": (2, 8, "B"),
    "int16": (4, 16, "h"),
    "int32": (8, 32, "i"),
    "float32": (16, 32, "f"),
    "float64": (64, 64, "d"),
}


def nifti_header(shape, dtype, tr, order, magic, offset, slope, inter, units, descrip):
    """A NIfTI-1 header of 348 bytes and its 4 bytes of extender; voxels of 3 mm."""
    code, bits, _ = TYPES[dtype]
    dim = [len(shape), *shape] + [1] * (7 - len(shape))
    header = struct.pack(order + "i", 348) + bytes(35) + b"\0"
    header += struct.pack(order + "8h", *dim) + bytes(14)
    header += struct.pack(order + "hhh", code, bits, 0)
    header += struct.pack(order + "8f", 1, 3, 3, 3, tr, 0, 0, 0)
    header += struct.pack(order + "3f", offset, slope, inter)
    header += struct.pack(order + "hBB", 0, 0, units) + bytes(24)
    header += descrip[:80].ljust(80, b"\0") + bytes(24)
    header += struct.pack(order + "hh", 0, 1) + bytes(24)
    header += struct.pack(order + "12f", 3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3, 0)
    return header + bytes(16) + magic + bytes(4)


def write_image(path, shape, values, dtype="float32", tr=2.0, order="<", slope=1.0, inter=0.0,
                units=10, descrip=b""):
    """Writes values (x fastest) as .nii, .nii.gz, or .hdr with its .img."""
    path = pathlib.Path(path)
    pair = path.suffix == ".hdr"
    header = nifti_header(shape, dtype, tr, order, b"ni1\0" if pair else b"n+1\0",
                          0 if pair else 352, slope, inter, units, descrip)
    samples = array.array(TYPES[dtype][2], values)
    assert len(samples) == math.prod(shape)
    if (order == "<") != (sys.byteorder == "little"):
        samples.byteswap()
    data = samples.tobytes()
    if pair:
        path.write_bytes(header)
        path.with_suffix(".img").write_bytes(data)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(header + data, 1, mtime=0))
    else:
        path.write_bytes(header + data)
    return path


def read_image(path):
    """(shape, values) of a little-endian NIfTI-1 single file as Taut writes it."""
    data = pathlib.Path(path).read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    dim = struct.unpack_from("<8h", data, 40)
    code, = struct.unpack_from("<h", data, 70)
    offset, slope, inter = struct.unpack_from("<3f", data, 108)
    character = next(c for number, _, c in TYPES.values() if number == code)
    values = array.array(character)
    values.frombytes(data[int(offset):])
    if slope not in (0.0, 1.0) or inter != 0.0:
        values = array.array("d", (slope * v + inter for v in values))
    return dim[1:1 + dim[0]], values


def blocks(n_series, n_frames, seed=1, noise=0.3, level=100.0):
    """Series as a scanner might give them, frame by frame: each a smoothed block, a level, noise."""
    rand = random.Random(seed)
    series = []
    for _ in range(n_series):
        begin, height = rand.randrange(max(1, n_frames // 2)), rand.uniform(1.0, 3.0)
        end = begin + max(2, n_frames // 4)
        activity = [height if begin <= t < end else 0.0 for t in range(n_frames)]
        slow = 0.0
        values = []
        for u in activity:
            slow += 0.4 * (u - slow)
            values.append(level + slow + rand.gauss(0.0, noise))
        series.append(values)
    return [series[v][t] for t in range(n_frames) for v in range(n_series)]


def series_of(shape, values, voxel):
    """The series of one voxel (its index in the grid) of a 4-D image."""
    n_voxels = shape[0] * shape[1] * shape[2]
    return list(values[voxel::n_voxels])


def small_run(name="run_bold.nii.gz", shape=(4, 3, 2, 40), **options):
    """Writes a run that is deconvolved in milliseconds, with `--mask none`; its path."""
    n_voxels = shape[0] * shape[1] * shape[2]
    return write_image(name, shape, blocks(n_voxels, shape[3]), **options)
