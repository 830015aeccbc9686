"""How long until a learner has a picture, and how far VGG-19 is from the floor.

``python -m benchmarks.first_picture`` prints a Markdown table and whether each bar is met. Every
measurement that needs a clean process (time of an import, peak memory) runs in one of its own.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

import nst_edu as nst
from nst_edu.allocation import reused_memory

FINISHED_PICTURE = """
import resource, time
began = time.perf_counter()
import nst_edu as nst
imported = time.perf_counter()
nst.style_transfer(nst.load_image("chelsea", size=512), nst.load_image("swirl"), device="cpu")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux
print(time.perf_counter() - imported, peak / 1024**2)
"""

IMPORT = """
import time
began = time.perf_counter()
import torch
middle = time.perf_counter()
import nst_edu
nst_edu.style_transfer  # the core is imported when it is first used
print(time.perf_counter() - middle)
"""

LESSON = """
import sys, time
import nbformat
from jupyter_client.manager import start_new_kernel
began = time.perf_counter()
manager, client = start_new_kernel(kernel_name="python3")
for cell in nbformat.read(sys.argv[1], as_version=4).cells:
    if cell.cell_type == "code":
        reply = client.execute_interactive(cell.source, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", reply["content"]
    if "style_transfer(" in cell.source and cell.cell_type == "code":
        break
print(time.perf_counter() - began)
manager.shutdown_kernel(now=True)
"""


def in_new_process(code: str, *arguments: str) -> list[float]:
    """Run `code` in a fresh Python and return the numbers that it prints last."""
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(word) for word in result.stdout.split("\n")[-2].split()]


def convolutions_alone(backbone: nst.Backbone, last: str) -> Callable[[Tensor], None]:
    """Return the floor: the convolutions up to `last`, forward and backward to their input.

    Each convolution gets a random input of the right size, in the order of memory that suits it
    best (channels last). Nothing else is computed: no ReLU, no pooling, no loss, no gradient of a
    weight.
    """
    names = backbone.layers[: backbone.layers.index(last) + 1]
    stages = [(n, s) for n, s in backbone.stages.items() if n in names]

    def run(image: Tensor) -> None:
        shape = image.shape
        for _, stage in stages:
            if isinstance(stage, nn.MaxPool2d):
                shape = torch.Size((*shape[:2], shape[2] // 2, shape[3] // 2))
            if isinstance(stage, nn.Conv2d):
                x = inputs[shape].requires_grad_()
                y = stage(x)
                torch.autograd.grad(y, x, outputs[y.shape])
                shape = y.shape

    inputs = _Random(backbone.mean.device)
    outputs = inputs
    return run


class _Random(dict[torch.Size, Tensor]):
    """Random tensors by shape, made once: making them is no part of the floor."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device

    def __missing__(self, shape: torch.Size) -> Tensor:
        numbers = torch.randn(shape, device=self.device)
        self[shape] = numbers.to(memory_format=torch.channels_last)
        return self[shape]


def seconds_of(runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Time the runs in turn, round by round, so that a busy minute hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if number > 0:  # the first round warms up
                times[name].append(time.perf_counter() - began)
    return times


def evaluation_against_floor(size: int, rounds: int) -> tuple[float, float]:
    """Return the medians of one VGG-19 evaluation to relu5_1, and of its floor, in seconds."""
    backbone = nst.load_backbone("random", device="cpu")  # VGG-19's layout; the cost is the same
    image = torch.rand(1, 3, size, size)
    objective = nst.Objective(backbone, image, torch.rand(1, 3, size, size))
    floor = convolutions_alone(backbone, "relu5_1")

    def evaluate() -> None:
        pixels = image.clone().requires_grad_()
        objective(pixels).total.backward()

    with reused_memory():  # as optimize_image does; the floor has the same advantage
        times = seconds_of({"ours": evaluate, "floor": lambda: floor(image)}, rounds)
    return statistics.median(times["ours"]), statistics.median(times["floor"])


def main() -> None:
    """Measure everything, and print the table."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}\n"
    )
    print("| what | measured | bar | met |\n|---|---|---|---|")

    def row(what: str, value: float, unit: str, bar: float) -> None:
        met = "yes" if value <= bar else "NO"
        print(f"| {what} | {value:.2f} {unit} | ≤ {bar:g} {unit} | {met} |", flush=True)

    seconds, gigabytes = in_new_process(FINISHED_PICTURE)
    row("`compact`, a finished 512-px picture", seconds, "s", 20)
    row("its peak memory", gigabytes, "GiB", 1.4)  # 1.5 GB
    lesson = next(Path("notebooks").glob("00_*.ipynb"))
    (seconds,) = in_new_process(LESSON, str(lesson))
    row("lesson 0, from kernel start to the picture", seconds, "s", 30)
    imports = [in_new_process(IMPORT)[0] for _ in range(5)]
    row("`import nst_edu` after `import torch`", statistics.median(imports), "s", 0.3)
    for size, rounds in ((256, 7), (512, 5)):
        ours, floor = evaluation_against_floor(size, rounds)
        what = f"one VGG-19 evaluation, {size} px ({ours:.2f} s) ÷ convolutions alone"
        row(what, ours / floor, "×", 1.3)


if __name__ == "__main__":
    main()
