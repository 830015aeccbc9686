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
# # Lesson 6: Content loss
#
# Two programs change a photo. Both move every number in it by exactly the same amount. One
# result still shows the cat. The other one looks broken. A person sees the difference at once.
# How can a program measure it? In this lesson you build the number that says how far a picture's
# content is from the photo's.
#
# **After this lesson you can**
#
# - write the content loss and its gradient, and show that both are right;
# - say what a sum does in place of a mean, and an absolute error in place of a squared one;
# - rebuild a photo from one layer's feature maps, and say what this layer kept and what it lost;
# - decide whether a rising content loss is a sign of a mistake.
#
# **Time:** 45 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
import torch
from torch.nn import functional

import nst_edu as nst
from nst_edu import exercises, plots
from nst_edu.losses import content_loss

torch.manual_seed(0)
SIZE = 64 if nst.is_fast() else 128  # pixels on the longer side
STEPS = 60 if nst.is_fast() else 100  # evaluations of the loss in one run

BACKBONE = nst.load_backbone()
DEVICE = BACKBONE.mean.device
PHOTO = nst.load_image("chelsea", size=SIZE).to(DEVICE)
DEPTHS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]

# %% [markdown]
# ## The same amount, another look
#
# Here are the two changed photos. `amount` says by how much each number moves. The first program
# always subtracts it. The second program tosses a coin for each number: add or subtract.

# %%
amount = 0.5 * torch.minimum(PHOTO, 1 - PHOTO)  # small enough to stay between 0 and 1
coins = torch.randint(0, 2, PHOTO.shape, generator=torch.Generator().manual_seed(0)).to(DEVICE)
darker = PHOTO - amount
speckled = PHOTO + (2 * coins - 1) * amount

plots.show_images(
    [PHOTO, darker, speckled],
    titles=["photo", "darker", "speckled"],
    alt="Three times the same cat: the photo, a darker version of it, and a version that is "
    "covered with coarse coloured grain.",
)

# %% [markdown]
# The **squared error** of two pictures is the mean of the squared differences of their numbers.

# %% tags=["nbval-check-output"]
error_of_darker = (darker - PHOTO).square().mean()
error_of_speckled = (speckled - PHOTO).square().mean()
print("the same squared error in pixels:", torch.allclose(error_of_darker, error_of_speckled))

# %% [markdown]
# So an error in pixels cannot tell the two apart. Lesson 5 showed other numbers: the feature
# maps of a network.
#
# **Warm-up** (lesson 5): `relu4_2` stands behind three pooling layers. Each of them halves height
# and width, and rounds down. How high and how wide are its maps for a photo of 85 × 128 pixels?

# %%
maps = BACKBONE(PHOTO, ["relu4_2"])["relu4_2"]
print("photo:   height and width", tuple(PHOTO.shape[-2:]))
print("relu4_2: height and width", tuple(maps.shape[-2:]))

# %% [markdown]
# Each position of a map still belongs to one part of the picture. Feature maps know *where*
# something is, only less exactly than pixels do.
#
# **Predict:** we compare the maps at `relu4_2`. Which of the two pictures is nearer to the photo
# there?
#
# - (a) neither: each number moved by the same amount
# - (b) the darker one
# - (c) the speckled one
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) The amounts are equal, but a convolution adds up many pixels, each with its weight. It
#   matters which *signs* the errors have, and how neighbouring errors go together.
# - (b) Right, as the next cell shows. In the darker picture neighbouring pixels change in the
#   same way. Edges stay where they are. Some get weaker, some stronger.
# - (c) You may think that random errors cancel out. Some do. But those that remain look like
#   edges where the photo has none, and the network responds to them.
#
# </details>


# %%
def distance(maps, target):
    """Squared error as a share of the target's own mean square: 0 means equal."""
    return ((maps - target).square().mean() / target.square().mean()).item()


target = BACKBONE(PHOTO, ["relu4_2"])["relu4_2"]
distances = {}
for name, picture in {"darker": darker, "speckled": speckled}.items():
    distances[name] = distance(BACKBONE(picture, ["relu4_2"])["relu4_2"], target)
    print(f"{name:9} distance at relu4_2: {distances[name]:.3f}")

# %% tags=["nbval-check-output"]
ratio = distances["speckled"] / distances["darker"]
print("speckled is more than twice as far away as darker:", ratio > 2)

# %% [markdown]
# This is the idea of the **content loss** of Gatys, Ecker and Bethge (2015): compare two pictures
# by their feature maps, position by position, and not by their pixels.
#
# ## The content loss
#
# $F$ holds the feature maps of the picture that is being painted. $P$ holds those of the photo,
# at the same layer. Both have $n$ entries.
#
# $$L_{content} = \frac{1}{n} \sum_{i=1}^{n} (F_i - P_i)^2$$
#
# **Worked example.** One channel, one row, four positions:
#
# | entry | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|
# | $F$ | 1 | 5 | 0 | 2 |
# | $P$ | 0 | 2 | 0 | 4 |
# | $F - P$ | 1 | 3 | 0 | −2 |
# | squared | 1 | 9 | 0 | 4 |
#
# The squares sum up to 14. There are $n = 4$ entries, so the loss is 14 / 4 = 3.5. The next cell
# computes this number three times: by the formula, with the package, and with torch.

# %% tags=["nbval-check-output", "binds-formula"]
f = torch.tensor([[[[1.0, 5.0, 0.0, 2.0]]]])  # (1, 1, 1, 4)
p = torch.tensor([[[[0.0, 2.0, 0.0, 4.0]]]])


def content_loss_by_hand(features, target):
    """Write the formula out, entry by entry."""
    total, n = 0.0, 0
    for f_i, p_i in zip(features.flatten().tolist(), target.flatten().tolist(), strict=True):
        total += (f_i - p_i) ** 2
        n += 1
    return total / n


values = content_loss_by_hand(f, p), content_loss(f, p).item(), functional.mse_loss(f, p).item()
print("by hand, package, torch:", *values)
print("all three are equal:", len(set(values)) == 1)

# %% [markdown]
# **Check yourself:** which entry has the largest share of this loss, and how large is the share?
#
# <details><summary>Answer</summary>
#
# The second one, with 9 of 14: nearly two thirds. One large difference can outweigh many small
# ones. We come back to this below.
#
# </details>
#
# The same three ways agree on real maps:

# %% tags=["nbval-check-output"]
F_MAPS = BACKBONE(speckled, ["relu3_1"])["relu3_1"]
P_MAPS = BACKBONE(PHOTO, ["relu3_1"])["relu3_1"]
by_package = content_loss(F_MAPS, P_MAPS)
by_hand = torch.tensor(content_loss_by_hand(F_MAPS, P_MAPS)).to(by_package)
print("package = by hand:", torch.allclose(by_package, by_hand, rtol=1e-4))
print("package = torch:  ", torch.allclose(by_package, functional.mse_loss(F_MAPS, P_MAPS)))

# %% [markdown]
# ## The gradient
#
# The optimiser needs the gradient (lesson 4). One entry $F_i$ occurs in one summand only, so
#
# $$\frac{\partial L_{content}}{\partial F_i} = \frac{2}{n}\,(F_i - P_i)$$
#
# It is large where the maps differ much, and 0 where they agree. From there autograd follows the
# chain rule back through the network, to the pixels.

# %% tags=["nbval-check-output", "binds-formula"]
exact = f.double().requires_grad_()
content_loss(exact, p.double()).backward()

formula = [2 / 4 * (f_i - p_i).item() for f_i, p_i in zip(f.flatten(), p.flatten(), strict=True)]
autograd = exact.grad.flatten().tolist()

h = 1e-4  # a finite difference moves one entry at a time
slopes = []
for i in range(4):
    step = torch.zeros(4, dtype=torch.float64)
    step[i] = h
    ahead, behind = (content_loss(f.double() + s * step, p.double()) for s in (1, -1))
    slopes.append(round(((ahead - behind) / (2 * h)).item(), 6) + 0.0)
print("formula: ", formula)
print("autograd:", autograd)
print("slopes:  ", slopes)
print("all three are equal:", formula == autograd == slopes)

# %% [markdown]
# ## Sum or mean?
#
# The paper writes $\frac{1}{2} \sum_i (F_i - P_i)^2$: a half and a sum, where we have a mean. Is
# this a matter of taste?
#
# **Predict:** the paper's form is used, and the photo is made twice as high and twice as wide.
# What happens to the loss, if the picture is wrong by as much as before everywhere?
#
# - (a) it stays the same
# - (b) it doubles
# - (c) it becomes four times as large
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) This is true of the mean. The mean divides by $n$, and $n$ grows too.
# - (b) Height and width *both* double.
# - (c) Right. There are four times as many entries, and each of them adds as much as before.
#
# </details>

# %% tags=["nbval-check-output"]
larger_f, larger_p = (maps.repeat(1, 1, 2, 2) for maps in (F_MAPS, P_MAPS))  # 2 × 2 copies
for reduction in ("sum", "mean"):
    small = content_loss(F_MAPS, P_MAPS, reduction=reduction)
    large = content_loss(larger_f, larger_p, reduction=reduction)
    print(f"{reduction:4}: the larger picture's loss is {large / small:.2f} times as large")

papers = 0.5 * (F_MAPS - P_MAPS).square().sum()
package_sum = content_loss(F_MAPS, P_MAPS, reduction="sum")
print("the package's sum, halved, is the paper's:", torch.allclose(papers, package_sum / 2))

# %% [markdown]
# With the sum, a weight α that suits a small picture is four times too strong for one of double
# height and width, if the other losses do not grow with the picture. With the mean it can stay. The
# direction of the gradient is the same in both cases; only its length differs. So the choice
# decides what a *weight* means, and in plain gradient descent also which learning rate fits.
#
# A real photo is not made of four equal parts. Here is the darker photo at three sizes, compared
# with the photo:

# %%
sums, means = [], []
print("longer side    sum        mean")
for size in (SIZE // 2, SIZE, 2 * SIZE):
    pair = [nst.resize(image, size) for image in (darker, PHOTO)]
    maps = [BACKBONE(image, ["relu2_1"])["relu2_1"] for image in pair]
    sums.append(content_loss(*maps, reduction="sum").item())
    means.append(content_loss(*maps).item())
    print(f"{size:6} px   {sums[-1]:10.1f}   {means[-1]:.4f}")

# %% tags=["nbval-check-output"]
print("from the smallest to the largest, the sum grew more than fivefold:", sums[2] > 5 * sums[0])
print("the mean changed by less than a factor of two:", max(means) < 2 * min(means))

# %% [markdown]
# ## Squared or absolute?
#
# The **absolute error** (L1) does not square the differences:
#
# $$L_1 = \frac{1}{n} \sum_{i=1}^{n} |F_i - P_i|$$

# %% tags=["nbval-check-output", "binds-formula"]
by_formula = sum(abs(a - b) for a, b in zip(f.flatten(), p.flatten(), strict=True)) / 4
package = content_loss(f, p, error="absolute")
print("formula:", by_formula.item())
same = by_formula == package and package == functional.l1_loss(f, p)
print("package and torch give the same:", bool(same))

# %% [markdown]
# What difference does it make? Try a case in which the right answer is known. Five copies of the
# photo have a black stain each, at another place. We look for *one* picture that is as near as
# possible to all five.


# %%
def stained_copies(photo, count=5):
    """Return copies of a photo as one batch, each with a black square at another place."""
    copies = photo.repeat(count, 1, 1, 1)  # (count, 3, H, W)
    height, width = photo.shape[-2:]
    side = height // 3
    for k in range(count):
        left = k * (width - side) // (count - 1)
        top = (2 * k % count) * (height - side) // (count - 1)
        copies[k, :, top : top + side, left : left + side] = 0
    return copies


def nearest_picture(copies, error, steps=150):
    """Search the picture with the smallest loss to all copies, with Adam, from gray."""
    pixels = torch.full_like(copies[:1], 0.5).requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=0.04)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.04 * (1 - step / steps)  # smaller and smaller moves
        optimizer.zero_grad()
        content_loss(pixels.expand_as(copies), copies, error=error).backward()
        optimizer.step()
    return pixels.detach()


# %% [markdown]
# **Predict:** which of the two losses removes the stains?
#
# - (a) the squared one
# - (b) the absolute one
# - (c) both
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) The squared error minds a large difference most. So it gives the stains *more* to say, not
#   less. Its best picture is the **mean** of the copies: a fifth of each stain remains.
# - (b) Right. Its best picture is the **median** of the copies, the value in the
#   middle when the five values are sorted. No two stains overlap, and one black value of five
#   cannot be in the middle.
# - (c) Then the two would have the same best picture. But mean and median differ as soon as
#   one value stands far off on one side, and a stain does.
#
# </details>

# %%
copies = stained_copies(PHOTO)
by_squares = nearest_picture(copies, "squared")
by_absolute = nearest_picture(copies, "absolute")

plots.show_images(
    [copies[:1], by_squares, by_absolute],
    titles=["one of five copies", "squared error", "absolute error"],
    alt="A copy of the cat with a black square; the picture found with the squared error, with "
    "five faint gray squares; the picture found with the absolute error, without any square.",
)

# %%
for name, image in {"squared": by_squares, "absolute": by_absolute}.items():
    print(f"{name:9} mean error against the clean photo: {(image - PHOTO).abs().mean():.4f}")

# %% tags=["nbval-check-output"]
stained = (copies != PHOTO).any(dim=1).sum(dim=0)  # (H, W): how many copies are stained there
print("stains at one place, at most:", stained.max().item())
print("squared = mean of the copies:", torch.allclose(by_squares[0], copies.mean(0), atol=0.01))
middle = copies.median(0).values
print("absolute = median of the copies:", torch.allclose(by_absolute[0], middle, atol=0.01))

# %% [markdown]
# In a content loss no copy is stained. But some positions differ much more than others. How much
# of the loss do the largest differences have?


# %%
def share_of_largest(errors, part=0.01):
    """Return the share that the largest entries have in the sum of all."""
    values = errors.flatten().sort(descending=True).values
    return (values[: round(part * len(values))].sum() / values.sum()).item()


differences = (F_MAPS - P_MAPS).abs()
share_squared = share_of_largest(differences.square())
share_absolute = share_of_largest(differences)
print(f"the largest 1 % of the differences have {share_squared:.0%} of the squared error")
print(f"and {share_absolute:.0%} of the absolute error")

# %% [markdown]
# **Check yourself:** you paint with the squared error, then with the absolute one. With which of
# them does the optimiser care more for a few places that are very wrong?
#
# <details><summary>Answer</summary>
#
# With the squared one: the gradient $\frac{2}{n}(F_i - P_i)$ grows with the difference. The
# absolute error's gradient is $+\frac{1}{n}$ or $-\frac{1}{n}$ for a large and for a small
# difference alike. The papers use the squared error, and so does this course.
#
# </details>
#
# ### Exercise: the content loss
#
# Fill in the three places marked `...`. The function should work for maps of any shape, and
# return the same as the package's.


# %% tags=["exercise"]
def my_content_loss(features, target, error, reduction):
    """Return the content loss, like `nst_edu.losses.content_loss`.

    error: "squared" or "absolute". reduction: "mean" or "sum".
    """
    difference = ...
    errors = difference.square() if error == "squared" else ...
    return errors.sum() if reduction == "sum" else ...


# %% tags=["check", "nbval-check-output"]
exercises.check_content_loss(my_content_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Look at the two formulas. Which part do they share? What happens to a *single* entry before
# anything is added up?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A tensor has a method `abs()` beside `square()`, and `mean()` beside `sum()`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_content_loss(features, target, error, reduction):
#     difference = features - target
#     errors = difference.square() if error == "squared" else difference.abs()
#     return errors.sum() if reduction == "sum" else errors.mean()
# ```
#
# </details>
#
# ### Exercise: one number for each picture
#
# At `relu1_1` the numbers may be large, and at `relu5_1` small. Then their losses cannot be
# compared. Our function `distance` divides by the target's own mean square: 1 means "as far away
# as a map of zeros". The package does the same in `nst.Objective`.
#
# Write it for a batch: for maps of shape (N, C, H, W) return N numbers, one for each picture.
# Each picture's number must depend on this picture alone.


# %% tags=["exercise"]
def my_relative_content_losses(features, target):
    """Return N losses, shape (N,), each divided by its own target's mean square."""
    ...


# %% tags=["check", "nbval-check-output"]
exercises.check_relative_content_losses(my_relative_content_losses)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# A mean can be taken over some dimensions only. Which of the four dimensions must stay?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `x.mean(dim=(1, 2, 3))` has the shape (N,). You need it twice: for the squared differences, and
# for the squares of the target.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_relative_content_losses(features, target):
#     errors = (features - target).square().mean(dim=(1, 2, 3))
#     return errors / target.square().mean(dim=(1, 2, 3))
# ```
#
# </details>
#
# ## What a layer keeps
#
# Now turn the content loss round. Begin with noise. Change the pixels until the maps at *one*
# layer agree with the photo's. The result shows what these maps still know. Mahendran and Vedaldi
# (2015) studied networks in this way; Gatys, Ecker and Bethge (2015) show such pictures in their
# first figure.
#
# The optimiser here is Adam, from lesson 8: gradient descent with a step size of its own for each
# pixel. Many pictures have nearly the same maps. A little **total variation** (lesson 8) prefers a
# smooth one among them.
#
# **Predict:** from which layer will the copy be best?
#
# - (a) from the deepest, `relu5_1`: deeper layers know more
# - (b) from the shallowest, `relu1_1`
# - (c) from all alike: the loss goes down to nearly 0 at each of them
#
# Choose, and then run the next cells.


# %%
def rebuild(layer, seed=0, tv_weight=1.0):
    """Rebuild the photo from one layer's maps, starting from noise; return all steps."""
    noise = torch.rand(PHOTO.shape, generator=torch.Generator().manual_seed(seed)).to(DEVICE)
    objective = nst.Objective(
        *(BACKBONE, PHOTO, PHOTO),
        content_layers=[layer],
        style_weight=0,
        style_layers=[],
        tv_weight=tv_weight,
    )
    return list(nst.optimize_image(objective, noise, steps=STEPS, optimizer="adam"))


runs = {layer: rebuild(layer) for layer in DEPTHS}

plots.show_images(
    [PHOTO, *(steps[-1].image for steps in runs.values())],
    titles=["photo", *(f"from {layer}" for layer in DEPTHS)],
    columns=3,
    alt="The photo of the cat and five pictures rebuilt from noise. Those from relu1_1 and "
    "relu2_1 look like the photo. From layer to layer more colour and fine detail is lost; in the "
    "last one only parts of the head can be made out, in false colours.",
)

# %%
TARGETS = BACKBONE(PHOTO, DEPTHS)
rebuilt = {layer: steps[-1].image for layer, steps in runs.items()}
pixel_errors = [(image - PHOTO).square().mean().item() for image in rebuilt.values()]
shallow_distances = [
    distance(BACKBONE(image, ["relu1_1"])["relu1_1"], TARGETS["relu1_1"])
    for image in rebuilt.values()
]
print("rebuilt from   own loss: start → end   error in pixels   distance at relu1_1")
for k, (layer, steps) in enumerate(runs.items()):
    own = f"{steps[0].losses.content:.2f} → {steps[-1].losses.content:.4f}"
    print(f"{layer:14} {own:23} {pixel_errors[k]:<17.5f} {shallow_distances[k]:.4f}")
print()
print("numbers in the photo:", PHOTO.numel())
print("numbers in the maps: ", {layer: maps.numel() for layer, maps in TARGETS.items()})

# %%
plots.plot_lines(
    {"pixels": pixel_errors, "relu1_1": shallow_distances},
    x=range(1, 6),
    xlabel="rebuilt from level (1: relu1_1 … 5: relu5_1)",
    ylabel="distance to the photo",
    title="The deeper the layer, the worse the copy",
)

# %% tags=["nbval-check-output"]
own_losses = [steps[-1].losses.content / steps[0].losses.content for steps in runs.values()]
print("each run at least halved its own loss:", max(own_losses) < 0.5)
print("deeper, farther from the photo in pixels: ", pixel_errors == sorted(pixel_errors))
farther = shallow_distances == sorted(shallow_distances)
print("deeper, farther from the photo at relu1_1:", farther)
fewer = TARGETS["relu5_1"].numel() < PHOTO.numel() < TARGETS["relu1_1"].numel()
print("relu1_1 holds more numbers than the photo, relu5_1 fewer:", fewer)

# %% [markdown]
# <details><summary>Show the reasons</summary>
#
# - (a) A deep layer has more channels, and each of its units sees a larger part of the picture.
#   But pooling has thrown positions away, and ReLU negative values. What is gone cannot be
#   copied. The measured distances *grow* with depth.
# - (b) Right. Nothing has been pooled yet, and the maps hold more numbers than the photo.
# - (c) The losses get small at every layer. But each loss only asks *its own* layer. A loss of
#   nearly 0 says that this layer sees no difference, not that there is none.
#
# </details>
#
# Reason (c) can be measured. Each rebuilt picture is compared with the photo at *every* layer.

# %%
print("rebuilt from   distance to the photo at")
print(" " * 15 + "  ".join(DEPTHS))
table = {}
for source, image in rebuilt.items():
    maps = BACKBONE(image, DEPTHS)
    table[source] = [distance(maps[layer], TARGETS[layer]) for layer in DEPTHS]
    print(f"{source:14} " + "  ".join(f"{value:7.4f}" for value in table[source]))

# %% tags=["nbval-check-output"]
deep = table["relu4_1"]
print("rebuilt from relu4_1, it is more than ten times as far away")
print("at relu1_1 as at relu4_1:", deep[0] > 10 * deep[3])

# %% [markdown]
# Read the row of `relu4_1`: at `relu4_1` and `relu5_1` the picture is nearly the photo. At the
# layers before it is far away. A layer passes on what it kept; nothing behind it can bring back
# what it lost.
#
# **Check yourself:** is there *one* picture that fits the maps of `relu4_1`? Start from other
# noise, and compare.

# %%
other = rebuild("relu4_1", seed=1)[-1].image
maps = BACKBONE(other, ["relu1_1", "relu4_1"])
first_maps = BACKBONE(rebuilt["relu4_1"], ["relu1_1", "relu4_1"])
between = {layer: distance(maps[layer], first_maps[layer]) for layer in maps}
plots.show_images(
    [rebuilt["relu4_1"], other],
    titles=["from noise 0", "from noise 1"],
    alt="Two pictures of the cat, rebuilt from the same maps. Their shapes agree, their fine "
    "grain and colour spots differ.",
)

# %% tags=["nbval-check-output"]
print("the two differ at least five times as much at relu1_1 as at relu4_1:", end=" ")
print(between["relu1_1"] > 5 * between["relu4_1"])

# %% [markdown]
# The shapes are the same, the fine grain is not. Style transfer *needs* this freedom. Where
# `relu4_2` does not care, the style may decide. A content loss at `relu1_1` would object to nearly
# every changed pixel.
#
# ### Exercise: order the copies
#
# You rebuild a photo from `conv2_2`, `relu5_1`, `relu1_2` and `relu3_3`. Write the four names into
# the list, from the copy that is *nearest* to the photo to the one that is farthest away.

# %% tags=["exercise"]
my_order_of_copies = [..., ..., ..., ...]

# %% tags=["check", "nbval-check-output"]
exercises.check_order_of_copies(my_order_of_copies)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The first digit of a name says how many pooling layers lie before it. What happened to the copy
# from level to level above?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# No pooling layer lies before level 1.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_order_of_copies = ["relu1_2", "conv2_2", "relu3_3", "relu5_1"]
# ```
#
# </details>
#
# ### Exercise: put the lines in order
#
# These seven lines rebuild a photo with Adam. They got mixed up. Lines B, D, F and G are inside
# the loop.
#
# | letter | line |
# |---|---|
# | `"A"` | `optimizer = torch.optim.Adam([pixels], lr=0.03)` |
# | `"B"` | `loss.backward()` |
# | `"C"` | `pixels = noise.clone().requires_grad_()` |
# | `"D"` | `optimizer.step()` |
# | `"E"` | `target = BACKBONE(photo, ["relu3_1"])["relu3_1"].detach()` |
# | `"F"` | `loss = content_loss(BACKBONE(pixels, ["relu3_1"])["relu3_1"], target)` |
# | `"G"` | `optimizer.zero_grad()` |

# %% tags=["exercise"]
my_rebuild_lines = [..., ..., ..., ..., ..., ..., ...]

# %% tags=["check", "nbval-check-output"]
exercises.check_rebuild_lines(my_rebuild_lines)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# First the three lines that are needed once. The optimiser must be told *which* tensor it may
# change, so this tensor has to exist.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# In the loop (lesson 4): forget the old gradient, measure the loss, compute the gradient, move.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_rebuild_lines = ["E", "C", "A", "G", "F", "B", "D"]
# ```
#
# Two other places are right for line E (it may stand anywhere before the loop), and G may stand
# after F, or at the end of the loop.
#
# </details>
#
# ## Must the content loss fall?
#
# In the reconstructions it fell. Now a style joins in, as in lesson 0. Here the total is
# content + 10 · style. We paint twice: once from the photo, once from noise.
#
# **Predict:** how does the content loss move in each of the two runs?
#
# - (a) it falls in both: it is a loss, and losses fall
# - (b) from the photo it rises, from noise it falls
# - (c) from the photo it stays 0, from noise it falls
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) The optimiser makes the *total* smaller, not each part of it. And from the photo the
#   content loss begins at 0. It cannot fall below 0.
# - (b) Right, as the plot shows.
# - (c) Then the picture would have the photo's maps, and the style could change only what the
#   content layer does not see. The optimiser gives up some content, because it wins more style.
#
# </details>

# %%
STYLE = nst.load_image("waves", size=SIZE).to(DEVICE)
noise = torch.rand(PHOTO.shape, generator=torch.Generator().manual_seed(0)).to(DEVICE)
OBJECTIVE = nst.Objective(BACKBONE, PHOTO, STYLE, style_weight=10)
from_photo = list(nst.optimize_image(OBJECTIVE, PHOTO, steps=STEPS, optimizer="adam"))
from_noise = list(nst.optimize_image(OBJECTIVE, noise, steps=STEPS, optimizer="adam"))

plots.plot_lines(
    {
        "content, from the photo": [step.losses.content for step in from_photo],
        "content, from noise": [step.losses.content for step in from_noise],
        "total, from the photo": [step.losses.total for step in from_photo],
        "total, from noise": [step.losses.total for step in from_noise],
    },
    title="Content loss and total loss, from two starts",
)

# %%
plots.show_images(
    [from_photo[0].image, from_photo[-1].image, from_noise[0].image, from_noise[-1].image],
    titles=["start: photo", "its painting", "start: noise", "its painting"],
    columns=2,
    alt="The photo and its painting with wavy coloured strokes; noise and its painting, in which "
    "parts of the cat can be made out.",
)

# %% tags=["nbval-check-output"]
for name, steps in {"from the photo": from_photo, "from noise": from_noise}.items():
    first, last = steps[0].losses, steps[-1].losses
    content = "rose" if last.content > first.content else "fell"
    total = "rose" if last.total > first.total else "fell"
    print(f"{name:14}: the content loss {content}, the total {total}")

# %% [markdown]
# So a rising content loss is no sign of a mistake. Which sign is reliable? The optimiser was asked
# for one thing only: a smaller *total*.
#
# ### Exercise: a doctor for runs
#
# A program has recorded the content and style losses of a run, at each step. Write a function
# that says whether the run is healthy: `True` if the quantity that the optimiser works on was
# smaller at the end than at the start.


# %% tags=["exercise"]
def my_run_is_healthy(contents, styles, alpha, beta):
    """Return True if the run did what an optimiser should do.

    contents, styles: lists of losses, one for each step. alpha, beta: their weights.
    """
    ...


# %% tags=["check", "nbval-check-output"]
exercises.check_run_is_healthy(my_run_is_healthy)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# What does the optimiser make smaller? Write it down for one step, with `alpha` and `beta`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `contents[0]` is the first step's content loss, `contents[-1]` the last step's.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_run_is_healthy(contents, styles, alpha, beta):
#     first = alpha * contents[0] + beta * styles[0]
#     last = alpha * contents[-1] + beta * styles[-1]
#     return last < first
# ```
#
# </details>
#
# ## Recap
#
# - The content loss is the mean squared difference of two pictures' feature maps, at one layer.
#   It compares position with position.
# - Its gradient is $\frac{2}{n}(F_i - P_i)$. A sum in place of the mean makes the weight depend on
#   the picture's size.
# - The squared error leads to a mean, the absolute error to a median.
# - A deeper layer makes a *worse* copy: it has lost detail. For style transfer this is useful.
# - The total has to fall. The content loss rises when the run starts from the photo.
#
# **Look back:** can you now say, in one sentence, why the darker cat is nearer to the photo than
# the speckled one?
#
# <details><summary>Answer</summary>
#
# The content loss compares what the channels find (edges, patterns), and not the pixels: a darker
# cat has the same edges, only weaker or stronger ones; a speckled cat has new edges everywhere.
#
# </details>
#
# **One thing to try:** `plots.show_images(rebuild("relu3_1", tv_weight=0)[-1].image)`. What did
# total variation remove?
