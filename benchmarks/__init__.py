"""Measurements: a module that measures is a command, `python -m benchmarks.NAME --help`, and writes results/NAME.json.

`python -m benchmarks.tables` puts the results into LADDER.md of every operation, the README and docs/; `figures`,
`ladders`, `picture` and `roofline` make what it writes, and are no commands.  The folder `gpu` is for a GPU.
"""
