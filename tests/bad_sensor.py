#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Malformed and odd files of sensor recordings: see verdicts.py."""
import sys

import bad_sensor_files
import verdicts

sys.exit(verdicts.main(bad_sensor_files.make))
