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
# # Lesson 7: Gram matrices and style loss
#
# The right picture below began as random pixels. It got the colours and the brush strokes of the
# left one, and even its yellow lights. But nothing is where it was. Something must have told the
# program *how* the left picture looks, and not *where* anything is. What can do this?
#
# **After this lesson you can**
#
# - compute a Gram matrix with loops and with one matrix product, and say what an entry means;
# - predict what a Gram matrix keeps and what it loses;
# - say what each normaliser does when picture size or network width changes;
# - write the style loss, and make a texture from noise with it;
# - tell an early layer's style from a late layer's;
# - recognise three shape mistakes that raise no error.
#
# **Time:** 60 minutes. <!-- cost -->
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
from nst_edu.losses import content_loss, gram_matrix, style_loss

torch.manual_seed(0)
SIZE = 64 if nst.is_fast() else 192  # pixels on each side
SMALL = 48 if nst.is_fast() else 128  # for the experiments with many runs
STEPS = 25 if nst.is_fast() else 120  # evaluations of the loss in a long run
SHORT = 20 if nst.is_fast() else 70  # … and in a short one

BACKBONE = nst.load_backbone()
DEVICE = BACKBONE.mean.device
STYLE = nst.load_image("swirl", size=SIZE).to(DEVICE)
LAYERS = BACKBONE.style_layers
GRAY_NOISE = 0.4 + 0.2 * torch.rand(STYLE.shape, generator=torch.Generator().manual_seed(0))
GRAY_NOISE = GRAY_NOISE.to(DEVICE)

# %%
WISHES = {"content_weight": 0, "style_weight": 1, "tv_weight": 0.02}
SEARCH = {"optimizer": "adam", "learning_rate": 0.06, "steps": STEPS, "scales": 1}
texture = nst.style_transfer(STYLE, STYLE, start=GRAY_NOISE, backbone=BACKBONE, **WISHES, **SEARCH)

plots.show_images(
    [STYLE, GRAY_NOISE, texture],
    titles=["style picture", "the start", "the result"],
    alt=f"Left: {nst.picture_alt('swirl')} Middle: gray noise. Right: blue brush strokes, dark "
    "lines and yellow spots fill the whole square; there is no village, no tree and no ground.",
)

# %% [markdown]
# **Warm-up** (lesson 6): the content loss compares two feature maps position by position. A
# picture is shifted to the right by some pixels, and what leaves it comes back on the left. Is
# the content loss between the two small or large? Would that be good for a *style* loss?
#
# <details><summary>Answer</summary>
#
# It is large: at most positions there is something else now. For a style that is bad. The shifted
# picture is painted in the same manner. We want a number that does not mind *where* something is.
#
# </details>
#
# ## Which channels respond together?
#
# Take one position of a feature map. It has a value in each channel: how much this channel's
# pattern is present there. Imagine one channel that responds to yellow, and one that responds to
# round edges. At a yellow light *both* are strong. On a straight blue stroke neither is.
#
# Multiply the two values at each position, and take the mean over all positions. The result is
# large if the two channels are often strong at the same places. Do this for all pairs of
# channels: that is the **Gram matrix**.
#
# **Worked example.** Two channels, one row of three positions:
#
# | position | 1 | 2 | 3 |
# |---|---|---|---|
# | channel 0 | 1 | 2 | 0 |
# | channel 1 | 3 | 1 | 0 |
# | product of the two | 3 | 2 | 0 |
#
# The products add up to 5, and there are 3 positions. So $G_{01} = 5/3$. In the same way
# $G_{00} = (1 + 4 + 0)/3 = 5/3$ and $G_{11} = (9 + 1 + 0)/3 = 10/3$.

# %% tags=["nbval-check-output"]
tiny = torch.tensor([[[[1.0, 2.0, 0.0]], [[3.0, 1.0, 0.0]]]])  # (1, 2, 1, 3)
print("package, times 3:", (3 * gram_matrix(tiny)).tolist())

# %% [markdown]
# **Check yourself:** what is $G_{10}$? What would the matrix be if positions 1 and 3 changed
# places, in both channels?
#
# <details><summary>Answer</summary>
#
# $G_{10} = G_{01}$: the product does not mind the order of its factors. A Gram matrix is
# symmetric. If positions 1 and 3 change places, the same three products are added in another
# order, and the matrix stays as it is.
#
# </details>
#
# $F$ holds the feature maps of one layer, with C channels, H rows and W columns. The formula:
#
# $$G_{cd} = \frac{1}{H W} \sum_{y=1}^{H} \sum_{x=1}^{W} F_{cyx}\, F_{dyx}$$
#
# The next cell computes it in three ways: by four loops, with the package, and with torch's
# convolution. (A kernel as large as the map has one position only. There the convolution of
# lesson 1 is a sum of products.)


# %% tags=["nbval-check-output", "binds-formula"]
def gram_by_loops(features):
    """Write the formula out for one picture, (C, H, W), and return (C, C)."""
    channels, height, width = features.shape
    gram = torch.zeros(channels, channels, dtype=features.dtype)
    for c in range(channels):
        for d in range(channels):
            for y in range(height):
                for x in range(width):
                    gram[c, d] += features[c, y, x] * features[d, y, x]
    return gram / (height * width)


maps = torch.randn(2, 3, 4, 5, dtype=torch.float64)  # a batch of two pictures
loops = torch.stack([gram_by_loops(features) for features in maps])
kernels = [features[:, None] for features in maps]  # (C, 1, H, W) each
convolutions = torch.stack([functional.conv2d(k, k)[..., 0, 0] / (4 * 5) for k in kernels])
print("loops = package:      ", torch.allclose(loops, gram_matrix(maps)))
print("convolution = package:", torch.allclose(convolutions, gram_matrix(maps)))

# %% [markdown]
# ### Exercise: the shape of a Gram matrix
#
# Before you write code, get the shape right. Feature maps have the shape `(n, c, h, w)`: n
# pictures, c channels, h rows, w columns. Which shape do their Gram matrices have? Return a
# tuple.


# %% tags=["exercise"]
def my_gram_shape(n, c, h, w):
    """Return the shape of the Gram matrices of a batch."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_gram_shape(my_gram_shape)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The left side of the formula has the indices c and d. The indices y and x are summed away.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Each picture of the batch has a style of its own, and so a matrix of its own.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_gram_shape(n, c, h, w):
#     """Return the shape of the Gram matrices of a batch."""
#     return (n, c, c)
# ```
#
# </details>
#
# ### Exercise: the Gram matrix
#
# Loops are too slow. If each channel is laid out as one long row, $G_{cd}$ is row $c$ times row
# $d$, and a matrix product computes all pairs at once. Fill in the three places marked `...`.


# %% tags=["exercise"]
def my_gram_matrix(features):
    """Return the Gram matrices, (N, C, C), of feature maps (N, C, H, W)."""
    rows = ...  # (N, C, H*W): one row for each channel
    products = rows @ ...  # (N, C, C): each row times each row, summed over the positions
    return products / ...  # the mean over the positions


# %% tags=["check", "nbval-check-output"]
exercises.check_gram_matrix(my_gram_matrix)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `features.flatten(2)` makes one axis of all axes from number 2 on.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# For a matrix product the second factor has to be (N, H·W, C). `rows.mT` swaps the last two axes.
# A `reshape` to that shape would not: it keeps the numbers in their old order.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_gram_matrix(features):
#     """Return the Gram matrices, (N, C, C), of feature maps (N, C, H, W)."""
#     rows = features.flatten(2)  # (N, C, H*W)
#     products = rows @ rows.mT  # (N, C, H*W) @ (N, H*W, C) -> (N, C, C)
#     return products / rows.shape[2]
# ```
#
# </details>
#
# ## One entry, seen
#
# Here are two pairs of channels of a real feature map: the pair that responds together most, and
# the pair that does so least, in relation to how strong the channels are.


# %%
def cosines(gram):
    """Divide each entry by the strengths of its two channels: 1 means always together."""
    strength = gram.diagonal().sqrt()
    result = gram / (strength[:, None] * strength[None, :]).clamp(min=1e-12)
    weak = strength < 0.2 * strength.max()  # says little: leave it out
    result[weak, :] = result[:, weak] = 0.5
    return result.fill_diagonal_(0.5)


def as_picture(values):
    """Show a map, (H, W), in shades of gray: black is 0."""
    return (values / values.max().clamp(min=1e-12)).expand(1, 3, *values.shape)


# %%
MAPS = BACKBONE(STYLE, LAYERS)
second = MAPS[LAYERS[1]]
together = cosines(gram_matrix(second)[0])
PAIRS = [divmod(int(k), len(together)) for k in (together.argmax(), together.argmin())]

rows = [(second[0, c], second[0, d], second[0, c] * second[0, d]) for c, d in PAIRS]
plots.show_images(
    [as_picture(values) for row in rows for values in row],
    titles=[t for c, d in PAIRS for t in (f"channel {c}", f"channel {d}", "product")],
    columns=3,
    alt="Two rows of gray pictures: two channels and their product. In the first row both channels "
    "are bright at the same places. In the second row one is bright where the other is dark.",
)

# %%
for c, d in PAIRS:
    entry = gram_matrix(second)[0, c, d].item()
    mean_product = (second[0, c] * second[0, d]).mean().item()
    cosine = together[c, d].item()
    print(f"channels {c} and {d}: G = {entry:.3f}, mean product = {mean_product:.3f}")
    print(f"    as a share of what is possible: {cosine:.2f}")

# %% [markdown]
# (Each picture above is scaled to its own brightest point. The numbers are not.)
#
# ## Does a Gram matrix store positions?
#
# **Predict:** we take the feature maps of the style picture, and shuffle their *positions*. The
# same shuffle is applied to all channels. What happens to the Gram matrix?
#
# - (a) it changes completely: the picture is destroyed
# - (b) it changes a little: neighbours are no longer neighbours
# - (c) it stays the same
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) The *maps* are destroyed, as you will see. But ask which products are added up.
# - (b) Neighbours would matter if the formula multiplied values at *different* positions. It
#   multiplies two channels at the *same* position.
# - (c) Right. The same products are added in another order. Only rounding can differ.
#
# </details>

# %%
positions = torch.randperm(second[0, 0].numel()).to(DEVICE)
shuffled = second.flatten(2)[:, :, positions].view_as(second)  # the same order in all channels

plots.show_images(
    [as_picture(second[0, PAIRS[0][0]]), as_picture(shuffled[0, PAIRS[0][0]])],
    titles=["one channel", "its positions shuffled"],
    alt="Left: a channel in which the picture can be recognised. Right: the same values as noise.",
)


# %% tags=["nbval-check-output"]
def difference(first, other):
    """Mean squared difference of two Gram matrices, or maps, as a share of the first."""
    return ((first - other).square().mean() / first.square().mean()).item()


gram = gram_matrix(second)
print("positions shuffled, difference below 1e-6:", difference(gram, gram_matrix(shuffled)) < 1e-6)

# %% [markdown]
# And if each channel is shuffled in an order of its own? Then the channels lose each other. An
# entry beside the diagonal has two parts: the product of the two channels' *means*, and their
# **covariance**, the mean product of what is above or below these means.
#
# $$G_{cd} = \bar F_c\, \bar F_d
# + \frac{1}{H W} \sum_{y,x} (F_{cyx} - \bar F_c)(F_{dyx} - \bar F_d)$$

# %% tags=["nbval-check-output", "binds-formula"]
each = [channel.flatten()[torch.randperm(channel.numel()).to(DEVICE)] for channel in second[0]]
apart = gram_matrix(torch.stack(each).view_as(second))

rows = second[0].flatten(1).double().cpu()  # (C, H*W)
means = rows.mean(1)
covariance = sum(torch.outer(f - means, f - means) for f in rows.T) / rows.shape[1]
by_parts = torch.outer(means, means) + covariance
print("formula = package:", torch.allclose(by_parts.float(), gram[0].cpu(), rtol=1e-3))
print("covariance = torch:", torch.allclose(covariance, torch.cov(rows, correction=0)))
same = torch.allclose(gram[0].diagonal(), apart[0].diagonal(), rtol=1e-3)
print("each channel shuffled on its own: the diagonal stays:", same)

# %%
beside = ~torch.eye(len(means), dtype=torch.bool)  # all entries but those of the diagonal
of_means = torch.outer(means, means)
covariance_after = apart[0].double().cpu() - of_means
for name, part in {
    "product of means": of_means,
    "covariance": covariance,
    "covariance after the shuffle": covariance_after,
}.items():
    print(f"{name:30} typical size {part[beside].square().mean().sqrt():.4f}")

# %% [markdown]
# The shuffle keeps the means, and destroys the covariances. The means are the larger part: after a
# ReLU no value is negative, so every product of means is positive. What the channels do
# *together*, beyond that, is in the covariances.
#
# **Predict:** now we shuffle the *pixels* of the picture, and compute the feature maps after that.
# What happens to the Gram matrices?
#
# - (a) they stay the same: a Gram matrix stores no positions
# - (b) they change
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) True of the positions in the *feature map*. But each value of a feature map comes from a
#   neighbourhood of pixels, through convolutions. The shuffle puts other pixels into each
#   neighbourhood.
# - (b) Right. Brush strokes are neighbourhoods. They are gone, so other channels respond.
#
# </details>

# %%
pixels = torch.randperm(STYLE[0, 0].numel()).to(DEVICE)
confetti = STYLE.flatten(2)[:, :, pixels].view_as(STYLE)
SHIFT = SIZE // 2 // 16 * 16  # a multiple of 16: four pooling layers divide by 16
shifted = STYLE.roll(SHIFT, dims=-1)
plots.show_images(
    [STYLE, shifted, confetti],
    titles=["style picture", "shifted", "pixels shuffled"],
    alt="The style picture; the same picture with its halves exchanged; coloured noise.",
)

# %%
print("difference to the style picture")
print("layer      shifted: maps   shifted: Gram   shuffled pixels: Gram")
CHANGES = {}
for name, target in MAPS.items():
    moved, mixed = (BACKBONE(picture, [name])[name] for picture in (shifted, confetti))
    of_maps = difference(target, moved)
    of_grams = [difference(gram_matrix(target), gram_matrix(m)) for m in (moved, mixed)]
    CHANGES[name] = (of_maps, *of_grams)
    print(f"{name:10} {of_maps:8.4f}        {of_grams[0]:8.4f}        {of_grams[1]:8.4f}")

# %% tags=["nbval-check-output"]
changes = CHANGES.values()
print("a shift changes the maps more than the Gram matrices:", all(m > g for m, g, _ in changes))
print("a shuffle changes them more than a shift:", all(mixed > g for _, g, mixed in changes))
of_pixels = torch.allclose(gram_matrix(STYLE), gram_matrix(confetti), rtol=1e-4)
print("the 3 × 3 Gram matrix of the pixels themselves stays:", of_pixels)

# %% [markdown]
# So a Gram matrix stores no positions. What it knows about neighbours it knows from the channels:
# "a stroke from left to right" is *one* channel's value at *one* position. (The shift changes it
# a little, because the picture's border is now elsewhere.)
#
# ### Exercise: a bug hunt
#
# Four programs for the Gram matrix. None of them raises an error. One is right. Find out what each
# does, by running them on the small batch below.


# %%
def program_a(features):
    rows = features.flatten(2)
    n, c, positions = rows.shape
    return rows @ rows.reshape(n, positions, c) / positions


def program_b(features):
    n, c, h, w = features.shape
    rows = features.reshape(n * c, h * w)
    return rows @ rows.T / (h * w)


def program_c(features):
    return torch.einsum("nchw,ndhw->ncd", features, features) / features[0, 0].numel()


def program_d(features):
    rows = features.flatten(2)
    return rows.mT @ rows / rows.shape[2]


BATCH = torch.randn(2, 3, 4, 5)  # 2 pictures, 3 channels, 4 × 5 positions

# %% tags=["nbval-check-output"]
for program in (program_a, program_b, program_c, program_d):
    print(program.__name__, tuple(program(BATCH).shape))

# %% [markdown]
# Give each a verdict: `"right"`, `"mixes pictures"`, `"compares positions"` or `"no transpose"`.
# The shapes alone do not tell everything.

# %% tags=["exercise"]
my_gram_bugs = {"A": ..., "B": ..., "C": ..., "D": ...}

# %% tags=["check", "nbval-check-output"]
exercises.check_gram_bugs(my_gram_bugs)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two of the shapes are not (2, 3, 3). Where do a 6 and a 20 come from?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A Gram matrix is symmetric. Print `program_a(BATCH)[0]` and `program_c(BATCH)[0]`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_gram_bugs = {
#     "A": "no transpose",
#     "B": "mixes pictures",
#     "C": "right",
#     "D": "compares positions",
# }
# ```
#
# </details>
#
# Program D is also a waste. Look at what an H·W × H·W matrix of the first layer would cost:

# %%
_, c, h, w = MAPS[LAYERS[0]].shape
print(f"{LAYERS[0]}: C × C has {c * c:,} entries, H·W × H·W would have {(h * w) ** 2:,}")

# %% [markdown]
# And it would be useless here: two pictures of different sizes could not be compared.
#
# ## What to divide by
#
# The paper of 2015 takes the plain sum and divides later, in the loss. Published programs divide
# by H·W, by C·H·W, or by N·C·H·W. Is this a matter of taste?
#
# ### Exercise: predict what a normaliser keeps constant
#
# One entry of a Gram matrix has a certain value. By which *factor* does it change
#
# - when the same texture covers 4 times the area (twice the height, twice the width);
# - when the network is made wider: every channel occurs twice?
#
# Write 1 for "it stays the same". Decide first; the cells below show it.

# %% tags=["exercise"]
my_normaliser_factors = {
    "sum, 4 times the area": ...,
    "H·W, 4 times the area": ...,
    "C·H·W, 4 times the area": ...,
    "sum, every channel twice": ...,
    "H·W, every channel twice": ...,
    "C·H·W, every channel twice": ...,
}

# %% tags=["check", "nbval-check-output"]
exercises.check_normaliser_factors(my_normaliser_factors)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The sum for one entry has one term for each position. How many positions are there before and
# after? How many terms come from a channel that is not c or d?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Then look at the divisor: which of C, H and W have changed?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_normaliser_factors = {
#     "sum, 4 times the area": 4,
#     "H·W, 4 times the area": 1,
#     "C·H·W, 4 times the area": 1,
#     "sum, every channel twice": 1,
#     "H·W, every channel twice": 1,
#     "C·H·W, every channel twice": 0.5,
# }
# ```
#
# </details>
#
# Now measure it. One piece of the style picture is laid out as 1 × 1, 2 × 2 and 3 × 3 tiles. The
# texture is the same; there is more of it.

# %%
piece = STYLE[..., : SIZE // 2, : SIZE // 2]
COPIES = (1, 2, 3)
entries = {"sum": [], "H·W": [], "C·H·W": []}
for k in COPIES:
    tiled = BACKBONE(piece.tile(1, 1, k, k), LAYERS)[LAYERS[0]]
    for label, divisor in zip(entries, ("none", "hw", "chw"), strict=True):
        entries[label].append(gram_matrix(tiled, divide_by=divisor).mean().item())

plots.plot_lines(
    entries,
    x=[k * k for k in COPIES],
    xlabel="tiles",
    ylabel="mean entry",
    title="Gram matrix of the same texture, more of it",
)

# %% tags=["nbval-check-output"]
for label, values in entries.items():
    factors = [value / values[0] for value in values]
    constant = all(abs(f - 1) < 0.15 for f in factors)
    as_area = all(abs(f - k * k) < 0.15 * k * k for f, k in zip(factors, COPIES, strict=True))
    print(f"{label:6} stays within 15 %: {constant}, grows like the area: {as_area}")

# %% [markdown]
# Now the width. We give a layer every channel twice, as a network of double width might have it.
# We look at one entry, and at the **style loss** of a layer. It is the mean squared difference of
# two Gram matrices, $G$ of the picture and $A$ of the style:
#
# $$E_l = \frac{1}{C^2} \sum_{c=1}^{C} \sum_{d=1}^{C} (G_{cd} - A_{cd})^2$$

# %% tags=["nbval-check-output", "binds-formula"]
g, a = gram_matrix(maps)[:1], gram_matrix(maps)[1:]  # two 3 × 3 matrices, (1, 3, 3) each
by_loops = sum((g[0, c, d] - a[0, c, d]) ** 2 for c in range(3) for d in range(3)) / 3**2
print("loops = package:   ", torch.allclose(by_loops, style_loss(g, a)))
print("mse_loss = package:", torch.allclose(functional.mse_loss(g, a), style_loss(g, a)))

# %% tags=["nbval-check-output"]
narrow, other = MAPS[LAYERS[2]], BACKBONE(confetti, LAYERS)[LAYERS[2]]
wide, wide_other = (torch.cat([m, m], dim=1) for m in (narrow, other))  # every channel twice
print("divided by   one entry   style loss   (wide network / narrow network)")
for label, divisor in {"sum": "none", "H·W": "hw", "C·H·W": "chw"}.items():
    grams = [gram_matrix(m, divide_by=divisor) for m in (narrow, other, wide, wide_other)]
    entry = grams[2][0, 0, 0] / grams[0][0, 0, 0]
    loss = style_loss(grams[2], grams[3]) / style_loss(grams[0], grams[1])
    print(f"{label:12} {entry:.2f}        {loss:.2f}")

# %% [markdown]
# With the sum and with H·W neither changes. With C·H·W a layer of double width counts a quarter in
# the style loss.
#
# The layers of one network have different widths, too. So C·H·W shifts the balance between them:

# %%
print("layer      channels   style loss with H·W   with C·H·W")
noise_maps = BACKBONE(GRAY_NOISE, LAYERS)
LOSSES = {}
for name, target in MAPS.items():
    LOSSES[name] = []
    for divisor in ("hw", "chw"):
        grams = [gram_matrix(m, divide_by=divisor) for m in (noise_maps[name], target)]
        LOSSES[name].append(style_loss(*grams).item())
    print(f"{name:10} {target.shape[1]:6}     {LOSSES[name][0]:14.4g}   {LOSSES[name][1]:14.4g}")

# %% tags=["nbval-check-output"]
exact = [abs(hw / chw / MAPS[name].shape[1] ** 2 - 1) < 1e-3 for name, (hw, chw) in LOSSES.items()]
print("at each layer the ratio is C²:", all(exact))

# %% [markdown]
# The paper's own form looks different. It takes plain sums $G^{\Sigma}$ and $A^{\Sigma}$, and
# divides the loss (2015, equation 4):
#
# $$E_l^{paper} = \frac{1}{4\, C^2 (H W)^2} \sum_{c,d} (G^{\Sigma}_{cd} - A^{\Sigma}_{cd})^2$$
#
# For pictures of the same size that is our style loss, divided by 4:

# %% tags=["nbval-check-output", "binds-formula"]
sums = [gram_matrix(m[None], divide_by="none") for m in maps]  # 3 channels, 4 × 5 positions
squares = sum((sums[0][0, c, d] - sums[1][0, c, d]) ** 2 for c in range(3) for d in range(3))
paper = squares / (4 * 3**2 * (4 * 5) ** 2)
reference = functional.mse_loss(*sums, reduction="sum") / (4 * 3**2 * (4 * 5) ** 2)
print("loops = package / 4:   ", torch.allclose(paper, style_loss(g, a) / 4))
print("mse_loss = package / 4:", torch.allclose(reference, style_loss(g, a) / 4))

# %% [markdown]
# ## Make a texture from noise
#
# Now put it together. Each layer's style loss is divided by its target's own mean square, so that
# no layer counts more because its numbers are larger. Then we take the mean over the $n$ layers:
#
# $$L_{style} = \frac{1}{n} \sum_{l} \frac{E_l}{\frac{1}{C_l^2} \sum_{c,d} A_{l,cd}^2}$$
#
# 0 means "the same style". 1 means "as far away as Gram matrices of zeros".


# %% tags=["nbval-check-output", "binds-formula"]
def grams_of(image, layers, divide_by="hw"):
    """Return the Gram matrix at each layer, by name."""
    maps = BACKBONE(image, layers)
    return {name: gram_matrix(m, divide_by=divide_by) for name, m in maps.items()}


def total_style_loss(image, targets, divide_by="hw"):
    """Return the mean of the layers' style losses, each as a share of its target."""
    total = 0.0
    for name, gram in grams_of(image, targets, divide_by).items():
        total += style_loss(gram, targets[name]) / targets[name].square().mean()
    return total / len(targets)


with torch.no_grad():  # the targets are constants
    TARGETS = grams_of(STYLE, LAYERS)
    mine = total_style_loss(confetti, TARGETS)
    shares = []
    for name, gram in grams_of(confetti, LAYERS).items():
        squares = functional.mse_loss(gram, TARGETS[name], reduction="sum")
        shares.append(squares / TARGETS[name].square().sum())
    package = nst.Objective(BACKBONE, STYLE, STYLE)(confetti).style
print("mine = package:  ", torch.allclose(mine, package, rtol=1e-3))
print("mine = mse_loss: ", torch.allclose(mine, sum(shares) / len(shares), rtol=1e-3))
print("of the style itself, below 1e-6:", total_style_loss(STYLE, TARGETS).item() < 1e-6)

# %% [markdown]
# The loop is the one of lesson 4, on pixels. Adam moves them. After each step they are put back
# into the range from 0 to 1.


# %%
def grow(targets, start, steps, divide_by="hw", tv_weight=0.02, rate=0.06):
    """Change `start` until its Gram matrices are near the targets; return picture and losses."""
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = total_style_loss(pixels, targets, divide_by)
        (loss + tv_weight * nst.total_variation_loss(pixels)).backward()
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(0, 1)
        history.append(loss.item())
    return pixels.detach(), history


# %% [markdown]
# (`tv_weight` is a small extra term: **total variation**, the squared differences of neighbouring
# pixels. The network hardly sees the finest grain, and this term keeps it down. Lesson 8 tells
# more.)
#
# **Predict:** we start from gray noise and ask for the Gram matrices of all layers. What will the
# picture become?
#
# - (a) a copy of the style picture
# - (b) something in its manner, with everything at another place
# - (c) noise in the right colours
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) This needs positions, and nothing in the loss knows any. The style picture itself has the
#   loss 0. But the shifted picture comes close to it, and nothing leads the search to one rather
#   than to the other.
# - (b) Right. Strokes and lights are in the channels, so they come back; their places are not.
# - (c) You would get this from the pixels' own 3 × 3 Gram matrix: it knows colours and no
#   neighbours. The network's channels know neighbours.
#
# </details>

# %%
pictures = []
for steps in (SHORT // 10, SHORT // 2, STEPS):
    picture, losses = grow(TARGETS, GRAY_NOISE, steps)
    pictures.append(picture)

plots.show_images(
    [*pictures, STYLE],
    titles=["a few steps", "later", "at the end", "style picture"],
    alt="First gray noise with pale strokes, then blue and yellow blots, then strokes and lights "
    "like those of the style picture, at other places.",
)

# %%
plots.plot_lines({"style loss": losses}, title="From noise to texture")

# %% tags=["nbval-check-output"]
print("the style loss fell to less than a fifth:", losses[-1] < losses[0] / 5)
of_pixels = difference(STYLE, pictures[-1])
print("Gram matrices agree better than pixels do:", losses[-1] < of_pixels / 2)

# %% [markdown]
# The result has the style's Gram matrices, nearly. And its pixels? A correlation of 1 means
# "bright and dark at the same places", a correlation of 0 means "no relation".

# %%
seen = {"the result": pictures[-1], "the style, shifted": shifted, "the style itself": STYLE}
for label, picture in seen.items():
    brightness = torch.stack([image.mean(1).flatten() for image in (picture, STYLE)])
    correlation = torch.corrcoef(brightness)[0, 1]
    print(f"{label:18} correlation with the style picture: {correlation:5.2f}")

# %% [markdown]
# The package runs the same loop:

# %% tags=["nbval-check-output"]
objective = nst.Objective(BACKBONE, STYLE, STYLE, **WISHES)
moves = nst.optimize_image(objective, GRAY_NOISE, steps=6, optimizer="adam", learning_rate=0.06)
*_, last = moves  # 6 looks at the picture, with 5 moves between them
mine, _ = grow(TARGETS, GRAY_NOISE, 5)
print("after 5 moves the same picture:", torch.allclose(mine, last.image, atol=0.02))

# %% [markdown]
# ### Exercise: how far apart two styles are
#
# Write the style loss of one layer from the start: two feature maps go in, of pictures that may
# have *different sizes*; a number comes out. Use torch only, not `gram_matrix` or `style_loss`.


# %% tags=["exercise"]
def my_style_distance(features, style_features):
    """Return the mean squared difference of the two Gram matrices.

    features: (N, C, H, W). style_features: (N, C, H', W'). Divide each Gram matrix by the number
    of its own positions.
    """
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_style_distance(my_style_distance)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two steps: a Gram matrix for each, then the mean over all entries of the squared difference.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A small function inside yours saves writing the Gram matrix twice. After `rows =
# maps.flatten(2)`, the number of positions is `rows.shape[2]`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_style_distance(features, style_features):
#     """Return the mean squared difference of the two Gram matrices."""
#
#     def gram(maps):
#         rows = maps.flatten(2)  # (N, C, H*W)
#         return rows @ rows.mT / rows.shape[2]
#
#     return (gram(features) - gram(style_features)).square().mean()
# ```
#
# </details>
#
# ## Is the normaliser cosmetic?
#
# **Predict:** the style picture is four times as large as the painting: 2 × 2 tiles against one.
# We grow the texture twice, once with H·W and once with the plain sum. Each loss is divided by its
# target's mean square. What do we get with the sum?
#
# - (a) the same picture: a constant factor cancels
# - (b) a picture with too much contrast
# - (c) a picture with strokes of double size
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) It would cancel if it were the *same* factor in $G$ and in $A$. With the sum, $A$ has four
#   times as many terms as $G$.
# - (b) Right. With a quarter of the positions, each must respond twice as strongly to reach the
#   same sum of products. Twice the response needs more contrast than there is.
# - (c) The size of a stroke is in the channels. The sum changes how *strong* they have to be, not
#   which ones.
#
# </details>

# %%
tile = nst.resize(STYLE, SMALL)
large = tile.tile(1, 1, 2, 2)  # four times the area
start = nst.resize(GRAY_NOISE, SMALL)
RESULTS = {}
for divisor in ("hw", "none"):
    targets = {name: gram.detach() for name, gram in grams_of(large, LAYERS, divisor).items()}
    RESULTS[divisor], _ = grow(targets, start, SHORT, divide_by=divisor)

plots.show_images(
    [tile, *RESULTS.values()],
    titles=["one tile of the style", "divided by H·W", "plain sum"],
    alt="One tile of the style; a texture with its contrast; a glaring texture whose parts are "
    "black, white or pure blue.",
)

# %%
for label, picture in {"style": tile, **RESULTS}.items():
    print(f"{label:6} contrast (standard deviation of the pixels): {picture.std():.3f}")

# %% tags=["nbval-check-output"]
more = RESULTS["none"].std() > 1.2 * RESULTS["hw"].std()
print("the plain sum gives more contrast:", bool(more))

# %% [markdown]
# Compare with lesson 6. There a sum in place of a mean changed the length of the gradient only.
# For the style it changes the *goal*, as soon as the two pictures differ in size. With equal sizes
# and our division by the target's mean square, all three normalisers give the same loss:

# %% tags=["nbval-check-output"]
values = []
for divisor in ("none", "hw", "chw"):
    targets = grams_of(STYLE, LAYERS, divisor)
    values.append(total_style_loss(confetti, targets, divisor))
print("equal sizes, three equal losses:", torch.allclose(values[0], torch.stack(values), rtol=1e-3))

# %% [markdown]
# H·W has a limit, too. It makes a larger *piece* of a texture comparable, but not an *enlarged*
# texture: there the strokes are wider in pixels, and other channels respond.

# %%
piece_targets = grams_of(piece, LAYERS)
of_tiles = total_style_loss(piece.tile(1, 1, 2, 2), piece_targets).item()
of_enlarged = total_style_loss(nst.resize(piece, SIZE), piece_targets).item()
print(f"four tiles: style loss {of_tiles:.4f}. Enlarged twice: {of_enlarged:.4f}.")

# %% [markdown]
# ## An early layer's style and a late layer's
#
# **Predict:** we ask for *one* layer's Gram matrix at a time. What do we get?
#
# - (a) from each layer the same style, only more or less exactly
# - (b) from the first layer colours and grain; from later ones larger forms
# - (c) from the last layer the best colours *and* the best forms: it knows most
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) Look at the table below the pictures: a picture that fits one layer well can be far away at
#   another one.
# - (b) Right. The channels of the first layer look at 3 × 3 pixels: colour, and the smallest edges.
#   Behind several convolutions and pooling layers the receptive field (lesson 2) is much larger.
# - (c) Its forms are the largest. But look at the colours of its picture: its Gram matrix is
#   fitted well, and still they are wrong.
#
# </details>

# %%
with torch.no_grad():
    goal = grams_of(nst.resize(STYLE, SMALL), LAYERS)
alone, up_to = {}, {}
for k, name in enumerate(LAYERS):
    alone[name], _ = grow({name: goal[name]}, start, SHORT, tv_weight=0.2)
    first_layers = {layer: goal[layer] for layer in LAYERS[: k + 1]}
    up_to[name], _ = grow(first_layers, start, SHORT, tv_weight=0.05)

plots.show_images(
    [*alone.values(), *up_to.values()],
    titles=[*(f"only {name}" for name in alone), *(f"up to {name}" for name in up_to)],
    columns=len(LAYERS),
    alt="Upper row, one layer each: from the left, small blots in the style's blue; then short "
    "strokes; then larger and larger forms in wrong colours. Lower row, all layers up to "
    "one: the right blue and yellow everywhere, with strokes that get longer from left to right.",
)

# %%
print("style loss of each picture (row), measured at each layer (column)")
print(" " * 15 + "".join(f"{name:>10}" for name in LAYERS))
table = {}
for name, picture in {"the start": start, **alone}.items():
    with torch.no_grad():
        table[name] = [total_style_loss(picture, {k: goal[k]}).item() for k in LAYERS]
    print(f"{name:15}" + "".join(f"{value:10.3f}" for value in table[name]))

# %% tags=["nbval-check-output"]
columns = zip(*table.values(), strict=True)  # one column for each layer
best = [list(table)[column.index(min(column))] for column in columns]
print("at each layer, the picture made for it fits best:", best == list(LAYERS))

wrong_colour = {
    name: content_loss(picture.mean((2, 3)), tile.mean((2, 3))).item()
    for name, picture in alone.items()
}
better = wrong_colour[LAYERS[0]] < wrong_colour[LAYERS[3]]
print("the first layer's picture has a better mean colour than the fourth's:", better)

# %% [markdown]
# **Check yourself:** read the row of the first layer. How well does its picture fit the *last*
# layer, compared with the start? And the other way round: how well does the last layer's picture
# fit the first layer?
#
# <details><summary>Answer</summary>
#
# Badly, in both directions: a large share of the start's loss is still there, while the layer that
# was asked for is fitted well. Neighbouring layers are fitted along, distant ones are not: one
# layer's Gram matrix does not decide the others. The papers use five
# layers, from early to late, and so do we: colours and grain come from the early ones, strokes and
# forms from the late ones.
#
# </details>
#
# ## Recap
#
# - A Gram matrix says how strong the channels are and which of them respond together: the mean,
#   over all positions, of the product of two channels. Its shape is (N, C, C).
# - It stores no positions. It knows neighbours only through the channels, each of which looks at
#   a neighbourhood.
# - Divided by H·W it is comparable between pictures of different sizes. The plain sum changes the
#   goal, and C·H·W changes the balance between layers of different width.
# - The style loss is the mean squared difference of two Gram matrices, at several layers.
# - Early layers store colour and grain, late layers strokes and forms.
#
# Leon Gatys, Alexander Ecker and Matthias Bethge used Gram matrices of a network's channels in
# 2015: first for textures ([Texture Synthesis Using Convolutional Neural
# Networks](https://arxiv.org/abs/1505.07376)), then for style transfer ([A Neural Algorithm of
# Artistic Style](https://arxiv.org/abs/1508.06576)).
#
# **Look back** at the opening question: what told the program *how*, and not *where*?
#
# <details><summary>Answer</summary>
#
# The Gram matrices of the style picture. They are means over all positions, so no position is left
# in them; and their channels look at neighbourhoods of pixels, so strokes are.
#
# </details>
#
# **One thing to try:** mirror the style picture, `STYLE.flip(-1)`. Do its Gram matrices stay the
# same? Say what you expect, and why, before you compute `total_style_loss(STYLE.flip(-1),
# TARGETS)`. Compare it with the style loss of `shifted`.
