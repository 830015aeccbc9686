"""What one evaluation costs, against its floor and against what others do.

``python -m benchmarks.engine --out FOLDER [--device cuda]`` measures in one run, in turns:

- the *floor*: the convolutions alone, forward and backward to the pixels;
- ours, with VGG-19's layout and with `compact`; with a step of L-BFGS or Adam after it; and in
  bfloat16;
- the *lean loop* and the *textbook loop* of `benchmarks.peers`, as stand-ins for other packages;
- the peak memory of each, in processes of their own;
- how time and memory grow with the number of pixels: the exponent of a fitted power.

It prints the tables and whether each bar is met, and writes ``engine.csv`` and ``engine.png``. The
bars are for the CPU.
`random` stands for VGG-19: it has its layers and widths, and its numbers take as long.
"""

from __future__ import annotations

import argparse
import csv
import math
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.first_picture import convolutions_alone
from benchmarks.peers import LOOPS
from nst_edu.allocation import reused_memory
from nst_edu.features import Backbone, load_backbone
from nst_edu.objective import Objective
from nst_edu.optimize import optimize_image
from nst_edu.settings import choose_device

SIZES = (128, 256, 512, 1024)
FITTED = 256  # px: from here on the exponents are fitted; below, fixed costs count
BUDGET = 20.0  # s for one contender at one size, at least two turns
VGG, COMPACT = "VGG-19", "compact"
BACKBONES = {VGG: "random", COMPACT: "compact"}
CONTENDERS = [  # backbone, loop
    (VGG, "floor"),
    (VGG, "ours"),
    (VGG, "lean loop"),
    (VGG, "textbook loop"),
    (VGG, "ours, L-BFGS step"),
    (VGG, "ours, bfloat16"),
    (COMPACT, "floor"),
    (COMPACT, "ours"),
    (COMPACT, "ours, L-BFGS step"),
    (COMPACT, "ours, Adam step"),
    (COMPACT, "ours, bfloat16"),
]
OPTIMIZERS = {"ours, L-BFGS step": "lbfgs", "ours, Adam step": "adam"}
LOW = "ours, bfloat16"
STEPS = 1000  # more than are measured
IN_A_ROW = 4  # evaluations, as an optimisation makes them
Run = Callable[[Tensor], object]

# Peak memory of the network and some evaluations, less what the process had before, when torch had
# computed its first convolution. One process for each.
MEMORY = """
import importlib, sys, torch
from pathlib import Path
from nst_edu.allocation import reused_memory
module, device = importlib.import_module(sys.argv[1]), sys.argv[-1]
first = torch.rand(1, 3, 64, 64, device=device, requires_grad=True)
torch.nn.Conv2d(3, 8, 3, device=device)(first).sum().backward()
def peak():  # KiB; getrusage would begin with the peak of the process that started this one
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 1024
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
before = peak()
with reused_memory():  # as optimize_image does
    run = module.trial(*sys.argv[2:])
    for _ in range(3):
        run()
print((peak() - before) / 1024)
"""


def pictures(size: int, device: str = "cpu") -> Tensor:
    """Return a photo and a style picture of random numbers, (2, 1, 3, size, size)."""
    numbers = torch.rand(2, 1, 3, size, size, generator=torch.Generator().manual_seed(0))
    return numbers.to(device)


def load(backbone: str, device: str, precision: str = "float32") -> Backbone:
    """Load what stands for a network of the table."""
    return load_backbone(BACKBONES[backbone], device=device, precision=precision)


def made(backbone: str, loop: str, size: int, network: Backbone | None = None) -> Run:
    """Return one evaluation: it takes the picture, and leaves a gradient in it."""
    network = network or load(backbone, "cpu")
    device = network.mean.device.type
    content, style = pictures(size, device)
    if loop == "floor":
        return convolutions_alone(network, "relu5_1")
    if loop in OPTIMIZERS:
        objective = Objective(network, content, style)
        start = content.flip(3)  # the content itself would be too good: the first move diverges
        steps = optimize_image(objective, start, steps=STEPS, optimizer=OPTIMIZERS[loop])
        return lambda _: next(steps)  # it has a picture of its own
    if loop == LOW:
        return LOOPS["ours"](load(backbone, device, "bfloat16"), content, style)
    return LOOPS[loop](network, content, style)


def measured(
    size: int, contenders: Iterable[tuple[str, str]], device: str = "cpu"
) -> dict[tuple[str, str], list[float]]:
    """Return the seconds of each evaluation, a few in a row in each turn."""
    networks = {name: load(name, device) for name in BACKBONES}
    runs = {(b, loop): made(b, loop, size, networks[b]) for b, loop in contenders}
    photo = pictures(size, device)[0]
    times: dict[tuple[str, str], list[float]] = {contender: [] for contender in runs}
    turn = 0
    while turn < 2 or (sum(map(sum, times.values())) < BUDGET * len(runs) and turn < 10):
        for contender, run in runs.items():
            clock = []
            for _ in range(IN_A_ROW):
                image = photo.clone().requires_grad_()
                wait_for(device)
                began = time.perf_counter()
                run(image)
                wait_for(device)
                clock.append(time.perf_counter() - began)
            times[contender] += clock[1:]  # the first finds the memory as another has left it
        turn += 1
    return times


def wait_for(device: str) -> None:
    """Wait until a GPU has done all that was asked of it."""
    if device != "cpu":
        torch.accelerator.synchronize()


def trial(backbone: str, loop: str, size: str, device: str = "cpu") -> Callable[[], object]:
    """Return an evaluation whose memory is measured."""
    run = made(backbone, loop, int(size), load(backbone, device))
    photo = pictures(int(size), device)[0]
    return lambda: run(photo.clone().requires_grad_())


def peak(module: str, *arguments: object) -> float:
    """Return by how many MiB `trial` of a module raises the peak of a process.

    The last argument is the device.
    """
    command = [sys.executable, "-c", MEMORY, module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def machine(device: str = "cpu") -> str:
    """Name the processor and the versions."""
    if device.startswith("cuda"):
        return (
            f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, torch {torch.__version__}"
        )
    file = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", file.read_text()) if file.exists() else None
    processor = found[1] if found else platform.processor() or platform.machine()
    capability = torch.backends.cpu.get_cpu_capability()
    threads = torch.get_num_threads()
    return f"{processor} ({capability}), {threads} threads, torch {torch.__version__}"


def exponent(sizes: Iterable[int], values: Iterable[float]) -> float:
    """Return p of the least-squares fit value = c · pixelsᵖ.

    Examples
    --------
    >>> round(exponent([256, 512], [1.0, 4.0]), 6)  # four times the pixels, four times the value
    1.0
    """
    x, y = [2 * math.log(size) for size in sizes], [math.log(value) for value in values]
    return statistics.linear_regression(x, y).slope


def draw(rows: list[dict[str, str | float]], file: Path) -> None:
    """Plot time and memory against the size, both axes logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.5), layout="constrained")
    axes = figure.subplots(1, 2)
    titles = {"seconds": "one evaluation, seconds", "MiB": "peak memory, MiB"}
    for axis, (column, title) in zip(axes, titles.items(), strict=True):
        for number, (backbone, loop) in enumerate(CONTENDERS):
            mine = [row for row in rows if (row["backbone"], row["loop"]) == (backbone, loop)]
            mine = [row for row in mine if row[column] != ""]
            if mine:
                sizes, values = [row["size"] for row in mine], [row[column] for row in mine]
                style = {"marker": "osv^Dx*P+1d"[number], "color": f"C{number}"}
                axis.plot(sizes, values, label=f"{backbone}, {loop}", **style)
        axis.set(xscale="log", yscale="log", xlabel="longer side, px", title=title)
        axis.set_xticks(SIZES, [str(size) for size in SIZES])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize="small")
    figure.savefig(file, dpi=120)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True, help="folder for engine.csv, engine.png")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="default: %(default)s")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps (default: %(default)s)")
    args = parser.parse_args()
    device = choose_device(args.device).type
    args.out.mkdir(parents=True, exist_ok=True)
    print(f"{machine(device)}, {date.today()}; medians (quartiles)\n")
    print("| size | network | loop | seconds | ÷ floor | MiB |\n|---|---|---|---|---|---|")
    rows: list[dict[str, str | float]] = []
    for size in args.sizes:
        with reused_memory():
            times = measured(size, CONTENDERS, device)
        for (backbone, loop), mine in times.items():
            rows.append(_row(size, backbone, loop, mine, times[backbone, "floor"], device))
    with (args.out / "engine.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, args.out / "engine.png")
    _judge(rows)


def _row(
    size: int, backbone: str, loop: str, mine: list[float], floor: list[float], device: str
) -> dict[str, str | float]:
    """Return a line of the table, and print it."""
    low, middle, high = statistics.quantiles(mine, n=4)
    ratio = middle / statistics.median(floor)
    memory: str | float = ""
    if loop != "floor":
        memory = round(peak("benchmarks.engine", backbone, loop, size, device), 1)
    seconds = f"{middle:.4f} ({low:.4f}–{high:.4f})"
    print(f"| {size} | {backbone} | {loop} | {seconds} | {ratio:.2f} | {memory} |", flush=True)
    return {
        "size": size, "backbone": backbone, "loop": loop, "seconds": middle, "low": low,
        "high": high, "MiB": memory,
    }  # fmt: skip


def _judge(rows: list[dict[str, str | float]]) -> None:
    """Print whether each bar is met."""

    def value(size: int, backbone: str, loop: str, column: str = "seconds") -> float:
        found = [r for r in rows if (r["size"], r["backbone"], r["loop"]) == (size, backbone, loop)]
        return float(found[0][column])

    def bar(what: str, got: float, limit: float, *, least: bool = False) -> None:
        met = got >= limit if least else got <= limit
        sign = "≥" if least else "≤"
        print(f"| {what} | {got:.2f} | {sign} {limit:g} | {'yes' if met else 'NO'} |")

    sizes = sorted({int(row["size"]) for row in rows})
    print("\n| what | measured | bar | met |\n|---|---|---|---|")
    for size in (s for s in sizes if s in (256, 512)):
        ours = value(size, VGG, "ours")
        bar(f"VGG-19 ÷ floor, {size} px", ours / value(size, VGG, "floor"), 1.15)
        for loop, limit in (("textbook loop", 1.6), ("lean loop", 1.0)):
            bar(f"{loop} ÷ VGG-19, {size} px", value(size, VGG, loop) / ours, limit, least=True)
        bar(f"VGG-19 ÷ compact, {size} px", ours / value(size, COMPACT, "ours"), 9, least=True)
        memory = value(size, COMPACT, "ours", "MiB") / value(size, VGG, "ours", "MiB")
        bar(f"memory of compact ÷ VGG-19's, {size} px", memory, 1 / 3)
    fitted = [size for size in sizes if size >= FITTED]
    for backbone in BACKBONES if len(fitted) > 1 else ():
        for column in ("seconds", "MiB"):
            values = [value(size, backbone, "ours", column) for size in fitted]
            bar(f"{backbone}: exponent of {column}", exponent(fitted, values), 1.1)


if __name__ == "__main__":
    main()
