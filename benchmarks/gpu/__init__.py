"""Measurements on a GPU; each command tells by `--help` what it does.

    python -m benchmarks.gpu             time networks, layers and every kernel, against PyTorch
    python -m benchmarks.gpu.compile     compile every kernel, on all cores
    python -m benchmarks.gpu.session     both, and the tests on the GPU between them, in one go of some minutes

`measure` runs the jobs that `cases` lists, most important first: `layers` and `networks` time them by `timing`, on the
`device`, beside PyTorch (`pytorch`, its operations and convolutions) and the data sheet's `floors`.  `result` keeps the
rows; `table` and `ladders` show them.  `session` runs `pytest_plugin` within pytest and reads the `outcomes`.
"""
