"""kill -9, a hundred times at any moment, also while a checkpoint is written: the end is that of a training left alone.

One process forks the others, so that a life takes milliseconds.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.numpy_only

PROGRAM = """
import os, random, signal, sys, time
import numpy as np
from training_cases import X, Y, make
from minicnn.callbacks import BackupAndRestore, Callback

KILLS, EVERY, EPOCHS, PER_EPOCH = 100, 2, 120, 5
MOST = 4  # steps of a life; then it waits for its end
random.seed(int(sys.argv[2]))
os.chdir(sys.argv[1])

class Tell(Callback):
    steps = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.steps += 1
        if self.most and self.steps > self.most:
            signal.pause()
        os.write(self.pipe, b"%d\\n" % self.model.optimizer.iterations)

def train(backup, pipe=None, name="whole", most=0):
    model, tell = make(metrics=["accuracy"]), Tell()
    tell.pipe, tell.most = pipe, most
    model.fit(X, Y, batch_size=5, epochs=EPOCHS, verbose=0, callbacks=[backup, tell] if backup else [])
    np.savez(name + ".npz", *model.get_weights())

def life(most=0):
    read, write = os.pipe()
    process = os.fork()
    if not process:
        status = 1
        try:
            os.close(read)
            train(BackupAndRestore("backup", EVERY, delete_checkpoint=False), write, "killed", most)
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    return process, os.fdopen(read)

lives, saved, writing = 0, 0, 0
while lives < KILLS:
    process, pipe = life(MOST)
    with pipe as steps:
        begun = [int(steps.readline())]
        assert begun[0] >= saved, f"life {lives} begins at step {begun[0]}, the checkpoint of step {saved} was written"
        begun += [int(steps.readline()) for _ in range(random.randrange(3))]
        time.sleep(random.random() * 0.015)
        os.kill(process, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(process, 0)[1])
        begun += [int(line) for line in steps]
    saved = max(saved, begun[-1] // EVERY * EVERY)
    writing += any(name.endswith(".tmp") for name in os.listdir("backup"))
    lives += 1
process, pipe = life()
with pipe as steps:
    begun = [int(line) for line in steps]
assert os.waitpid(process, 0)[1] == 0
assert begun[0] >= saved
train(None)
whole, killed = np.load("whole.npz"), np.load("killed.npz")
assert all(whole[key].tobytes() == killed[key].tobytes() for key in whole.files)
assert begun[-1] == EPOCHS * PER_EPOCH - 1
print(f"{lives} kills, {writing} while a checkpoint was written, the last checkpoint at step {saved}")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_a_hundred_kills(tmp_path):
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "MINICNN_KERNELS": "numpy", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(tests), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path), "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("100 kills, ")
