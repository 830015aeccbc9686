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
# # Lesson 1: Convolution
#
# One photo, three more pictures made from it: blurred, sharpened, reduced to its edges. Each was
# made with nine numbers. Which nine? And can a program find such numbers by itself? The network
# of lesson 0 looks at pictures through many thousands of such sets of numbers.
#
# **After this lesson you can**
#
# - compute a cross-correlation and a true convolution, and say when the two are equal;
# - choose numbers that blur, sharpen, or find edges;
# - write a convolution layer with several channels and a bias, and find the mistakes in one;
# - let gradient descent find the numbers, from a picture and its filtered version.
#
# **Time:** 45 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
from itertools import product

import torch
import torch.nn.functional as F

import nst_edu as nst
from nst_edu import exercises, plots
from nst_edu.layers import convolve2d, cross_correlate2d

torch.manual_seed(0)
SIZE = 64 if nst.is_fast() else 128  # pixels on the longer side
STEPS = 150 if nst.is_fast() else 300  # steps of gradient descent

PHOTO = nst.load_image("camera", size=SIZE)[:, 0]  # gray: its three channels are equal
BOX = torch.full((3, 3), 1 / 9)
SHARPEN = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]])
RIGHT_MINUS_LEFT = torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])


# %%
def as_pictures(gray):
    """Turn gray pictures (N, H, W) into a list of pictures (1, 3, H, W) that can be shown."""
    return [picture.expand(1, 3, -1, -1) for picture in gray]


photo = nst.load_image("camera", size=190)[:, 0]
filtered = [
    cross_correlate2d(photo[:, None], kernel[None, None])[:, 0]
    for kernel in (BOX, SHARPEN, RIGHT_MINUS_LEFT)
]
plots.show_images(
    as_pictures(torch.cat([photo[:, 1:-1, 1:-1], *filtered])),
    titles=["the photo", "blurred", "sharpened", "edges"],
    alt="A man with a camera on a tripod, four times: as photographed, blurred, with crisper "
    "lines, and as bright upright lines on black.",
)

# %% [markdown]
# **Warm-up:** a wall has the brightness 0.6 everywhere. (1) Replace each pixel by the mean of the
# 3×3 pixels around it. (2) Replace each pixel by its right neighbour minus its left neighbour.
# What do you get?
#
# <details><summary>Answer</summary>
#
# (1) 0.6 again: the mean of equal numbers. (2) 0: neighbours on a flat wall do not differ.
#
# </details>
#
# ## Blocks of numbers
#
# All pictures of this course are **tensors**: blocks of numbers with some axes. Gray pictures have
# the shape (N, H, W): N pictures, each with H rows and W columns. Four things to do with them come
# up all the time:

# %% tags=["nbval-check-output"]
two = torch.arange(12.0).reshape(2, 2, 3)  # 2 pictures of 2 rows and 3 columns
print(two)
print("a part, columns 0 and 1:   ", tuple(two[:, :, 0:2].shape))
print("one sum for each picture:  ", two.sum(dim=(1, 2)))  # over axes 1 and 2; axis 0 is left
print("one axis more, of length 1:", tuple(two[:, None].shape))
print("back to front, columns:    ", two.flip(2)[0, 0])

# %% [markdown]
# A colon alone means "all of this axis". Axes are counted from 0. `two[:, None]` has the shape
# (N, 1, H, W): N pictures with one channel. Functions of torch want their pictures like this.
#
# **Question:** what is `two[1, 0, 2]`?
#
# <details><summary>Answer</summary>
#
# 8: the second picture, its first row, its last column.
#
# </details>
#
# ## Slide, multiply, sum
#
# A **kernel** is a small block of numbers. Lay it over a part of the picture, a *patch* of the
# same size. Multiply each number of the kernel with the pixel under it. Add up the products: that
# is one pixel of the result. Then move the kernel by one pixel, and do it again. This is called
# **cross-correlation**.
#
# **Worked example:** read the function line by line. Which line cuts out the patch, and which one
# computes the number?


# %%
def slide(images, kernel):
    """Cross-correlate gray pictures (N, H, W) with one kernel (kh, kw)."""
    n, h, w = images.shape
    kh, kw = kernel.shape
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = images[:, i : i + kh, j : j + kw]
            result[:, i, j] = (patch * kernel).sum(dim=(1, 2))
    return result


# %% [markdown]
# **Predict, then run:** the picture has a dark left half and a bright right half. The kernel is
# only two numbers wide: −1 and 1. Which five numbers come out for each row?

# %% tags=["nbval-check-output"]
step = torch.tensor([[[0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]])
print(slide(step, torch.tensor([[-1.0, 1.0]]))[0])

# %% [markdown]
# <details><summary>Why</summary>
#
# The kernel computes "right pixel minus left pixel". It answers with 1 where the edge is, and
# with 0 elsewhere. The row has become shorter by one: the kernel fits at five places only.
#
# </details>
#
# **Question:** a picture has 128 rows, a kernel has 3. How many rows does the result have?
#
# <details><summary>Answer</summary>
#
# 126. The kernel's first row can lie on rows 0 to 125. Lesson 2 shows how padding keeps the size.
#
# </details>
#
# As a formula, for one picture $x$ and one kernel $w$:
#
# $$y_{i,j} = \sum_{u,v} w_{u,v}\, x_{i+u,\,j+v}$$
#
# The next cell computes it number by number, and compares it with our function, with the
# package's and with torch's.

# %% tags=["nbval-check-output", "binds-formula"]
x, w = torch.rand(6, 7, dtype=torch.float64), torch.rand(3, 2, dtype=torch.float64)
written_out = torch.zeros(4, 6, dtype=torch.float64)
for i, j, u, v in product(range(4), range(6), range(3), range(2)):
    written_out[i, j] += w[u, v] * x[i + u, j + v]

xs, ws = x[None, None], w[None, None]  # both with four dimensions, as the others want it
print("our function:", torch.allclose(slide(x[None], w)[0], written_out))
print("the package: ", torch.allclose(cross_correlate2d(xs, ws)[0, 0], written_out))
print("torch:       ", torch.allclose(F.conv2d(xs, ws)[0, 0], written_out))

# %% [markdown]
# torch calls this function `conv2d`, convolution. Is the name right? A kernel that looks different
# from each side will tell.
#
# ## One white pixel
#
# An **impulse** is a picture that is black everywhere, except for one white pixel. Our kernel is
# a letter F.

# %%
LETTER = torch.tensor(
    [
        [1.0, 1.0, 1.0, 1.0],
        [1.0, 0.0, 0.0, 0.0],
        [1.0, 1.0, 1.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
    ]
)
impulse = torch.zeros(1, 13, 12)
impulse[0, 6, 6] = 1.0

# %% [markdown]
# **Predict:** we cross-correlate the impulse with the letter F. What do we see?
#
# - (a) one white pixel
# - (b) an F as it is written
# - (c) an F in a mirror: left and right exchanged
# - (d) an F turned by 180°: upside down, and left and right exchanged


# %%
def framed(gray):
    """Put a black frame around pictures (N, H, W)."""
    return F.pad(gray, (1, 1, 1, 1))


gathered = slide(impulse, LETTER)
plots.show_images(
    [*as_pictures(framed(LETTER[None])), *as_pictures(impulse), *as_pictures(gathered)],
    titles=["the kernel", "the impulse", "cross-correlated"],
    alt="Left the letter F, white on black. In the middle one white pixel on black. Right the "
    "letter F turned by 180 degrees.",
)

# %% [markdown]
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - *(a)* This would need a kernel with only one number that is not 0. The white pixel lies under
#   the kernel at twenty places, and each place gives one pixel of the result.
# - *(b)* Often believed. It is what a *true* convolution gives; see below.
# - *(c)* This would turn the columns only. The rows are turned as well.
# - *(d)* Right. When the kernel lies *above and to the left of* the white pixel, its *lower
#   right* number meets the pixel. So the lower right number is written at the upper left.
#
# </details>
#
# Cross-correlation *gathers*: each pixel of the result asks its neighbours. The other way to think
# is *stamping*: each pixel of the picture prints the kernel, as strongly as the pixel is bright.
# That is the **convolution** of mathematics and signal processing. Up to the place where the result
# begins, it equals sliding a kernel that was turned by 180° before:
#
# $$y_{i,j} = \sum_{u,v} w_{u,v}\, x_{i-u,\,j-v}$$
#
# There is a minus where the cross-correlation has a plus. To check it with something independent,
# the next cell uses the **convolution theorem**: a convolution becomes a plain product after a
# Fourier transform. You need not know what that is. Read what the cell prints.

# %% tags=["nbval-check-output", "binds-formula"]
stamped = torch.zeros(4, 6, dtype=torch.float64)
for i, j, u, v in product(range(2, 6), range(1, 7), range(3), range(2)):
    stamped[i - 2, j - 1] += w[u, v] * x[i - u, j - v]  # where all of the kernel fits

spectrum = torch.fft.rfft2(x) * torch.fft.rfft2(w, s=x.shape)
by_fourier = torch.fft.irfft2(spectrum, s=x.shape)[2:, 1:]  # the rest wraps around the border
turned = w.flip(0, 1)
print("our function, kernel turned:", torch.allclose(slide(x[None], turned)[0], stamped))
print("the package:                ", torch.allclose(convolve2d(xs, ws)[0, 0], stamped))
print("Fourier transform:          ", torch.allclose(by_fourier, stamped))

# %% [markdown]
# Nature has impulses too. Most galaxies in this small picture of the sky are so far away that
# they look like points. What do the two operations make of them?

# %%
sky = nst.load_image("hubble", size=256).mean(dim=1)[:, 24:88, 126:190]
points = 4 * (sky - 0.4).clamp(0, 1)[:, None]  # only what is bright; (1, 1, H, W)
letter = LETTER[None, None]
plots.show_images(
    as_pictures(points[0])
    + as_pictures(convolve2d(points, letter)[0])
    + as_pictures(cross_correlate2d(points, letter)[0]),
    titles=["bright points", "true convolution", "cross-correlation"],
    alt="Left small bright points on black. In the middle each point has become a letter F, as "
    "bright as the point was. Right each point has become a letter F turned by 180 degrees. A few "
    "larger spots have become white patches.",
)

# %% [markdown]
# Most deep-learning libraries compute the cross-correlation and call it convolution. So does this
# course, from lesson 2 on. With "true convolution" it means the other one.
#
# ### Exercise: true convolution
#
# Fill in the blanks. The function should compute the *true* convolution of gray pictures. Use no
# function of torch that convolves.


# %% tags=["exercise"]
def my_convolve_gray(images, kernel):
    """True convolution of gray pictures (N, H, W) with one kernel (kh, kw)."""
    n, h, w = images.shape
    kh, kw = kernel.shape
    turned = ...  # the kernel, as a true convolution lays it over the picture
    result = images.new_zeros(n, h - kh + 1, w - kw + 1)
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = ...  # the pixels that lie under the kernel, for all n pictures
            result[:, i, j] = (patch * turned).sum(dim=...)  # one number for each picture
    return result


# %% tags=["check", "nbval-check-output"]
exercises.check_convolve_gray(my_convolve_gray)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Only one line differs from `slide`. Which one?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A turn by 180° exchanges top and bottom *and* left and right. `tensor.flip(dims)` reverses the
# order along the dimensions that you name.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_convolve_gray(images, kernel):
#     n, h, w = images.shape
#     kh, kw = kernel.shape
#     turned = kernel.flip(0, 1)
#     result = images.new_zeros(n, h - kh + 1, w - kw + 1)
#     for i in range(h - kh + 1):
#         for j in range(w - kw + 1):
#             patch = images[:, i : i + kh, j : j + kw]
#             result[:, i, j] = (patch * turned).sum(dim=(1, 2))
#     return result
# ```
#
# </details>
#
# ## Always equal? Always different?
#
# **Predict:** cross-correlation and true convolution of the same photo with the same kernel …
#
# - (a) are always equal: libraries use the two names for one thing
# - (b) are always different: one of them turns the kernel
# - (c) are equal for some kernels, and different for others

# %% tags=["nbval-check-output"]
for name, kernel in {"box": BOX, "right minus left": RIGHT_MINUS_LEFT, "F": LETTER}.items():
    difference = slide(PHOTO, kernel) - slide(PHOTO, kernel.flip(0, 1))
    kernel_turns_into_itself = torch.equal(kernel, kernel.flip(0, 1))
    equal = difference.abs().max().item() < 1e-4
    print(f"{name:17} turns into itself: {kernel_turns_into_itself!s:6} results equal: {equal}")

flat = torch.full((1, 8, 8), 0.6)
difference = slide(flat, LETTER) - slide(flat, LETTER.flip(0, 1))
print("F, on a flat wall: results equal:", difference.abs().max().item() < 1e-4)

# %% [markdown]
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - *(a)* The F is a counterexample. So is "right minus left": turned, it becomes "left minus
#   right", and every number changes its sign. The names are mixed up
#   because a *learned* kernel comes out turned; you see it at the end of this lesson.
# - *(b)* The box blur is a counterexample. Turned by 180°, it is still the same kernel.
# - *(c)* Right. They are equal for *every* picture exactly when the kernel turned by 180° is the
#   kernel itself.
#
# On a flat wall they are equal for every kernel. So equal results on one picture prove nothing.
# An impulse is the better test: it shows every number of the kernel.
#
# </details>
#
# ### Exercise: which kernels give equal results?
#
# Decide for each of these six kernels: do cross-correlation and true convolution give equal
# results on *every* picture? Write `True` or `False`. First decide by looking; then you may
# compute.

# %%
CANDIDATES = {
    "sharpen": SHARPEN,
    "edge": RIGHT_MINUS_LEFT,
    "diagonal": torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    "roof": torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    "corner": torch.tensor([[2.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    "s_shape": torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]),
}
plots.show_images(
    as_pictures(torch.stack([0.5 + 0.4 * k / k.abs().max() for k in CANDIDATES.values()])),
    titles=list(CANDIDATES),
    alt="Six kernels of 3 by 3 numbers as squares; negative is dark, zero is gray, positive is "
    "bright. Their numbers stand in the cell above.",
)

# %% tags=["exercise"]
my_equal_kernels = {
    "sharpen": ...,
    "edge": ...,
    "diagonal": ...,
    "roof": ...,
    "corner": ...,
    "s_shape": ...,
}

# %% tags=["check", "nbval-check-output"]
exercises.check_equal_kernels(my_equal_kernels)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Turn the page by 180°. Which kernels look the same as before? A mirror is not a turn.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Compare the first number with the last one, the second with the last but one, and so on. The
# sign counts.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_equal_kernels = {
#     name: torch.equal(kernel, kernel.flip(0, 1)) for name, kernel in CANDIDATES.items()
# }
# ```
#
# </details>
#
# ## Kernels made by hand
#
# On a flat wall every pixel under the kernel has the same brightness $g$. The result is $g$ times
# the **sum of the kernel**. So the sum tells what happens to flat areas.

# %% tags=["nbval-check-output"]
for name, kernel in {"box": BOX, "sharpen": SHARPEN, "right minus left": RIGHT_MINUS_LEFT}.items():
    total, on_the_wall = abs(kernel.sum().item()), abs(slide(flat, kernel).mean().item())
    print(f"{name:17} sum {total:.1f}, the wall of 0.6 becomes {on_the_wall:.1f}")

# %% [markdown]
# - Sum 1: flat areas keep their brightness. All numbers positive: a weighted mean, which is a
#   **blur**. A large number in the middle and negative ones around it: **sharpening**.
# - Sum 0: flat areas become 0. What is left is where neighbours differ: **edges**.
#
# An edge kernel has a direction. "Right minus left" finds upright edges. Its transpose, "lower
# minus upper", finds level ones.

# %%
upright = slide(PHOTO, RIGHT_MINUS_LEFT)
level = slide(PHOTO, RIGHT_MINUS_LEFT.T)
plots.show_images(
    as_pictures(torch.cat([PHOTO, *(F.pad(e.abs() / 2, (1, 1, 1, 1)) for e in (upright, level))])),
    titles=["the photo", "upright edges", "level edges"],
    alt="The photo of the man with the camera. In the second picture the upright outlines of the "
    "man and the tripod are bright, in the third one the level outlines.",
)

# %% [markdown]
# **Question:** which picture shows the horizon better, and why?
#
# <details><summary>Answer</summary>
#
# The third one. The horizon lies level: pixels above and below it differ, pixels to its left and
# right do not.
#
# </details>
#
# ### Exercise: sharpen
#
# What a blur takes away are the details: *details = picture − blurred picture*. To sharpen, add
# more of them: *picture + amount · details*. All of this is *one* kernel. Fill in the blanks for
# a blur kernel of any odd size.


# %% tags=["exercise"]
def my_sharpen_kernel(blur, amount):
    """Return the kernel for: picture + amount * (picture - blurred picture)."""
    kh, kw = blur.shape
    unchanged = torch.zeros_like(blur)  # to become the kernel that leaves a picture as it is
    unchanged[kh // 2, kw // 2] = ...
    return ...  # made of unchanged, blur and amount


# %% tags=["check", "nbval-check-output"]
exercises.check_sharpen_kernel(my_sharpen_kernel)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Which single number, times the pixel in the middle, gives the pixel itself?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Filtering is linear: the kernel of a sum of two filtered pictures is the sum of the two kernels.
# Replace "picture" by `unchanged` and "blurred picture" by `blur`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_sharpen_kernel(blur, amount):
#     kh, kw = blur.shape
#     unchanged = torch.zeros_like(blur)
#     unchanged[kh // 2, kw // 2] = 1.0
#     details = unchanged - blur
#     return unchanged + amount * details
# ```
#
# </details>
#
# ## Colour: one number from three channels
#
# A colour picture has three **channels**: red, green, blue. A kernel for it has three layers, one
# for each channel. Here is a kernel for red things. It has 0 for blue, and its layers for red and
# green are a blur and minus a blur.
#
# **Predict:** we lay this kernel, of shape (1, 3, 3, 3), over one colour picture. How many gray
# pictures come out?
#
# - (a) three: each channel is filtered by its own layer
# - (b) one: the results of the three channels are added
# - (c) one: the picture is turned to gray first, then filtered

# %%
COFFEE = nst.load_image("coffee", size=SIZE)
RED_MINUS_GREEN = torch.stack([BOX, -BOX, 0 * BOX])[None]  # (1, 3, 3, 3)

summed = sum(slide(COFFEE[:, c], RED_MINUS_GREEN[0, c]) for c in range(3))
gray_first = sum(slide(COFFEE.mean(dim=1), RED_MINUS_GREEN[0, c]) for c in range(3))
plots.show_images(
    [COFFEE, *as_pictures(1.5 * summed), *as_pictures(1.5 * gray_first.abs())],
    titles=["the photo", "channels summed", "gray first"],
    alt="A red cup on a red saucer on a brown table. In the second picture the red saucer is "
    "brightest, the table is gray and the white rim of the cup is black. The third picture is "
    "black everywhere.",
)

# %% tags=["nbval-check-output"]
layer_result = cross_correlate2d(COFFEE, RED_MINUS_GREEN)
print("pictures that come out:", layer_result.shape[1])
print("equal to the sum:      ", torch.allclose(layer_result[:, 0], summed, atol=1e-5))
print("equal to the mean:     ", torch.allclose(layer_result[:, 0], summed / 3, atol=1e-5))
print("gray first is black:   ", gray_first.abs().max().item() < 1e-5)

# %% [markdown]
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - *(a)* There are three results on the way, but they are added up. (Layers that keep them apart
#   exist; they are called depthwise.)
# - *(b)* Right. Added, not averaged: the mean would be a third of it. So one output pixel can
#   compare channels with each other.
# - *(c)* Then red and green could no longer be told apart. The layers +blur and −blur cancel
#   each other, and the result is black.
#
# </details>
#
# For *several* output pictures take several kernels, each with layers of its own. The shape of
# them all is (output channels, input channels, kernel height, kernel width).
#
# ## The bias
#
# "Right minus left" gives negative numbers where it gets darker to the right. A screen cannot show
# them.

# %% tags=["nbval-check-output"]
half = upright / 6  # three pixels minus three others, divided by 6: from -0.5 to 0.5
lost = (half < 0).float().mean().item()
lost_with_bias = (half + 0.5 < 0).float().mean().item()
print("more than half of the pixels are below 0:", lost > 1 / 2)
print("pixels below 0 after adding 0.5:", round(lost_with_bias * half.numel()))

# %%
plots.show_images(
    as_pictures(torch.cat([half, half + 0.5])),
    titles=["edges, no bias", "edges, bias 0.5"],
    alt="Left faint bright edges on black. Right the same on middle gray: some edges are brighter "
    "than the ground, others darker.",
)

# %% [markdown]
# The number that is added at the end is the **bias**. Each output channel has one. It says what the
# result is where the kernel finds nothing. The whole **convolution layer** is then, for output
# channel $k$:
#
# $$y_{k,i,j} = b_k + \sum_c \sum_{u,v} w_{k,c,u,v}\, x_{c,\,i+u,\,j+v}$$

# %% tags=["nbval-check-output", "binds-formula"]
x, w = torch.rand(3, 5, 6, dtype=torch.float64), torch.rand(2, 3, 3, 2, dtype=torch.float64)
b = torch.tensor([0.5, -2.0], dtype=torch.float64)
written_out = torch.zeros(2, 3, 5, dtype=torch.float64)
for k, i, j in product(range(2), range(3), range(5)):
    written_out[k, i, j] = b[k]
    for c, u, v in product(range(3), range(3), range(2)):
        written_out[k, i, j] += w[k, c, u, v] * x[c, i + u, j + v]

print("the package:     ", torch.allclose(cross_correlate2d(x[None], w, b)[0], written_out))
print("torch:           ", torch.allclose(F.conv2d(x[None], w, b)[0], written_out))
print("without the bias:", torch.allclose(cross_correlate2d(x[None], w)[0], written_out))

# %% [markdown]
# ### Exercise: a convolution layer
#
# Now write it yourself, from an empty function. You may use `slide`. The input is
# `images` (N, C_in, H, W), `kernels` (C_out, C_in, kh, kw) and `bias` (C_out,).


# %% tags=["exercise"]
def my_convolution_layer(images, kernels, bias):
    """Cross-correlate with all kernels, and add the bias; return (N, C_out, H_out, W_out)."""
    ...


# %% tags=["check", "nbval-check-output"]
exercises.check_convolution_layer(my_convolution_layer)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Begin with one output channel `k`. Its value is a sum over the input channels `c`. One of these
# terms is `slide(images[:, c], kernels[k, c])`, with shape (N, H_out, W_out).
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Where does the bias belong: inside the loop over `c`, or behind it? Count how often it should be
# added. `torch.stack(maps, dim=1)` puts the output channels together.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_convolution_layer(images, kernels, bias):
#     maps = []
#     for k in range(kernels.shape[0]):
#         total = bias[k]
#         for c in range(kernels.shape[1]):
#             total = total + slide(images[:, c], kernels[k, c])
#         maps.append(total)
#     return torch.stack(maps, dim=1)
# ```
#
# </details>
#
# ### Exercise: find the bug
#
# A colleague wrote this layer. The next cell gives it black pictures and kernels of any numbers, so
# that only the bias of 0.1 should come out.
#
# ```text
# 1   def layer(images, kernels, bias):
# 2       maps = []
# 3       for k in range(kernels.shape[0]):
# 4           total = 0
# 5           for c in range(kernels.shape[1]):
# 6               total = total + slide(images[:, c], kernels[k, c])
# 7               total = total + bias[k]
# 8           maps.append(total)
# 9       return torch.stack(maps, dim=1)
# ```


# %% tags=["nbval-check-output"]
def layer(images, kernels, bias):
    """A colleague's layer, with a bug."""
    maps = []
    for k in range(kernels.shape[0]):
        total = 0
        for c in range(kernels.shape[1]):
            total = total + slide(images[:, c], kernels[k, c])
            total = total + bias[k]
        maps.append(total)
    return torch.stack(maps, dim=1)


for channels in (1, 3, 5):
    black, kernels = torch.zeros(1, channels, 4, 4), torch.rand(2, channels, 3, 3)
    value = layer(black, kernels, torch.tensor([0.1, 0.1])).max().item()
    print(f"{channels} input channels: {value:.1f}")

# %% [markdown]
# Which line must be changed, or moved? Write its number.

# %% tags=["exercise"]
my_bias_bug_line = ...

# %% tags=["check", "nbval-check-output"]
exercises.check_bias_bug_line(my_bias_bug_line)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# With one input channel the layer is right. What happens once for each input channel?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The formula has $b_k$ in front of the sum over $c$. Look at what stands inside the inner loop.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_bias_bug_line = 7
# ```
#
# </details>
#
# ## Learn the kernel
#
# So far we chose the numbers. Now we keep a kernel secret: the letter F. A program sees two
# pictures only, one before and one after the true convolution with the secret kernel.
# Can it find the F?
#
# It begins with a kernel of zeros. It measures how wrong the filtered picture is, by the **loss**:
# the mean squared difference to the target $t$,
#
# $$L(w) = \frac{1}{n} \sum_{i,j} \bigl(y_{i,j}(w) - t_{i,j}\bigr)^2$$
#
# Then it changes each number of the kernel a little, in the direction in which the loss falls. The
# **gradient** of the loss has this direction, up to the sign. torch computes it with `backward`;
# lesson 4 shows how. Repeating this is called **gradient descent**.

# %% tags=["nbval-check-output", "binds-formula"]
x, t = torch.rand(1, 1, 6, 7, dtype=torch.float64), torch.rand(1, 1, 4, 6, dtype=torch.float64)
w = torch.rand(1, 1, 3, 2, dtype=torch.float64, requires_grad=True)
y = cross_correlate2d(x, w)
by_hand = sum((y[0, 0, i, j] - t[0, 0, i, j]) ** 2 for i, j in product(range(4), range(6))) / 24
print("the package:", torch.allclose(nst.content_loss(y, t), by_hand))
print("torch:      ", torch.allclose(F.mse_loss(y, t), by_hand))

(gradient,) = torch.autograd.grad(by_hand, w)
nudge = torch.zeros_like(w)
nudge[0, 0, 1, 1] = 1e-6  # a little more of one number of the kernel
change = F.mse_loss(cross_correlate2d(x, w + nudge), t) - F.mse_loss(y, t)
print("its gradient:", torch.allclose(change / 1e-6, gradient[0, 0, 1, 1], rtol=1e-4))


# %%
def learn(layer, before, after, rate, steps):
    """Search for the kernel that leads from `before` to `after`; return it at every step."""
    kernel = torch.zeros(1, 1, *LETTER.shape, requires_grad=True)
    seen = []
    for _ in range(steps):
        seen.append(kernel.detach().clone())
        kernel.grad = None  # forget the old gradient
        loss = F.mse_loss(layer(before, kernel), after)
        loss.backward()
        with torch.no_grad():
            kernel -= rate * kernel.grad
    return [*seen, kernel.detach()]


before = nst.load_image("hubble", size=64).mean(dim=1, keepdim=True)  # (1, 1, H, W)
after = convolve2d(before, LETTER[None, None])
kernels = learn(F.conv2d, before, after, rate=4.0, steps=STEPS)

# %%
moments = [0, 2, 10, 50, STEPS]
plots.show_images(
    as_pictures(framed(torch.cat([kernels[k][0] for k in moments]))),
    titles=[f"step {k}" for k in moments],
    alt="Five kernels of 5 by 4 numbers. The first is black, the next ones are blurred, and in the "
    "last one the letter F can be read, turned by 180 degrees.",
)

# %% tags=["nbval-check-output"]
TURNED = LETTER.flip(0, 1)
learned = kernels[-1][0, 0]
print(learned.round().int())
print("rounded, it is the secret kernel:        ", torch.equal(learned.round(), LETTER))
print("rounded, it is the secret kernel, turned:", torch.equal(learned.round(), TURNED))

# %% [markdown]
# It found the F without ever seeing it. The F is turned, because the picture was made by a true
# convolution and `F.conv2d` computes a cross-correlation. **Predict:** what comes out if the
# program learns with the true convolution?

# %% tags=["nbval-check-output"]
with_true_convolution = learn(convolve2d, before, after, rate=4.0, steps=150)[-1][0, 0]
print(with_true_convolution.round().int())

# %% [markdown]
# The same numbers, the other way round. This is why the mixed-up names do no harm in a network:
# nobody chooses its kernels. They are learned, and learning turns them as needed. Yann LeCun and
# colleagues learned kernels like this in 1989, to read handwritten digits.
#
# **Predict:** will it work as well with the photo of the man? Large areas of it are smooth.

# %%
smooth = PHOTO[:, None]
target = convolve2d(smooth, LETTER[None, None])
from_photo = learn(F.conv2d, smooth, target, rate=0.1, steps=STEPS)[-1]
plots.show_images(
    as_pictures(framed(torch.cat([kernels[-1][0], from_photo[0]]))),
    titles=["learned from the sky", "learned from the photo"],
    alt="Left the turned letter F with sharp borders. Right a blurred patch of gray squares in "
    "which no letter can be read.",
)


# %% tags=["nbval-check-output"]
def relative_error(kernel, before, after):
    """Divide the loss by that of a kernel of zeros."""
    return (F.mse_loss(F.conv2d(before, kernel), after) / after.square().mean()).item()


error_there = relative_error(from_photo, smooth, target)
error_elsewhere = relative_error(from_photo, before, after)
print("on its own photo, its error is below 0.1 %:    ", error_there < 0.001)
print("on the sky, it is more than ten times as large:", error_elsewhere > 10 * error_there)
is_the_letter = torch.equal(from_photo[0, 0].round(), TURNED)
print("rounded, it is the turned F:                   ", is_the_letter)

# %% [markdown]
# **Look at both:** the loss is small, and the kernel is still wrong. In a smooth photo neighbours
# are almost equal. It hardly matters which of them a weight belongs to. Bright points are impulses:
# they show every number of the kernel. A small loss does not prove that the right numbers were
# found.
#
# ## The same layer in the network
#
# The network of lesson 0 begins with exactly this layer. Its kernels were learned. (It also pads
# the picture, lesson 2, and shifts and scales the colours first, lesson 5.)

# %% tags=["nbval-check-output"]
network = nst.load_backbone()
first = network.stages["conv1_1"]
picture = COFFEE.to(network.mean.device)
colours = (picture - network.mean) / network.std
options = {"padding": 1, "padding_mode": first.padding_mode}
theirs = network(picture, ["conv1_1"])["conv1_1"]
ours = cross_correlate2d(colours, first.weight, first.bias, **options)
no_bias = cross_correlate2d(colours, first.weight, **options)
print("input channels, kernel height and width:", tuple(first.weight.shape[1:]))
tolerance = 0.005 * theirs.abs().max()  # a GPU may compute with fewer digits
print("ours equals the network's first layer:  ", bool((ours - theirs).abs().max() < tolerance))
print("the same without the bias:              ", bool((no_bias - theirs).abs().max() < tolerance))

# %% [markdown]
# So the function that you wrote is the first layer of the network. Forget the bias, and every
# layer behind it sees something else. Lesson 5 looks at the network's kernels.
#
# ## Recap
#
# - A kernel slides over the picture; each place gives one weighted sum.
# - Cross-correlation gathers, true convolution stamps. They are equal for every picture exactly
#   when the kernel turned by 180° is itself. Deep learning computes the first, and calls it
#   convolution.
# - Sum of the kernel 1: brightness is kept. Sum 0: only differences are left.
# - A layer *adds* the results of all input channels, and adds each output channel's bias once.
# - Gradient descent can find a kernel. What it finds depends on what the pictures show.
#
# **One thing to try:** learn the kernel from pure noise, `torch.rand(1, 1, 64, 64)`, with the rate
# 0.1. Is noise a better teacher than the photo?
