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
# # Assignment: Backpropagation on pixels
#
# A photo is out of focus. You will bring it back by gradient descent on its pixels. On the way you
# write the backward pass of two layers by hand, find out how large the learning rate may be, and
# build a descent that is faster than the one of lesson 4.
#
# **You need:** lesson 4, and the convolution of lessons 1 and 2. **Time:** about 110 minutes, at
# most two hours. **Points:** 28.
#
# | task | points | minutes |
# |---|---|---|
# | 1. One number, two paths | 4 | 15 |
# | 2. Back through a pooling layer | 5 | 20 |
# | 3. Back through a blur | 7 | 30 |
# | 4. How large may the rate be? | 5 | 20 |
# | 5. Descent with momentum, and walls | 7 | 25 |
#
# **How it works**
#
# - Write where you see `...  # your answer`. Keep the names of the functions and their arguments.
# - The cell after your answer tries an example that was worked out by hand. It never stops the
#   notebook. A right example is not yet a proof: the marks come from other inputs. They have two
#   pictures in a batch, height and width differ, and both float32 and float64 occur.
# - Results have the dtype of the input, and the input is not changed.
# - Tasks 1 to 3 ask for the chain rule in your own code. Autograd can check your work, in a cell of
#   your own. If it stands in the function itself, a person will look at the answer. Task 2 has a
#   rule that torch's pooling does not follow.
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

PHOTO = nst.load_image("astronaut", size=64)


def tried(function, *arguments):
    """Return the picture that `function` makes, (1, 3, H, W); if it makes none, a gray one."""
    try:
        return nst.check_image(function(*arguments).detach().clamp(0, 1))
    except Exception as error:
        print(f"No picture yet ({type(error).__name__}).")
        return torch.full((1, 3, 64, 64), 0.5)


# %% nbgrader={"grade_id": "student", "solution": true}
STUDENT = "..."  # your id, between the quotation marks
### BEGIN SOLUTION
STUDENT = "teacher"
### END SOLUTION

# %% [markdown] nbgrader={"grade_id": "paths_question", "locked": true}
# ## 1. One number, two paths
#
# A loss is computed from three numbers of your own; the next cell prints them:
#
# $$p = a\,b \qquad q = b\,c \qquad r = \mathrm{ReLU}(c - p) \qquad L = (p + q + 3\,r)^2$$
#
# The number $b$ reaches $L$ on two ways: through $p$ (to the loss directly, and through $r$), and
# through $q$. Compute by hand, and give a dictionary of numbers:
#
# - `"loss"`: the value of $L$;
# - `"through_p"`: what the ways through $p$ contribute to $\partial L / \partial b$;
# - `"through_q"`: what the way through $q$ contributes;
# - `"three_times"`: what torch would have in `b.grad` after the loss was computed and `backward()`
#   called three times, if nobody ever reset the gradient.

# %% nbgrader={"grade_id": "paths_numbers", "locked": true}
draw = tasks.personal(STUDENT, "paths")
my_a, my_b = torch.randint(2, 8, (2,), generator=draw).tolist()
my_c = int(torch.randint(1, 4, (1,), generator=draw))
print(f"a = {my_a}, b = {my_b}, c = {my_c}")

# %% nbgrader={"grade_id": "paths", "solution": true}
my_paths = {"loss": ..., "through_p": ..., "through_q": ..., "three_times": ...}
### BEGIN SOLUTION
inner = my_a * my_b + my_b * my_c  # c < a·b, so the ReLU gives 0, and so does its slope
my_paths = {
    "loss": inner**2,
    "through_p": 2 * inner * my_a,
    "through_q": 2 * inner * my_c,
    "three_times": 3 * 2 * inner * (my_a + my_c),
}
### END SOLUTION

# %% nbgrader={"grade_id": "paths_test", "grade": true, "locked": true, "points": 4}
filled_in = isinstance(my_paths, dict) and "Ellipsis" not in str(my_paths)
print("a dictionary without blanks:", filled_in)


### BEGIN HIDDEN TESTS
def paths_of(generator, square=2.0, relu=True, separate=True, times=3):
    """Return the answers; the options are mistakes."""
    a, b = torch.randint(2, 8, (2,), generator=generator).tolist()
    c = int(torch.randint(1, 4, (1,), generator=generator))
    r, slope = (0, 0) if relu else (c - a * b, -1)  # c - ab is never positive
    inner = a * b + b * c + 3 * r
    through_p, through_q = square * inner * (1 + 3 * slope) * a, square * inner * c
    whole = through_p + through_q
    first, second = (through_p, through_q) if separate else (whole, whole)
    found = {
        "loss": inner**2,
        "through_p": first,
        "through_q": second,
        "three_times": times * whole,
    }
    return {name: float(value) for name, value in found.items()}


def relu_only_forward(generator):
    """Return the answers with the ReLU's value right, and its slope taken for 1."""
    state = generator.get_state()
    right = paths_of(generator)
    a, b = torch.randint(2, 8, (2,), generator=generator.set_state(state)).tolist()
    c = int(torch.randint(1, 4, (1,), generator=generator))
    through_p = 2.0 * (a * b + b * c) * (1 - 3) * a
    return {
        **right,
        "through_p": through_p,
        "three_times": 3 * (through_p + right["through_q"]),
    }


TASK = tasks.Task(
    name="my_paths",
    points=4,
    reference=paths_of,
    misconceptions=(
        Misconception(
            "square-forgotten",
            "Your slopes are half of the right ones. Begin at the end: how does $L$ change with "
            "the sum in the brackets?",
            wrong=lambda generator: paths_of(generator, square=1.0),
        ),
        Misconception(
            "relu-not-applied",
            "Your loss is wrong already. What does ReLU make of a negative number?",
            wrong=lambda generator: paths_of(generator, relu=False),
        ),
        Misconception(
            "dead-relu-passes",
            "Your loss is right. On the way back you let the slope pass through the ReLU. Which "
            "side of its bend are you on?",
            wrong=relu_only_forward,
        ),
        Misconception(
            "paths-not-separated",
            "You gave the whole slope twice. Hold $q$ fixed and change $b$ in $p$ alone: what is "
            "the slope then?",
            wrong=lambda generator: paths_of(generator, separate=False),
        ),
        Misconception(
            "gradient-replaced",
            "Three of your numbers are right. What does `backward()` do with the gradient that is "
            "there already? (Lesson 4: the gradient that was not forgotten.)",
            wrong=lambda generator: paths_of(generator, times=1),
        ),
    ),
    credit={
        "square-forgotten": 0.5,
        "relu-not-applied": 0.25,
        "dead-relu-passes": 0.5,
        "paths-not-separated": 0.5,
        "gradient-replaced": 0.75,
    },
    lesson=4,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "pool_back_question", "locked": true}
# ## 2. Back through a pooling layer
#
# A max pooling layer keeps the largest pixel of each window. On the way back, each window has a
# gradient of its own, its **upstream** gradient: how the loss changes with the window's result.
# Only the largest pixel gets it. The others get 0: a little more of them changes nothing.
#
# But in photos, and after ReLU, several pixels of a window are often *equally* large. Torch's
# pooling then gives all of the gradient to one of them. Your rule is fairer: **the largest pixels
# of a window share its gradient equally.**
#
# **Shapes:** `images` (N, C, H, W), float32 or float64, any range. `window`: side of the windows,
# which do not overlap; H and W are multiples of it. `upstream` (N, C, H / window, W / window).
# Return the gradient to the pixels, (N, C, H, W).
#
# **By hand:** the rows 1, 5, 2, 2 and 3, 4, 0, 2, with windows of side 2, and upstream gradients 6
# and 9. In the first window the 5 gets all of the 6. In the second one three pixels are 2: each of
# them gets 3. So the gradient has the rows 0, 6, 3, 3 and 0, 0, 0, 3.


# %% nbgrader={"grade_id": "pool_back", "solution": true}
def my_pool_back(images, upstream, window):
    """Return the gradient to the pixels, (N, C, H, W); equally large pixels share it."""
    ### BEGIN SOLUTION
    n, c, h, w = images.shape
    windows = images.reshape(n, c, h // window, window, w // window, window)
    is_largest = windows == windows.amax(dim=(3, 5), keepdim=True)
    share = upstream[:, :, :, None, :, None] / is_largest.sum(dim=(3, 5), keepdim=True)
    return (is_largest * share).reshape(n, c, h, w)
    ### END SOLUTION


# %% nbgrader={"grade_id": "pool_back_test", "grade": true, "locked": true, "points": 5}
rows = torch.tensor([[[[1.0, 5.0, 2.0, 2.0], [3.0, 4.0, 0.0, 2.0]]]])
expected = torch.tensor([[[[0.0, 6.0, 3.0, 3.0], [0.0, 0.0, 0.0, 3.0]]]])
upstream = torch.tensor([[[[6.0, 9.0]]]])
print("example right:", tasks.agrees(my_pool_back, (rows, upstream, 2), expected))


### BEGIN HIDDEN TESTS
def spread_back(images, upstream, window, share):
    """Return the gradient by loops; `share` gives that of each pixel, (n,), of one window."""
    result = torch.zeros_like(images)
    n, c, h, w = images.shape
    for k in range(n * c):
        picture, gradient = images.flatten(0, 1)[k], upstream.flatten(0, 1)[k]
        for i in range(0, h, window):
            for j in range(0, w, window):
                part = (k // c, k % c, slice(i, i + window), slice(j, j + window))
                pixels = picture[part[2:]].flatten()
                amount = gradient[i // window, j // window]
                result[part] = share(pixels, amount).reshape(window, window).to(images)
    return result


def fair_share(pixels, amount):
    largest = pixels == pixels.max()
    return largest * amount / largest.sum()


def pool_cases(generator):
    shapes = [
        ((2, 2, 4, 6), 2, torch.float64),
        ((2, 1, 6, 3), 3, torch.float32),
        ((1, 3, 2, 8), 2, torch.float32),
    ]
    found = []
    for size, window, dtype in shapes:
        images = torch.randint(-2, 2, size, generator=generator).to(dtype)  # many are equal
        small = (*size[:2], size[2] // window, size[3] // window)
        upstream = torch.randn(small, generator=generator, dtype=torch.float64).to(dtype)
        found.append((images, upstream, window))
    return found


TASK = tasks.Task(
    name="my_pool_back",
    points=5,
    reference=lambda images, upstream, window: spread_back(images, upstream, window, fair_share),
    cases=pool_cases,
    forbidden=("autograd", "backward", "requires_grad", "requires_grad_", "vjp", "jacrev"),
    gradient=False,
    misconceptions=(
        Misconception(
            "one-takes-all",
            "Where pixels are equally large, one of them got everything. That is torch's rule. The "
            "task has another one.",
            wrong=lambda images, upstream, window: spread_back(
                images,
                upstream,
                window,
                lambda x, g: F.one_hot(x.argmax(), x.numel()) * g,
            ),
        ),
        Misconception(
            "each-gets-all",
            "Where pixels are equally large, each of them got the whole gradient. Together they "
            "got more than there was.",
            wrong=lambda images, upstream, window: spread_back(
                images, upstream, window, lambda x, g: (x == x.max()) * g
            ),
        ),
        Misconception(
            "average-pooling",
            "You shared the gradient among all pixels of a window. That is the way back through "
            "average pooling. Which pixels does max pooling look at?",
            wrong=lambda images, upstream, window: spread_back(
                images, upstream, window, lambda x, g: torch.ones_like(x) * g / x.numel()
            ),
        ),
        Misconception(
            "copied-to-all",
            "Each pixel of a window got the whole gradient. If you make the smallest pixel a "
            "little larger, does the result of max pooling change?",
            wrong=lambda images, upstream, window: spread_back(
                images, upstream, window, lambda x, g: torch.ones_like(x) * g
            ),
        ),
        Misconception(
            "times-the-pixel",
            "You multiplied the gradient by the pixels. The largest pixel is passed on as it is. "
            "So what is the slope of the result with respect to it?",
            wrong=lambda images, upstream, window: spread_back(
                images, upstream, window, lambda x, g: fair_share(x, g) * x
            ),
        ),
    ),
    credit={
        "one-takes-all": 0.6,
        "each-gets-all": 0.6,
        "average-pooling": 0.3,
        "copied-to-all": 0.2,
        "times-the-pixel": 0.4,
    },
    lesson=4,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "blur_back_question", "locked": true}
# ## 3. Back through a blur
#
# The lens of the camera is the layer in the next cell. It repeats the border pixels (replicate
# padding), and then cross-correlates with a kernel. Read it: on the way back you do its two steps
# in reverse order.
#
# 1. **Through the cross-correlation.** One number of the result was made of several pixels. So each
#    of these pixels gets the upstream gradient, times the number of the kernel that it met. Where
#    kernels overlap, the gradients add up.
# 2. **Through the padding.** A border pixel was repeated. The chain rule adds up over all paths: so
#    the border pixel gets the gradients of *all its copies*, and its own.
#
# **Shapes:** `upstream` (N, C, H, W), float32 or float64: the gradient to the result. `kernel`
# (kh, kw), both odd, of any numbers. Return the gradient to the pictures, (N, C, H, W). Each
# channel is filtered by itself. H and W are at least 2.
#
# **By hand:** a row of two pixels, and the kernel 1, 10, 100. The padded row is $x_0, x_0, x_1,
# x_1$. The results are $y_0 = 1x_0 + 10x_0 + 100x_1$ and $y_1 = 1x_0 + 10x_1 + 100x_1$. Let the
# upstream gradient be 1, 2. Then $x_0$ gets $1 \cdot 11 + 2 \cdot 1 = 13$, and $x_1$ gets
# $1 \cdot 100 + 2 \cdot 110 = 320$.


# %% nbgrader={"grade_id": "lens", "locked": true}
def lens(images, kernel):
    """Blur pictures, (N, C, H, W), with one kernel, (kh, kw); border pixels are repeated."""
    rows, columns = kernel.shape
    c = images.shape[1]
    padded = F.pad(images, (columns // 2, columns // 2, rows // 2, rows // 2), mode="replicate")
    return F.conv2d(padded, kernel.expand(c, 1, rows, columns), groups=c)


# %% nbgrader={"grade_id": "blur_back", "solution": true}
def my_blur_back(upstream, kernel):
    """Return the gradient to the pictures, (N, C, H, W)."""
    ### BEGIN SOLUTION
    n, c, h, w = upstream.shape
    kh, kw = kernel.shape
    up, left = kh // 2, kw // 2
    padded = upstream.new_zeros(n, c, h + kh - 1, w + kw - 1)
    for u in range(kh):
        for v in range(kw):
            padded[:, :, u : u + h, v : v + w] += kernel[u, v] * upstream
    rows = [min(max(i - up, 0), h - 1) for i in range(h + kh - 1)]  # of which pixel it is a copy
    columns = [min(max(j - left, 0), w - 1) for j in range(w + kw - 1)]
    folded = upstream.new_zeros(n, c, h, w + kw - 1)
    folded = folded.index_add(2, torch.tensor(rows), padded)
    return upstream.new_zeros(n, c, h, w).index_add(3, torch.tensor(columns), folded)
    ### END SOLUTION


# %% nbgrader={"grade_id": "blur_back_test", "grade": true, "locked": true, "points": 7}
kernel, upstream = torch.tensor([[1.0, 10.0, 100.0]]), torch.tensor([[[[1.0, 2.0]]]])
expected = torch.tensor([[[[13.0, 320.0]]]])
print("example right:", tasks.agrees(my_blur_back, (upstream, kernel), expected))


### BEGIN HIDDEN TESTS
def camera(images, kernel, mode="replicate"):
    """Blur, as the lens does."""
    high, wide = kernel.shape
    border = (wide // 2, wide // 2, high // 2, high // 2)
    weights = kernel[None, None].repeat(images.shape[1], 1, 1, 1)
    return F.conv2d(F.pad(images, border, mode=mode), weights, groups=len(weights))


def by_autograd(upstream, kernel):
    with torch.enable_grad():
        images = torch.zeros_like(upstream).requires_grad_()
        return torch.autograd.grad(camera(images, kernel), images, upstream)[0]


def last_copy_only(upstream, kernel):
    """Let the outermost copy overwrite what the border pixel has got."""
    kh, kw = kernel.shape
    c = upstream.shape[1]
    weights = kernel.expand(c, 1, kh, kw)
    padded = F.conv_transpose2d(upstream, weights, groups=c)
    if kh > 1:
        padded = torch.cat([padded[..., :1, :], padded[..., kh // 2 + 1 :, :]], -2)
        padded = torch.cat([padded[..., : -(kh // 2) - 1, :], padded[..., -1:, :]], -2)
    if kw > 1:
        padded = torch.cat([padded[..., :1], padded[..., kw // 2 + 1 :]], -1)
        padded = torch.cat([padded[..., : -(kw // 2) - 1], padded[..., -1:]], -1)
    return padded


def back_cases(generator):
    shapes = [
        ((2, 2, 5, 7), (3, 5), torch.float64),
        ((2, 1, 4, 6), (5, 3), torch.float32),
        ((1, 3, 6, 4), (1, 3), torch.float32),
        ((1, 1, 3, 2), (3, 3), torch.float64),
    ]
    return [
        (
            torch.randn(size, generator=generator, dtype=torch.float64).to(dtype),
            torch.randn(window, generator=generator, dtype=torch.float64).to(dtype),
        )
        for size, window, dtype in shapes
    ]


TASK = tasks.Task(
    name="my_blur_back",
    points=7,
    reference=by_autograd,
    cases=back_cases,
    forbidden=("autograd", "backward", "requires_grad", "requires_grad_", "vjp", "jacrev"),
    gradient=False,
    misconceptions=(
        Misconception(
            "copies-lost",
            "Inside the picture you are right. At the border something is missing: the gradients "
            "that went to the copies of the border pixels were cut off.",
            wrong=lambda upstream, kernel: camera(upstream, kernel.flip(0, 1), mode="constant"),
        ),
        Misconception(
            "forward-again",
            "You sent the upstream gradient forward through the lens once more. Begin with step 1: "
            "which pixel met the *first* number of the kernel, to make one number of the result?",
            wrong=camera,
        ),
        Misconception(
            "kernel-not-turned",
            "You laid the kernel over the upstream gradient as on the way forward, with zeros "
            "around it. Take the example by hand: which number of the kernel leads from $x_1$ to "
            "$y_0$?",
            wrong=lambda upstream, kernel: camera(upstream, kernel, mode="constant"),
        ),
        Misconception(
            "upstream-repeated",
            "Your kernel lies the right way round. But you repeated the border of the upstream "
            "gradient. The padding belongs to the picture: outside there are no results, and so no "
            "gradients.",
            wrong=lambda upstream, kernel: camera(upstream, kernel.flip(0, 1)),
        ),
        Misconception(
            "copy-overwrites",
            "At the border you kept the gradient of one copy only. The chain rule adds up over all "
            "paths.",
            wrong=last_copy_only,
        ),
    ),
    credit={
        "copies-lost": 0.6,
        "forward-again": 0.2,
        "kernel-not-turned": 0.2,
        "upstream-repeated": 0.4,
        "copy-overwrites": 0.7,
    },
    lesson=4,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "critical_rate_question", "locked": true}
# ## 4. How large may the rate be?
#
# From now on the picture goes on at the opposite side when it ends (circular padding), as in
# lesson 4. With the blurred picture $k * x$ and a target $t$, the loss is
#
# $$L(x) = \frac{1}{2} \sum_i \bigl((k * x)_i - t_i\bigr)^2$$
#
# Lesson 4 found: descent runs away if the rate is larger than 2 divided by the largest curvature.
# There the largest curvature was 1, and it belonged to the brightness of the whole picture. With
# negative numbers in the kernel, as for sharpening, it may be larger, in another direction.
#
# Write the function that finds the **critical rate** for any kernel. (There are several ways: write
# the layer as a matrix, as in lesson 3, and ask `torch.linalg`; or use the fact that stripes stay
# stripes under a circular filter, which the Fourier transform makes use of.)
#
# **Shapes:** `kernel` (kh, kw), float32 or float64, any numbers, not larger than the picture.
# `height`, `width`: the size of a gray picture, at most 8 × 8. Return one number. It is compared
# with a relative tolerance of 0.001.
#
# **By hand:** a kernel with the single number 1 leaves each picture as it is. The curvature is 1 in
# each direction, and the critical rate is 2. The kernel −1, 2, −1 makes 4 times as much of stripes
# that are one pixel wide. The slope is scaled by 4 on the way forward and by 4 on the way back:
# the curvature is 16, and the critical rate 2/16.


# %% nbgrader={"grade_id": "critical_rate", "solution": true}
def my_critical_rate(kernel, height, width):
    """Return 2 divided by the largest curvature of the loss."""
    ### BEGIN SOLUTION
    columns = []  # what the filter makes of pictures with a single pixel of 1
    for place in range(height * width):
        picture = torch.zeros(height, width, dtype=kernel.dtype)
        picture.view(-1)[place] = 1.0
        result = torch.zeros_like(picture)
        for u in range(kernel.shape[0]):
            for v in range(kernel.shape[1]):
                result += kernel[u, v] * picture.roll((-u, -v), dims=(0, 1))
        columns.append(result.flatten())
    matrix = torch.stack(columns, dim=1)
    return 2 / torch.linalg.eigvalsh(matrix.T @ matrix).max().item()  # the Hessian
    ### END SOLUTION


# %% nbgrader={"grade_id": "critical_rate_test", "grade": true, "locked": true, "points": 5}
unchanged, second_difference = torch.ones(1, 1), torch.tensor([[-1.0, 2.0, -1.0]])
print("the kernel 1:       ", tasks.agrees(my_critical_rate, (unchanged, 3, 4), 2.0, rtol=1e-3))
arguments = (second_difference, 3, 4)
print("the kernel -1, 2, -1:", tasks.agrees(my_critical_rate, arguments, 2 / 16, rtol=1e-3))


### BEGIN HIDDEN TESTS
def gains(kernel, height, width):
    """Return by how much each stripe pattern is multiplied."""
    return torch.fft.fft2(kernel.double(), s=(height, width)).abs()


def rate_cases(generator):
    shapes = [
        ((3, 3), 5, 6, torch.float64, 0.0),
        ((1, 3), 4, 7, torch.float32, 0.6),
        ((2, 3), 6, 3, torch.float64, -0.3),
        ((3, 2), 3, 8, torch.float32, 0.0),
    ]
    return [
        (
            torch.randn(size, generator=generator, dtype=torch.float64).add(mean).to(dtype),
            height,
            width,
        )
        for size, height, width, dtype, mean in shapes
    ]


TASK = tasks.Task(
    name="my_critical_rate",
    points=5,
    reference=lambda kernel, height, width: 2 / gains(kernel, height, width).max().square().item(),
    cases=rate_cases,
    gradient=False,
    rtol=1e-3,
    misconceptions=(
        Misconception(
            "gain-not-squared",
            "You divided 2 by the largest factor by which the filter multiplies a picture. But the "
            "slope goes through the filter twice: forward, and back.",
            wrong=lambda k, h, w: 2 / gains(k, h, w).max().item(),
        ),
        Misconception(
            "one-in-place-of-two",
            "Your rate is half of the critical one. At your rate the steepest direction arrives in "
            "one step. Up to which rate does it still not run away?",
            wrong=lambda k, h, w: 1 / gains(k, h, w).max().square().item(),
        ),
        Misconception(
            "brightness-only",
            "You looked at the brightness of the whole picture only: at the sum of the kernel. Try "
            "the kernel −1, 2, −1. Is its steepest direction a flat picture?",
            wrong=lambda k, h, w: 2 / k.double().sum().square().clamp(min=1e-12).item(),
        ),
        Misconception(
            "sum-of-squares",
            "You added up the squares of the kernel. That is the curvature in the direction of one "
            "pixel alone. Some pattern of many pixels is steeper.",
            wrong=lambda k, h, w: 2 / k.double().square().sum().item(),
        ),
        Misconception(
            "sum-of-absolutes",
            "You took the sum of the absolute values. No curvature is larger than its square, but "
            "in a small picture there may be no pattern that reaches it.",
            wrong=lambda k, h, w: 2 / k.double().abs().sum().square().item(),
        ),
        Misconception(
            "mean-in-place-of-sum",
            "Your rate is too large by the number of pixels. Look at the loss: is it a mean?",
            wrong=lambda k, h, w: 2 * h * w / gains(k, h, w).max().square().item(),
        ),
    ),
    credit={
        "gain-not-squared": 0.6,
        "one-in-place-of-two": 0.7,
        "brightness-only": 0.3,
        "sum-of-squares": 0.3,
        "sum-of-absolutes": 0.4,
        "mean-in-place-of-sum": 0.7,
    },
    lesson=4,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "descend_question", "locked": true}
# ## 5. Descent with momentum, and walls
#
# The flattest direction decides how long descent takes. **Momentum** helps: a picture that keeps
# going in one direction gets faster. Each pixel has a velocity $v$; all velocities begin at 0. With
# the gradient $g$ of the loss of task 4, one step is
#
# $$v \leftarrow \mu\, v + g \qquad\qquad x \leftarrow x - \eta\, v$$
#
# Pixels must stay between 0 and 1. So there are walls. **A pixel that has passed a wall is put back
# onto it, and its velocity becomes 0.** (If it kept its velocity, it would stick to the wall for
# many steps.) A pixel inside, or exactly on the wall, keeps its velocity.
#
# You may use autograd here, and `soften` of the next cell.
#
# **Shapes:** `start` and `target` (N, C, H, W), float32 or float64, range 0 to 1. `kernel`
# (kh, kw), both odd. `rate` $\eta$ and `momentum` $\mu$ are numbers, `steps` is a whole number; 0
# steps are allowed. Return the picture after the last step, without a gradient. `start` stays as
# it is.
#
# **By hand:** one pixel, and the kernel with the single number 1. So $g = x - t$. Start 0.5, target
# 2 (outside of the range, to see a wall), rate 0.2, momentum 0.5. Step 1: $v = -1.5$, $x = 0.8$.
# Step 2: $v = -0.75 - 1.2 = -1.95$, $x = 1.19$: back to 1, and $v = 0$.


# %% nbgrader={"grade_id": "soften", "locked": true}
def soften(images, kernel):
    """Blur pictures, (N, C, H, W), with one kernel, (kh, kw); beyond the border they go on."""
    rows, columns = kernel.shape
    c = images.shape[1]
    around = F.pad(images, (columns // 2, columns // 2, rows // 2, rows // 2), mode="circular")
    return F.conv2d(around, kernel.expand(c, 1, rows, columns), groups=c)


# %% nbgrader={"grade_id": "descend", "solution": true}
def my_descend(start, target, kernel, rate, momentum, steps):
    """Return the picture after the last step, (N, C, H, W)."""
    ### BEGIN SOLUTION
    pixels = start.clone().requires_grad_()
    velocity = torch.zeros_like(start)
    for _ in range(steps):
        pixels.grad = None
        loss = 0.5 * (soften(pixels, kernel) - target).square().sum()
        loss.backward()
        velocity = momentum * velocity + pixels.grad
        with torch.no_grad():
            pixels -= rate * velocity
            velocity[(pixels < 0) | (pixels > 1)] = 0.0
            pixels.clamp_(0, 1)
    return pixels.detach()
    ### END SOLUTION


# %% nbgrader={"grade_id": "descend_test", "grade": true, "locked": true, "points": 7}
pixel, beyond = torch.full((1, 1, 1, 1), 0.5), torch.full((1, 1, 1, 1), 2.0)
for steps, expected in ((1, 0.8), (2, 1.0)):
    arguments = (pixel, beyond, torch.ones(1, 1), 0.2, 0.5, steps)
    right = tasks.agrees(my_descend, arguments, torch.full((1, 1, 1, 1), expected))
    print(f"right after {steps} steps:", right)


### BEGIN HIDDEN TESTS
def blur_around(images, kernel):
    middle = [side // 2 for side in kernel.shape]
    total = torch.zeros_like(images)
    for u, numbers in enumerate(kernel):
        for v, number in enumerate(numbers):
            shifts = (middle[0] - u, middle[1] - v)
            total = total + number * images.roll(shifts, dims=(2, 3))
    return total


def gradient_at(pixels, target, kernel):
    """Return the gradient; the way back is the same filter with the kernel turned."""
    return blur_around(blur_around(pixels, kernel) - target, kernel.flip(0, 1))


def rolled(
    start, target, kernel, rate, momentum, steps, walls="stop", gain=None, add=False, late=False
):
    """Return the picture; the options are mistakes."""
    x, v = start.clone(), torch.zeros_like(start)
    total = torch.zeros_like(start)
    for _ in range(steps):
        g = gradient_at(x, target, kernel)
        total = total + g
        g = total if add else g
        old, v = v, momentum * v + (1.0 if gain is None else gain(momentum)) * g
        x = x - rate * (old if late else v)
        if walls == "stop":
            v = torch.where((x < 0) | (x > 1), torch.zeros_like(v), v)
        if walls in ("stop", "slide"):
            x = x.clamp(0, 1)
    return x.clamp(0, 1) if walls == "end" else x


def roll_cases(generator):
    shapes = [
        ((2, 3, 4, 5), (3, 3), 0.6, 0.8, 6, torch.float64),
        ((2, 1, 5, 3), (3, 1), 0.4, 0.5, 5, torch.float32),
        ((1, 2, 4, 6), (1, 3), 0.9, 0.6, 4, torch.float64),
        ((1, 1, 3, 4), (3, 3), 0.5, 0.9, 0, torch.float32),
    ]
    found = []
    for size, window, rate, momentum, steps, dtype in shapes:
        kernel = torch.rand(window, generator=generator, dtype=torch.float64) + 0.2
        start = torch.rand(size, generator=generator, dtype=torch.float64)
        target = torch.rand(size, generator=generator, dtype=torch.float64)
        pictures = [t.to(dtype) for t in (start, target, kernel / kernel.sum())]
        found.append((*pictures, rate, momentum, steps))
    return found


TASK = tasks.Task(
    name="my_descend",
    points=7,
    reference=rolled,
    cases=roll_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "velocity-kept-at-wall",
            "You put pixels back onto the wall, but they keep their velocity. What should happen "
            "to the velocity of a pixel that has passed a wall?",
            wrong=lambda *a: rolled(*a, walls="slide"),
        ),
        Misconception(
            "no-walls",
            "There are pixels below 0 or above 1 in your result. Where do you put them back?",
            wrong=lambda *a: rolled(*a, walls="none"),
        ),
        Misconception(
            "walls-at-the-end",
            "You put the pixels back once, at the end. Then on the way they were outside, and the "
            "later gradients belong to other pictures. Do it in each step.",
            wrong=lambda *a: rolled(*a, walls="end"),
        ),
        Misconception(
            "gradients-added-up",
            "Your gradient is the sum of all gradients so far. Lesson 4 has a section on the "
            "gradient that was not forgotten.",
            wrong=lambda *a: rolled(*a, add=True),
        ),
        Misconception(
            "gradient-scaled",
            "You multiplied the new gradient by 1 − μ, as in an average. The formula adds it in "
            "full.",
            wrong=lambda *a: rolled(*a, gain=lambda momentum: 1 - momentum),
        ),
        Misconception(
            "moved-too-early",
            "You moved with the velocity from the step before. Read the two formulas from left to "
            "right.",
            wrong=lambda *a: rolled(*a, late=True),
        ),
        Misconception(
            "momentum-unused",
            "Your result is that of plain gradient descent. Where does the old velocity come in?",
            wrong=lambda s, t, k, rate, momentum, steps: rolled(s, t, k, rate, 0.0, steps),
        ),
        Misconception(
            "mean-in-place-of-sum",
            "Your steps are too short by the number of pixels. Is the loss of task 4 a mean?",
            wrong=lambda s, t, k, rate, *rest: rolled(s, t, k, rate / s.numel(), *rest),
        ),
        Misconception(
            "half-forgotten",
            "Your steps are twice as long as they should be. Look at the factor in front of the "
            "sum in the loss.",
            wrong=lambda s, t, k, rate, *rest: rolled(s, t, k, 2 * rate, *rest),
        ),
    ),
    credit={
        "velocity-kept-at-wall": 0.6,
        "no-walls": 0.4,
        "walls-at-the-end": 0.5,
        "gradients-added-up": 0.4,
        "gradient-scaled": 0.6,
        "moved-too-early": 0.6,
        "momentum-unused": 0.3,
        "mean-in-place-of-sum": 0.7,
        "half-forgotten": 0.7,
    },
    lesson=4,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "descend_picture_text", "locked": true}
# The photo again: first as the lens delivers it, then after 40 steps of plain descent, and of yours
# with momentum 0.9. All begin with the blurred photo, at the rate 1.

# %% nbgrader={"grade_id": "descend_picture", "locked": true}
taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
focus = torch.outer(taps, taps)
blurred = soften(PHOTO, focus)
plain = tried(my_descend, blurred, blurred, focus, 1.0, 0.0, 40)
fast = tried(my_descend, blurred, blurred, focus, 1.0, 0.9, 40)
plots.show_images(
    [blurred, plain, fast],
    titles=["out of focus", "plain descent", "with momentum"],
    alt="A smiling astronaut, out of focus. If your function is right, the second picture is "
    "sharper, and the third one is sharper still.",
)

# %% [markdown] nbgrader={"grade_id": "end", "locked": true}
# ## Before you hand in
#
# Restart the kernel, run all cells, and look at what the examples say. Is your id in the second
# code cell? Save the notebook, and hand it in.
