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
# # Assignment: The full optimisation
#
# In lesson 8 three painters worked, and L-BFGS got furthest. Here you build a painter of your own,
# from its parts: a total variation that leaves a frame alone, a referee for two wishes that pull in
# opposite directions, a loop that never loses its best picture, and the step of L-BFGS itself. Your
# painter paints at the end.
#
# **You need:** lesson 8. **Time:** about 115 minutes, at most two hours. **Points:** 27.
#
# | task | points | minutes |
# |---|---|---|
# | 1. Other weights, the same picture | 4 | 15 |
# | 2. Total variation inside a frame | 5 | 20 |
# | 3. Two wishes that disagree | 5 | 20 |
# | 4. A loop that keeps its best picture | 6 | 25 |
# | 5. One step of L-BFGS | 7 | 35 |
#
# **How it works**
#
# - Write where you see `...  # your answer`. Keep the names of the functions and their arguments.
# - The cell after your answer tries an example that was worked out by hand. It never stops the
#   notebook. A right example is not yet a proof: the marks come from other inputs. They have two
#   pictures in a batch, height and width differ, and both float32 and float64 occur.
# - Results have the dtype of the input, and the input is not changed. In task 2 the gradient to the
#   picture must flow.
# - A mistake that many make earns a part of the points, and you are told what it was. A task
#   that you leave out costs its own points, and those of answers that use it.
# - Before you hand in: *Restart Kernel and Run All Cells*, then `nst-edu classroom validate`.

# %% nbgrader={"grade_id": "set_up", "locked": true}
import torch

import nst_edu as nst
from nst_edu import plots
from nst_edu.classroom import tasks
from nst_edu.exercises.checking import Misconception

SIZE = 64  # pixels on the longer side of the painting
STEPS = 4 if nst.is_fast() else 30  # moves of your painter


def tried(function, *arguments):
    """Return the picture that `function` makes, (1, 3, H, W); if it makes none, a gray one."""
    try:
        return nst.check_image(function(*arguments).detach().clamp(0, 1))
    except Exception as error:
        print(f"No picture yet ({type(error).__name__}).")
        return torch.full((1, 3, 48, 64), 0.5)


# %% nbgrader={"grade_id": "student", "solution": true}
STUDENT = "..."  # your id, between the quotation marks
### BEGIN SOLUTION
STUDENT = "teacher"
### END SOLUTION

# %% [markdown] nbgrader={"grade_id": "weights_question", "locked": true}
# ## 1. Other weights, the same picture
#
# You painted with $L = \alpha L_{content} + \beta L_{style} + \gamma L_{TV}$ and the numbers that
# the next cell prints. A friend wants the same picture, but insists on a content weight of 1. Each
# loss is a mean. Give a dictionary of numbers:
#
# - `"beta"` and `"gamma"`: the friend's weights, so that the best picture is the same;
# - `"rate"`: the friend's learning rate for gradient descent, so that each step is the same as
#   yours;
# - `"adam_rate"`: the same question, but both of you use Adam, which divides each gradient by its
#   own recent size (take your rate for yours in this question, too);
# - `"sum_rate"`: *your* rate for gradient descent, if all three losses were sums over the same $n$
#   numbers in place of means over them, with your own weights.

# %% nbgrader={"grade_id": "weights_numbers", "locked": true}
draw = tasks.personal(STUDENT, "weights")
my_alpha, my_beta, my_gamma = (2 + torch.randperm(30, generator=draw)[:3]).tolist()
my_rate = 0.5 * int(torch.randint(1, 9, (1,), generator=draw))
my_n = 1000 * int(torch.randint(2, 9, (1,), generator=draw))
print(f"α = {my_alpha}, β = {my_beta}, γ = {my_gamma}, rate {my_rate}, n = {my_n}")

# %% nbgrader={"grade_id": "weights", "solution": true}
my_weights = {"beta": ..., "gamma": ..., "rate": ..., "adam_rate": ..., "sum_rate": ...}
### BEGIN SOLUTION
my_weights = {
    "beta": my_beta / my_alpha,
    "gamma": my_gamma / my_alpha,
    "rate": my_rate * my_alpha,  # the friend's gradients are α times smaller
    "adam_rate": my_rate,
    "sum_rate": my_rate / my_n,
}
### END SOLUTION

# %% nbgrader={"grade_id": "weights_test", "grade": true, "locked": true, "points": 4}
filled_in = isinstance(my_weights, dict) and "Ellipsis" not in str(my_weights)
print("a dictionary without blanks:", filled_in)


### BEGIN HIDDEN TESTS
def weighed(generator, ratio=-1, rate=1, adam=0, sum_power=-1):
    """Return the answers; the options are powers, and other powers are mistakes."""
    alpha, beta, gamma = (2 + torch.randperm(30, generator=generator)[:3]).tolist()
    eta = 0.5 * int(torch.randint(1, 9, (1,), generator=generator))
    n = 1000.0 * int(torch.randint(2, 9, (1,), generator=generator))
    return {
        "beta": beta * float(alpha) ** ratio,
        "gamma": gamma * float(alpha) ** ratio,
        "rate": eta * float(alpha) ** rate,
        "adam_rate": eta * float(alpha) ** adam,
        "sum_rate": eta * n**sum_power,
    }


TASK = tasks.Task(
    name="my_weights",
    points=4,
    reference=weighed,
    misconceptions=(
        Misconception(
            "rate-unchanged",
            "The best picture depends on ratios only, that is true. But a step of gradient descent "
            "is the rate times the gradient. How large is the friend's gradient beside yours?",
            wrong=lambda generator: weighed(generator, rate=0),
        ),
        Misconception(
            "rate-the-other-way",
            "The friend's gradients are smaller than yours. Does the rate have to be larger or "
            "smaller, to make the same step?",
            wrong=lambda generator: weighed(generator, rate=-1),
        ),
        Misconception(
            "adam-scaled",
            "For gradient descent you are right. Adam divides each gradient by its recent size. "
            "If all gradients are twice as large, what does it do?",
            wrong=lambda generator: weighed(generator, adam=1),
        ),
        Misconception(
            "sum-the-other-way",
            "A sum over n numbers is n times the mean, and so is its gradient. Which rate makes "
            "the step the same?",
            wrong=lambda generator: weighed(generator, sum_power=1),
        ),
        Misconception(
            "sum-ignored",
            "You kept your rate for the sums. How large is the gradient of a sum beside that of "
            "the mean?",
            wrong=lambda generator: weighed(generator, sum_power=0),
        ),
        Misconception(
            "weights-multiplied",
            "Your friend's weights are too large. Divide the whole loss by one number, so that α "
            "becomes 1. What becomes of the other two?",
            wrong=lambda generator: weighed(generator, ratio=1),
        ),
        Misconception(
            "weights-kept",
            "You kept β and γ. Then only the content counts less than before. Which numbers must "
            "stay the same, if the best picture is to stay the same?",
            wrong=lambda generator: weighed(generator, ratio=0),
        ),
    ),
    credit={
        "rate-unchanged": 0.75,
        "rate-the-other-way": 0.75,
        "adam-scaled": 0.75,
        "sum-the-other-way": 0.75,
        "sum-ignored": 0.75,
        "weights-multiplied": 0.5,
        "weights-kept": 0.5,
    },
    lesson=8,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "inner_variation_question", "locked": true}
# ## 2. Total variation inside a frame
#
# A poster has a printed frame. Inside it should be smooth, but the sharp edge *between* the frame
# and the inside is meant to be there, and so is the pattern of the frame. Write a total variation
# in which a pair of neighbours counts only if **both pixels lie inside**:
#
# $$L = \frac{1}{3 P_\downarrow} \sum_{c} \sum_{\text{pairs}\,\downarrow}
# (x_{c,y+1,x} - x_{c,y,x})^2 \; + \; \frac{1}{3 P_\rightarrow} \sum_{c}
# \sum_{\text{pairs}\,\rightarrow} (x_{c,y,x+1} - x_{c,y,x})^2$$
#
# The sums run over all pictures of the batch, too. $P_\downarrow$ and $P_\rightarrow$ say how many
# pairs count, in all pictures together; each pair has 3 channels.
#
# **Shapes:** `image` (N, 3, H, W), float32 or float64, range 0 to 1. `inside` (N, 1, H, W), bool:
# True for pixels inside. In each direction at least one pair counts. Return a scalar, through which
# the gradient reaches the image.
#
# **By hand:** one picture with equal channels and two equal rows: 0, 0.5, 0.1, 1. The first three
# columns are inside. Three pairs downwards count, and their differences are 0. In each row two
# pairs to the right count: 0.25 and 0.16. So $L = 0 + 0.41/2 = 0.205$.


# %% nbgrader={"grade_id": "inner_variation", "solution": true}
def my_inner_variation(image, inside):
    """Return the total variation of the pairs that lie inside, a scalar."""
    ### BEGIN SOLUTION
    total = image.new_zeros(())
    for dim in (2, 3):
        size = image.shape[dim] - 1
        difference = image.narrow(dim, 1, size) - image.narrow(dim, 0, size)
        counts = inside.narrow(dim, 1, size) & inside.narrow(dim, 0, size)  # (N, 1, ...)
        total = total + (difference.square() * counts).sum() / (3 * counts.sum())
    return total
    ### END SOLUTION


# %% nbgrader={"grade_id": "inner_variation_test", "grade": true, "locked": true, "points": 5}
rows = torch.tensor([0.0, 0.5, 0.1, 1.0]).expand(1, 3, 2, 4)
inside = torch.tensor([True, True, True, False]).expand(1, 1, 2, 4)
print("example right:", tasks.agrees(my_inner_variation, (rows, inside), torch.tensor(0.205)))
everything = torch.ones(1, 1, 4, 5, dtype=torch.bool)
picture = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(0))
expected = nst.total_variation_loss(picture)
print("all inside:", tasks.agrees(my_inner_variation, (picture, everything), expected))


### BEGIN HIDDEN TESTS
def variation(image, inside, both=True, channels=3, all_pairs=False, power=2, divide=True):
    """Return the total variation; the options are mistakes."""
    total = image.new_zeros(())
    for dim in (-2, -1):
        swapped, mask = image.transpose(dim, -1), inside.transpose(dim, -1).to(image.dtype)
        difference = (swapped[..., 1:] - swapped[..., :-1]).abs() ** power
        first, second = mask[..., 1:], mask[..., :-1]
        counted = first * second if both else 1 - (1 - first) * (1 - second)
        pairs = counted.numel() if all_pairs else counted.sum()
        total = total + (difference * counted).sum() / (channels * pairs if divide else 1)
    return total


def inside_of_product(image, inside):
    """Blacken the frame first, and measure everything."""
    covered = image * inside
    total = image.new_zeros(())
    for dim in (-2, -1):
        swapped = covered.transpose(dim, -1)
        difference = (swapped[..., 1:] - swapped[..., :-1]).square()
        total = total + difference.sum() / max(difference.numel(), 1)
    return total


def variation_cases(generator):
    shapes = [((2, 3, 5, 7), torch.float64), ((1, 3, 6, 4), torch.float32)]
    shapes += [((2, 3, 4, 6), torch.float32), ((1, 3, 5, 5), torch.float64)]
    found = []
    for size, dtype in shapes:
        image = torch.rand(size, generator=generator, dtype=torch.float64).to(dtype)
        inside = torch.rand((size[0], 1, *size[2:]), generator=generator) > 0.25
        inside[..., :2, :2] = True
        found.append((image, inside))
    return found


TASK = tasks.Task(
    name="my_inner_variation",
    points=5,
    reference=variation,
    cases=variation_cases,
    misconceptions=(
        Misconception(
            "frame-counted",
            "You counted pairs of which only one pixel is inside. So the edge of the frame, which "
            "should stay, costs something.",
            wrong=lambda x, m: variation(x, m, both=False),
        ),
        Misconception(
            "frame-blackened",
            "You made the frame black, and measured the whole picture. Now there are edges between "
            "black and the inside that nobody painted.",
            wrong=inside_of_product,
        ),
        Misconception(
            "divided-by-all-pairs",
            "Your sums are right. You divided by all pairs of the picture. Which of them count?",
            wrong=lambda x, m: variation(x, m, all_pairs=True),
        ),
        Misconception(
            "channels-forgotten",
            "Your value is three times the right one. The mask has one channel, and the picture?",
            wrong=lambda x, m: variation(x, m, channels=1),
        ),
        Misconception(
            "summed",
            "You added up and did not divide. Then a large poster costs more than a small one.",
            wrong=lambda x, m: variation(x, m, divide=False),
        ),
        Misconception(
            "absolute",
            "You took absolute differences. Look at the exponent in the formula.",
            wrong=lambda x, m: variation(x, m, power=1),
        ),
    ),
    credit={
        "frame-counted": 0.5,
        "frame-blackened": 0.3,
        "divided-by-all-pairs": 0.6,
        "channels-forgotten": 0.7,
        "summed": 0.5,
        "absolute": 0.5,
    },
    lesson=8,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "agreed_question", "locked": true}
# ## 3. Two wishes that disagree
#
# The content pulls a picture in one direction, the style in another. Now and then the style's
# gradient points *against* the content's: what is good for one harms the other. You are the
# referee. With the gradients $g$ (content) and $h$ (style) of **one picture**, seen as long
# vectors:
#
# 1. Scale the style: $h \leftarrow \rho\, h\, \|g\| / \|h\|$. So it is $\rho$ times as long as $g$.
# 2. If now $g \cdot h < 0$, take out of $h$ the part that opposes $g$:
#    $h \leftarrow h - \dfrac{g \cdot h}{g \cdot g}\, g$. Otherwise leave it.
# 3. The result is $g + h$.
#
# Step 2 comes from Tianhe Yu and colleagues (2020, [Gradient Surgery for Multi-Task
# Learning](https://arxiv.org/abs/2001.06782)); they treat both gradients in this way. In a batch,
# each picture is judged by itself: the length and the product are those of its own gradients.
#
# **Shapes:** `content` and `style` (N, 3, H, W), float32 or float64, any range, no picture's
# gradient is 0. `ratio` $\rho$, a positive number. Return (N, 3, H, W).
#
# **By hand:** a picture of one pixel, $g = (3, 0, 4)$, of length 5. (a) $h = (0, 2, 0)$, $\rho =
# 2$: scaled $(0, 10, 0)$; the product is 0; the result is $(3, 10, 4)$. (b) $h = (-1, 0, 0)$, $\rho
# = 1$: scaled $(-5, 0, 0)$; the product is −15, so $h$ becomes $(-5, 0, 0) + 15/25 \cdot (3, 0, 4)
# = (-3.2, 0, 2.4)$; the result is $(-0.2, 0, 6.4)$.


# %% nbgrader={"grade_id": "agreed", "solution": true}
def my_agreed(content, style, ratio):
    """Return the gradient that the referee lets pass, (N, 3, H, W)."""
    ### BEGIN SOLUTION
    g, h = content.flatten(1), style.flatten(1)
    h = ratio * h * g.norm(dim=1, keepdim=True) / h.norm(dim=1, keepdim=True)
    product = (g * h).sum(dim=1, keepdim=True)
    opposing = product.clamp(max=0) / g.square().sum(dim=1, keepdim=True) * g
    return (g + h - opposing).view_as(content)
    ### END SOLUTION


# %% nbgrader={"grade_id": "agreed_test", "grade": true, "locked": true, "points": 5}
g = torch.tensor([3.0, 0.0, 4.0]).view(1, 3, 1, 1)
cases = {
    "a": ((0.0, 2.0, 0.0), 2.0, (3.0, 10.0, 4.0)),
    "b": ((-1.0, 0.0, 0.0), 1.0, (-0.2, 0.0, 6.4)),
}
for letter, (h, ratio, expected) in cases.items():
    h, expected = (torch.tensor(numbers).view(1, 3, 1, 1) for numbers in (h, expected))
    print(f"example {letter} right:", tasks.agrees(my_agreed, (g, h, ratio), expected))


### BEGIN HIDDEN TESTS
def refereed(content, style, ratio, dims=(1, 2, 3), remove="opposing", power=1, scale="first"):
    """Return the gradient; the options are mistakes."""

    def dot(a, b):
        return (a * b).sum(dims, keepdim=True)

    def scaled(h):
        if scale == "never":
            return ratio * h
        return ratio * h * (dot(content, content) / dot(h, h)) ** (power / 2)

    h = scaled(style) if scale != "last" else style
    product = dot(content, h)
    opposes = (product < 0) | torch.tensor(remove == "always")
    if remove == "never":
        opposes = torch.zeros_like(opposes)
    if remove == "from content":
        rest = content - product / dot(h, h) * h
        return torch.where(opposes, rest, content) + h
    h = torch.where(opposes, h - product / dot(content, content) * content, h)
    return content + (scaled(h) if scale == "last" else h)


def referee_cases(generator):
    shapes = [
        ((4, 3, 3, 5), 0.7, torch.float64),
        ((4, 3, 4, 2), 2.5, torch.float32),
        ((2, 3, 2, 3), 1.3, torch.float32),
    ]
    found = []
    for size, ratio, dtype in shapes:
        content = torch.randn(size, generator=generator, dtype=torch.float64)
        style = 3 * torch.randn(size, generator=generator, dtype=torch.float64)
        strength = torch.arange(1, size[0] + 1).view(-1, 1, 1, 1)  # pictures of unlike strength
        towards = torch.tensor([1.0, -1.0] * (size[0] // 2)).view(-1, 1, 1, 1)
        style = style + 1.5 * towards * content  # some agree, some do not
        found.append(((content * strength).to(dtype), style.to(dtype), ratio))
    return found


TASK = tasks.Task(
    name="my_agreed",
    points=5,
    reference=refereed,
    cases=referee_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "batch-as-one",
            "You judged the whole batch as one long vector. Each picture is judged by itself.",
            wrong=lambda *a: refereed(*a, dims=(0, 1, 2, 3)),
        ),
        Misconception(
            "pixel-by-pixel",
            "You judged each pixel by itself. The length and the product are those of the whole "
            "picture.",
            wrong=lambda *a: refereed(*a, dims=(1,)),
        ),
        Misconception(
            "never-removed",
            "You scaled well, and left the style as it is where the two oppose each other.",
            wrong=lambda *a: refereed(*a, remove="never"),
        ),
        Misconception(
            "always-removed",
            "You changed the style also where the two agree. What does step 2 say about that?",
            wrong=lambda *a: refereed(*a, remove="always"),
        ),
        Misconception(
            "content-changed",
            "Where the two oppose each other you changed the content's gradient. Whose gradient "
            "should give way?",
            wrong=lambda *a: refereed(*a, remove="from content"),
        ),
        Misconception(
            "lengths-squared",
            "You scaled by the squares of the lengths. Compute the length of your scaled style for "
            "example (a).",
            wrong=lambda *a: refereed(*a, power=2),
        ),
        Misconception(
            "not-scaled",
            "You multiplied the style by the ratio, and not by the lengths.",
            wrong=lambda *a: refereed(*a, scale="never"),
        ),
        Misconception(
            "scaled-last",
            "You removed the opposing part first, and scaled what was left. Look at the order of "
            "the steps.",
            wrong=lambda *a: refereed(*a, scale="last"),
        ),
    ),
    credit={
        "batch-as-one": 0.5,
        "pixel-by-pixel": 0.5,
        "never-removed": 0.4,
        "always-removed": 0.6,
        "content-changed": 0.5,
        "lengths-squared": 0.5,
        "not-scaled": 0.4,
        "scaled-last": 0.7,
    },
    lesson=8,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "best_question", "locked": true}
# ## 4. A loop that keeps its best picture
#
# With a bold learning rate the loss falls, and then rises again. A good loop keeps the best
# picture, and stops when there is no more hope. The loss is a stand-in for a real one: a weighted
# squared distance to a target,
#
# $$L(x) = \sum_i w_i\,(x_i - t_i)^2$$
#
# Each round does this: (1) evaluate the loss of the picture as it is; (2) if it is lower than the
# lowest one so far, remember the loss, the number of this evaluation, and *a copy of this picture*;
# (3) stop, if this was the last of `steps` evaluations, or if the last `patience` evaluations **in
# a row** brought no new lowest loss; (4) otherwise do a step of gradient descent, and clamp to the
# range 0 to 1.
#
# **Shapes:** `start`, `target` and `weights` (N, 3, H, W), float32 or float64, range 0 to 1
# (weights: positive). `rate`, a number. `steps` and `patience`, whole numbers from 1 on. Return a
# dictionary: `"picture"` (N, 3, H, W), the best one; `"loss"`, its loss as a float; `"number"`, its
# evaluation, counted from 0; `"evaluations"`, how many there were.
#
# **By hand:** one number (in place of a picture), start 0, target 0.5, weight 1, rate 0.9. The
# slope is $2(x - 0.5)$. Evaluation 0: $x = 0$, loss 0.25. Then $x = 0.9$: evaluation 1, loss 0.16.
# Then $x = 0.9 - 0.72 = 0.18$: evaluation 2, loss 0.1024. With `steps` 3, the answer is 0.18,
# 0.1024, 2 and 3. With the rate 1.2 all later losses are 0.25, because of the clamp. With
# `patience` 2 the loop stops after evaluation 2; the best is the start, evaluation 0.


# %% nbgrader={"grade_id": "best", "solution": true}
def my_best(start, target, weights, rate, steps, patience):
    """Return the best picture, its loss and number, and how many evaluations there were."""
    ### BEGIN SOLUTION
    picture = start.clone()
    lowest, best, number = float("inf"), picture, 0
    for count in range(1, steps + 1):
        difference = picture - target
        loss = (weights * difference.square()).sum().item()
        if loss < lowest:
            lowest, best, number = loss, picture.clone(), count - 1
        if count - 1 - number >= patience:
            break
        picture = (picture - rate * 2 * weights * difference).clamp(0, 1)
    return {"picture": best, "loss": lowest, "number": number, "evaluations": count}
    ### END SOLUTION


# %% nbgrader={"grade_id": "best_test", "grade": true, "locked": true, "points": 6}
zero, half, one = (torch.full((1, 1, 1, 1), number) for number in (0.0, 0.5, 1.0))
expected = {"picture": 0.18 * one, "loss": 0.1024, "number": 2, "evaluations": 3}
print("rate 0.9:", tasks.agrees(my_best, (zero, half, one, 0.9, 3, 2), expected))
expected = {"picture": zero, "loss": 0.25, "number": 0, "evaluations": 3}
print("rate 1.2:", tasks.agrees(my_best, (zero, half, one, 1.2, 9, 2), expected))


### BEGIN HIDDEN TESTS
def kept_best(start, target, weights, rate, steps, patience, keep="best", late=0, clamp=True):
    """Return the answer; the options are mistakes."""
    pictures, losses, new_lowest = [], [], []
    picture = start
    while len(losses) < steps:
        pictures.append(picture)
        loss = (weights * (picture - target) ** 2).sum().item()
        new_lowest.append(not losses or loss < min(losses))
        losses.append(loss)
        picture = picture - 2 * rate * weights * (picture - target)
        picture = picture.clamp(0, 1) if clamp else picture
        recent = new_lowest[-patience - late :]
        if len(recent) == patience + late and not any(recent):
            break
    number = len(losses) - 1 if keep == "last" else min(range(len(losses)), key=losses.__getitem__)
    shown = {"moved": [*pictures, picture][number + 1], "overwritten": pictures[-1]}
    return {
        "picture": shown.get(keep, pictures[number]),
        "loss": losses[number],
        "number": number + (keep == "from one"),
        "evaluations": len(losses),
    }


def best_cases(generator):
    """Return bold rates (a part of the picture swings, then runs away) and a careful one."""
    shapes = [
        ((2, 3, 4, 5), 0.75, 30, 3, torch.float64),
        ((1, 3, 5, 3), 0.80, 25, 2, torch.float64),
        ((2, 3, 3, 4), 0.30, 6, 4, torch.float32),
        ((1, 3, 4, 4), 0.72, 30, 1, torch.float64),
    ]
    found = []
    for size, rate, steps, patience, dtype in shapes:
        start, target, weights = (
            torch.rand(size, generator=generator, dtype=torch.float64) for _ in range(3)
        )
        weights = 0.1 + 0.8 * weights
        weights[..., 0, 0] = 1.45  # with a bold rate this pixel swings more and more
        start[..., 0, 0] = target[..., 0, 0] * 0.98
        found.append((*(t.to(dtype) for t in (start, target, weights)), rate, steps, patience))
    return found


TASK = tasks.Task(
    name="my_best",
    points=6,
    reference=kept_best,
    cases=best_cases,
    gradient=False,
    rtol=1e-4,
    misconceptions=(
        Misconception(
            "last-in-place-of-best",
            "You returned the last picture, not the best one.",
            wrong=lambda *a: kept_best(*a, keep="last"),
        ),
        Misconception(
            "picture-after-the-step",
            "Your loss and your number are right, but they do not belong to your picture: it has "
            "been moved once more. Remember the picture *before* the step.",
            wrong=lambda *a: kept_best(*a, keep="moved"),
        ),
        Misconception(
            "not-a-copy",
            "Loss and number are right, and your picture is the last one: you remembered the "
            "tensor itself, and later steps changed it in place.",
            wrong=lambda *a: kept_best(*a, keep="overwritten"),
        ),
        Misconception(
            "counted-from-one",
            "Everything is right but the number of the best evaluation. Where does the counting "
            "begin?",
            wrong=lambda *a: kept_best(*a, keep="from one"),
        ),
        Misconception(
            "one-evaluation-too-many",
            "You waited one evaluation longer than `patience` says.",
            wrong=lambda *a: kept_best(*a, late=1),
        ),
        Misconception(
            "not-clamped",
            "You did not clamp. Pixels below 0 or above 1 cannot be shown.",
            wrong=lambda *a: kept_best(*a, clamp=False),
        ),
        Misconception(
            "patience-unused",
            "You never stop early. What is `patience` for?",
            wrong=lambda *a: kept_best(*a[:5], 10**6),
        ),
    ),
    credit={
        "last-in-place-of-best": 0.3,
        "picture-after-the-step": 0.6,
        "not-a-copy": 0.6,
        "counted-from-one": 0.8,
        "one-evaluation-too-many": 0.7,
        "not-clamped": 0.5,
        "patience-unused": 0.5,
    },
    lesson=8,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "lbfgs_question", "locked": true}
# ## 5. One step of L-BFGS
#
# Gradient descent knows only the slope. L-BFGS (Jorge Nocedal 1980; Dong Liu and Jorge Nocedal
# 1989) also remembers its last moves: $s_k$, how far it moved, and $y_k$, how the gradient changed
# on that move. From them it computes a direction that is often much better. Pairs are numbered from
# the oldest, 1, to the newest, $m$. With $\rho_k = 1 / (y_k \cdot s_k)$:
#
# 1. $q \leftarrow g$, the gradient.
# 2. From the **newest to the oldest** pair: $a_k \leftarrow \rho_k\,(s_k \cdot q)$, then
#    $q \leftarrow q - a_k\, y_k$.
# 3. $r \leftarrow \dfrac{s_m \cdot y_m}{y_m \cdot y_m}\, q$, with the newest pair. Without pairs,
#    $r \leftarrow q$.
# 4. From the **oldest to the newest** pair: $b \leftarrow \rho_k\,(y_k \cdot r)$, then
#    $r \leftarrow r + (a_k - b)\, s_k$.
# 5. The direction is $-r$.
#
# A pair with $y_k \cdot s_k \le 0$ would say that the loss curves downwards. **Leave such pairs
# out**, as if they were not there.
#
# **Shapes:** `gradient` (n,), float32 or float64. `moves` and `changes` (m, n): row $k$ belongs to
# pair $k$, and the last row is the newest. m may be 0. Return the direction, (n,).
#
# **By hand:** one pair, $s = (1, 0)$ and $y = (2, 0)$, and $g = (4, 6)$. $\rho = 1/2$. Step 2:
# $a = 1/2 \cdot 4 = 2$, $q = (0, 6)$. Step 3: $2/4 \cdot q = (0, 3)$. Step 4: $b = 0$,
# $r = (2, 3)$. The direction is $(-2, -3)$.
#
# There is a test that needs no numbers by hand. Give the newest change $y_m$ as the gradient. Then
# the direction must be $-s_m$: L-BFGS believes that the way back undoes the change.


# %% nbgrader={"grade_id": "lbfgs", "solution": true}
def my_lbfgs(gradient, moves, changes):
    """Return the direction in which L-BFGS moves, (n,)."""
    ### BEGIN SOLUTION
    pairs = [(s, y) for s, y in zip(moves, changes, strict=True) if y @ s > 0]
    q = gradient.clone()
    weights = []
    for s, y in reversed(pairs):
        weights.append((s @ q) / (y @ s))
        q = q - weights[-1] * y
    if pairs:
        s, y = pairs[-1]
        q = (s @ y) / (y @ y) * q
    for (s, y), a in zip(pairs, reversed(weights), strict=True):
        q = q + (a - (y @ q) / (y @ s)) * s
    return -q
    ### END SOLUTION


# %% nbgrader={"grade_id": "lbfgs_test", "grade": true, "locked": true, "points": 7}
s, y, g = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0]]), torch.tensor([4.0, 6.0])
print("example right:", tasks.agrees(my_lbfgs, (g, s, y), torch.tensor([-2.0, -3.0])))
print("without pairs:", tasks.agrees(my_lbfgs, (g, s[:0], y[:0]), -g))
moves = torch.rand(3, 5, generator=torch.Generator().manual_seed(0))
changes = moves * torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
print("the way back:", tasks.agrees(my_lbfgs, (changes[-1], moves, changes), -moves[-1]))


### BEGIN HIDDEN TESTS
def two_loops(
    gradient,
    moves,
    changes,
    sign=-1,
    scaling="newest",
    first=-1,
    second=1,
    bad_pairs=False,
):
    """Return the direction; the options are mistakes. first, second: -1 begins with the newest."""
    kept = [k for k in range(len(moves)) if bad_pairs or moves[k] @ changes[k] > 0]
    rho = {k: 1 / (moves[k] @ changes[k]) for k in kept}
    q, a = gradient, {}
    for k in kept[::first]:
        a[k] = rho[k] * (moves[k] @ q)
        q = q - a[k] * changes[k]
    if kept and scaling != "none":
        k = kept[0] if scaling == "oldest" else kept[-1]
        scale = (moves[k] @ changes[k]) / changes[k].square().sum()
        q = q / scale if scaling == "inverted" else q * scale
    for k in kept[::second]:
        q = q + (a[k] - rho[k] * (changes[k] @ q)) * moves[k]
    return sign * q


def pair_cases(generator):
    """Return moves on bowls, so that the pairs fit together; one pair curves the wrong way."""
    shapes = [
        (6, 3, None, torch.float64),
        (5, 4, 1, torch.float64),
        (7, 2, None, torch.float32),
        (4, 0, None, torch.float32),
        (6, 3, 2, torch.float64),
    ]
    found = []
    for n, m, bad, dtype in shapes:
        root = torch.randn((n, n), generator=generator, dtype=torch.float64)
        bowl = root @ root.T / n + 0.5 * torch.eye(n, dtype=torch.float64)
        moves = torch.randn((m, n), generator=generator, dtype=torch.float64)
        changes = moves @ bowl
        if bad is not None:
            changes[bad] *= -0.5
        gradient = torch.randn(n, generator=generator, dtype=torch.float64)
        found.append(tuple(t.to(dtype) for t in (gradient, moves, changes)))
    return found


TASK = tasks.Task(
    name="my_lbfgs",
    points=7,
    reference=two_loops,
    cases=pair_cases,
    gradient=False,
    rtol=1e-3,
    misconceptions=(
        Misconception(
            "uphill",
            "Your numbers are right, but they lead uphill. Look at step 5.",
            wrong=lambda *a: two_loops(*a, sign=1),
        ),
        Misconception(
            "not-scaled",
            "Step 3 is missing. Without it the parts of the gradient that no pair knows about have "
            "the wrong length.",
            wrong=lambda *a: two_loops(*a, scaling="none"),
        ),
        Misconception(
            "scaling-inverted",
            "In step 3 you have the fraction upside down. For a steep bowl, is a good step long or "
            "short?",
            wrong=lambda *a: two_loops(*a, scaling="inverted"),
        ),
        Misconception(
            "scaled-by-the-oldest",
            "In step 3 you took the oldest pair that is left. Which row is the newest?",
            wrong=lambda *a: two_loops(*a, scaling="oldest"),
        ),
        Misconception(
            "first-loop-from-the-oldest",
            "Your first loop begins with the oldest pair. Look at step 2.",
            wrong=lambda *a: two_loops(*a, first=1),
        ),
        Misconception(
            "second-loop-from-the-newest",
            "Your second loop begins with the newest pair. Look at step 4.",
            wrong=lambda *a: two_loops(*a, second=-1),
        ),
        Misconception(
            "rows-the-other-way",
            "Both of your loops run the wrong way, as if the first row were the newest. Read the "
            "shapes again.",
            wrong=lambda *a: two_loops(*a, first=1, second=-1, scaling="oldest"),
        ),
        Misconception(
            "loops-exchanged",
            "You have exchanged the orders of the two loops.",
            wrong=lambda *a: two_loops(*a, first=1, second=-1),
        ),
        Misconception(
            "bad-pairs-kept",
            "You are right as long as all pairs are good. Some have a product of move and change "
            "that is not positive. What does the task say about these?",
            wrong=lambda *a: two_loops(*a, bad_pairs=True),
        ),
    ),
    credit={
        "uphill": 0.7,
        "not-scaled": 0.5,
        "scaling-inverted": 0.6,
        "scaled-by-the-oldest": 0.7,
        "first-loop-from-the-oldest": 0.6,
        "second-loop-from-the-newest": 0.6,
        "rows-the-other-way": 0.6,
        "loops-exchanged": 0.5,
        "bad-pairs-kept": 0.7,
    },
    lesson=8,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "paint_text", "locked": true}
# ## Your painter paints
#
# The next cell puts your parts together, on small pictures: L-BFGS with your direction, your total
# variation in place of the package's, and a copy of the best picture so far. The first move changes
# a pixel by 0.02 on average, as in lesson 8.

# %% nbgrader={"grade_id": "paint", "locked": true}
BACKBONE = nst.load_backbone("compact", device="cpu")
CONTENT, STYLE = (nst.load_image(name, size=SIZE) for name in ("chelsea", "waves"))
OBJECTIVE = nst.Objective(BACKBONE, CONTENT, STYLE, tv_weight=0)
INSIDE = torch.zeros(1, 1, *CONTENT.shape[2:], dtype=torch.bool)
INSIDE[..., 4:-4, 4:-4] = True


def evaluate(picture):
    """Return the loss and its gradient, as one long vector."""
    pixels = picture.clone().requires_grad_()
    loss = OBJECTIVE(pixels).total + 5 * my_inner_variation(pixels, INSIDE)
    loss.backward()
    return loss.item(), pixels.grad.flatten()


def paint():
    """Return the best picture of some steps of L-BFGS."""
    picture, moves, changes = CONTENT.clone(), [], []
    loss, gradient = evaluate(picture)
    lowest, best = loss, picture
    for _ in range(STEPS):
        pairs = [
            torch.stack(p) if p else gradient.new_zeros(0, len(gradient)) for p in (moves, changes)
        ]
        direction = my_lbfgs(gradient, *pairs)
        if not moves:
            direction = direction * 0.02 / direction.abs().mean()
        after = (picture + direction.view_as(picture)).clamp(0, 1)
        loss, new_gradient = evaluate(after)
        moves = [*moves[-9:], (after - picture).flatten()]  # the move that was really made
        changes = [*changes[-9:], new_gradient - gradient]
        picture, gradient = after, new_gradient
        if loss < lowest:
            lowest, best = loss, picture
    return best


# %% nbgrader={"grade_id": "paint_picture", "locked": true}
plots.show_images(
    [CONTENT, STYLE, tried(paint)],
    titles=["content", "style", "your painting"],
    alt=f"Content: {nst.picture_alt('chelsea')} Style: {nst.picture_alt('waves')} Right your "
    "painting; if your functions are right, it is the content in the manner of the style.",
)

# %% [markdown] nbgrader={"grade_id": "end", "locked": true}
# ## Before you hand in
#
# Restart the kernel, run all cells, and look at what the examples say. Is your id in the second
# code cell? Save the notebook, and hand it in.
