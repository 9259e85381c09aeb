"""Measurements: each module is a command, `python -m benchmarks.NAME --help`, that writes results/NAME.json.

`python -m benchmarks.tables` puts the results into LADDER.md of every operation and into the README.
"""
