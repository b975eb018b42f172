#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Malformed and odd files of sensor recordings: see verdicts.py."""
import sys

import verdicts

READ = (".bdf", ".edf", ".fif", ".vhdr", ".wav")

sys.exit(verdicts.main(lambda case: case["file"].endswith(READ)))
