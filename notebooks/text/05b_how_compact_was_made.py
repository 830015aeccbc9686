# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Lesson 5b: How the embedded backbone was made
#
# `compact` came with this course. You downloaded nothing. Where does it come from, what has it
# seen, and when should you not trust it?
#
# **After this lesson you can**
#
# - say how a small network learns from a large one;
# - explain how an optimiser fools a network, and what helps against it;
# - read a table of picture quality, and name the limits of `compact`.
#
# **Time:** 15 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
import csv
import json
from importlib import resources
from pathlib import Path
from statistics import mean

import torch

import nst_edu as nst
from nst_edu import plots
from nst_edu.features import vgg_stages

torch.manual_seed(0)
SIZE = 64 if nst.is_fast() else 192  # pixels on the longer side
STEPS = 6 if nst.is_fast() else 60  # evaluations of the loss for one picture

# %% [markdown]
# **Warm-up:** VGG-19 was trained to name what is in a photo. `compact` was never asked to name
# anything. What else could a small network learn from a large one?
#
# <details><summary>Answer</summary>
#
# To give the same feature maps. Style transfer uses feature maps only, never the names.
#
# </details>
#
# ## A quarter of the width
#
# `compact` has the layers of VGG-19 up to `relu5_1`, with a quarter of the channels.
#
# **Predict:** how many numbers does a network have that is a quarter as wide?
#
# - (a) about a quarter
# - (b) about a sixteenth
# - (c) the same number, but smaller ones
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - *(a)* This would be so if each kernel kept its size. But a kernel has one slice for each
#   channel that comes in, and there are fewer of these, too.
# - *(b)* Right. A quarter of the channels come in, and a quarter go out.
# - *(c)* No. A smaller network has fewer numbers, not smaller ones.
#
# </details>


# %%
def count_numbers(stages):
    """Return how many weights and biases the stages have, up to relu5_1."""
    last = list(stages).index("relu5_1")
    kept = list(stages.values())[: last + 1]
    return sum(numbers.numel() for stage in kept for numbers in stage.parameters())


SMALL = count_numbers(vgg_stages("compact"))
LARGE = count_numbers(vgg_stages("vgg19"))
print(f"compact: {SMALL:,} numbers; VGG-19 up to relu5_1: {LARGE:,}; ratio {LARGE / SMALL:.1f}")

# %% [markdown]
# ## A student and its teachers
#
# This way of learning is called **distillation** (Hinton, Vinyals and Dean, 2015). A large
# *teacher* looks at a picture. A small *student* looks at the same picture. The student's weights
# are changed until its feature maps tell as much as the teacher's.
#
# The two do not have the same number of channels. So each layer of the student has a helper, a
# matrix that turns its channels into the teacher's. The helpers are thrown away in the end.
#
# - **Teachers:** the original VGG-19 up to `relu3_4`, and for the deeper layers a published
#   VGG-19 of a quarter of the width (Wang and others, 2020). The student began as a copy of the
#   latter, with new filters where that one had channels that never respond.
# - **Photos:** 1,800 web photos of objects and animals (Caltech-101), cut into pieces of 96 pixels,
#   some of them recoloured, blurred or noisy.
#
# The model card, `nst_edu/weights/compact.md`, has the details and the licences.
#
# During the training this was written down:

# %%
weights = resources.files("nst_edu") / "weights"
curve = json.loads((weights / "compact.json").read_text())
plots.plot_lines(
    {name: [point[name] for point in curve] for name in ("fit", "gram", "distance")},
    x=[point["step"] for point in curve],
    xlabel="steps",
    ylabel="error",
    title="The training of compact",
)

# %% [markdown]
# - *fit*: the share of the teacher's feature maps that the student cannot tell;
# - *gram*: how differently the two compare one position with another. Such comparisons decide
#   which pictures look painted in the same manner. (Lesson 7 builds the tool for this, the **Gram
#   matrix**: a table of which channels respond together, wherever in the picture.)
# - *distance*: how wrong the student is about how far its own pictures still are from their goal.
#
# A fourth part of the loss watches over the channels. In an earlier run almost 400 of them had
# fallen silent: they were below zero everywhere, so their ReLU let no gradient through, and they
# could not come back.
#
# ## The optimiser fools the student
#
# The last of the three errors needs an explanation. A student that has seen only photos gets good
# at photos. But style transfer changes the pixels until *the student* is content. It finds
# pictures that please the student and mean nothing to the teacher. They look like noise.
#
# So the student must see its own mistakes. During the training it paints, all the time. The
# teacher looks at these paintings and says how far they really are from their style and their
# photo. In the words of machine learning, the student learns **on-policy**: from the pictures
# that it makes itself.
#
# You can watch the fooling with a network that has learned nothing. `random` has the layers of
# VGG-19 at full width, and random weights. Both paint with the same losses and the same number of
# evaluations.

# %%
CONTENT = nst.load_image("coffee", size=SIZE)
STYLE = nst.load_image("swirl", size=SIZE)
painted, losses = {}, {}
for name in ("compact", "random"):
    steps = list(nst.style_transfer_steps(CONTENT, STYLE, backbone=name, steps=STEPS, scales=1))
    painted[name] = steps[-1].image
    losses[name] = steps[0].losses.style / steps[-1].losses.style

# %%
plots.show_images(
    [STYLE, *painted.values()],
    titles=["style", *painted],
    alt="The style has swirls of brush strokes. The picture made with compact has strokes that "
    "follow each other; the one made with random has the right colours in grains.",
)

# %%
for name, times in losses.items():
    print(f"{name:8}: its own style loss became {times:.0f} times smaller")

# %% [markdown]
# Each network says that its picture has the style. A judge is needed that did not paint.
#
# ## The judge
#
# The real VGG-19 is the judge here. It looks at pictures made with VGG-19 itself, with `compact`
# and with `random`. None of them was trained on these photos and paintings. The table was made by
# `python -m benchmarks.picture_quality`.

# %%
table = Path("../benchmarks/picture_quality.csv").read_text()
rows = list(csv.DictReader(table.splitlines()))
print(f"{'picture':36}{'relu2_1':>9}{'relu3_1':>9}{'content':>9}")
for name in dict.fromkeys(row["picture"] for row in rows):
    own = [row for row in rows if row["picture"] == name]
    values = [mean(float(row[key]) for row in own) for key in ("relu2_1", "relu3_1", "content")]
    print(f"{name:36}" + "".join(f"{value:9.3f}" for value in values))
print(f"\nmeans over {len(own)} pairs of a photo and a painting")

# %% [markdown]
# `relu2_1` and `relu3_1`: how far the Gram matrix is from the painting's, 0 is equal. `content`:
# how far the feature maps at `relu3_4` are from the photo's. The row *photo* is the photo itself,
# before anything was painted.
#
# All painters matched the photo at one layer, `relu3_4`, with a style weight of 50. The row with @
# is the exception: style weight 40, and the photo at three layers. One layer of so small a network
# does not hold the photo as well as VGG-19 does. Three layers of different depth hold it better.
#
# **Question:** which column would you look at to see that a network has been fooled, and why not
# at the painter's own loss?
#
# <details><summary>Answer</summary>
#
# At `relu3_1`: the deeper layer, where the picture made with the random network stays farthest from
# the painting. A painter's own loss says only how content the painter is.
#
# </details>
#
# ## Three channels
#
# Here are feature maps of both networks for the photo of the cat. For each channel of `compact`
# the most similar channel of VGG-19 was looked for. Nobody picked the nicest ones: at each layer
# you see the pair whose likeness is the median. From the first row to the last, the correlation
# of the pair falls: the deeper the layer, the less do single channels resemble each other.
#
# ![Three rows of two gray pictures of the cat's face. Left compact, right VGG-19. In the first row
# bright spots in the eyes and the pale background light up in both. In the second row the same
# outlines do, in compact a little broader. In the third row only the large shapes
# agree.](../images/gallery/channels.png)
#
# A channel need not have a twin. A style loss compares what *all* channels say together.
#
# ## What it cannot do
#
# - It has seen photos of objects and animals. It has never seen X-ray or satellite pictures, and
#   little text.
# - Its deepest layers learned from a small teacher, not from VGG-19 itself.
# - It cannot say what is in a picture. It has no layer that would.
# - It is not VGG-19: its pictures move farther away from the photo, as the table shows.
# - It inherits what its teachers prefer. VGG-19 learned from ImageNet, with all the gaps that this
#   collection has.
#
# ## Recap
#
# - A small student can learn the feature maps of a large teacher.
# - Photos alone are not enough. The optimiser looks for the student's mistakes, so the student has
#   to learn from its own pictures.
# - A low loss says that the painter is content. A judge that did not paint says more.
#
# **One thing to try:** paint with `backbone="random"` and a larger `style_weight`. Does the
# picture get strokes, or more noise?
