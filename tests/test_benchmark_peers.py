"""The benchmark compares ways to compute one and the same thing."""

from __future__ import annotations

import torch

from benchmarks.peers import LOOPS
from nst_edu.features import load_backbone


def test_all_loops_compute_the_same_loss_and_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    backbone = load_backbone("random", device="cpu")
    content, style, start = torch.rand(3, 1, 3, 48, 40, generator=generator)
    found = {}
    for name, make in LOOPS.items():
        image = start.clone().requires_grad_()
        loss = make(backbone, content, style)(image)
        assert image.grad is not None
        found[name] = float(loss), image.grad
    loss, gradient = found.pop("ours")
    for other, other_gradient in found.values():
        torch.testing.assert_close(other, loss, rtol=1e-4, atol=0)
        error = (other_gradient - gradient).norm() / gradient.norm()
        assert error < 1e-4
