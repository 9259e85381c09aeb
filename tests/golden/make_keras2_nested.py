"""Write keras2_nested.h5 and .npz: models inside models, as Keras 2 numbers their calls.

python make_keras2_nested.py        (in an environment that has tf_keras, Keras 2's code; the results are committed)
"""

from pathlib import Path

import numpy as np
import tf_keras as keras

L = keras.layers


def nested() -> keras.Model:
    """A frozen base in inference mode, called twice, a Sequential with and one without an Input, two outputs."""
    a = L.Input((6, 6, 3), name="pixels")
    y = L.BatchNormalization(name="norm")(L.Conv2D(3, 3, padding="same", name="conv")(a))
    base = keras.Model(a, [y, L.ReLU(name="relu")(y)], name="base")
    base.trainable = False
    known = keras.Sequential([L.Input((6, 6, 3)), L.Conv2D(3, 1, name="one")], name="known")
    late = keras.Sequential([L.Conv2D(2, 3, name="two")], name="late")
    x = L.Input((6, 6, 3), name="x")
    first, second = base(x, training=False)
    again, _ = base(L.Dropout(0.5, name="drop")(second), training=False)
    joined = L.Add(name="add")([known(first), known(again)])
    return keras.Model(x, [late(joined), base(joined, training=False)[1]], name="whole")


def main() -> None:
    keras.utils.set_random_seed(0)
    model = nested()
    generator = np.random.default_rng(0)
    model.set_weights([generator.uniform(0.2, 1, w.shape) for w in model.get_weights()])
    x = generator.standard_normal((2, 6, 6, 3)).astype(np.float32)
    path = Path(__file__).with_name("keras2_nested.h5")
    model.save(path)
    first, second = model.predict(x, verbose=0)
    np.savez(path.with_suffix(".npz"), x=x, first=first, second=second)


if __name__ == "__main__":
    main()
