"""The classic tutorial of transfer learning: VGG16 without its top, frozen, and a new head for CIFAR-10.

    python examples/cifar10_vgg16.py

It is the program that people know from Keras: with `minicnn` replaced by `keras` in the import lines it runs there.
"""

from minicnn.applications import VGG16
from minicnn.datasets import cifar10
from minicnn.layers import Dense, Flatten
from minicnn.models import Sequential
from minicnn.utils import to_categorical

(x_train, y_train), (x_test, y_test) = cifar10.load_data()

x_train = x_train.astype("float32") / 255.0
x_test = x_test.astype("float32") / 255.0
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

base_model = VGG16(weights="imagenet", include_top=False, input_shape=(32, 32, 3))
for layer in base_model.layers:
    layer.trainable = False

model = Sequential()
model.add(base_model)
model.add(Flatten())
model.add(Dense(256, activation="relu"))
model.add(Dense(10, activation="softmax"))
model.summary()

model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=10, batch_size=64, validation_split=0.1)

loss, accuracy = model.evaluate(x_test, y_test)
print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
