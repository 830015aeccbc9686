"""Train the embedded backbone `compact` to see what VGG-19 sees, at a quarter of its width."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from nst_edu.features import Backbone
from nst_edu.losses import gram_matrix
from nst_edu.training.on_policy import OwnPictures
from nst_edu.training.pictures import Photos
from nst_edu.training.start import equalise, least_squares, make_student
from nst_edu.training.teachers import LAYERS, Teachers

REFRESH_EVERY = 4  # steps
ENOUGH = 64  # own pictures to begin with
ROWS = 2048  # positions of a batch at which the maps are compared
BEFORE_RELU = {name: name.replace("relu", "conv") for name in LAYERS}
# relu1_1 is left out: any network matches it, and its maps are the largest.
DISTANCE_LAYERS = ("relu2_1", "relu3_1", "relu3_4", "relu4_1", "relu4_2", "relu5_1")
WEIGHTS = {"fit": 1.0, "gram": 1.0, "distance": 3.0, "silence": 1.0}
PRODUCTS = 512  # positions whose products with each other are compared


@dataclass
class Settings:
    """What decides a run; it is written into the checkpoint."""

    steps: int = 6000
    batch: int = 16
    own: int = 5  # of the batch: student's own pictures; as many styles and photos go with them
    size: int = 96
    rate: float = 1.5e-3
    seed: int = 0
    channels: tuple[int, ...] = (16, 32, 64, 128, 128)


@dataclass
class Run:
    """Everything a run needs to go on where it stopped."""

    settings: Settings
    student: Backbone
    adapters: nn.ModuleDict
    scales: dict[str, float]
    optimizer: torch.optim.Optimizer
    own: OwnPictures
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    curve: list[dict[str, Any]] = field(default_factory=list)


def start_run(settings: Settings, teachers: Teachers, photos: Photos) -> Run:
    """Make a student (`nst_edu.training.start`) and one linear adapter for each layer."""
    torch.manual_seed(settings.seed)
    image = photos.crops(32, settings.size).contiguous(memory_format=torch.channels_last)
    student = make_student(settings.channels, teachers.slim, image, photos.generator)
    targets, maps = teachers(image), student(image, LAYERS)
    # Layers of a VGG differ in size of activation by a factor of 100; the adapters only learn
    # well once each layer is divided by its mean.
    scales = {name: 1 / float(target.float().abs().mean()) for name, target in targets.items()}
    adapters = nn.ModuleDict()
    for name in LAYERS:
        chosen = torch.randint(maps[name][:, 0].numel(), (4 * ROWS,), generator=photos.generator)
        target = vectors(targets[name], chosen) * scales[name]
        adapters[name] = least_squares(vectors(maps[name], chosen), target)
    optimizer = torch.optim.Adam(
        [
            {"params": list(student.parameters()), "scale": 1.0},
            {"params": list(adapters.parameters()), "scale": 2.0},
        ]
    )
    own = OwnPictures(capacity=400, size=settings.size)
    return Run(settings, student, adapters, scales, optimizer, own, photos.generator)


def train(run: Run, teachers: Teachers, photos: Photos, checkpoint: Path) -> None:
    """Go on until `settings.steps`; save a checkpoint every 100 steps."""
    began = time.perf_counter() - run.seconds
    progress = tqdm(total=run.settings.steps, initial=run.step, unit="step", mininterval=5)
    while run.step < run.settings.steps:
        losses = train_step(run, teachers, photos)
        run.step += 1
        progress.update()
        if run.step % 20 == 0:
            progress.set_postfix({k: f"{v.item():.3f}" for k, v in losses.items()})
        if run.step % 100 == 0 or run.step == run.settings.steps:
            run.seconds = time.perf_counter() - began
            values = {name: round(value.item(), 4) for name, value in losses.items()}
            run.curve.append({"step": run.step, "seconds": round(run.seconds), **values})
            save_checkpoint(run, checkpoint)
    progress.close()


def train_step(run: Run, teachers: Teachers, photos: Photos) -> dict[str, Tensor]:
    """Change the student once; return the parts of its loss."""
    settings = run.settings
    for group in run.optimizer.param_groups:
        group["lr"] = settings.rate * group["scale"] * _schedule(run.step / settings.steps)
    if run.step % REFRESH_EVERY == 0 or len(run.own.store) < ENOUGH:
        run.student.requires_grad_(False)
        run.own.refresh(run.student, photos)
        run.student.requires_grad_(True)
    image = torch.cat(
        [
            run.own.sample(settings.own, run.generator),  # 3 · own pictures
            photos.varied_crops(settings.batch - 3 * settings.own, settings.size),
        ]
    ).contiguous(memory_format=torch.channels_last)
    targets, maps = teachers(image), run.student(image, [*LAYERS, *BEFORE_RELU.values()])
    losses = {name: torch.zeros(()) for name in WEIGHTS}
    for name in LAYERS:
        count = maps[name][:, 0].numel()
        chosen = torch.randint(count, (min(count, ROWS),), generator=run.generator)
        target = vectors(targets[name], chosen) * run.scales[name]
        seen = vectors(maps[name], chosen)
        losses["fit"] = losses["fit"] + unexplained(run.adapters[name](seen), target)
        losses["gram"] = losses["gram"] + kernel_distance(seen[:PRODUCTS], target[:PRODUCTS])
        losses["silence"] = losses["silence"] + silence(vectors(maps[BEFORE_RELU[name]], chosen))
        if name in DISTANCE_LAYERS:
            true = distances(targets[name][: 3 * settings.own].float(), settings.own)
            error = (distances(maps[name], settings.own) - true) / (true + 0.02)
            losses["distance"] = losses["distance"] + error.square().mean()
    losses = {name: value / len(LAYERS) for name, value in losses.items()}
    run.optimizer.zero_grad()
    torch.stack([WEIGHTS[name] * value for name, value in losses.items()]).sum().backward()
    nn.utils.clip_grad_norm_(run.student.parameters(), 1.0)
    run.optimizer.step()
    return {name: value.detach() for name, value in losses.items()}


def vectors(maps: Tensor, chosen: Tensor) -> Tensor:
    """Return the feature vectors at the chosen of the N·H·W positions, (P, C), float32."""
    return maps.movedim(1, -1).flatten(0, 2)[chosen].float()


def unexplained(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the share of the target's variance (about each channel's mean) that is missed."""
    variance = (target - target.mean(0)).square().mean()
    return (prediction - target).square().mean() / variance


def kernel_distance(seen: Tensor, target: Tensor) -> Tensor:
    r"""Compare which *positions* look alike to the student and to the teacher.

    For feature vectors :math:`f_p` at positions p, two pictures' Gram matrices satisfy
    :math:`n^2 \|G - G'\|^2 = \sum_{pq} k_{pq}^2 - 2 \sum_{pq'} k_{pq'}^2 + \sum_{p'q'} k_{p'q'}^2`
    with :math:`k_{pq} = f_p \cdot f_q`. A student with the teacher's products between positions
    therefore measures the teacher's distances between Gram matrices, whatever its own channels.
    Both the products and the centred products are compared, of (P, C_s) and (P, C_t) vectors.
    """
    distance = seen.new_zeros(())
    for centred in (False, True):
        if centred:
            seen, target = seen - seen.mean(0), target - target.mean(0)
        k_s = seen @ seen.mT / seen.shape[1]
        k_t = target @ target.mT / target.shape[1]
        distance = distance + 0.5 * (k_s - k_t).square().sum() / k_t.square().sum()
    return distance


def silence(before_relu: Tensor) -> Tensor:
    """Return how far the channels are from answering at one position in a hundred.

    A channel that is below 0 everywhere has no gradient behind its ReLU and never comes back; so it
    is held above 0 before the ReLU. (P, C) vectors; 0 if all channels answer.
    """
    strongest = before_relu.topk(max(1, len(before_relu) // 100), dim=0).values
    return (0.1 - strongest[-1]).relu().mean()


def distances(maps: Tensor, own: int) -> Tensor:
    """Return how far each of the first `own` pictures is from its style and from its photo.

    The styles and the photos are the next `own` pictures each. The optimiser makes these distances
    small: where the student finds them smaller than the teacher does, it has been fooled.

    Returns
    -------
    Tensor
        (2, own): of Gram matrices, and of maps; relative, 0 for equal.
    """
    painted, styles, photos = maps[:own], maps[own : 2 * own], maps[2 * own : 3 * own]
    return torch.stack(
        [_relative(gram_matrix(painted), gram_matrix(styles)), _relative(painted, photos)]
    )


def _relative(value: Tensor, target: Tensor) -> Tensor:
    energy = target.square().flatten(1).sum(1).clamp_min(1e-8)  # maps of zeros: do not divide by 0
    squares = (value - target).square().flatten(1).sum(1) / energy
    return (squares + 1e-8).sqrt()  # the slope of a root at 0 is infinite


def _schedule(progress: float) -> float:
    """Rise over the first 2 %, then fall as a cosine to 2 %."""
    warm = min(1.0, progress / 0.02 + 0.05)
    return warm * (0.02 + 0.98 * 0.5 * (1 + float(torch.cos(torch.tensor(progress * torch.pi)))))


def save_checkpoint(run: Run, file: Path) -> None:
    """Write the run to `file` in one move, so that a kill never leaves half a file."""
    state = {
        "settings": vars(run.settings),
        "student": run.student.stages.state_dict(),
        "adapters": run.adapters.state_dict(),
        "scales": run.scales,
        "optimizer": run.optimizer.state_dict(),
        "own": {"store": run.own.store, "easels": run.own.easels},
        "generator": run.generator.get_state(),
        "progress": {"step": run.step, "seconds": run.seconds, "curve": run.curve},
    }
    torch.save(state, file.with_suffix(".part"))
    file.with_suffix(".part").replace(file)


def load_checkpoint(file: Path, teachers: Teachers, photos: Photos) -> Run:
    """Read what `save_checkpoint` wrote."""
    state = torch.load(file, weights_only=True)
    run = start_run(Settings(**state["settings"]), teachers, photos)
    run.student.stages.load_state_dict(state["student"])
    run.adapters.load_state_dict(state["adapters"])
    run.optimizer.load_state_dict(state["optimizer"])
    run.scales = state["scales"]
    run.own.store, run.own.easels = state["own"]["store"], state["own"]["easels"]
    run.generator.set_state(state["generator"])
    run.step = state["progress"]["step"]
    run.seconds, run.curve = state["progress"]["seconds"], state["progress"]["curve"]
    return run


@torch.no_grad()
def export(run: Run, photos: Photos, file: Path) -> None:
    """Scale every layer to a mean activation of 1 on photos, and write the weights."""
    equalise(run.student, photos.crops(32, run.settings.size))
    metadata = {"settings": json.dumps(vars(run.settings)), "steps": str(run.step)}
    state = run.student.stages.state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, file, metadata)
    file.chmod(0o644)  # safetensors lets nobody else read it
    file.with_suffix(".json").write_text(json.dumps(run.curve, indent=0) + "\n")
