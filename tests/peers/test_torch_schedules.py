"""The schedule that PyTorch has and Keras has not."""

import pytest

from minicnn.schedules import OneCycle

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize(("steps", "climb", "div", "final"), [(50, 0.3, 25.0, 1e4), (17, 0.5, 10.0, 100.0)])
def test_one_cycle(steps, climb, div, final):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.2, total_steps=steps, pct_start=climb, div_factor=div, final_div_factor=final
    )
    expected = []
    for _ in range(steps):
        expected.append(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()
    ours = OneCycle(0.2, steps, climb=climb, div=div, final_div=final)
    assert [ours(step) for step in range(steps)] == pytest.approx(expected, rel=1e-9)
