"""How many times faster is `compact` than VGG-19? One evaluation: the loss and its gradient.

``python -m benchmarks.backbone_time`` measures both in turns, in one run, with the default layers
(style relu1_1 … relu5_1, content relu4_2), and prints a Markdown table of medians. `random` stands
for VGG-19: it has its layers and widths, and random numbers take as long as learned ones.
"""

from __future__ import annotations

import platform
import statistics
import time

import torch

import nst_edu as nst
from nst_edu.fast import reused_memory

SIZES = (256, 512)
ROUNDS = 15
PEERS = {"compact": "compact", "VGG-19": "random"}


def evaluation_times(size: int) -> dict[str, list[float]]:
    """Return the seconds of each evaluation, `size` × `size` pixels, measured in turns."""
    content, style = torch.rand(2, 1, 3, size, size, generator=torch.Generator().manual_seed(0))
    objectives = {
        name: nst.Objective(nst.load_backbone(backbone, device="cpu"), content, style)
        for name, backbone in PEERS.items()
    }
    times: dict[str, list[float]] = {name: [] for name in objectives}
    for number in range(ROUNDS + 2):
        for name, objective in objectives.items():
            image = content.clone().requires_grad_()
            began = time.perf_counter()
            objective(image).total.backward()
            if number >= 2:  # the first ones fill caches
                times[name].append(time.perf_counter() - began)
    return times


def main() -> None:
    """Print the table."""
    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, ", end=""
    )
    print(f"torch {torch.__version__}, medians of {ROUNDS} evaluations in turns\n")
    print("| size | VGG-19 | compact | ratio (quartiles) |\n|---|---|---|---|")
    for size in SIZES:
        with reused_memory():
            times = evaluation_times(size)
        large, small = (statistics.median(times[name]) for name in ("VGG-19", "compact"))
        ratios = [a / b for a, b in zip(times["VGG-19"], times["compact"], strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        row = f"{large:.3f} s | {small:.4f} s | {large / small:.1f} ({low:.1f}–{high:.1f})"
        print(f"| {size} px | {row} |")


if __name__ == "__main__":
    main()
