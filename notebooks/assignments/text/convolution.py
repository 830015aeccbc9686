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
# # Assignment: Convolution
#
# You build the filters of a small photo editor. It must plan its memory, blur a photo without a
# dark frame, be fast, and find where a photo has contrast. At the end you write a filter as a
# matrix, so that a dense layer could do the same work.
#
# **You need:** lessons 1, 2 and 3. **Time:** about 110 minutes, at most two hours.
# **Points:** 27.
#
# | task | points | minutes |
# |---|---|---|
# | 1. Plan the sizes | 4 | 20 |
# | 2. A blur that is fair at the border | 7 | 30 |
# | 3. One blur, two cheap passes | 5 | 20 |
# | 4. Local contrast | 5 | 15 |
# | 5. A filter as a matrix | 6 | 25 |
#
# **How it works**
#
# - Write where you see `...  # your answer`. Keep the names of the functions and their arguments.
# - The cell after your answer tries an example that was worked out by hand. It never stops the
#   notebook. A right example is not yet a proof: the marks come from other inputs. They have two
#   pictures in a batch, height and width differ, and both float32 and float64 occur.
# - Results have the dtype of the input, and the input is not changed. Where gradients make sense,
#   they must flow.
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

PHOTO = nst.load_image("camera", size=96)


def tried(function, *arguments):
    """Return the picture that `function` makes, (1, 3, H, W); if it makes none, a gray one."""
    try:
        return nst.check_image(function(*arguments).detach().clamp(0, 1))
    except Exception as error:
        print(f"No picture yet ({type(error).__name__}).")
        return torch.full((1, 3, 64, 96), 0.5)


# %% nbgrader={"grade_id": "student", "solution": true}
STUDENT = "..."  # your id, between the quotation marks
### BEGIN SOLUTION
STUDENT = "teacher"
### END SOLUTION

# %% [markdown] nbgrader={"grade_id": "sizes_question", "locked": true}
# ## 1. Plan the sizes
#
# The editor passes a square photo through three convolution layers. The layers are your own: they
# depend on your id. The next cell prints them. With a **dilation** $d$, neighbouring numbers of the
# kernel meet pixels that lie $d$ apart. So $d = 1$ is the kernel that you know, and with $d = 2$
# every second pixel is left out.
#
# Give a dictionary of whole numbers:
#
# - `"after"`: a list of three numbers, the side of the picture after each layer;
# - `"smallest"` and `"largest"`: the smallest and the largest side of a photo that ends with the
#   *same* last number;
# - `"sees"`: how many pixels of the photo, along one side, one number of the last layer sees (its
#   receptive field).

# %% nbgrader={"grade_id": "sizes_numbers", "locked": true}
draw = tasks.personal(STUDENT, "sizes")
my_side = int(torch.randint(64, 128, (1,), generator=draw))
my_windows = (2 * torch.randint(1, 3, (3,), generator=draw) + 1).tolist()
my_paddings = torch.randint(0, 3, (3,), generator=draw).tolist()
my_strides = [2, *torch.randint(1, 3, (2,), generator=draw).tolist()]
my_dilations = torch.randint(1, 3, (3,), generator=draw).tolist()

print(f"The photo has {my_side} × {my_side} pixels.")
for number in range(3):
    print(
        f"layer {number + 1}: window {my_windows[number]}, padding {my_paddings[number]} on each "
        f"side, stride {my_strides[number]}, dilation {my_dilations[number]}"
    )

# %% nbgrader={"grade_id": "sizes", "solution": true}
my_sizes = {"after": [..., ..., ...], "smallest": ..., "largest": ..., "sees": ...}
### BEGIN SOLUTION
spans = [(window - 1) * d + 1 for window, d in zip(my_windows, my_dilations, strict=True)]


def sides_after(side):
    """Return the side after each layer; a list that ends with None if a kernel does not fit."""
    sides = []
    for span, padding, stride in zip(spans, my_paddings, my_strides, strict=True):
        if side is None or side + 2 * padding < span:
            return [*sides, None]
        side = (side + 2 * padding - span) // stride + 1
        sides.append(side)
    return sides


last = sides_after(my_side)[-1]
fitting = [side for side in range(1, 400) if sides_after(side)[-1] == last]
sees = 1 + (spans[0] - 1) + (spans[1] - 1) * my_strides[0]
sees += (spans[2] - 1) * my_strides[0] * my_strides[1]
my_sizes = {
    "after": sides_after(my_side),
    "smallest": min(fitting),
    "largest": max(fitting),
    "sees": sees,
}
### END SOLUTION

# %% nbgrader={"grade_id": "sizes_test", "grade": true, "locked": true, "points": 4}
filled_in = isinstance(my_sizes, dict) and "Ellipsis" not in str(my_sizes)
print("a dictionary without blanks:", filled_in)


### BEGIN HIDDEN TESTS
def planned(generator, padded_sides=2, round_up=False, plus=1, span=None, strides_count=True):
    """Return the answers; the options are mistakes."""
    side = int(torch.randint(64, 128, (1,), generator=generator))
    windows = (2 * torch.randint(1, 3, (3,), generator=generator) + 1).tolist()
    paddings = torch.randint(0, 3, (3,), generator=generator).tolist()
    strides = [2, *torch.randint(1, 3, (2,), generator=generator).tolist()]
    dilations = torch.randint(1, 3, (3,), generator=generator).tolist()
    span = span or (lambda window, dilation: (window - 1) * dilation + 1)
    spans = [span(*pair) for pair in zip(windows, dilations, strict=True)]

    def chain(side):
        sides = []
        for wide, padding, stride in zip(spans, paddings, strides, strict=True):
            free = side + padded_sides * padding - wide
            side = (free + (stride - 1) * round_up) // stride + plus
            sides.append(side if free >= 0 and side > 0 else -1)
            side = sides[-1]
        return sides

    sees, step = 1, 1
    for wide, stride in zip(spans, strides, strict=True):
        sees, step = sees + (wide - 1) * step, step * stride if strides_count else 1
    same = [s for s in range(1, 400) if chain(s)[-1] == chain(side)[-1]]
    return {"after": chain(side), "smallest": min(same), "largest": max(same), "sees": sees}


def one_size_only(generator):
    """Return the answers of somebody who thinks that sizes can be traced back exactly."""
    state = generator.get_state()
    side = int(torch.randint(64, 128, (1,), generator=generator))
    return {**planned(generator.set_state(state)), "smallest": side, "largest": side}


TASK = tasks.Task(
    name="my_sizes",
    points=4,
    reference=planned,
    misconceptions=(
        Misconception(
            "dilation-ignored",
            "Your numbers are those of layers without dilation. Draw a kernel of 3 with dilation "
            "2. From its first to its last number, how many pixels does it span?",
            wrong=lambda generator: planned(generator, span=lambda window, dilation: window),
        ),
        Misconception(
            "span-multiplied",
            "You took window times dilation as the span. Draw a kernel of 3 with dilation 2, and "
            "count the pixels from its first to its last number.",
            wrong=lambda generator: planned(generator, span=lambda w, d: w * d),
        ),
        Misconception(
            "padding-once",
            "You added the padding once. On how many sides of a row does it lie?",
            wrong=lambda generator: planned(generator, padded_sides=1),
        ),
        Misconception(
            "rounded-up",
            "You rounded up. A kernel that would stick out at the end is not laid there.",
            wrong=lambda generator: planned(generator, round_up=True),
        ),
        Misconception(
            "one-place-lost",
            "All your sizes are too small. A kernel as wide as the picture fits at one place, not "
            "at none. Test your formula with that.",
            wrong=lambda generator: planned(generator, plus=0),
        ),
        Misconception(
            "strides-forgotten-in-sees",
            "Your sizes are right. For the receptive field you added up what each kernel spans. "
            "But behind a layer with stride 2, how far apart are two neighbours in the photo?",
            wrong=lambda generator: planned(generator, strides_count=False),
        ),
        Misconception(
            "one-size-only",
            "You say that only your own side gives this last number. Try a photo that is one pixel "
            "larger. What does a stride of 2 do with a pixel that is left over?",
            wrong=one_size_only,
        ),
    ),
    credit={
        "dilation-ignored": 0.4,
        "span-multiplied": 0.4,
        "padding-once": 0.4,
        "rounded-up": 0.4,
        "one-place-lost": 0.4,
        "strides-forgotten-in-sees": 0.75,
        "one-size-only": 0.6,
    },
    lesson=2,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "fair_blur_question", "locked": true}
# ## 2. A blur that is fair at the border
#
# Zero padding keeps the size, but it mixes black into the border. Your blur does better. At each
# place it takes the **weighted mean of those pixels that exist**: numbers of the kernel that would
# meet a place outside of the picture are left out of the sum, *and* out of the weights by which the
# sum is divided.
#
# With $I$ for the places inside the picture:
#
# $$y_{i,j} = \frac{\sum_{(u,v) \in I} w_{u,v}\, x_{i+ud,\,j+vd}}{\sum_{(u,v) \in I} w_{u,v}}$$
#
# Here $u$ and $v$ count from the middle of the kernel: for three rows, $u$ is −1, 0 and 1. This is
# a cross-correlation: the kernel is not turned. $d$ is the dilation.
#
# **Shapes:** `images` (N, C, H, W), float32 or float64, range 0 to 1. `kernel` (kh, kw), both odd,
# all numbers positive; the same kernel for each channel, and channels are not mixed. `dilation`, a
# whole number from 1 on. Return (N, C, H, W), of the same dtype.
#
# **By hand:** the row 2, 4, 6 and the kernel 1, 2, 1 with dilation 1. In the middle:
# $(1 \cdot 2 + 2 \cdot 4 + 1 \cdot 6)/4 = 4$. At the left end there is no pixel for the first 1:
# $(2 \cdot 2 + 1 \cdot 4)/3 = 8/3$. At the right end: $(1 \cdot 4 + 2 \cdot 6)/3 = 16/3$.


# %% nbgrader={"grade_id": "fair_blur", "solution": true}
def my_fair_blur(images, kernel, dilation):
    """Return the weighted mean of the pixels that exist, (N, C, H, W)."""
    ### BEGIN SOLUTION
    kh, kw = kernel.shape
    n, c, h, w = images.shape
    padding = (kh // 2 * dilation, kw // 2 * dilation)
    options = {"kernel_size": (kh, kw), "dilation": dilation, "padding": padding}
    taps = F.unfold(images.reshape(n * c, 1, h, w), **options)  # (N*C, kh*kw, H*W), zeros outside
    exists = F.unfold(torch.ones_like(images[:1, :1]), **options)  # (1, kh*kw, H*W)
    weights = kernel.flatten()[:, None] * exists
    return ((weights * taps).sum(1) / weights.sum(1)).reshape(n, c, h, w)
    ### END SOLUTION


# %% nbgrader={"grade_id": "fair_blur_test", "grade": true, "locked": true, "points": 7}
row, kernel = torch.tensor([[[[2.0, 4.0, 6.0]]]]), torch.tensor([[1.0, 2.0, 1.0]])
expected = torch.tensor([[[[8 / 3, 4.0, 16 / 3]]]])
print("example right:", tasks.agrees(my_fair_blur, (row, kernel, 1), expected))
wall, letter = torch.full((1, 3, 5, 6), 0.6), torch.arange(1.0, 10.0).view(3, 3)
print("a wall stays a wall:", tasks.agrees(my_fair_blur, (wall, letter, 2), wall))


### BEGIN HIDDEN TESTS
def blur_parts(images, kernel, dilation, mode="constant"):
    """Return the sum of the products, the weights inside, and how many numbers are inside."""
    kh, kw = kernel.shape
    h, w = images.shape[-2:]
    up, left = kh // 2 * dilation, kw // 2 * dilation
    padded = F.pad(images, (left, left, up, up), mode=mode)
    inside = F.pad(torch.ones_like(images), (left, left, up, up))
    total = weights = count = 0.0
    for u in range(kh):
        for v in range(kw):
            top, first = u * dilation, v * dilation
            part = (..., slice(top, top + h), slice(first, first + w))
            total = total + kernel[u, v] * padded[part]
            weights = weights + kernel[u, v] * inside[part]
            count = count + inside[part]
    return total, weights, count


def fair_blur(images, kernel, dilation):
    total, weights, _ = blur_parts(images, kernel, dilation)
    return total / weights


def blur_cases(generator):
    shapes = [
        ((2, 3, 5, 7), (3, 5), 1, torch.float64),
        ((2, 1, 6, 5), (3, 3), 2, torch.float32),
        ((1, 2, 7, 4), (5, 1), 1, torch.float32),
        ((1, 2, 5, 6), (1, 3), 3, torch.float64),
    ]
    return [
        (
            torch.rand(size, generator=generator, dtype=torch.float64).to(dtype),
            torch.rand(window, generator=generator, dtype=torch.float64).add(0.1).to(dtype),
            dilation,
        )
        for size, window, dilation, dtype in shapes
    ]


TASK = tasks.Task(
    name="my_fair_blur",
    points=7,
    reference=fair_blur,
    cases=blur_cases,
    misconceptions=(
        Misconception(
            "dark-border",
            "Inside, your numbers are right. At the border they are too dark: you divided by the "
            "sum of the whole kernel everywhere. Which of its numbers met a pixel there?",
            wrong=lambda x, k, d: blur_parts(x, k, d)[0] / k.sum(),
        ),
        Misconception(
            "not-divided",
            "You added up the products and did not divide. What does your blur make of a wall of "
            "0.6, with a kernel whose sum is 4?",
            wrong=lambda x, k, d: blur_parts(x, k, d)[0],
        ),
        Misconception(
            "divided-by-count",
            "You divided by how many numbers of the kernel lie inside. Look at the denominator in "
            "the formula: does each of them count as 1?",
            wrong=lambda x, k, d: blur_parts(x, k, d)[0] / blur_parts(x, k, d)[2],
        ),
        Misconception(
            "kernel-turned",
            "Your numbers are those of the kernel turned by 180°. Look at the signs in the "
            "formula: which pixel does the upper left number of the kernel meet?",
            wrong=lambda x, k, d: fair_blur(x, k.flip(0, 1), d),
        ),
        Misconception(
            "dilation-ignored",
            "For dilation 1 you are right. For more, your kernel still meets direct neighbours. "
            "Where does the dilation stand in the formula?",
            wrong=lambda x, k, d: fair_blur(x, k, 1),
        ),
        Misconception(
            "dilation-as-gap",
            "Your kernel reaches too far: you left out d pixels between two of its numbers. With "
            "d = 1 none are left out.",
            wrong=lambda x, k, d: fair_blur(x, k, d + 1),
        ),
        Misconception(
            "border-repeated",
            "You repeated the border pixels. So these count more than once there. The task leaves "
            "places outside of the picture out, of the sum and of the weights.",
            wrong=lambda x, k, d: blur_parts(x, k, d, mode="replicate")[0] / k.sum(),
        ),
    ),
    credit={
        "dark-border": 0.4,
        "not-divided": 0.3,
        "divided-by-count": 0.6,
        "kernel-turned": 0.6,
        "dilation-ignored": 0.5,
        "dilation-as-gap": 0.7,
        "border-repeated": 0.4,
    },
    lesson=2,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "fair_blur_picture", "locked": true}
zeros_around = F.conv2d(PHOTO, torch.full((3, 1, 9, 9), 1 / 81), padding=4, groups=3)
plots.show_images(
    [PHOTO, zeros_around, tried(my_fair_blur, PHOTO, torch.ones(9, 9), 1)],
    titles=["the photo", "zeros around it", "your blur"],
    alt="A man with a camera on a tripod. In the middle the photo is blurred and has a dark frame. "
    "Right: your blur; if it is right, the photo is blurred and has no frame.",
)

# %% [markdown] nbgrader={"grade_id": "split_kernel_question", "locked": true}
# ## 3. One blur, two cheap passes
#
# A kernel of 9 × 9 numbers costs 81 multiplications for each pixel. Some kernels are an *outer
# product*: $w_{u,v} = c_u\, r_v$, with a column $c$ and a row $r$. Then one can filter with the
# column first and with the row after that. This costs 9 + 9 multiplications.
#
# Write the function that finds $c$ and $r$. Many pairs have the same product, because one may be
# made twice as large and the other half as large. Return the pair in which **the numbers of the
# column add up to 1**.
#
# **Shapes:** `kernel` (kh, kw), float32 or float64, an outer product. Its numbers may be negative,
# some rows or columns may be zeros, and their sum is never 0. Return a tuple: the column (kh,) and
# the row (kw,).
#
# **By hand:** the kernel with the rows 1, 3 and 2, 6. Its column is in proportion to 1, 2. To add
# up to 1, it must be 1/3, 2/3. Then the row is 3, 9.


# %% nbgrader={"grade_id": "split_kernel", "solution": true}
def my_split_kernel(kernel):
    """Return the column, (kh,), whose sum is 1, and the row, (kw,)."""
    ### BEGIN SOLUTION
    row = kernel.sum(dim=0)  # the column's sum, 1, times each number of the row
    column = kernel.sum(dim=1) / kernel.sum()
    return column, row
    ### END SOLUTION


# %% nbgrader={"grade_id": "split_kernel_test", "grade": true, "locked": true, "points": 5}
kernel = torch.tensor([[1.0, 3.0], [2.0, 6.0]])
expected = (torch.tensor([1 / 3, 2 / 3]), torch.tensor([3.0, 9.0]))
print("example right:", tasks.agrees(my_split_kernel, (kernel,), expected))


### BEGIN HIDDEN TESTS
def split_kernel(kernel):
    strongest = kernel.abs().sum(0).argmax()
    column = kernel[:, strongest] / kernel[:, strongest].sum()
    return column, column @ kernel / column.square().sum()


def split_cases(generator):
    """Return outer products; some have a zero where the first number would be."""
    sizes = [
        (3, 5, torch.float64, 1.0),
        (4, 3, torch.float32, 0.0),
        (5, 2, torch.float32, 1.0),
        (3, 4, torch.float64, 0.0),
    ]
    found = []
    for kh, kw, dtype, first in sizes:
        column = torch.rand(kh, generator=generator, dtype=torch.float64) + 0.2
        row = torch.rand(kw, generator=generator, dtype=torch.float64) + 0.2
        column[-1] *= -0.3
        row[0], column[0] = first * row[0], first * column[0]
        found.append((-1.7 * torch.outer(column, row).to(dtype),))
    return found


def by_first_line(kernel):
    column = kernel[:, 0] / kernel[:, 0].sum()
    return column, kernel[0] / column[0]


TASK = tasks.Task(
    name="my_split_kernel",
    points=5,
    reference=split_kernel,
    cases=split_cases,
    gradient=False,  # beside outer products it may go on in any way
    misconceptions=(
        Misconception(
            "column-too-large",
            "Your column and row have the right proportions, but their product is too large. What "
            "do the numbers of your column add up to?",
            wrong=lambda k: (k.sum(1), k.sum(0)),
        ),
        Misconception(
            "both-made-one",
            "Both of your vectors add up to 1. Then the numbers of their outer product do so, too. "
            "But what do those of the kernel add up to?",
            wrong=lambda k: (k.sum(1) / k.sum(), k.sum(0) / k.sum()),
        ),
        Misconception(
            "exchanged",
            "You have exchanged the two. The column has one number for each row of the kernel.",
            wrong=lambda k: (k.sum(0), k.sum(1) / k.sum()),
        ),
        Misconception(
            "row-made-one",
            "In your pair the numbers of the row add up to 1. The task asks for the other choice.",
            wrong=lambda k: (k.sum(1), k.sum(0) / k.sum()),
        ),
        Misconception(
            "means",
            "You took means. They are in the right proportion, but your column does not add up to "
            "1, and the outer product of your vectors is not the kernel. Multiply it out.",
            wrong=lambda k: (k.mean(1), k.mean(0)),
        ),
        Misconception(
            "first-line-only",
            "You looked at the first row and column of the kernel only. What if they are zeros?",
            wrong=by_first_line,
        ),
        Misconception(
            "length-one",
            "Your column has length 1: the sum of its *squares* is 1. Read again what must be 1.",
            wrong=lambda k: (k.sum(1) / k.sum(1).norm(), k.sum(0) * k.sum(1).norm() / k.sum()),
        ),
    ),
    credit={
        "column-too-large": 0.5,
        "both-made-one": 0.5,
        "exchanged": 0.6,
        "row-made-one": 0.6,
        "means": 0.3,
        "first-line-only": 0.6,
        "length-one": 0.5,
    },
    lesson=1,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "contrast_question", "locked": true}
# ## 4. Local contrast
#
# Where is the photo flat, and where does it have contrast? Cut the picture into windows that do not
# overlap, and give for each window **its largest pixel minus its smallest**. At the right and at
# the lower border a window may be incomplete. It counts all the same, with the pixels that it has.
#
# **Shapes:** `images` (N, C, H, W), float32 or float64, any range, negative numbers too. `window`,
# the side of the windows. Return (N, C, H', W'), where H' is H divided by `window`, rounded up, and
# W' likewise.
#
# **By hand:** the rows 1, 5, 2 and 3, 4, 9, with windows of side 2. The first window holds 1, 5, 3,
# 4: its contrast is 4. The second one holds 2 and 9: its contrast is 7.


# %% nbgrader={"grade_id": "contrast", "solution": true}
def my_contrast(images, window):
    """Return the largest minus the smallest pixel of each window, (N, C, H', W')."""
    ### BEGIN SOLUTION
    options = {"kernel_size": window, "ceil_mode": True}
    return F.max_pool2d(images, **options) + F.max_pool2d(-images, **options)
    ### END SOLUTION


# %% nbgrader={"grade_id": "contrast_test", "grade": true, "locked": true, "points": 5}
rows = torch.tensor([[[[1.0, 5.0, 2.0], [3.0, 4.0, 9.0]]]])
expected = torch.tensor([[[[4.0, 7.0]]]])
print("example right:", tasks.agrees(my_contrast, (rows, 2), expected))


### BEGIN HIDDEN TESTS
def window_values(images, window, combine, stride=None):
    """Return what `combine` makes of the pixels, (N, C, n), of each window."""
    step = window if stride is None else stride
    h, w = images.shape[-2:]
    rows = []
    for top in range(0, h if stride is None else h - window + 1, step):
        row = []
        for left in range(0, w if stride is None else w - window + 1, step):
            part = images[..., top : top + window, left : left + window]
            row.append(combine(part.flatten(2)))
        rows.append(torch.stack(row, -1))
    return torch.stack(rows, -2)


def spread_of(pixels):
    return pixels.max(-1).values - pixels.min(-1).values


def whole_windows(images, window):
    h, w = (side // window * window for side in images.shape[-2:])
    return window_values(images[..., :h, :w], window, spread_of)


def zeros_added(images, window):
    more = [-side % window for side in images.shape[-2:]]
    return window_values(F.pad(images, (0, more[1], 0, more[0])), window, spread_of)


def contrast_cases(generator):
    shapes = [
        ((2, 3, 5, 7), 2, torch.float64, 2.0),
        ((2, 1, 7, 4), 3, torch.float32, -2.0),
        ((1, 2, 6, 9), 3, torch.float64, 0.0),
        ((1, 2, 5, 6), 4, torch.float32, 3.0),
    ]
    return [
        (torch.randn(size, generator=generator, dtype=torch.float64).add(mean).to(dtype), window)
        for size, window, dtype, mean in shapes
    ]


TASK = tasks.Task(
    name="my_contrast",
    points=5,
    reference=lambda images, window: window_values(images, window, spread_of),
    cases=contrast_cases,
    misconceptions=(
        Misconception(
            "incomplete-dropped",
            "Your windows are right, but those at the right and lower border are missing where "
            "they are incomplete. The task wants them, too.",
            wrong=whole_windows,
        ),
        Misconception(
            "zeros-added",
            "Inside you are right. To fill the last windows you added zeros, and a zero can be the "
            "largest or the smallest number of a window.",
            wrong=zeros_added,
        ),
        Misconception(
            "plus-smallest",
            "Your value is the largest *plus* the smallest pixel. Lesson 3: min(x) = −max(−x). "
            "Count the minus signs in your line.",
            wrong=lambda images, window: window_values(
                images, window, lambda pixels: pixels.max(-1).values + pixels.min(-1).values
            ),
        ),
        Misconception(
            "windows-overlap",
            "Your windows overlap: each begins one pixel after the one before. The next window "
            "begins where the last one ended.",
            wrong=lambda images, window: window_values(images, window, spread_of, stride=1),
        ),
        Misconception(
            "largest-only",
            "You returned the largest pixel of each window: max pooling. What is still missing?",
            wrong=lambda images, window: window_values(
                images, window, lambda pixels: pixels.max(-1).values
            ),
        ),
        Misconception(
            "from-the-mean",
            "You measured from the mean of each window. The task measures from its smallest pixel.",
            wrong=lambda images, window: window_values(
                images, window, lambda pixels: pixels.max(-1).values - pixels.mean(-1)
            ),
        ),
    ),
    credit={
        "incomplete-dropped": 0.5,
        "zeros-added": 0.6,
        "plus-smallest": 0.4,
        "windows-overlap": 0.4,
        "largest-only": 0.3,
        "from-the-mean": 0.3,
    },
    lesson=3,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "contrast_picture", "locked": true}
contrast = tried(my_contrast, PHOTO, 4)
plots.show_images(
    [PHOTO, contrast.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)],
    titles=["the photo", "its contrast"],
    alt="Left the photo of the man with the camera. Right its contrast in squares of 4 by 4 "
    "pixels; if your function is right, the outlines of man and tripod are bright, and sky and "
    "coat are black.",
)

# %% [markdown] nbgrader={"grade_id": "circular_matrix_question", "locked": true}
# ## 5. A filter as a matrix
#
# A convolution is a dense layer with many equal weights (lesson 3). Show it for one row of pixels,
# a signal $x$ with `size` numbers. **Circular padding:** beyond its end the signal begins again.
# The kernel is laid at the places 0, `stride`, 2 · `stride`, … as long as the place is smaller than
# `size`. At the place $p$ it gives
#
# $$y = \sum_u w_u\, x_{(p + u) \bmod size}$$
#
# Return the matrix $M$ with $y = M x$: one row for each place. The kernel may be longer than the
# signal. Then it goes around more than once.
#
# **Shapes:** `kernel` (k,), float32 or float64, any range. `size` and `stride`, whole numbers from
# 1 on. Return (number of places, size), of the kernel's dtype.
#
# **By hand:** the kernel 1, 2, size 4, stride 2. The places are 0 and 2. The rows are 1, 2, 0, 0
# and 0, 0, 1, 2. With size 3 and stride 2 the rows are 1, 2, 0 and 2, 0, 1: the second kernel
# begins at the last number, and goes on at the first.


# %% nbgrader={"grade_id": "circular_matrix", "solution": true}
def my_circular_matrix(kernel, size, stride):
    """Return the matrix, (places, size), of a circular cross-correlation with a stride."""
    ### BEGIN SOLUTION
    once_around = torch.zeros(size, dtype=kernel.dtype)
    for u in range(len(kernel)):
        number = F.one_hot(torch.tensor(u % size), size).to(kernel.dtype) * kernel[u]
        once_around = once_around + number
    return torch.stack([once_around.roll(place) for place in range(0, size, stride)])
    ### END SOLUTION


# %% nbgrader={"grade_id": "circular_matrix_test", "grade": true, "locked": true, "points": 6}
kernel = torch.tensor([1.0, 2.0])
expected = torch.tensor([[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 1.0, 2.0]])
print("size 4, stride 2:", tasks.agrees(my_circular_matrix, (kernel, 4, 2), expected))
expected = torch.tensor([[1.0, 2.0, 0.0], [2.0, 0.0, 1.0]])
print("size 3, stride 2:", tasks.agrees(my_circular_matrix, (kernel, 3, 2), expected))


### BEGIN HIDDEN TESTS
def laid_out(kernel, size, stride, wrap=True, add=True, step=None):
    """Return the matrix; the options are mistakes."""
    rows = []
    for place in range(0, size, stride):
        row = [kernel.new_zeros(())] * size
        for u in range(len(kernel)):
            column = (place if step is None else place // stride * step) + u
            if column < size or wrap:
                column %= size
                row[column] = row[column] + kernel[u] if add else kernel[u]
        rows.append(torch.stack(row))
    return torch.stack(rows)


def matrix_cases(generator):
    sizes = [
        (3, 7, 2, torch.float64),
        (4, 6, 1, torch.float32),
        (5, 8, 3, torch.float32),
        (5, 4, 2, torch.float64),
    ]
    return [
        (torch.randn(k, generator=generator, dtype=torch.float64).to(dtype), size, stride)
        for k, size, stride, dtype in sizes
    ]


TASK = tasks.Task(
    name="my_circular_matrix",
    points=6,
    reference=laid_out,
    cases=matrix_cases,
    misconceptions=(
        Misconception(
            "not-around",
            "Numbers of the kernel that stick out at the right end are lost in your matrix. Where "
            "do they go if the signal begins again there?",
            wrong=lambda kernel, size, stride: laid_out(kernel, size, stride, wrap=False),
        ),
        Misconception(
            "kernel-turned",
            "The kernel stands in your rows from right to left. In the formula, which number of "
            "the signal does the first number of the kernel meet?",
            wrong=lambda kernel, size, stride: laid_out(kernel.flip(0), size, stride),
        ),
        Misconception(
            "columns-for-rows",
            "In your matrix the kernels stand in the columns. The matrix times the signal must "
            "give one number for each place.",
            wrong=lambda kernel, size, stride: laid_out(kernel, size, stride).T,
        ),
        Misconception(
            "stride-only-counted",
            "The number of rows is right. But in your matrix each kernel begins one column after "
            "the one above it, whatever the stride is.",
            wrong=lambda kernel, size, stride: laid_out(kernel, size, stride, step=1),
        ),
        Misconception(
            "stride-ignored",
            "Your matrix has a row for each number of the signal. That is stride 1.",
            wrong=lambda kernel, size, stride: laid_out(kernel, size, 1),
        ),
        Misconception(
            "overwritten",
            "You are right as long as the kernel is not longer than the signal. After that, two of "
            "its numbers meet the same number of the signal. One of them is lost in your matrix.",
            wrong=lambda kernel, size, stride: laid_out(kernel, size, stride, add=False),
        ),
        Misconception(
            "last-place-lost",
            "A row is missing at the end where the size is no multiple of the stride. Which places "
            "are smaller than the size?",
            wrong=lambda kernel, size, stride: laid_out(kernel, size, stride)[: size // stride],
        ),
    ),
    credit={
        "not-around": 0.4,
        "kernel-turned": 0.6,
        "columns-for-rows": 0.6,
        "stride-only-counted": 0.5,
        "stride-ignored": 0.4,
        "overwritten": 0.8,
        "last-place-lost": 0.7,
    },
    lesson=3,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "end", "locked": true}
# ## Before you hand in
#
# Restart the kernel, run all cells, and look at what the examples say. Is your id in the second
# code cell? Save the notebook, and hand it in.
