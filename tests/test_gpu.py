"""The same on a GPU as on the CPU, within stated tolerances; deselected where there is no GPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nst_edu.features import Backbone, load_backbone
from nst_edu.images import load_image
from nst_edu.objective import Objective
from nst_edu.optimize import DEFAULT_RATES
from nst_edu.settings import available_devices
from nst_edu.transfer import style_transfer, style_transfer_steps

pytestmark = pytest.mark.gpu

# Convolutions on a GPU may round their inputs to 10 bits (TF32): a relative error of about 1e-3 in
# each layer. Deep maps are compared to 2 %, pictures after some steps to 0.02 on average.
MAPS, LOSSES, PICTURES = 0.02, 0.05, 0.02
LOW = 0.05  # for maps in bfloat16, with 8 bits


def gpus() -> tuple[str, ...]:
    """Name the devices beside the CPU; without any, these tests are not selected."""
    found = available_devices()[1:]
    assert found
    return found


def pair() -> tuple[Tensor, Tensor]:
    return load_image("chelsea", size=96), load_image("swirl", size=96)


def test_feature_maps_agree(compact: Backbone) -> None:
    photo, _ = pair()
    expected = compact(photo, compact.layers)
    for device in gpus():
        network = load_backbone("compact", device=device)
        for name, map_ in network(photo.to(device), network.layers).items():
            assert map_.device.type == torch.device(device).type
            difference = (map_.cpu() - expected[name]).norm() / expected[name].norm()
            assert difference < MAPS, f"{name} on {device}"


def test_losses_and_gradients_agree(compact: Backbone) -> None:
    photo, style = pair()

    def evaluate(network: Backbone, device: str) -> tuple[float, Tensor]:
        image = style.flip(-1).to(device).requires_grad_()
        losses = Objective(network, photo.to(device), style.to(device), tv_weight=1)(image)
        (gradient,) = torch.autograd.grad(losses.total, image)
        return losses.total.item(), gradient.cpu()

    total, gradient = evaluate(compact, "cpu")
    for device in gpus():
        other, slope = evaluate(load_backbone("compact", device=device), device)
        assert other == pytest.approx(total, rel=LOSSES)
        cosine = torch.nn.functional.cosine_similarity(slope.flatten(), gradient.flatten(), dim=0)
        assert cosine > 0.99, device


def test_bfloat16_is_near_float32(compact: Backbone) -> None:
    photo, _ = pair()
    expected = compact(photo, compact.layers)
    for device in gpus():
        network = load_backbone("compact", device=device, precision="bfloat16")
        for name, map_ in network(photo.to(device), network.layers).items():
            assert map_.dtype == torch.float32
            difference = (map_.cpu() - expected[name]).norm() / expected[name].norm()
            assert difference < LOW, f"{name} on {device}"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="only CUDA tells when it is waited for")
def test_an_evaluation_never_waits_for_the_gpu() -> None:
    photo, style = (picture.cuda() for picture in pair())
    objective = Objective(load_backbone("compact", device="cuda"), photo, style, tv_weight=1)
    image = style.flip(-1).requires_grad_()
    objective(image).total.backward()  # what is set up once may wait
    torch.cuda.set_sync_debug_mode("error")
    try:
        objective(image).total.backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("optimizer", DEFAULT_RATES)
def test_the_same_run_gives_the_same_picture(optimizer: str) -> None:
    photo, style = pair()
    expected = list(style_transfer_steps(photo, style, steps=8, optimizer=optimizer, device="cpu"))
    for device in gpus():
        steps = list(
            style_transfer_steps(photo, style, steps=8, optimizer=optimizer, device=device)
        )
        for step, other in zip(expected, steps, strict=True):
            assert other.losses.total == pytest.approx(step.losses.total, rel=LOSSES)
            assert (other.image.cpu() - step.image).abs().mean() < PICTURES


def test_noise_is_the_same_on_every_device() -> None:
    photo, style = pair()
    first = next(iter(style_transfer_steps(photo, style, steps=1, start="noise", device="cpu")))
    for device in gpus():
        other = next(
            iter(style_transfer_steps(photo, style, steps=1, start="noise", device=device))
        )
        assert torch.equal(other.image.cpu(), first.image)


def test_the_result_is_handed_back_on_the_cpu() -> None:
    photo, style = pair()
    for device in gpus():
        on_gpu = style_transfer(photo.to(device), style.to(device), steps=3, device=device)
        assert on_gpu.device.type == "cpu"
        assert on_gpu.shape == photo.shape
        mixed = style_transfer(
            photo, style.to(device), steps=3, device="cpu", start=photo.to(device)
        )
        assert mixed.isfinite().all()
