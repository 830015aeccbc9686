"""Train `compact`: ``python -m nst_edu.training --photos FOLDER --teachers FOLDER``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from nst_edu.allocation import reused_memory
from nst_edu.training.distill import Settings, export, load_checkpoint, start_run, train
from nst_edu.training.pictures import Photos
from nst_edu.training.teachers import Teachers


def main() -> None:
    """Start a run, or go on with the one in the checkpoint; write the weights at its end."""
    parser = argparse.ArgumentParser(prog="python -m nst_edu.training", description=__doc__)
    add = parser.add_argument
    add("--photos", type=Path, required=True, help="folder of .jpg and .png files")
    add("--teachers", type=Path, help="folder of teacher files; else torchvision's VGG-19")
    add("--checkpoint", type=Path, required=True, help="file; the run goes on from it if it exists")
    add("--out", type=Path, default=Path("compact.safetensors"), help="where to write the weights")
    add("--steps", type=int, default=Settings.steps)
    add("--seed", type=int, default=Settings.seed)
    arguments = parser.parse_args()

    teachers = Teachers(arguments.teachers)
    photos = Photos(arguments.photos, torch.Generator().manual_seed(arguments.seed))
    if arguments.checkpoint.exists():
        run = load_checkpoint(arguments.checkpoint, teachers, photos)
    else:
        run = start_run(Settings(steps=arguments.steps, seed=arguments.seed), teachers, photos)
    with reused_memory():
        train(run, teachers, photos, arguments.checkpoint)
    export(run, photos, arguments.out)


if __name__ == "__main__":
    main()
