#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Malformed and odd NIfTI files: see verdicts.py."""
import sys

import bad_nifti_files
import verdicts

sys.exit(verdicts.main(bad_nifti_files.make))
