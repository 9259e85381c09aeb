"""The sweep: order, accumulation, depth, and what it refuses."""

import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import Tensor, gradcheck, no_grad, ops
from minicnn.autograd import Context, Function
from minicnn.errors import GraphError, ShapeError

pytestmark = pytest.mark.numpy_only


def leaf(*values: float) -> Tensor:
    return Tensor(np.array(values), requires_grad=True)


def test_several_uses_add_up():
    x = leaf(2.0, 3.0)
    (x * x + x * 5 + x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [10.0, 12.0])


def test_several_backward_passes_add_up_until_zero_grad():
    x = leaf(2.0)
    for expected in (4.0, 8.0):
        (x * x).sum().backward()
        assert x.grad.item() == expected
    x.zero_grad()
    assert x.grad is None


def test_gradients_of_two_leaves_are_not_one_array():
    x, y = leaf(1.0), leaf(1.0)
    (x + y).sum().backward()
    (x * 3).sum().backward()
    assert (x.grad.item(), y.grad.item()) == (4.0, 1.0)


def test_gradients_share_no_memory():
    x, y, given = leaf(1.0, 2.0), leaf(1.0, 2.0), np.ones(2)
    for tensor in (x + y, x.reshape(2), x):
        tensor.backward(given)
        x.grad.numpy()[:] = 5
        assert given.tolist() == [1, 1]
        assert y.grad.numpy().tolist() == [1, 1]
        x.zero_grad()


def test_diamond_runs_each_operation_once():
    runs = []

    class Double(Function):
        @staticmethod
        def forward(ctx: Context, x):
            return 2 * x

        @staticmethod
        def backward(ctx: Context, dy):
            runs.append(dy)
            return 2 * dy

    x = leaf(1.0)
    middle = Double.apply(x)
    (middle * middle + middle).sum().backward()  # m² + m at m = 2 x: dm = 5, dx = 10
    assert len(runs) == 1
    assert x.grad.item() == 10


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.booleans()), min_size=1, max_size=12))
def test_random_graphs(steps):
    """Each step adds or multiplies two of the tensors there are so far."""

    def build(a: Tensor, b: Tensor) -> Tensor:
        found = [a, b]
        for first, second, add in steps:
            p, q = found[first % len(found)], found[second % len(found)]
            found.append((p + q) * 0.5 if add else p * q)
        return found[-1]

    assert gradcheck(build, [leaf(0.9, -0.8), leaf(0.7, 1.1)])


def test_a_chain_of_ten_thousand():
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.item() == 1
    y = x
    for _ in range(10_000):
        y = y + 1
    del y  # letting go of the chain must not run out of stack either


def test_only_leaves_that_ask_get_a_gradient():
    x, constant = leaf(1.0), Tensor([2.0])
    y = x * constant
    y.sum().backward()
    assert x.grad.item() == 2
    assert constant.grad is None
    assert y.grad is None


def test_a_gradient_for_a_tensor_of_any_shape():
    x = leaf(1.0, 2.0)
    (x * x).backward([1, 10])
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 40.0])
    y = Tensor(np.ones(2, np.float32), requires_grad=True)
    (y * 2).backward(Tensor(np.ones(2)))
    assert y.grad.dtype == np.float32


def test_second_backward_is_refused():
    x = leaf(1.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GraphError, match=r"already used by backward\(\) \(Sum has .*run the forward pass again"):
        y.backward()
    assert x.grad.item() == 2


def test_a_shared_part_cannot_be_used_twice():
    x = leaf(1.0)
    shared = x * x
    first, second = (shared * 2).sum(), (shared * 3).sum()
    first.backward()
    with pytest.raises(GraphError, match="Multiply"):
        second.backward()


def test_a_graph_that_was_used_is_refused_before_a_gradient_is_given():
    x, other = leaf(1.0), leaf(1.0)
    shared = x * x
    shared.sum().backward()
    with pytest.raises(GraphError, match="Multiply"):
        (shared + other * 2).sum().backward()
    assert other.grad is None


def test_a_leaf_that_asks_no_longer_gets_none():
    x, y = leaf(1.0), leaf(2.0)
    product = (x * y).sum()
    x.requires_grad = False
    product.backward()
    assert x.grad is None
    assert y.grad.item() == 1


def test_what_no_gradient_needs_is_not_kept():
    x = leaf(1.0, 2.0)
    middle = x + 1
    array = weakref.ref(middle.array)
    y = (middle * 1.0 + 2).sum()
    del middle
    assert array() is not None  # a product saves its operands
    y.backward()
    assert array() is None
    middle = x + 1
    array = weakref.ref(middle.array)
    y = (middle + 2).sum()
    del middle
    assert array() is None
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0])


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(("op", "axes"), [(ops.dense, ()), (ops.conv2d, (1, 1))])
def test_a_product_keeps_its_input_for_the_gradient_of_its_weights_alone(op, axes, trained):
    x = Tensor(np.ones((*axes, 3, 4)), requires_grad=True)
    w = Tensor(np.ones((*axes, 4, 2)), requires_grad=trained)
    middle = x + 1
    array = weakref.ref(middle.array)
    y = op(middle, w).sum()
    del middle
    assert (array() is not None) == trained
    y.backward()
    assert x.grad.shape == x.shape


def test_what_was_kept_for_an_operation_goes_with_its_backward():
    living: list[list[bool]] = []
    saved: list[weakref.ref] = []

    class Scale(Function):
        @staticmethod
        def forward(ctx: Context, x):
            ctx.save(x)
            saved.append(weakref.ref(x))
            return 2 * x

        @staticmethod
        def backward(ctx: Context, dy):
            living.append([reference() is not None for reference in saved])
            return 2 * dy

    y = leaf(1.0) * 1
    for _ in range(3):
        y = Scale.apply(y)
    y.sum().backward()
    assert living == [[True, True, True], [True, True, False], [True, False, False]]


def test_where_no_gradient_comes_back_nothing_is_added():
    class Cut(Function):
        @staticmethod
        def forward(ctx, x):
            return x + 1

        @staticmethod
        def backward(ctx, dy):
            return None

    a, b = Tensor(1.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    (Cut.apply(a * 2) + b).backward()
    assert a.grad is None
    assert b.grad.item() == 1


def test_backward_refusals():
    x = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"starts from a scalar; this tensor has shape \(2,\)"):
        (x * 2).backward()
    with pytest.raises(ShapeError, match=r"gradient has shape \(3,\), the tensor \(2,\)"):
        (x * 2).backward(np.ones(3))
    with pytest.raises(GraphError, match="does not depend on anything with requires_grad"):
        Tensor([1.0]).sum().backward()


def test_a_backward_of_the_wrong_shape_is_named():
    class Broken(Function):
        @staticmethod
        def forward(ctx: Context, x):
            return x

        @staticmethod
        def backward(ctx: Context, dy):
            return dy[:1]

    with pytest.raises(ShapeError, match=r"Broken.backward gave a gradient of shape \(1,\) for an input of shape \(2"):
        Broken.apply(leaf(1.0, 2.0)).sum().backward()


def test_no_grad_remembers_nothing_and_ends_with_its_block():
    x = leaf(1.0)
    with no_grad():
        assert (x * 2).creator is None
        with pytest.raises(ZeroDivisionError), no_grad():
            raise ZeroDivisionError
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_is_of_its_thread():
    x, seen = leaf(1.0), []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_arrays_may_stand_for_tensors():
    assert (Tensor([1.0, 2.0]) + np.ones(2)).shape == (2,)
    from minicnn import ops

    assert ops.dense(np.ones((2, 3)), np.ones((3, 4))).shape == (2, 4)
