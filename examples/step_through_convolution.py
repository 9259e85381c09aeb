"""One output number of a convolution, product by product, and the way back: which product feeds which gradient.

    python examples/step_through_convolution.py

The functions called here are those that define the operation (kernels/conv2d/reference.py): plain loops on plain
arrays, which a debugger can enter.
"""

import numpy as np

from minicnn.kernels import conv2d

STRIDE = 2
x = np.arange(25.0).reshape(1, 5, 5, 1)  # (N,H,W,C)
w = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]).reshape(3, 3, 1, 1)  # (KH,KW,C,F): Sobel's edge detector
OPTIONS = {"strides": STRIDE, "padding": "same", "rung": "reference"}


def show(title: str, image: np.ndarray) -> None:
    print(title)
    print("\n".join(" ".join(f"{value:6.1f}" for value in row) for row in image[0, :, :, 0]), end="\n\n")


def products(i: int, j: int) -> float:
    """Print every product behind y[0,i,j,0] and return their sum."""
    total, terms = 0.0, []
    for a in range(3):
        for b in range(3):
            row, column = i * STRIDE - 1 + a, j * STRIDE - 1 + b  # "same" pads this image by one on each side
            if 0 <= row < 5 and 0 <= column < 5:
                total += x[0, row, column, 0] * w[a, b, 0, 0]
                terms.append(f"x[{row},{column}] w[{a},{b}] = {x[0, row, column, 0]:g} * {w[a, b, 0, 0]:g}")
    print(f"y[{i},{j}] is the sum of", *terms, sep="\n   ")
    print(f"   = {total:g}\n")
    return total


def main() -> None:
    show("image x", x)
    y = conv2d.forward(x, w, **OPTIONS)
    show(f"y = conv(x, w), every {STRIDE}nd pixel", y)
    assert products(0, 1) == y[0, 0, 1, 0]

    # One number in dy: the loss grows by 1 for each unit of y[1,1].  Each product x * w behind y[1,1] then sends
    # dy * w to the pixel and dy * x to the weight.
    dy = np.zeros_like(y)
    dy[0, 1, 1, 0] = 1
    show("dx: the window around pixel (2,2), filled with w", conv2d.backward_input(dy, w, x.shape, **OPTIONS))
    dw = conv2d.backward_weights(x, dy, w.shape, **OPTIONS)
    show("dw: the pixels under that window", dw.transpose(2, 0, 1, 3))
    np.testing.assert_array_equal(dw[:, :, 0, 0], x[0, 1:4, 1:4, 0])


if __name__ == "__main__":
    main()
