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

from nst_edu.features import Backbone, vgg_stages
from nst_edu.training.on_policy import OwnPictures
from nst_edu.training.pictures import Photos
from nst_edu.training.teachers import LAYERS, Teachers

WARM_UP = 500  # steps on photos alone, before the student's own pictures are worth anything
REFRESH_EVERY = 4  # steps


@dataclass
class Settings:
    """What decides a run; it is written into the checkpoint."""

    steps: int = 4000
    batch: int = 12
    size: int = 96
    rate: float = 2e-3
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
    """Make a fresh student and one 1×1 adapter for each layer."""
    torch.manual_seed(settings.seed)
    student = Backbone("student", vgg_stages("compact", settings.channels))
    student.requires_grad_(True)
    for stage in student.stages.values():
        if isinstance(stage, nn.Conv2d):
            nn.init.kaiming_normal_(stage.weight)
            nn.init.zeros_(stage.bias)  # type: ignore[arg-type]
    image = photos.crops(16, settings.size)
    targets, maps = teachers(image), student(image, LAYERS)
    # Layers of a VGG differ in size of activation by a factor of 100; the adapters only learn
    # well once each layer is divided by its mean.
    scales = {name: 1 / float(target.abs().mean()) for name, target in targets.items()}
    adapters = nn.ModuleDict(
        {n: nn.Conv2d(maps[n].shape[1], targets[n].shape[1], 1, bias=False) for n in LAYERS}
    )
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
    if run.step >= WARM_UP and (run.step % REFRESH_EVERY == 0 or len(run.own.store) < 64):
        run.student.requires_grad_(False)
        run.own.refresh(run.student, photos)
        run.student.requires_grad_(True)
    if run.step < WARM_UP:
        image = photos.varied_crops(settings.batch, settings.size)
    else:
        half = settings.batch // 2
        image = torch.cat(
            [photos.varied_crops(half, settings.size), run.own.sample(half, run.generator)]
        )
    targets, maps = teachers(image), run.student(image, LAYERS)
    losses = {"fit": torch.zeros(()), "gram": torch.zeros(())}
    for name in LAYERS:
        target = targets[name] * run.scales[name]
        losses["fit"] = losses["fit"] + unexplained(run.adapters[name](maps[name]), target)
        losses["gram"] = losses["gram"] + kernel_distance(maps[name], target, run.generator)
    losses = {name: value / len(LAYERS) for name, value in losses.items()}
    run.optimizer.zero_grad()
    (losses["fit"] + losses["gram"]).backward()
    nn.utils.clip_grad_norm_(run.student.parameters(), 1.0)
    run.optimizer.step()
    return {name: value.detach() for name, value in losses.items()}


def unexplained(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the share of the target's variance (about each channel's mean) that is missed."""
    variance = (target - target.mean((0, 2, 3), keepdim=True)).square().mean()
    return (prediction - target).square().mean() / variance


def kernel_distance(maps: Tensor, target: Tensor, generator: torch.Generator) -> Tensor:
    r"""Compare which *positions* look alike to the student and to the teacher.

    For feature vectors :math:`f_p` at positions p, two pictures' Gram matrices satisfy
    :math:`n^2 \|G - G'\|^2 = \sum_{pq} k_{pq}^2 - 2 \sum_{pq'} k_{pq'}^2 + \sum_{p'q'} k_{p'q'}^2`
    with :math:`k_{pq} = f_p \cdot f_q`. A student with the teacher's products between positions
    therefore measures the teacher's distances between Gram matrices, whatever its own channels.
    Both the products and the centred products are compared, at up to 320 random positions.
    """
    count = maps.shape[0] * maps.shape[2] * maps.shape[3]
    chosen = torch.randint(count, (320,), generator=generator)
    rows_s = maps.movedim(1, -1).flatten(0, 2)[chosen]  # (P, C_s)
    rows_t = target.movedim(1, -1).flatten(0, 2)[chosen]  # (P, C_t)
    distance = maps.new_zeros(())
    for centred in (False, True):
        if centred:
            rows_s, rows_t = rows_s - rows_s.mean(0), rows_t - rows_t.mean(0)
        k_s = rows_s @ rows_s.mT / rows_s.shape[1]
        k_t = rows_t @ rows_t.mT / rows_t.shape[1]
        distance = distance + 0.5 * (k_s - k_t).square().sum() / k_t.square().sum()
    return distance


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
        "own": run.own.store,
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
    run.scales, run.own.store = state["scales"], state["own"]
    run.generator.set_state(state["generator"])
    run.step = state["progress"]["step"]
    run.seconds, run.curve = state["progress"]["seconds"], state["progress"]["curve"]
    return run


@torch.no_grad()
def export(run: Run, photos: Photos, file: Path) -> None:
    """Scale every layer to a mean activation of 1 on photos, and write the weights.

    ReLU(s·x) = s·ReLU(x) for s > 0: a layer is multiplied by s, and the next layer's weights are
    divided by it, so that what the network computes stays the same up to that factor (Gatys et al.
    2015, section "Methods", rescale VGG in this way).
    """
    stages = run.student.stages
    image = photos.crops(32, run.settings.size)
    before = 1.0
    for name, conv in stages.items():
        if not isinstance(conv, nn.Conv2d):
            continue
        assert conv.bias is not None  # every convolution here has one
        relu = name.replace("conv", "relu")
        conv.weight.div_(before)
        mean = float(run.student(image, [relu])[relu].mean())
        conv.weight.div_(mean)
        conv.bias.div_(mean)
        before = 1 / mean
    metadata = {"settings": json.dumps(vars(run.settings)), "steps": str(run.step)}
    save_file({k: v.contiguous() for k, v in stages.state_dict().items()}, file, metadata)
    file.chmod(0o644)  # safetensors lets nobody else read it
    file.with_suffix(".json").write_text(json.dumps(run.curve, indent=0) + "\n")
