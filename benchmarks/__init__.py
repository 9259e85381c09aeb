"""Measurements: a module that measures is a command, `python -m benchmarks.NAME --help`, and writes results/NAME.json.

`python -m benchmarks.tables` puts the results into LADDER.md of every operation, the README and docs/; `figures`,
`ladders`, `cuda_ladders`, `picture` and `roofline` make what it writes, and are no commands.  `gpu` and `gpu_session`
measure a GPU, `gpu_compile` compiles for one; the other modules whose names begin so are their parts.
"""
