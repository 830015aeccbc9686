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

# %% [markdown] nbgrader={"grade_id": "title", "locked": true}
# # Assignment: Gram matrices and style loss
#
# A museum wants the style of *one part* of a picture: of the left half, of the sky, of a figure,
# and not of what lies around it. So you need Gram matrices that look at a part only. You will write
# three kinds of them, and the gradient of a style loss by hand. At the end your functions grow a
# texture from noise. No network is needed: 24 kernels made by hand do its work.
#
# **You need:** lessons 6 and 7. **Time:** about 115 minutes, at most two hours. **Points:** 28.
#
# | task | points | minutes |
# |---|---|---|
# | 1. What a Gram matrix notices | 4 | 15 |
# | 2. A Gram matrix under a mask | 6 | 25 |
# | 3. A centred Gram matrix | 5 | 20 |
# | 4. A Gram matrix of neighbours | 6 | 25 |
# | 5. The gradient, by hand | 7 | 30 |
#
# **How it works**
#
# - Write where you see `...  # your answer`. Keep the names of the functions and their arguments.
# - The cell after your answer tries an example that was worked out by hand. It never stops the
#   notebook. A right example is not yet a proof: the marks come from other inputs. They have two
#   pictures in a batch, height and width differ, and both float32 and float64 occur.
# - Results have the dtype of the input, and the input is not changed. In tasks 2 to 4 gradients
#   must flow, to the features and to the mask.
# - A mistake that many make earns a part of the points, and you are told what it was. A task
#   that you leave out costs its own points, and those of answers that use it.
# - Before you hand in: *Restart Kernel and Run All Cells*, then `nst-edu classroom validate`.

# %% nbgrader={"grade_id": "set_up", "locked": true}
import torch
import torch.nn.functional as F

import nst_edu as nst
from nst_edu import plots
from nst_edu.classroom import tasks
from nst_edu.exercises.checking import Misconception

TINY = torch.tensor([[[[1.0, 2.0, 0.0]], [[3.0, 1.0, 0.0]]]])  # (1, 2, 1, 3): lesson 7


def tried(function, *arguments):
    """Return the picture that `function` makes, (1, 3, H, W); if it makes none, a gray one."""
    try:
        return nst.check_image(function(*arguments).detach().clamp(0, 1))
    except Exception as error:
        print(f"No picture yet ({type(error).__name__}).")
        return torch.full((1, 3, 48, 48), 0.5)


# %% nbgrader={"grade_id": "student", "solution": true}
STUDENT = "..."  # your id, between the quotation marks
### BEGIN SOLUTION
STUDENT = "teacher"
### END SOLUTION

# %% [markdown] nbgrader={"grade_id": "notices_question", "locked": true}
# ## 1. What a Gram matrix notices
#
# The next cell prints feature maps of your own: two channels, 2 × 2 positions. $G$ is their Gram
# matrix, divided by the number of positions as in lesson 7. Think first, then compute on paper.
# Give a dictionary of numbers:
#
# - `"g01"`: $G_{01}$;
# - `"tiled"`: $G_{01}$ of the maps laid out 3 × 3 times, like tiles;
# - `"doubled"`: $G_{00}$ after channel 0 was doubled;
# - `"raised"`: $G_{01}$ after 1 was added to channel 1 everywhere;
# - `"turned"`: $G_{01}$ after channel 1 *alone* was turned by 180°.

# %% nbgrader={"grade_id": "notices_numbers", "locked": true}
draw = tasks.personal(STUDENT, "notices")
my_maps = torch.stack([1 + torch.randperm(6, generator=draw)[:4] for _ in range(2)]).view(2, 2, 2)
for number, channel in enumerate(my_maps.tolist()):
    print(f"channel {number}: {channel}")

# %% nbgrader={"grade_id": "notices", "solution": true}
my_notices = {"g01": ..., "tiled": ..., "doubled": ..., "raised": ..., "turned": ...}
### BEGIN SOLUTION
zero, one = my_maps.double()
my_notices = {
    "g01": (zero * one).mean().item(),
    "tiled": (zero * one).mean().item(),
    "doubled": 4 * zero.square().mean().item(),
    "raised": (zero * (one + 1)).mean().item(),
    "turned": (zero * one.flip(0, 1)).mean().item(),
}
### END SOLUTION

# %% nbgrader={"grade_id": "notices_test", "grade": true, "locked": true, "points": 4}
filled_in = isinstance(my_notices, dict) and "Ellipsis" not in str(my_notices)
print("a dictionary without blanks:", filled_in)


### BEGIN HIDDEN TESTS
def noticed(generator, divisor=4.0, tiles=1.0, power=2, raise_by=1.0, turns=True):
    """Return the answers; the options are mistakes."""
    first, second = (1 + torch.randperm(6, generator=generator)[:4].double() for _ in range(2))
    other = second.flip(0) if turns else second
    found = {
        "g01": first @ second,
        "tiled": tiles * first @ second,
        "doubled": 2**power * first @ first,
        "raised": first @ (second + raise_by),
        "turned": first @ other,
    }
    return {name: value.item() / divisor for name, value in found.items()}


TASK = tasks.Task(
    name="my_notices",
    points=4,
    reference=noticed,
    misconceptions=(
        Misconception(
            "plain-sum",
            "You added up the products. This course divides by the number of positions.",
            wrong=lambda generator: noticed(generator, divisor=1.0, tiles=9.0),
        ),
        Misconception(
            "divided-by-channels",
            "You divided by the number of channels, too. Here only the positions count.",
            wrong=lambda generator: noticed(generator, divisor=8.0),
        ),
        Misconception(
            "tiles-counted",
            "For the tiles you have more products, and that is true. But what do you divide by?",
            wrong=lambda generator: noticed(generator, tiles=9.0),
        ),
        Misconception(
            "doubled-once",
            "If channel 0 is doubled, how often does it stand in the products of $G_{00}$?",
            wrong=lambda generator: noticed(generator, power=1),
        ),
        Misconception(
            "thought-centred",
            "You say that adding 1 to a channel changes nothing. Compute one product before and "
            "after. (Task 3 has a matrix that you would be right about.)",
            wrong=lambda generator: noticed(generator, raise_by=0.0),
        ),
        Misconception(
            "never-notices-positions",
            "You say that turning channel 1 alone changes nothing. A Gram matrix does not notice "
            "if *all* channels are shuffled in the same way. Compute the four products here.",
            wrong=lambda generator: noticed(generator, turns=False),
        ),
    ),
    credit={
        "plain-sum": 0.5,
        "divided-by-channels": 0.5,
        "tiles-counted": 0.75,
        "doubled-once": 0.75,
        "thought-centred": 0.75,
        "never-notices-positions": 0.5,
    },
    lesson=7,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "masked_gram_question", "locked": true}
# ## 2. A Gram matrix under a mask
#
# A **mask** $m$ says for each position how much it counts: 1 in full, 0 not at all, and values
# between for a soft border. The Gram matrix becomes a *weighted* mean over the positions:
#
# $$G_{cd} = \frac{\sum_{y,x} m_{yx}\, F_{cyx}\, F_{dyx}}{\sum_{y,x} m_{yx}}$$
#
# Each picture of a batch has a mask, and a matrix, of its own.
#
# **Shapes:** `features` (N, C, H, W), float32 or float64, any range. `mask` (N, 1, H, W), same
# dtype, range 0 to 1, never all zeros. Return (N, C, C).
#
# **By hand:** lesson 7's maps: channel 0 is 1, 2, 0 and channel 1 is 3, 1, 0. With the mask
# 1, 0.5, 0: $G_{01} = (1 \cdot 3 + 0.5 \cdot 2)/1.5 = 8/3$. In the same way $G_{00} = 2$ and
# $G_{11} = 19/3$.


# %% nbgrader={"grade_id": "masked_gram", "solution": true}
def my_masked_gram(features, mask):
    """Return the Gram matrices under a mask, (N, C, C)."""
    ### BEGIN SOLUTION
    rows = features.flatten(2)  # (N, C, H*W)
    weights = mask.flatten(2)  # (N, 1, H*W)
    return (weights * rows) @ rows.mT / weights.sum(dim=2, keepdim=True)
    ### END SOLUTION


# %% nbgrader={"grade_id": "masked_gram_test", "grade": true, "locked": true, "points": 6}
mask = torch.tensor([[[[1.0, 0.5, 0.0]]]])
expected = torch.tensor([[[2.0, 8 / 3], [8 / 3, 19 / 3]]])
print("example right:", tasks.agrees(my_masked_gram, (TINY, mask), expected))
ones = torch.ones(1, 1, 1, 3)
print("a mask of ones:", tasks.agrees(my_masked_gram, (TINY, ones), nst.gram_matrix(TINY)))


### BEGIN HIDDEN TESTS
def weighted_products(features, mask):
    return torch.einsum("nchw,ndhw,nhw->ncd", features, features, mask[:, 0])


def masked_gram(features, mask):
    return weighted_products(features, mask) / mask.sum(dim=(1, 2, 3))[:, None, None]


def masked_cases(generator):
    shapes = [
        ((2, 3, 5, 7), torch.float64, False),
        ((2, 4, 3, 6), torch.float32, False),
        ((1, 2, 7, 4), torch.float32, True),
        ((3, 2, 4, 5), torch.float64, True),
    ]
    found = []
    for size, dtype, hard in shapes:
        features = torch.randn(size, generator=generator, dtype=torch.float64) + 0.5
        mask = torch.rand((size[0], 1, *size[2:]), generator=generator, dtype=torch.float64)
        mask = (mask > 0.6).double() if hard else mask
        mask[..., 0, 0] = 1.0
        found.append((features.to(dtype), mask.to(dtype)))
    return found


def plain_gram(features, divisor):
    rows = features.flatten(2)
    return rows @ rows.mT / divisor


def mixed_batch(features, mask):
    n, c, h, w = features.shape
    rows = features.reshape(n * c, h * w)
    weights = mask.expand_as(features).reshape(n * c, h * w)
    return (weights * rows) @ rows.T / mask.sum()


TASK = tasks.Task(
    name="my_masked_gram",
    points=6,
    reference=masked_gram,
    cases=masked_cases,
    misconceptions=(
        Misconception(
            "divided-by-all",
            "You divided by the number of all positions, H·W. What is the weighted mean of equal "
            "numbers? Try features of ones, with a mask of halves.",
            wrong=lambda f, m: weighted_products(f, m) / m[0, 0].numel(),
        ),
        Misconception(
            "mask-squared",
            "The numerator is wrong where the mask is soft: you laid the mask over the features "
            "before you multiplied two of them. How often is it in each product now?",
            wrong=lambda f, m: plain_gram(f * m, m.sum(dim=(2, 3))[..., None]),
        ),
        Misconception(
            "mask-squared-in-both",
            "The mask is squared in the numerator and in the denominator. This is a weighted mean, "
            "but with other weights than the task's.",
            wrong=lambda f, m: plain_gram(f * m, m.square().sum(dim=(2, 3))[..., None]),
        ),
        Misconception(
            "mask-squared-divided-by-all",
            "You laid the mask over the features and took the usual Gram matrix. Look at both: how "
            "often the mask is in each product, and what the sum is divided by.",
            wrong=lambda f, m: plain_gram(f * m, m[0, 0].numel()),
        ),
        Misconception(
            "one-sum-for-the-batch",
            "You divided by the sum of all masks of the batch. Each picture has a mask of its own.",
            wrong=lambda f, m: weighted_products(f, m) / m.sum(),
        ),
        Misconception(
            "mask-unused",
            "Your matrix does not depend on the mask.",
            wrong=lambda f, m: plain_gram(f, f[0, 0].numel()),
        ),
        Misconception(
            "pictures-mixed",
            "Your matrix holds products of channels of *different* pictures. Keep the axis N.",
            wrong=mixed_batch,
        ),
    ),
    credit={
        "divided-by-all": 0.5,
        "mask-squared": 0.6,
        "mask-squared-in-both": 0.6,
        "mask-squared-divided-by-all": 0.3,
        "one-sum-for-the-batch": 0.7,
        "mask-unused": 0.2,
        "pictures-mixed": 0.3,
    },
    lesson=7,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "centred_gram_question", "locked": true}
# ## 3. A centred Gram matrix
#
# In task 1, adding 1 to a channel changed the matrix. If only the *variations* of the channels
# should count, subtract from each channel its mean first, under the mask:
#
# $$\mu_c = \frac{\sum_{y,x} m_{yx}\, F_{cyx}}{\sum_{y,x} m_{yx}} \qquad\qquad
# G_{cd} = \frac{\sum_{y,x} m_{yx}\, (F_{cyx} - \mu_c)(F_{dyx} - \mu_d)}{\sum_{y,x} m_{yx}}$$
#
# **Shapes:** as in task 2. `mask` is again (N, 1, H, W), range 0 to 1, and each picture has means
# of its own. Return (N, C, C). You may use `my_masked_gram`.
#
# **By hand:** the same maps, and the mask 1, 1, 0. The means are 1.5 and 2. The centred channels
# are −0.5, 0.5 and 1, −1 where the mask is 1. So $G_{01} = (-0.5 - 0.5)/2 = -0.5$, $G_{00} = 0.25$
# and $G_{11} = 1$.


# %% nbgrader={"grade_id": "centred_gram", "solution": true}
def my_centred_gram(features, mask):
    """Return the Gram matrices of the centred channels under a mask, (N, C, C)."""
    ### BEGIN SOLUTION
    total = mask.sum(dim=(2, 3), keepdim=True)
    means = (mask * features).sum(dim=(2, 3), keepdim=True) / total  # (N, C, 1, 1)
    return my_masked_gram(features - means, mask)
    ### END SOLUTION


# %% nbgrader={"grade_id": "centred_gram_test", "grade": true, "locked": true, "points": 5}
mask = torch.tensor([[[[1.0, 1.0, 0.0]]]])
expected = torch.tensor([[[0.25, -0.5], [-0.5, 1.0]]])
print("example right:", tasks.agrees(my_centred_gram, (TINY, mask), expected))
print("plus 10, no change:", tasks.agrees(my_centred_gram, (TINY + 10, mask), expected))


### BEGIN HIDDEN TESTS
def weighted_gram(features, mask):
    rows, weights = features.flatten(2), mask.flatten(2)
    return (rows * weights) @ rows.mT / weights.sum(2, keepdim=True)


def mask_means(features, mask):
    return (features * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True)


def centred_gram(features, mask):
    means = mask_means(features, mask)[..., 0]  # (N, C, 1)
    return weighted_gram(features, mask) - means @ means.mT


def masked_first(features, mask):
    covered = features * mask
    rows = (covered - covered.mean((2, 3), keepdim=True)).flatten(2)
    return rows @ rows.mT / mask.flatten(2).sum(2, keepdim=True)


def standardised(features, mask):
    gram = centred_gram(features, mask)
    deviation = gram.diagonal(dim1=1, dim2=2).sqrt()
    return gram / (deviation[:, :, None] * deviation[:, None, :])


def centred_cases(generator):
    shapes = [
        ((2, 3, 5, 7), torch.float64),
        ((2, 4, 3, 6), torch.float32),
        ((3, 2, 4, 5), torch.float64),
    ]
    return [
        (
            torch.randn(size, generator=generator, dtype=torch.float64).add(1.0).to(dtype),
            torch.rand((size[0], 1, *size[2:]), generator=generator, dtype=torch.float64).to(dtype),
        )
        for size, dtype in shapes
    ]


TASK = tasks.Task(
    name="my_centred_gram",
    points=5,
    reference=centred_gram,
    cases=centred_cases,
    misconceptions=(
        Misconception(
            "not-centred",
            "This is the matrix of task 2. Subtract the means first.",
            wrong=weighted_gram,
        ),
        Misconception(
            "mean-of-all-positions",
            "You subtracted the mean over *all* positions. What lies outside of the mask must not "
            "have a say.",
            wrong=lambda f, m: weighted_gram(f - f.mean((2, 3), keepdim=True), m),
        ),
        Misconception(
            "mean-over-the-batch",
            "You took one mean for all pictures of the batch. Each picture has its own.",
            wrong=lambda f, m: weighted_gram(f - (f * m).sum((0, 2, 3), keepdim=True) / m.sum(), m),
        ),
        Misconception(
            "mean-over-channels",
            "You took the mean over the channels, at each position. Which indices does the sum for "
            "$\\mu_c$ run over?",
            wrong=lambda f, m: weighted_gram(f - f.mean(1, keepdim=True), m),
        ),
        Misconception(
            "masked-first",
            "You laid the mask over the features before you subtracted the mean. So positions that "
            "the mask left out came back as minus the mean.",
            wrong=masked_first,
        ),
        Misconception(
            "mean-of-masked-over-all",
            "The sum in $\\mu_c$ is right. Look at what you divide it by.",
            wrong=lambda f, m: weighted_gram(f - (f * m).mean((2, 3), keepdim=True), m),
        ),
        Misconception(
            "standardised",
            "Your diagonal is 1: you divided by the standard deviations, too. Look at the formula.",
            wrong=standardised,
        ),
    ),
    credit={
        "not-centred": 0.2,
        "mean-of-all-positions": 0.5,
        "mean-over-the-batch": 0.6,
        "mean-over-channels": 0.3,
        "masked-first": 0.4,
        "mean-of-masked-over-all": 0.6,
        "standardised": 0.6,
    },
    lesson=7,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "shifted_gram_question", "locked": true}
# ## 4. A Gram matrix of neighbours
#
# A Gram matrix multiplies two channels at the *same* position. So it does not know that in a brick
# wall another brick follows 20 pixels to the right. Guillaume Berger and Roland Memisevic (2017,
# [Incorporating Long-Range Consistency in CNN-Based Texture
# Generation](https://arxiv.org/abs/1606.01286)) multiply a channel by a *shifted* one. With a shift
# of $s$ rows down and $t$ columns to the right:
#
# $$G_{cd} = \frac{1}{P} \sum_{y,x} F_{c,\,y,\,x}\, F_{d,\,y+s,\,x+t}$$
#
# The sum runs over all positions for which *both* places lie inside the map; $P$ says how many
# these are. (Their paper combines both factors in a slightly different way.)
#
# **Shapes:** `features` (N, C, H, W), float32 or float64, any range. `down`, from 0 to H − 1, and
# `right`, from 0 to W − 1: whole numbers. Return (N, C, C). This matrix need not be symmetric.
#
# **By hand:** channel 0 is 1, 2, 0 and channel 1 is 3, 1, 0; shift 0 down and 1 to the right. There
# are two pairs of places. $G_{01} = (1 \cdot 1 + 2 \cdot 0)/2 = 0.5$, but
# $G_{10} = (3 \cdot 2 + 1 \cdot 0)/2 = 3$. On the diagonal: $G_{00} = 1$ and $G_{11} = 1.5$.


# %% nbgrader={"grade_id": "shifted_gram", "solution": true}
def my_shifted_gram(features, down, right):
    """Return the mean products of each channel with each shifted channel, (N, C, C)."""
    ### BEGIN SOLUTION
    h, w = features.shape[2:]
    here = features[:, :, : h - down, : w - right].flatten(2)
    there = features[:, :, down:, right:].flatten(2)
    return here @ there.mT / here.shape[2]
    ### END SOLUTION


# %% nbgrader={"grade_id": "shifted_gram_test", "grade": true, "locked": true, "points": 6}
expected = torch.tensor([[[1.0, 0.5], [3.0, 1.5]]])
print("example right:", tasks.agrees(my_shifted_gram, (TINY, 0, 1), expected))
print("no shift:", tasks.agrees(my_shifted_gram, (TINY, 0, 0), nst.gram_matrix(TINY)))


### BEGIN HIDDEN TESTS
def shifted_gram(features, down, right, divisor=None):
    """Multiply with a shifted copy that has zeros where it lies outside."""
    h, w = features.shape[2:]
    there = F.pad(features, (0, right, 0, down))[:, :, down:, right:]
    total = torch.einsum("nchw,ndhw->ncd", features, there)
    return total / (divisor or (h - down) * (w - right))


def rolled_gram(features, down, right):
    there = features.roll((-down, -right), dims=(2, 3))
    return torch.einsum("nchw,ndhw->ncd", features, there) / features[0, 0].numel()


def shifted_by_exchanged(features, down, right):
    return shifted_gram(features, right, down)


def shifted_cases(generator):
    shapes = [
        ((2, 3, 5, 7), 1, 2, torch.float64),
        ((2, 2, 6, 4), 3, 0, torch.float32),
        ((1, 4, 4, 6), 0, 3, torch.float32),
        ((2, 2, 4, 5), 2, 1, torch.float64),
    ]
    return [
        (
            torch.randn(size, generator=generator, dtype=torch.float64).add(0.5).to(dtype),
            down,
            right,
        )
        for size, down, right, dtype in shapes
    ]


TASK = tasks.Task(
    name="my_shifted_gram",
    points=6,
    reference=shifted_gram,
    cases=shifted_cases,
    misconceptions=(
        Misconception(
            "around-the-border",
            "What you pushed out at one side came in at the other. At the border you multiplied "
            "places that are no neighbours.",
            wrong=rolled_gram,
        ),
        Misconception(
            "divided-by-all",
            "Your sums are right. You divided by all positions of the map. How many pairs of "
            "places are there?",
            wrong=lambda f, down, right: shifted_gram(f, down, right, f[0, 0].numel()),
        ),
        Misconception(
            "other-channel-shifted",
            "Rows and columns are exchanged. Which of the two channels does the formula shift: the "
            "one of the first index, or of the second?",
            wrong=lambda f, down, right: shifted_gram(f, down, right).mT,
        ),
        Misconception(
            "down-and-right-exchanged",
            "You shifted by `down` along the columns and by `right` along the rows. In (N, C, H, "
            "W), which axis runs down?",
            wrong=shifted_by_exchanged,
        ),
        Misconception(
            "made-symmetric",
            "You took the mean of the matrix and its transpose. What comes to the right of what is "
            "lost then.",
            wrong=lambda f, down, right: (
                (shifted_gram(f, down, right) + shifted_gram(f, down, right).mT) / 2
            ),
        ),
        Misconception(
            "shift-unused",
            "This is the usual Gram matrix: both factors come from the same position.",
            wrong=lambda f, down, right: shifted_gram(f, 0, 0),
        ),
    ),
    credit={
        "around-the-border": 0.5,
        "divided-by-all": 0.7,
        "other-channel-shifted": 0.7,
        "down-and-right-exchanged": 0.6,
        "made-symmetric": 0.5,
        "shift-unused": 0.1,
    },
    lesson=7,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "style_gradient_question", "locked": true}
# ## 5. The gradient, by hand
#
# The style loss of one layer, under a mask, for a batch of N pictures:
#
# $$E = \frac{1}{N C^2} \sum_{n,c,d} (G_{ncd} - A_{ncd})^2$$
#
# $G$ is the masked Gram matrix of task 2, and $A$ is a given target. Write the function that
# computes the gradient $\partial E / \partial F$ **without autograd**. (If that stands in your
# function, a person will look at the answer.) Three questions lead to it:
#
# 1. What is $\partial E / \partial G_{ncd}$?
# 2. $F_{ncyx}$ stands in row $c$ of $G$, *and* in column $c$. Which products are these, and what is
#    $\partial G_{ncd} / \partial F_{ncyx}$?
# 3. Both $G$ and $A$ are symmetric. Which two sums become equal?
#
# **Shapes:** `features` (N, C, H, W), float32 or float64, any range. `mask` (N, 1, H, W),
# from 0 to 1. `target` (N, C, C), symmetric. Return the gradient, (N, C, H, W).
#
# **By hand:** one picture, one channel, two positions: the features are 3 and 1, the mask is 1 and
# 0.5, the target is 2. $G = (9 + 0.5)/1.5 = 19/3$, so $E = (19/3 - 2)^2$. Then
# $\partial E / \partial G = 2 \cdot 13/3 = 26/3$. A little more of the first feature changes $G$ by
# $2 \cdot 3/1.5 = 4$ times as much, and of the second one by $2 \cdot 0.5 \cdot 1/1.5 = 2/3$ times.
# So the gradient is 104/3 and 52/9.


# %% nbgrader={"grade_id": "style_gradient", "solution": true}
def my_style_gradient(features, mask, target):
    """Return the gradient of the style loss to the features, (N, C, H, W)."""
    ### BEGIN SOLUTION
    n, c = features.shape[:2]
    of_gram = 2 * (my_masked_gram(features, mask) - target) / (n * c**2)  # (N, C, C)
    weights = mask.flatten(2) / mask.flatten(2).sum(dim=2, keepdim=True)  # (N, 1, H*W)
    products = of_gram @ features.flatten(2)  # (N, C, C) @ (N, C, H*W) -> (N, C, H*W)
    return (2 * weights * products).view_as(features)  # 2: from the row, and from the column
    ### END SOLUTION


# %% nbgrader={"grade_id": "style_gradient_test", "grade": true, "locked": true, "points": 7}
pixels, mask = torch.tensor([[[[3.0, 1.0]]]]), torch.tensor([[[[1.0, 0.5]]]])
expected = torch.tensor([[[[104 / 3, 52 / 9]]]])
arguments = (pixels, mask, torch.full((1, 1, 1), 2.0))
print("example right:", tasks.agrees(my_style_gradient, arguments, expected))


### BEGIN HIDDEN TESTS
def by_loops(features, mask, target, paths=2, masked=True, squared=2, divisor=None, total=None):
    """Return the gradient of each picture by the formula; the options are mistakes."""
    n, c = features.shape[:2]
    result = []
    for maps, weights, wanted in zip(features.flatten(2), mask.flatten(1), target, strict=True):
        difference = (maps * weights) @ maps.T / weights.sum() - wanted
        slope = squared * difference / (n * c**2 if divisor is None else divisor(n, c))
        used = weights if masked else torch.ones_like(weights)
        whole = weights.sum() if total is None else total(weights)
        result.append(paths * (slope @ maps) * used / whole)
    return torch.stack(result).view_as(features)


def gradient_cases(generator):
    shapes = [
        ((2, 3, 4, 5), torch.float64),
        ((2, 2, 5, 3), torch.float32),
        ((1, 4, 3, 6), torch.float64),
    ]
    found = []
    for size, dtype in shapes:
        features = torch.randn(size, generator=generator, dtype=torch.float64) + 0.5
        other = torch.randn((*size[:2], 20), generator=generator, dtype=torch.float64)
        mask = torch.rand((size[0], 1, *size[2:]), generator=generator, dtype=torch.float64)
        found.append(tuple(t.to(dtype) for t in (features, mask, other @ other.mT / 20)))
    return found


TASK = tasks.Task(
    name="my_style_gradient",
    points=7,
    reference=by_loops,
    cases=gradient_cases,
    forbidden=("autograd", "backward", "requires_grad", "requires_grad_", "vjp", "jacrev"),
    gradient=False,
    misconceptions=(
        Misconception(
            "one-of-two-places",
            "Your gradient is half of the right one. Think of question 2: a feature stands in a "
            "row and in a column of $G$. And what becomes of the square?",
            wrong=lambda *a: by_loops(*a, paths=1),
        ),
        Misconception(
            "both-twos-forgotten",
            "Your gradient is a quarter of the right one. Two factors of 2 are missing: one from "
            "the square, one from question 2.",
            wrong=lambda *a: by_loops(*a, paths=1, squared=1),
        ),
        Misconception(
            "batch-not-divided",
            "Your gradient is that of a sum over the pictures. The loss is a mean over all entries "
            "of all matrices. How many entries are there?",
            wrong=lambda *a: by_loops(*a, divisor=lambda n, c: c**2),
        ),
        Misconception(
            "entries-not-divided",
            "Your gradient is too large. In front of the sum of the loss stands a fraction. Where "
            "did it go?",
            wrong=lambda *a: by_loops(*a, divisor=lambda n, c: 1),
        ),
        Misconception(
            "divided-by-channels-once",
            "Your gradient is too large by the number of channels. How many entries has one "
            "matrix?",
            wrong=lambda *a: by_loops(*a, divisor=lambda n, c: n * c),
        ),
        Misconception(
            "mask-forgotten-on-the-way-back",
            "Positions that count little get too large a gradient. The mask is in $G$. Where is it "
            "in $\\partial G / \\partial F$?",
            wrong=lambda *a: by_loops(*a, masked=False),
        ),
        Misconception(
            "divided-by-all-positions",
            "On the way back you divided by H·W. What did $G$ divide by?",
            wrong=lambda *a: by_loops(*a, total=lambda weights: weights.numel()),
        ),
        Misconception(
            "uphill",
            "Your gradient has the wrong sign. Is it target minus Gram matrix, or the other way "
            "round?",
            wrong=lambda *a: by_loops(*a, paths=-2),
        ),
    ),
    credit={
        "one-of-two-places": 0.6,
        "both-twos-forgotten": 0.4,
        "batch-not-divided": 0.7,
        "entries-not-divided": 0.5,
        "divided-by-channels-once": 0.6,
        "mask-forgotten-on-the-way-back": 0.5,
        "divided-by-all-positions": 0.5,
        "uphill": 0.6,
    },
    lesson=7,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "grow_text", "locked": true}
# ## Grow a texture from a part of a picture
#
# The style picture has two halves: waves on the left, an owl on the right. A mask lets the left
# half count, or the right one. The 24 kernels below take the part of the network: for each colour a
# blur, and differences to the right, downwards, and along a diagonal, to pixels that are one or
# four apart. Descent on noise then uses *your* gradient of task 5, with the chain rule from the
# features to the pixels left to torch.

# %% nbgrader={"grade_id": "grow", "locked": true}
HALVES = [nst.load_image(name, size=48)[..., :48, :48] for name in ("waves", "linocut")]
PATTERNS = torch.tensor(
    [
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]],
        [[0.0, 0.0, 0.0], [0.0, -3.0, 3.0], [0.0, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, -3.0, 0.0], [0.0, 3.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, -3.0, 0.0], [0.0, 0.0, 3.0]],
    ]
)


def features_of(pictures):
    """Return 24 feature maps for each picture: four kernels at two distances for each colour."""
    kernels = PATTERNS[:, None].repeat(3, 1, 1, 1) / 3
    maps = []
    for distance in (1, 4):
        around = F.pad(pictures, (distance,) * 4, mode="circular")
        maps.append(F.conv2d(around, kernels, groups=3, dilation=distance))
    return torch.cat(maps, dim=1)


def grow(mask, steps=150):
    """Return a texture: noise, changed until its Gram matrix is that of the part in the mask."""
    target = my_masked_gram(features_of(torch.cat(HALVES, dim=-1)), mask).detach()
    noise = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    pixels = (0.45 + 0.1 * noise).requires_grad_()
    velocity, everywhere = torch.zeros_like(noise), torch.ones(1, 1, 48, 48)
    for _ in range(steps):
        maps = features_of(pixels)
        gradient = my_style_gradient(maps.detach(), everywhere, target)
        (of_pixels,) = torch.autograd.grad(maps, pixels, gradient)
        velocity = 0.9 * velocity + of_pixels
        with torch.no_grad():  # each step changes a pixel by 0.01 on average
            pixels -= 0.01 * velocity / velocity.abs().mean()
    return pixels.detach()


# %% nbgrader={"grade_id": "grow_picture", "locked": true}
left_counts = torch.cat([torch.ones(1, 1, 48, 48), torch.zeros(1, 1, 48, 48)], dim=-1)
plots.show_images(
    [torch.cat(HALVES, dim=-1), tried(grow, left_counts), tried(grow, 1 - left_counts)],
    titles=["two styles", "the left one", "the right one"],
    alt="Left a picture of two halves, a blue wave and an owl before the moon. If your functions "
    "are right, two textures of blots follow: blue, white and some orange as in the wave's half; "
    "blue, yellow and brown as in the owl's.",
)

# %% [markdown] nbgrader={"grade_id": "end", "locked": true}
# ## Before you hand in
#
# Restart the kernel, run all cells, and look at what the examples say. Is your id in the second
# code cell? Save the notebook, and hand it in.
