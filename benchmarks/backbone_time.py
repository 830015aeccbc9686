"""How many times faster is `compact` than VGG-19? One evaluation: the loss and its gradient.

``python -m benchmarks.backbone_time`` measures both in one run, with the default layers (style
relu1_1 … relu5_1, content relu4_2), and prints a Markdown table of medians. `random` stands for
VGG-19: it has its layers and widths, and random numbers take as long as learned ones.

The two take turns, `IN_A_ROW` evaluations each, as an optimisation evaluates one network again and
again. The table shows as well what remains when they take turns after every evaluation: then each
finds the caches full of the other's numbers, which hurts the small network more.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time

import torch

import nst_edu as nst
from nst_edu.allocation import reused_memory

SIZES = (256, 512)
TURNS = 10
IN_A_ROW = 6
WARM_UP = 2  # evaluations at the beginning of each turn that fill caches; they do not count
PEERS = {"VGG-19": "random", "compact": "compact"}


def evaluation_times(size: int, in_a_row: int, warm_up: int) -> dict[str, list[float]]:
    """Return for each turn the median seconds of an evaluation, `size` × `size` pixels."""
    content, style = torch.rand(2, 1, 3, size, size, generator=torch.Generator().manual_seed(0))
    objectives = {
        name: nst.Objective(nst.load_backbone(backbone, device="cpu"), content, style)
        for name, backbone in PEERS.items()
    }
    times: dict[str, list[float]] = {name: [] for name in objectives}
    for turn in range(TURNS + 1):
        for name, objective in objectives.items():
            measured = [_seconds(objective, content) for _ in range(warm_up + in_a_row)]
            if turn > 0:
                times[name].append(statistics.median(measured[warm_up:]))
    return times


def _seconds(objective: nst.Objective, content: torch.Tensor) -> float:
    image = content.clone().requires_grad_()
    began = time.perf_counter()
    objective(image).total.backward()
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, ", end=""
    )
    print(f"torch {torch.__version__}, medians of {TURNS} turns\n")
    print("| size | evaluations in a row | VGG-19 | compact | ratio (quartiles) |")
    print("|---|---|---|---|---|")
    for size in SIZES:
        for in_a_row, warm_up in ((IN_A_ROW, WARM_UP), (1, 0)):
            with reused_memory():
                times = evaluation_times(size, in_a_row, warm_up)
            large, small = (statistics.median(times[name]) for name in PEERS)
            ratios = [a / b for a, b in zip(times["VGG-19"], times["compact"], strict=True)]
            low, _, high = statistics.quantiles(ratios, n=4)
            row = f"{large:.3f} s | {small:.4f} s | {large / small:.1f} ({low:.1f}–{high:.1f})"
            print(f"| {size} px | {in_a_row} | {row} |")


if __name__ == "__main__":
    main()
