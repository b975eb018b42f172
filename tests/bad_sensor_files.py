# SPDX-License-Identifier: BSD-3-Clause
"""Malformed and odd but valid EDF, BDF, BrainVision, FIF and WAV files, with the verdict that a
careful reader gives.

    bad_sensor_files.py OUTDIR

Each case has a folder OUTDIR/NAME/.  OUTDIR/cases.tsv has one line a case:
name, file (relative to OUTDIR), verdict (accept: `taut info --check` exits 0; reject: it
exits 3 with one line on stderr), reason, notes (- or `warn`: accepted, and something must
be said).
Good files hold 2 channels, 256 Hz, 4 s unless the case says otherwise.  Standard library only.
"""

import argparse
import math
import os
import struct

RATE_HZ, SECONDS = 256, 4
NAN, INF = math.nan, math.inf


def wave(n, k):
    return [int(1000 * math.sin(2 * math.pi * 10 * i / RATE_HZ + k)) for i in range(n)]


def field(s, n):
    return (s if isinstance(s, bytes) else str(s).encode("latin1"))[:n].ljust(n, b" ")


def edf(
    bdf=False,
    ns=2,
    ndr=SECONDS,
    dur="1",
    nsamp=None,
    hdrbytes=None,
    reserved="",
    physmin="-3200",
    physmax="3200",
    digmin=None,
    digmax=None,
    labels=None,
    data=None,
    patient="X X X X",
    ndr_s=None,
    ns_s=None,
    cut=None,
):
    lo, hi = ("-8388608", "8388607") if bdf else ("-32768", "32767")
    nsamp = nsamp or [RATE_HZ] * ns
    labels = labels or ["EEG C%d" % i for i in range(ns)]
    h = b"\xffBIOSEMI" if bdf else field("0", 8)
    h += (
        field(patient, 80)
        + field("Startdate 01-JAN-2020 X X X", 80)
        + field("01.01.20", 8)
        + field("00.00.00", 8)
    )
    h += field(256 * (ns + 1) if hdrbytes is None else hdrbytes, 8) + field(
        reserved or ("24BIT" if bdf else ""), 44
    )
    h += (
        field(ndr if ndr_s is None else ndr_s, 8)
        + field(dur, 8)
        + field(ns if ns_s is None else ns_s, 4)
    )
    for values, n in (
        (labels, 16),
        ([""] * ns, 80),
        (["uV"] * ns, 8),
        ([physmin] * ns, 8),
        ([physmax] * ns, 8),
        ([digmin or lo] * ns, 8),
        ([digmax or hi] * ns, 8),
        ([""] * ns, 80),
        (nsamp, 8),
        ([""] * ns, 32),
    ):
        h += b"".join(field(v, n) for v in values)
    if data is None:
        data = b""
        for r in range(ndr):
            for c in range(ns):
                m = int(nsamp[c]) if 0 < int(nsamp[c]) <= 100000 else RATE_HZ
                data += b"".join(
                    struct.pack("<i", v)[: 3 if bdf else 2]
                    for v in wave(m * ndr, c)[r * m : (r + 1) * m]
                )
    return (h + data)[:cut]


def annotated_edf(payload, kind="EDF+C"):
    """EDF+ with an annotation channel whose 60 bytes in record r hold payload(r)."""
    n = 30
    data = b""
    for r in range(SECONDS):
        data += struct.pack("<%dh" % RATE_HZ, *wave(RATE_HZ, 0)) + struct.pack(
            "<%dh" % RATE_HZ, *wave(RATE_HZ, 1)
        )
        data += payload(r)[: 2 * n].ljust(2 * n, b"\0")
    return edf(
        ns=3,
        labels=["EEG C0", "EEG C1", "EDF Annotations"],
        nsamp=[RATE_HZ, RATE_HZ, n],
        reserved=kind,
        data=data,
    )


VHDR = """Brain Vision Data Exchange Header File Version 1.0
[Common Infos]
DataFile={data}
MarkerFile={mrk}
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels={n}
SamplingInterval={si}
[Binary Infos]
BinaryFormat={bf}
[Channel Infos]
Ch1={c1}
Ch2=Cz,,{res},uV
"""
VMRK = """Brain Vision Data Exchange Marker File, Version 1.0
[Common Infos]
DataFile={data}
[Marker Infos]
Mk1=New Segment,,1,1,0,20200101000000000000
Mk2={mk2}
"""


def brainvision(name, cut=None, **k):
    f = dict(
        data=name + ".eeg",
        mrk=name + ".vmrk",
        n=2,
        si="3906.25",
        bf="INT_16",
        c1="Fz,,0.1,uV",
        res="0.1",
        mk2="Stimulus,S  1,257,1,0",
    )
    f.update(k)
    a, b = wave(RATE_HZ * SECONDS, 0), wave(RATE_HZ * SECONDS, 1)
    eeg = b"".join(struct.pack("<2h", x, y) for x, y in zip(a, b))[:cut]
    return {
        name + ".vhdr": VHDR.format(**f).encode(),
        name + ".vmrk": VMRK.format(**f).encode(),
        name + ".eeg": eeg,
    }


def ints(*v):
    return struct.pack(">%di" % len(v), *v)


def tag(kind, typ, data=b"", next_=0, size=None):
    return ints(kind, typ, len(data) if size is None else size, next_) + data


def channel_record(i, name=None, cal=1e-6):
    """A channel record of 96 bytes: EEG, volt."""
    return struct.pack(
        ">iiiffi12fii16s",
        i + 1,
        i + 1,
        2,
        1.0,
        cal,
        1,
        *([0.01 * (i + 1)] * 12),
        107,
        0,
        name or b"EEG %03d" % (i + 1)
    )


FILE_ID, DIR_POINTER, START, END, NOP = 100, 101, 104, 105, 108


def fif(
    n_hdr=2,
    sfreq=float(RATE_HZ),
    dirp=-1,
    size1=None,
    next1=0,
    next_last=0,
    chs=channel_record,
    buf_type=4,
    nested=0,
    sf_data=None,
    id_size=20,
    end_tag=True,
    skip=None,
):
    """Raw data in four buffers.  size1, next1: the fields of buffer 1; next_last: of buffer 3."""
    out = tag(FILE_ID, 31, ints(0x00010003, 1, 2, 3, 4)[:id_size]) + tag(DIR_POINTER, 3, ints(dirp))
    out += tag(START, 3, ints(100)) + tag(START, 3, ints(999)) * nested + tag(START, 3, ints(101))
    out += tag(200, 3, ints(n_hdr))
    out += tag(201, 4, struct.pack(">f", sfreq) if sf_data is None else sf_data)
    out += tag(203, 30, chs(0)) + tag(203, 30, chs(1)) + tag(END, 3, ints(101))
    out += tag(START, 3, ints(102)) + tag(208, 3, ints(0))
    a, b = wave(RATE_HZ, 0), wave(RATE_HZ, 1)
    v = [x for pair in zip(a, b) for x in pair]
    d = struct.pack(">%d%s" % (len(v), "f" if buf_type == 4 else "h"), *v)
    for i in range(SECONDS):
        if skip is not None and i == 2:
            out += tag(301, 3, ints(skip))
        out += tag(
            300,
            buf_type,
            d,
            next1 if i == 1 else next_last if i == 3 else 0,
            size1 if i == 1 else None,
        )
    if not nested:
        out += tag(END, 3, ints(102)) + tag(END, 3, ints(100))
    return out + (tag(NOP, 0, b"", -1) if end_tag else b"")


def wav(
    fmt_tag=1,
    nch=2,
    rate=RATE_HZ,
    bits=16,
    align=None,
    data=None,
    dsize=None,
    fmt_size=None,
    order="fd",
    post=b"",
):
    if data is None:
        data = b"".join(
            struct.pack("<2h", x, y)
            for x, y in zip(wave(RATE_HZ * SECONDS, 0), wave(RATE_HZ * SECONDS, 1))
        )
    align = nch * bits // 8 if align is None else align
    f = struct.pack(
        "<HHIIHH", fmt_tag, nch, rate, (rate * align) & 0xFFFFFFFF, align & 0xFFFF, bits
    )
    fc = b"fmt " + struct.pack("<I", len(f) if fmt_size is None else fmt_size) + f
    dc = b"data" + struct.pack("<I", len(data) if dsize is None else dsize) + data
    body = b"WAVE" + {"fd": fc + dc, "df": dc + fc, "d": dc}[order] + post
    return b"RIFF" + struct.pack("<I", len(body)) + body


def make(out):
    rows = []

    def add(name, verdict, reason, data, suffix, notes="-"):
        folder = os.path.join(out, name)
        os.makedirs(folder, exist_ok=True)
        for fn, b in (data if isinstance(data, dict) else {name + suffix: data}).items():
            with open(os.path.join(folder, fn), "wb") as f:
                f.write(b)
        rows.append((name, os.path.join(name, name + suffix), verdict, reason, notes))

    def E(name, verdict, reason, data, notes="-"):
        add(name, verdict, reason, data, ".edf", notes)

    def B(name, verdict, reason, data, notes="-"):
        add(name, verdict, reason, data, ".bdf", notes)

    def V(name, verdict, reason, notes="-", **k):
        add(name, verdict, reason, brainvision(name, **k), ".vhdr", notes)

    def F(name, verdict, reason, data, notes="-"):
        add(name, verdict, reason, data, "_raw.fif", notes)

    def W(name, verdict, reason, data, notes="-"):
        add(name, verdict, reason, data, ".wav", notes)

    # EDF and BDF
    E("edf_ok", "accept", "plain EDF", edf())
    B("bdf_ok", "accept", "plain BDF", edf(True))
    E(
        "edf_plus_ok",
        "accept",
        "EDF+C with annotations",
        annotated_edf(lambda r: b"+%d\x14\x14\0" % r),
    )
    E("edf_two_rates", "accept", "channels at 256 and 128 Hz", edf(nsamp=[256, 128]))
    E(
        "edf_ndr_minus1",
        "accept",
        "record count -1 (recording not closed): taken from the size",
        edf(ndr_s="-1"),
        "warn",
    )
    E(
        "edf_cut_record",
        "accept",
        "last record cut: whole records kept, said so",
        edf(cut=768 + 3 * 1024 + 100),
        "warn",
    )
    E("edf_header_cut", "reject", "header cut at 300 bytes", edf(cut=300))
    E("edf_ns_0", "reject", "no signals", edf(ns_s="0"))
    E("edf_ns_text", "reject", "signal count is text", edf(ns_s="two"))
    E(
        "edf_hdrbytes_lie",
        "reject",
        "header-bytes field disagrees with the signal count",
        edf(hdrbytes=512),
    )
    E("edf_nsamp_0", "reject", "no samples in a record", edf(nsamp=[0, 0]))
    E(
        "edf_nsamp_wrap",
        "reject",
        "22 channels whose record size is 2^32 + 1024 bytes: wraps to 1024",
        edf(ns=22, nsamp=[99999999] * 21 + [47484181], data=bytes(SECONDS * 1024)),
    )
    E("edf_dur_0", "reject", "record duration 0 with ordinary signals: no rate", edf(dur="0"))
    E("edf_dur_nan", "reject", 'record duration "nan"', edf(dur="nan"))
    E("edf_dig_equal", "reject", "digital min = max: division by zero", edf(digmin="0", digmax="0"))
    E(
        "edf_phys_equal",
        "accept",
        "physical min = max: gain 0",
        edf(physmin="0", physmax="0"),
        "warn",
    )
    E(
        "edf_phys_swapped",
        "accept",
        "physical min > max: a negative gain is legal",
        edf(physmin="3200", physmax="-3200"),
    )
    E("edf_phys_comma", "accept", "decimal comma", edf(physmin="-3200,5", physmax="3200,5"), "warn")
    E(
        "edf_dup_labels",
        "accept",
        "two channels of one name",
        edf(labels=["EEG C0", "EEG C0"]),
        "warn",
    )
    E(
        "edf_label_escape",
        "accept",
        "labels with ../ and a terminal escape: never a path, never raw on a terminal",
        edf(labels=["../../../x", "\x1b[31mRED"]),
    )
    E(
        "edf_patient",
        "accept",
        "patient name in the header: must not be printed",
        edf(patient="12345 F 01-JAN-1970 Jane_Doe"),
    )
    B(
        "bdf_as_edf",
        "reject",
        "BDF magic over 16-bit samples: the size fits 2 bytes a sample, not 3",
        edf(True, cut=768 + SECONDS * 4 * RATE_HZ),
    )

    # BrainVision
    V("bv_ok", "accept", "plain")
    V("bv_path_up", "reject", "DataFile leaves the folder", data="../../../../../../etc/passwd")
    V("bv_self", "reject", "DataFile names the header itself", data="bv_self.vhdr")
    V("bv_si_0", "reject", "SamplingInterval = 0", si="0")
    V("bv_n_1e9", "reject", "NumberOfChannels = 1000000000", n=1000000000)
    V("bv_n_3", "reject", "3 channels said, 2 listed", n=3)
    V("bv_res_text", "reject", "resolution is text", res="abc")
    V("bv_odd", "accept", "data cut inside a sample", "warn", cut=4001)
    V("bv_fmt", "reject", "unknown binary format", bf="INT_128")
    V("bv_mk_far", "accept", "marker beyond the data", "warn", mk2="Stimulus,S  1,99999999999,1,0")
    V(
        "bv_mk_escape",
        "accept",
        "marker text with format letters and shell characters",
        mk2="Comment,%s%n$(touch x);\\1,257,1,0",
    )
    V("bv_long_line", "reject", "a line of 16 MiB", c1="F" * (16 << 20))
    V("bv_comma", "accept", "channel name with the \\1 escape for a comma", c1="F\\1z,,0.1,uV")

    # FIF
    good = fif()
    buf = struct.pack(">iii", 300, 4, RATE_HZ * 8)
    F("fif_ok", "accept", "plain", good)
    F("fif_no_end", "accept", "no end tag: the end of the file is the end", fif(end_tag=False))
    F("fif_short_id", "reject", "file-id tag of 8 bytes", fif(id_size=8))
    F("fif_size_neg", "reject", "tag size -16", fif(size1=-16))
    F("fif_size_2g", "reject", "tag size 2^31 - 1 in a small file", fif(size1=2**31 - 1))
    F("fif_next_loop", "reject", "the last buffer points back to the start", fif(next_last=36))
    F("fif_next_far", "reject", "next beyond the file", fif(next1=2**31 - 1))
    F("fif_nchan_1e9", "reject", "nchan = 1e9, two channel records", fif(n_hdr=10**9))
    F("fif_nchan_3", "reject", "nchan = 3, two channel records", fif(n_hdr=3))
    F("fif_sfreq_nan", "reject", "sfreq = NaN", fif(sfreq=NAN))
    F("fif_sfreq_short", "reject", "sfreq tag of 2 bytes", fif(sf_data=b"\x43\x80"))
    F("fif_cal_nan", "reject", "cal = NaN", fif(chs=lambda i: channel_record(i, cal=NAN)))
    F(
        "fif_ch_short",
        "reject",
        "channel record of 40 bytes",
        fif(chs=lambda i: channel_record(i)[:40]),
    )
    F(
        "fif_ch_name",
        "accept",
        "channel name of 16 bytes without NUL",
        fif(chs=lambda i: channel_record(i, b"ABCDEFGHIJKLMNO%d" % i)),
    )
    F("fif_nest_100k", "reject", "100000 nested blocks", fif(nested=100000))
    F(
        "fif_dir_far",
        "accept",
        "directory pointer to offset 10^9: the directory is not needed",
        fif(dirp=10**9),
        "warn",
    )
    F(
        "fif_skip_huge",
        "reject",
        "a gap of 2^31 - 1 buffers: 4 TB of implied zeros",
        fif(skip=2**31 - 1),
    )
    F(
        "fif_buf_type",
        "reject",
        "data buffers of unknown type",
        good.replace(ints(300, 4), ints(300, 77)),
    )
    F(
        "fif_odd_buf",
        "reject",
        "a buffer that is not a multiple of the channels",
        good.replace(buf, struct.pack(">iii", 300, 4, RATE_HZ * 8 - 4), 1),
    )

    # WAV
    W("wav_ok", "accept", "plain", wav())
    W("wav_nch_0", "reject", "0 channels", wav(nch=0))
    W("wav_rate_0", "reject", "rate 0", wav(rate=0))
    W("wav_bits_0", "reject", "0 bits", wav(bits=0))
    W("wav_align", "accept", "block align disagrees with channels x bits", wav(align=3), "warn")
    W(
        "wav_dsize_ff",
        "accept",
        "data size 0xFFFFFFFF (a streamed file): taken from the size",
        wav(dsize=0xFFFFFFFF),
        "warn",
    )
    W("wav_cut", "accept", "data cut", wav()[:-1001], "warn")
    W("wav_data_first", "reject", "data before fmt", wav(order="df"))
    W("wav_fmt_size", "reject", "fmt chunk of 2^31 bytes", wav(fmt_size=2**31))
    W(
        "wav_list_lie",
        "accept",
        "LIST chunk of 2^31 bytes after the data",
        wav(post=b"LIST" + struct.pack("<I", 2**31) + b"INFO"),
        "warn",
    )
    W(
        "wav_float_nan",
        "accept",
        "float samples with NaN and Inf: counted, flagged",
        wav(3, bits=32, data=struct.pack("<8f", 0, NAN, INF, 1, -1, 0.5, 0, 0) * 100),
        "warn",
    )
    W("wav_zero_data", "reject", "no samples", wav(data=b""))

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
