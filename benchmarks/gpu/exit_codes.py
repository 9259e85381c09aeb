"""How the commands of this folder end; each tells in its `--help` what a code means there."""

MEASURED, WRONG, REFUSED, LOST, TESTS_FAILED = range(5)
