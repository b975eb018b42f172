# SPDX-License-Identifier: BSD-3-Clause
"""Malformed and odd but valid NIfTI files, with the verdict that a careful reader gives.

    bad_nifti_files.py OUTDIR

Each case has a folder OUTDIR/NAME/.  OUTDIR/cases.tsv has one line a case:
  name     unique
  file     path to open, relative to OUTDIR
  verdict  accept: `taut info --check` exits 0;  reject: it exits 3 with one line on stderr
  reason   why
  notes    comma-separated, or -
             warn    accepted, and something must be said
             flag    readable; a solve may go on with a flag or refuse by name, never in silence
             short   too few frames for a solve
             same    the voxels hold the same numbers as case ok_i16 (i % 251 in file order)
Every file with the note `same` is 4 x 5 x 3 voxels, 40 frames, TR 2 s.  Standard library only.
"""

import argparse
import gzip
import io
import math
import os
import random
import struct
import zlib

NX, NY, NZ, NT = 4, 5, 3, 40
N_VOXELS = NX * NY * NZ
DIM = [4, NX, NY, NZ, NT, 1, 1, 1]
DATATYPES = {
    "u8": (2, 8, "B"),
    "i16": (4, 16, "h"),
    "i32": (8, 32, "i"),
    "f32": (16, 32, "f"),
    "c64": (32, 64, None),
    "f64": (64, 64, "d"),
    "rgb": (128, 24, None),
    "i8": (256, 8, "b"),
    "u16": (512, 16, "H"),
    "u32": (768, 32, "I"),
    "i64": (1024, 64, "q"),
    "u64": (1280, 64, "Q"),
    "f128": (1536, 128, None),
}
SROW = ((3, 0, 0, 0), (0, 3, 0, 0), (0, 0, 3, 0))
NAN, INF = math.nan, math.inf


def nifti1(e="<", dtype="i16", dim=None, **k):
    """A 348-byte NIfTI-1 header and its 4-byte extender, in byte order e."""
    code, bits, _ = DATATYPES[dtype]
    f = dict(
        sizeof_hdr=348,
        dim=dim or DIM,
        datatype=code,
        bitpix=bits,
        pixdim=[1, 3, 3, 3, 2, 1, 1, 1],
        vox_offset=352.0,
        scl_slope=1.0,
        scl_inter=0.0,
        xyzt_units=10,
        descrip=b"",
        aux_file=b"",
        qform_code=0,
        sform_code=1,
        quatern=(0, 0, 0),
        srow=SROW,
        intent_name=b"",
        magic=b"n+1\0",
        extender=b"\0" * 4,
    )
    f.update(k)
    h = struct.pack(e + "i", f["sizeof_hdr"]) + b"\0" * 28
    h += struct.pack(e + "ihcB", 0, 0, b"r", 0)
    h += struct.pack(e + "8h", *f["dim"]) + struct.pack(e + "3f", 0, 0, 0)
    h += struct.pack(e + "4h", 0, f["datatype"], f["bitpix"], 0)
    h += struct.pack(e + "8f", *f["pixdim"])
    h += struct.pack(e + "3f", f["vox_offset"], f["scl_slope"], f["scl_inter"])
    h += struct.pack(e + "hBB", 0, 0, f["xyzt_units"])
    h += struct.pack(e + "4f", 0, 0, 0, 0) + struct.pack(e + "2i", 0, 0)
    h += f["descrip"][:80].ljust(80, b"\0") + f["aux_file"][:24].ljust(24, b"\0")
    h += struct.pack(e + "2h", f["qform_code"], f["sform_code"])
    h += struct.pack(e + "3f", *f["quatern"]) + struct.pack(e + "3f", 0, 0, 0)
    for r in f["srow"]:
        h += struct.pack(e + "4f", *r)
    h += f["intent_name"][:16].ljust(16, b"\0") + f["magic"]
    assert len(h) == 348, len(h)
    return h + f["extender"]


def nifti2(e="<", dtype="i16", dim=None, **k):
    """A 540-byte NIfTI-2 header and its extender."""
    code, bits, _ = DATATYPES[dtype]
    f = dict(
        sizeof_hdr=540,
        magic=b"n+2\0\r\n\x1a\n",
        datatype=code,
        bitpix=bits,
        dim=dim or DIM,
        pixdim=[1, 3, 3, 3, 2, 1, 1, 1],
        vox_offset=544,
        scl_slope=1.0,
        scl_inter=0.0,
        qform_code=0,
        sform_code=1,
        srow=SROW,
        xyzt_units=10,
        extender=b"\0" * 4,
    )
    f.update(k)
    h = struct.pack(e + "i", f["sizeof_hdr"]) + f["magic"]
    h += struct.pack(e + "2h", f["datatype"], f["bitpix"]) + struct.pack(e + "8q", *f["dim"])
    h += struct.pack(e + "3d", 0, 0, 0) + struct.pack(e + "8d", *f["pixdim"])
    h += struct.pack(e + "q", f["vox_offset"]) + struct.pack(
        e + "2d", f["scl_slope"], f["scl_inter"]
    )
    h += struct.pack(e + "4d", 0, 0, 0, 0) + struct.pack(e + "2q", 0, 0) + b"\0" * 104
    h += struct.pack(e + "2i", f["qform_code"], f["sform_code"]) + struct.pack(e + "6d", *[0] * 6)
    for r in f["srow"]:
        h += struct.pack(e + "4d", *r)
    h += struct.pack(e + "3i", 0, f["xyzt_units"], 0) + b"\0" * 32
    assert len(h) == 540, len(h)
    return h + f["extender"]


def ramp(n=N_VOXELS * NT, dtype="i16", e="<"):
    m = 127 if dtype == "i8" else 251
    return struct.pack(e + "%d%s" % (n, DATATYPES[dtype][2]), *[i % m for i in range(n)])


def gzipped(b, level=6):
    s = io.BytesIO()
    with gzip.GzipFile(fileobj=s, mode="wb", compresslevel=level, mtime=0, filename="") as g:
        g.write(b)
    return s.getvalue()


def gz_zeros(head, mib):
    """gzip of head followed by so many MiB of zeros, about 1000 times smaller."""
    zero = b"\0" * (1 << 20)
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = c.compress(head) + c.flush(zlib.Z_FULL_FLUSH)
    block = c.compress(zero) + c.flush(zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(head)
    for _ in range(mib):
        crc = zlib.crc32(zero, crc)
    end = struct.pack("<II", crc, (len(head) + (mib << 20)) & 0xFFFFFFFF)
    return b"\x1f\x8b\x08" + b"\0" * 6 + b"\x03" + first + block * mib + b"\x03\0" + end


def gz_named(body, crc_xor=0):
    """gzip whose name field is padded so that the trailer begins at a multiple of 8192."""
    c = zlib.compressobj(6, zlib.DEFLATED, -15)
    de = c.compress(body) + c.flush()
    head = b"\x1f\x8b\x08\x08" + b"\0" * 5 + b"\x03" + b"n" * (-(11 + len(de)) % 8192) + b"\0"
    return head + de + struct.pack("<II", zlib.crc32(body) ^ crc_xor, len(body))


def wrap64():
    """k and seven factors below 2**15 whose product is 2**64 + k, with k small."""
    for k in range(1, 4000):
        n, factors, p = 2**64 + k, [], 2
        while p * p <= n and p < 32768:
            while n % p == 0:
                factors.append(p)
                n //= p
            p += 1
        if n > 1:
            factors.append(n)
        if max(factors) > 32767:
            continue
        bins = [1] * 7
        for q in sorted(factors, reverse=True):
            fit = [j for j in range(7) if bins[j] * q <= 32767]
            if not fit:
                break
            bins[max(fit, key=lambda j: bins[j])] *= q
        else:
            return k, sorted(bins, reverse=True)
    raise SystemExit("no product found")


def extension(size, code=6, body=b""):
    return struct.pack("<2i", size, code) + body


def pixdim(tr):
    return [1, 3, 3, 3, tr, 1, 1, 1]


def make_folder(p):
    os.makedirs(p, exist_ok=True)


def make_fifo(p):
    if not os.path.exists(p):
        os.mkfifo(p)


def make(out):
    rows = []

    def add(name, verdict, reason, data=None, suffix=".nii", notes="-", files=None, opened=None):
        folder = os.path.join(out, name)
        os.makedirs(folder, exist_ok=True)
        for fn, b in (files or {name + suffix: data}).items():
            p = os.path.join(folder, fn)
            if callable(b):
                b(p)
                continue
            os.makedirs(os.path.dirname(p), exist_ok=True)
            with open(p, "wb") as f:
                f.write(b)
        rows.append((name, os.path.join(name, opened or name + suffix), verdict, reason, notes))

    def good(name, reason, data=None, suffix=".nii", notes="same", **k):
        add(name, "accept", reason, data, suffix, notes, **k)

    def bad(name, reason, data=None, suffix=".nii", notes="-", **k):
        add(name, "reject", reason, data, suffix, notes, **k)

    voxels = ramp()
    packed = gzipped(nifti1() + voxels)
    rnd = random.Random(1)
    noise = struct.pack("<40000h", *[rnd.randrange(-2000, 2000) for _ in range(40000)])
    noisy = nifti1(dim=[4, 20, 20, 2, 50, 1, 1, 1]) + noise
    other = struct.pack("<%dh" % (N_VOXELS * NT), *[(i * i) % 97 for i in range(N_VOXELS * NT)])
    pair = nifti1(magic=b"ni1\0", vox_offset=0.0)

    # must be read, exactly
    good("ok_i16", "plain int16", nifti1() + voxels)
    good("ok_u8", "plain uint8", nifti1(dtype="u8") + ramp(dtype="u8"))
    good("ok_i8", "plain int8", nifti1(dtype="i8") + ramp(dtype="i8"), notes="-")
    good("ok_i32", "plain int32", nifti1(dtype="i32") + ramp(dtype="i32"))
    good("ok_f32", "plain float32", nifti1(dtype="f32") + ramp(dtype="f32"))
    good("ok_f64", "plain float64", nifti1(dtype="f64") + ramp(dtype="f64"))
    good("ok_be_i16", "big-endian int16", nifti1(">") + ramp(e=">"))
    good("ok_be_f32", "big-endian float32", nifti1(">", "f32") + ramp(dtype="f32", e=">"))
    good("ok_gz", "gzip", packed, ".nii.gz")
    good(
        "ok_gz_members",
        "two gzip members back to back, as parallel compressors write",
        gzipped(nifti1() + voxels[:100]) + gzipped(voxels[100:]),
        ".nii.gz",
    )
    good("ok_n2", "NIfTI-2", nifti2() + voxels)
    good("ok_n2_be", "NIfTI-2 big-endian", nifti2(">") + ramp(e=">"))
    good(
        "ok_pair",
        ".hdr/.img pair",
        files={"ok_pair.hdr": pair, "ok_pair.img": voxels},
        opened="ok_pair.hdr",
    )
    good(
        "ok_ext",
        "one 32-byte comment extension",
        nifti1(vox_offset=384.0, extender=b"\1\0\0\0" + extension(32, 6, b"hello".ljust(24, b"\0")))
        + voxels,
    )
    good(
        "ok_3d_dim4zero",
        "3-D with dim[4..7] = 0, as many writers leave it: one frame",
        nifti1(dim=[3, NX, NY, NZ, 0, 0, 0, 0]) + voxels[: N_VOXELS * 2],
        notes="short",
    )
    good("ok_slope0", "scl_slope = 0 means no scaling", nifti1(scl_slope=0.0) + voxels)
    good(
        "ok_voxoff_512",
        "data at 512, no extension",
        nifti1(vox_offset=512.0) + b"\0" * 160 + voxels,
    )
    good(
        "ok_T2",
        "two frames: below the length of any response",
        nifti1(dim=[4, NX, NY, NZ, 2, 1, 1, 1]) + voxels[: N_VOXELS * 4],
        notes="flag,short",
    )
    good(
        "warn_trailing",
        "4 KiB of bytes after the data",
        nifti1() + voxels + b"x" * 4096,
        notes="warn,same",
    )
    good(
        "warn_bitpix",
        "bitpix 64 with datatype int16: the datatype rules",
        nifti1(bitpix=64) + voxels,
        notes="warn,same",
    )
    good(
        "slope_nan",
        "scl_slope = NaN: no scaling, as common readers hold",
        nifti1(scl_slope=NAN) + voxels,
        notes="warn,same",
    )

    # the header lies
    bad("empty", "zero bytes", b"")
    bad("short_100", "header cut at 100 bytes", nifti1()[:100])
    bad("hdr_only", "header and no data", nifti1())
    bad("text_file", "a text file named .nii", b"subject,age\n" * 60)
    bad(
        "junk_dim0_ok",
        "bytes with 1..7 at offset 40 by chance; no size, no magic",
        bytes((i * 73 + 19) & 255 for i in range(40))
        + struct.pack("<8h", 3, 4, 5, 3, 1, 1, 1, 1)
        + bytes(14)
        + struct.pack("<2h", 4, 16)
        + bytes((i * 37 + 5) & 255 for i in range(4000)),
    )
    bad("sizeof_hdr_0", "sizeof_hdr = 0, the rest right", nifti1(sizeof_hdr=0) + voxels)
    bad(
        "magic_zero",
        "no magic in a .nii (ANALYZE under a .nii name)",
        nifti1(magic=b"\0\0\0\0") + voxels,
    )
    bad("magic_n+2_hdr348", "NIfTI-2 magic in a 348-byte header", nifti1(magic=b"n+2\0") + voxels)
    bad("magic_ni1_in_nii", "pair magic in a single file", nifti1(magic=b"ni1\0") + voxels)
    bad("dim0_8", "dim[0] = 8", nifti1(dim=[8] + DIM[1:]) + voxels)
    bad("dim0_0", "dim[0] = 0", nifti1(dim=[0] + DIM[1:]) + voxels)
    bad("dim2_neg", "dim[2] = -5", nifti1(dim=[4, 4, -5] + DIM[3:]) + voxels)
    bad("dim4_0", "dim[4] = 0 while dim[0] = 4", nifti1(dim=[4, 4, 5, 3, 0, 1, 1, 1]) + voxels)
    bad(
        "dim5_2",
        "5-D data: only 3-D and 4-D are series",
        nifti1(dim=[5, 4, 5, 3, 20, 2, 1, 1]) + voxels,
    )
    k, bins = wrap64()
    bad("dim_wrap64", "product of dims wraps to %d voxels" % k, nifti1(dim=[7] + bins) + ramp(k))
    bad(
        "dim_huge",
        "30000^3 int16 in a small file",
        nifti1(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]) + voxels,
    )
    bad("dtype_12345", "no such datatype", nifti1(datatype=12345) + voxels)
    bad("dtype_rgb", "RGB24 as a series", nifti1(dtype="rgb") + b"\1" * (3 * N_VOXELS * NT))
    bad(
        "dtype_c64", "complex64 as a real series", nifti1(dtype="c64") + b"\0" * (8 * N_VOXELS * NT)
    )
    bad(
        "voxoff_0",
        "vox_offset = 0 in a single file: the data would be the header",
        nifti1(vox_offset=0.0) + voxels,
    )
    bad("voxoff_nan", "vox_offset = NaN", nifti1(vox_offset=NAN) + voxels)
    bad("voxoff_frac", "vox_offset = 352.5", nifti1(vox_offset=352.5) + voxels)
    bad(
        "pair_voxoff_neg",
        "pair with vox_offset = -1",
        files={
            "pair_voxoff_neg.hdr": nifti1(magic=b"ni1\0", vox_offset=-1.0),
            "pair_voxoff_neg.img": b"Z" * 100 + voxels,
        },
        opened="pair_voxoff_neg.hdr",
    )
    bad("inter_inf", "scl_inter = Inf", nifti1(scl_inter=INF) + voxels)
    good(
        "tr_0", "TR = 0: the solve needs --tr", nifti1(pixdim=pixdim(0)) + voxels, notes="flag,same"
    )
    good("tr_neg", "TR = -2", nifti1(pixdim=pixdim(-2)) + voxels, notes="flag,same")
    good(
        "tr_2000_nounits",
        "TR = 2000 and no time unit: ms or s?",
        nifti1(pixdim=pixdim(2000), xyzt_units=2) + voxels,
        notes="flag,same",
    )
    good("tr_ms", "TR = 2000 in ms: 2 s", nifti1(pixdim=pixdim(2000), xyzt_units=2 | 16) + voxels)
    good(
        "sform_zero",
        "sform_code = 1 and an all-zero matrix",
        nifti1(srow=((0,) * 4,) * 3) + voxels,
        notes="flag,same",
    )
    good(
        "descrip_ctrl",
        "descrip of 80 bytes: no NUL, terminal escapes, format letters, not UTF-8",
        nifti1(descrip=(b"\x1b[31m\xff\xfe%s%n\r\n" * 8)[:80], intent_name=b"%n" * 8) + voxels,
    )

    # extensions
    bad(
        "ext_esize_0",
        "extension of size 0",
        nifti1(vox_offset=384.0, extender=b"\1\0\0\0" + extension(0) + b"\0" * 24) + voxels,
    )
    good(
        "ext_esize_17",
        "extension size not a multiple of 16",
        nifti1(vox_offset=384.0, extender=b"\1\0\0\0" + extension(17) + b"\0" * 24) + voxels,
        notes="warn,same",
    )
    bad(
        "ext_over_data",
        "extension runs past vox_offset into the data",
        nifti1(vox_offset=384.0, extender=b"\1\0\0\0" + extension(1024) + b"\0" * 24) + voxels,
    )

    # the data
    bad("trunc_1", "one byte short", nifti1() + voxels[:-1])
    bad(
        "pair_no_img",
        "pair without .img",
        files={"pair_no_img.hdr": pair},
        opened="pair_no_img.hdr",
    )
    bad("gz_trunc", "gzip cut in the middle", packed[: len(packed) // 2], ".nii.gz")
    bad("gz_trunc_trailer", "gzip without its last 8 bytes", packed[:-8], ".nii.gz")
    bad(
        "gz_crc", "gzip CRC wrong", packed[:-8] + bytes([packed[-8] ^ 255]) + packed[-7:], ".nii.gz"
    )
    z = bytearray(gzipped(noisy, 0))
    z[len(z) // 2] ^= 0x40
    bad(
        "gz_bitflip_stored",
        "one bit of a stored deflate block flipped: only the CRC can tell",
        bytes(z),
        ".nii.gz",
    )
    bad(
        "gz_crc_at_8192",
        "gzip CRC wrong, trailer at a multiple of 8192",
        gz_named(noisy, 1),
        ".nii.gz",
    )
    good(
        "gz_trailing",
        "bytes after the gzip member",
        packed + b"garbage" * 10,
        ".nii.gz",
        notes="warn,same",
    )
    good(
        "gz_not_gz", ".nii.gz name, plain content", nifti1() + voxels, ".nii.gz", notes="warn,same"
    )
    good("nii_is_gz", ".nii name, gzip content", packed, notes="warn,same")
    good(
        "bomb_tail",
        "1 GiB of zeros after the data in a 1 MiB gzip: not to be inflated past a bound",
        gz_zeros(nifti1() + voxels, 1024),
        ".nii.gz",
        notes="warn,same",
    )
    bad(
        "bomb_lie",
        "header promises 35 TB, the gzip has 1 MiB: more than deflate can hold",
        gz_zeros(nifti1(dim=[3, 32767, 32767, 16384, 1, 1, 1, 1]), 1024),
        ".nii.gz",
    )
    v = bytearray(ramp(dtype="f32"))
    v[40:44], v[80:84] = struct.pack("<f", NAN), struct.pack("<f", INF)
    good(
        "nan_inf",
        "voxel 10 holds NaN, voxel 20 Inf: counted and flagged, never 0 in silence",
        nifti1(dtype="f32") + bytes(v),
        notes="flag",
    )
    good("all_zero", "every series constant", nifti1() + bytes(2 * N_VOXELS * NT), notes="flag")
    good(
        "f32_subnormal",
        "1e-40 everywhere",
        nifti1(dtype="f32") + struct.pack("<f", 1e-40) * (N_VOXELS * NT),
        notes="flag",
    )

    # names and links
    good(
        "twins",
        "twins.nii.gz asked for, twins.nii with other data beside it",
        files={"twins.nii.gz": packed, "twins.nii": nifti1() + other},
        opened="twins.nii.gz",
    )
    bad(
        "missing_but_gz",
        "x.nii asked for, only x.nii.gz exists: no substitution",
        files={"missing_but_gz.nii.gz": packed},
        opened="missing_but_gz.nii",
    )
    secret = os.path.abspath(os.path.join(out, "ascii_escape", "elsewhere", "secret.nia"))
    nia = (
        "<nifti_image\n  nifti_type = 'NIFTI-1+'\n  header_filename = 'x.nii'\n  image_filename = '%s'\n  image_offset = '0'\n  ndim = '1'\n  nx = '64'\n  datatype = '2'\n/>\n"
        % secret
    )
    bad(
        "ascii_escape",
        "an ASCII header in a .nii names an image file elsewhere",
        files={
            "ascii_escape.nii": nia.encode(),
            "elsewhere/secret.nia": b"SECRET-OF-ANOTHER-SUBJECT-" * 10,
        },
        opened="ascii_escape.nii",
    )
    bad("is_directory", "a folder named .nii", files={"is_directory.nii": make_folder})
    bad("fifo", "a named pipe: must not hang", files={"fifo.nii": make_fifo})

    # NIfTI-2 lies
    bad(
        "n2_dim0_400",
        "NIfTI-2 dim[0] = 400: a loop past dim[7]",
        nifti2(dim=[400] + DIM[1:]) + voxels,
    )
    bad("n2_dim0_neg", "NIfTI-2 dim[0] = -1", nifti2(dim=[-1] + DIM[1:]) + voxels)
    bad(
        "n2_dim_wrap_small",
        "NIfTI-2 dims whose product is 2^64 + 600",
        nifti2(dim=[2, (2**64 + 600) // 8, 8, 1, 1, 1, 1, 1]) + voxels,
    )
    bad("n2_voxoff_2e62", "NIfTI-2 vox_offset = 2^62", nifti2(vox_offset=2**62) + voxels)
    bad("n2_voxoff_neg", "NIfTI-2 vox_offset = -600", nifti2(vox_offset=-600) + voxels)
    bad(
        "n2_bad_eol",
        "NIfTI-2 magic tail damaged by a text-mode transfer",
        nifti2(magic=b"n+2\0\n\n\x1a\n") + voxels,
    )
    bad(
        "n2_dim_gt_i32",
        "NIfTI-2 nx = 2^32 + 4: must not be cut to 4",
        nifti2(dim=[4, 2**32 + 4] + DIM[2:]) + voxels,
    )

    with open(os.path.join(out, "cases.tsv"), "w") as f:
        f.write("name\tfile\tverdict\treason\tnotes\n")
        f.writelines("\t".join(r) + "\n" for r in rows)
    return rows


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("out")
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    rows = make(a.out)
    n = sum(r[2] == "accept" for r in rows)
    print("%d cases: %d accept, %d reject" % (len(rows), n, len(rows) - n))


if __name__ == "__main__":
    main()
