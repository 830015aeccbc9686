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
# # Lesson 4: Gradient descent, learning rate, the chain rule
#
# A photo was blurred. A program sees the blurred photo only. It begins with a black picture and
# changes it, step by step, until its blurred version looks like the blurred photo. Below are four
# attempts, A to D. The program is the same each time, and so is the number of steps. Only *one
# number* differs. Which number can do so much good, and so much harm?
#
# **After this lesson you can**
#
# - measure a gradient without calculus, and use it to check any other gradient;
# - write gradient descent, and say for a learning rate whether it creeps, swings or runs away;
# - build a small program that computes gradients by the chain rule, as torch does;
# - say which tensors get a gradient, and what happens if an old gradient is not forgotten;
# - change a picture, in place of a network, by gradient descent.
#
# **Time:** 60 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
import math

import torch
import torch.nn.functional as F

import nst_edu as nst
from nst_edu import exercises, layers, plots

torch.manual_seed(0)
SIZE = 64 if nst.is_fast() else 128  # pixels on the longer side of a photo
STEPS = 11  # in each attempt to undo the blur
ATTEMPTS = {"A": 1.0, "B": 2.1, "C": 0.05, "D": 1.9}  # the one number that differs

TAPS = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
SOFT = torch.outer(TAPS, TAPS)  # a 5x5 kernel that blurs; its numbers add up to 1
PHOTO = nst.load_image("astronaut", size=SIZE)


# %%
def blur(pictures):
    """Blur pictures, (N, C, H, W); beyond the border the picture begins again."""
    channels = pictures.shape[1]
    around = F.pad(pictures, (2, 2, 2, 2), mode="circular")
    return F.conv2d(around, SOFT.to(pictures).expand(channels, 1, 5, 5), groups=channels)


def unblur(target, rate, steps):
    """Search for a picture whose blurred version is `target`; return it after every step."""
    pixels = torch.zeros_like(target).requires_grad_()
    pictures = []
    for _ in range(steps):
        pixels.grad = None
        loss = 0.5 * (blur(pixels) - target).square().sum()
        loss.backward()
        with torch.no_grad():
            pixels -= rate * pixels.grad
        pictures.append(pixels.detach().clone())
    return pictures


BLURRED = blur(PHOTO)
FOUND = {name: unblur(BLURRED, rate, STEPS) for name, rate in ATTEMPTS.items()}

# %%
plots.show_images(
    [PHOTO, BLURRED, *(pictures[-1] for pictures in FOUND.values())],
    titles=["the photo", "the photo, blurred", *(f"attempt {name}" for name in FOUND)],
    columns=3,
    alt=f"{nst.picture_alt('astronaut')} Then the same photo, blurred. Attempt A is sharper than "
    "the blurred photo. B is nearly white: dark parts show. C is dark and blurred. D is sharp, "
    "but too bright.",
)

# %% [markdown]
# At the end of this lesson you will understand every line of `unblur`.
#
# **Before you go on, decide:** put the four attempts in order, from the smallest value of the
# number to the largest. Write your order down.
#
# **Warm-up:** somebody measures how wrong a number $w$ is by the loss $(w - 3)^2$. At present $w$
# is 5. Does the loss rise or fall if $w$ gets a little larger? And if $w$ is 1?
#
# <details><summary>Answer</summary>
#
# At 5 it rises: 4 becomes more than 4. At 1 it falls, because a larger $w$ is nearer to 3.
#
# </details>
#
# ## The slope, without calculus
#
# Imagine a hill in thick fog. You cannot see the valley. But you can feel with your feet in which
# direction the ground falls. This is all that gradient descent knows.
#
# The **slope** says how much the loss changes when $w$ changes, divided by the change of $w$. A
# **finite difference** measures it: take a small step $h$ to both sides, and compare.
#
# $$\frac{dL}{dw} \approx \frac{L(w + h) - L(w - h)}{2h}$$
#
# ### The worked example
#
# Our loss is $L(w) = 2\,(w - 3)^2$. Its graph is a bowl with its lowest point at 3.

# %% tags=["nbval-check-output"]
BOTTOM = 3.0


def bowl(w):
    """Return the loss of w."""
    return 2 * (w - BOTTOM) ** 2


def slope(loss_of, w, h=1e-3):
    """Return the slope of a loss at the number w, by a finite difference."""
    return (loss_of(w + h) - loss_of(w - h)) / (2 * h)


for w in (1.0, 3.0, 5.0):
    print(f"w = {w:g}: loss {bowl(w):g}, slope {round(slope(bowl, w), 3) + 0.0}")

# %% [markdown]
# **Question:** at which of the three places must $w$ become larger, to lower the loss? Which sign
# does the slope have there?
#
# <details><summary>Answer</summary>
#
# At 1, where the slope is negative. So we must go *against* the slope. At 3 the slope is 0: there
# is no way down.
#
# </details>
#
# Is the formula right? We take a loss of the package, and compare with calculus and with torch.

# %% tags=["nbval-check-output", "binds-formula"]
maps, target = torch.rand(2, 6, dtype=torch.float64)


def loss_of_first(value, maps, target):
    """Return the content loss, with `value` in the first place of `maps`."""
    return nst.content_loss(torch.cat([maps.new_tensor([value]), maps[1:]]), target)


measured = slope(lambda value: loss_of_first(value, maps, target).item(), maps[0].item())
by_calculus = 2 * (maps[0] - target[0]).item() / 6  # the derivative of a mean of six squares
leaf = maps.clone().requires_grad_()
by_torch = torch.autograd.grad(F.mse_loss(leaf, target), leaf)[0][0].item()
print("finite difference = calculus:", math.isclose(measured, by_calculus, rel_tol=1e-6))
print("finite difference = torch:   ", math.isclose(measured, by_torch, rel_tol=1e-6))

# %% [markdown]
# A kernel or a picture has many numbers. Each of them has a slope of its own. All these slopes
# together are the **gradient**. It has the same shape as the tensor that it belongs to.
#
# ### Exercise: finite differences
#
# A blank page. Compute the gradient of a loss at a tensor `x` of any shape. `loss_of(x)` returns
# the loss as a scalar tensor. For each number of `x`, move *this number alone* by `h` up and down.
# The result has the shape and the dtype of `x`, and `x` stays as it is. Do not use autograd.


# %% tags=["exercise"]
def my_finite_differences(loss_of, x, h):
    """Return the gradient of `loss_of` at `x`, one finite difference for each number."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_finite_differences(my_finite_differences)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `for place in range(x.numel())` visits each number. Make a nudge: a tensor of zeros like `x`, with
# `h` at this one place.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `nudge.view(-1)[place] = h` writes into `nudge`, whatever its shape is. Then `x + nudge` and
# `x - nudge` are the two places to compare. Write the result into `gradient.view(-1)[place]`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_finite_differences(loss_of, x, h):
#     gradient = torch.zeros_like(x)
#     for place in range(x.numel()):
#         nudge = torch.zeros_like(x)
#         nudge.view(-1)[place] = h
#         gradient.view(-1)[place] = (loss_of(x + nudge) - loss_of(x - nudge)) / (2 * h)
#     return gradient
# ```
#
# </details>
#
# ## Follow the slope down
#
# **Gradient descent** repeats one step: measure the slope, and go a little against it. The
# **learning rate** $\eta$ (eta) says how much.
#
# $$w \leftarrow w - \eta\, \frac{dL}{dw}$$
#
# Augustin-Louis Cauchy described the method in 1847.


# %%
def follow(loss_of, w, rate, steps):
    """Gradient descent on one number; return w before the first and after every step."""
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - rate * slope(loss_of, path[-1]))
    return path


# %% tags=["nbval-check-output", "binds-formula"]
by_hand = 0.0 - 0.1 * 4 * (0.0 - BOTTOM)  # the slope of 2 (w - 3)² is 4 (w - 3)
leaf = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
bowl(leaf).backward()
torch.optim.SGD([leaf], lr=0.1).step()
print("after one step from 0, by hand:", round(by_hand, 6))
print("our loop:", math.isclose(follow(bowl, 0.0, 0.1, 1)[-1], by_hand, rel_tol=1e-6))
print("torch:   ", math.isclose(leaf.item(), by_hand, rel_tol=1e-6))

# %% [markdown]
# ## Is a bigger rate faster?
#
# **Predict:** we start at 0 and want to come within 0.01 of the lowest point. The rate 0.15 needs 7
# steps. How many does the rate 0.45 need?
#
# - (a) fewer than 7: each step is three times as long
# - (b) more than 7
# - (c) it never arrives
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) Each step is longer, but longer is not nearer. A long step can jump over the lowest point.
# - (b) Right. Each step lands on the other side of the bowl, only a little lower than before.
# - (c) This happens to still larger rates. See the last lines of the table.
#
# </details>


# %% tags=["nbval-check-output"]
def steps_needed(rate, most=500):
    """Count the steps from 0 until w is within 0.01 of the lowest point; None: more than `most`."""
    path = follow(bowl, 0.0, rate, most)
    return next((k for k, w in enumerate(path) if abs(w - BOTTOM) < 0.01), None)


for rate in (0.01, 0.05, 0.15, 0.25, 0.35, 0.45, 0.49, 0.5, 0.52):
    print(f"rate {rate:.2f}   steps needed: {steps_needed(rate) or 'more than 500'}")

# %%
figure = plots.Figure(
    800,
    280,
    alt="Four bowls, each with the path of seven values of w. Slow: the points crowd at the left "
    "wall. Good: they reach the bottom quickly. Swings: they jump from wall to wall and sink "
    "slowly. Runs away: they jump from wall to wall and climb.",
)
rates = {"slow": 0.02, "good": 0.2, "swings": 0.45, "runs away": 0.52}
places = torch.linspace(-2.2, 8.2, 100)
for ax, (name, rate) in zip(figure.subplots(1, 4, sharey=True), rates.items(), strict=True):
    path = follow(bowl, 0.0, rate, 6)
    ax.plot(places, bowl(places), color="lightgray")
    ax.plot(path, [bowl(w) for w in path], "o-", color="#0072B2", linewidth=1, markersize=4)
    ax.plot(path[:1], [bowl(path[0])], "s", color="black")  # the start
    ax.set(title=f"{name}\nη = {rate}", xlabel="w", ylim=(-2, 55))
figure.axes[0].set_ylabel("loss")
figure

# %% [markdown]
# The black square is the start. **Look at the numbers:** from 0.01 to 0.25 a bigger rate is
# faster. From 0.25 on it is slower. At 0.5 it swings for ever, and at 0.52 it runs away: the loss
# **diverges**.
#
# ## The critical rate
#
# Where do 0.25 and 0.5 come from? The slope of our bowl is $4\,(w - 3)$. The number 4 is its
# **curvature** $c$: how fast the slope grows. So one step multiplies the distance to the lowest
# point $w^*$ by $1 - \eta c$, and $k$ steps give
#
# $$w_k - w^* = (1 - \eta c)^k\, (w_0 - w^*)$$

# %% tags=["nbval-check-output", "binds-formula"]
curvature, rate, k = 4.0, 0.1, 7
by_formula = (1 - rate * curvature) ** k * (0.0 - BOTTOM)
by_loop = follow(bowl, 0.0, rate, k)[-1] - BOTTOM
leaf = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.SGD([leaf], lr=rate)
for _ in range(k):
    optimizer.zero_grad()
    bowl(leaf).backward()
    optimizer.step()
print("formula = loop: ", math.isclose(by_formula, by_loop, rel_tol=1e-6))
print("formula = torch:", math.isclose(by_formula, leaf.item() - BOTTOM, rel_tol=1e-6))

# %% [markdown]
# | factor $1 - \eta c$ | rate $\eta$ | what happens |
# |---|---|---|
# | between 0 and 1 | less than $1/c$ | $w$ comes nearer, always from the same side |
# | 0 | $1/c$ | one step, and $w$ is there |
# | between −1 and 0 | between $1/c$ and $2/c$ | $w$ swings from side to side, and comes nearer |
# | −1 | $2/c$ | $w$ swings for ever |
# | less than −1 | more than $2/c$ | $w$ runs away |
#
# **Question:** the rates 0.15 and 0.35 needed equally many steps. So did 0.05 and 0.45. Why?
#
# <details><summary>Answer</summary>
#
# Their factors are 0.4 and −0.4, and 0.8 and −0.8. The sign says on which side $w$ lands. The size
# says how fast the distance falls.
#
# </details>
#
# So $2/c$ is the **critical rate**. (Books call it $2/L$. There $L$ is the largest curvature. Here
# $L$ is the loss.) The curvature can be measured, too: it is the slope of the slope.

# %% tags=["nbval-check-output"]
curvature = slope(lambda w: slope(bowl, w), 0.0)
critical = 2 / curvature
print(f"curvature {curvature:.2f}, critical rate {critical:.2f}")
for share in (0.99, 1.01):
    path = follow(bowl, 0.0, share * critical, 200)
    nearer = abs(path[-1] - BOTTOM) < abs(path[0] - BOTTOM)
    print(f"{share} of the critical rate: nearer after 200 steps: {nearer}")

# %% [markdown]
# ### Exercise: judge the rate
#
# The loss is now $L(w) = 5\,(w - 1)^2$. Which verdict does each rate deserve? `"creeps"` (nearer
# with each step, always from the same side), `"one step"`, `"swings"` (from side to side, and
# nearer) or `"runs away"`. A verdict may be used more than once. First find the curvature of this
# loss.

# %% tags=["exercise"]
my_rate_verdicts = {0.01: ..., 0.05: ..., 0.1: ..., 0.15: ..., 0.3: ...}

# %% tags=["check", "nbval-check-output"]
exercises.check_rate_verdicts(my_rate_verdicts)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The slope of $(w - 1)^2$ is $2\,(w - 1)$. The 5 in front multiplies it. What stands in front of
# $(w - 1)$ then?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The curvature is 10. Compute $1 - \eta c$ for each rate, and look it up in the table.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_rate_verdicts = {
#     0.01: "creeps",
#     0.05: "creeps",
#     0.1: "one step",
#     0.15: "swings",
#     0.3: "runs away",
# }
# ```
#
# </details>
#
# ## The chain rule
#
# Finite differences need two evaluations of the loss for *each* number. A colour photo of 128×128
# pixels has 49 152 numbers. There is a better way: look into the program that computes the loss.
#
# A program is a chain of small steps. For example, with $x = 3$:
#
# - $a = w \cdot x$. If $w$ changes by a little, $a$ changes by 3 times as much.
# - $b = a + 1$. If $a$ changes, $b$ changes by just as much: 1 times.
# - $L = b^2$. The slope of a square is $2b$.
#
# Each of these factors is a **local slope**: it belongs to one step and knows nothing of the
# others. The **chain rule** says that the slope of the whole is their product:
#
# $$\frac{dL}{dw} = \frac{dL}{db} \cdot \frac{db}{da} \cdot \frac{da}{dw}$$

# %% tags=["nbval-check-output", "binds-formula"]
w, x = 2.0, 3.0
a = w * x
b = a + 1
product = (2 * b) * 1 * x
print("product of the local slopes:", product)
print("as a finite difference:", math.isclose(slope(lambda w: (w * x + 1) ** 2, w), product))

weight = torch.tensor([[w]], requires_grad=True)
result = layers.linear(torch.tensor([[x]]), weight, torch.tensor([1.0]))
loss = nst.content_loss(result, torch.zeros(1, 1))  # the mean of one square
loss.backward()
print("as the package and torch:", weight.grad.item() == product)

# %% [markdown]
# ## A number that remembers
#
# Now we build a program that does this for any formula: **automatic differentiation**. It takes
# four small pieces. (The idea for this form of it is from micrograd by Andrej Karpathy, 2020.)
#
# Piece 1: a `Value` is a number that remembers from which numbers it was computed, its *parents*,
# and its local slope to each of them.


# %%
class Value:
    """A number that remembers where it comes from."""

    def __init__(self, data, parents=(), slopes=()):
        self.data = data  # the number
        self.parents = parents  # the Values from which it was computed
        self.slopes = slopes  # its local slope to each parent
        self.grad = 0.0  # the slope of the loss to this number: not known yet


# %% [markdown]
# Piece 2: each operation must know its local slopes.
#
# ### Exercise: local slopes
#
# Fill in the four places marked `...`. If $a$ alone changes by a little, how many times as much
# does the result change? And if $b$ alone changes? ReLU of $a$ is $\max(a, 0)$. It has one local
# slope only. (At $a = 0$ the slope is not defined. Torch takes 0 there.)


# %% tags=["exercise"]
def my_local_slopes(operation, a, b):
    """Return the local slopes of a result: the one to a, then the one to b, if it uses b."""
    if operation == "a + b":
        return 1.0, 1.0
    if operation == "a - b":
        return 1.0, ...
    if operation == "a * b":
        return ..., ...
    if operation == "relu(a)":
        return (...,)
    raise ValueError(operation)


# %% tags=["check", "nbval-check-output"]
exercises.check_local_slopes(my_local_slopes)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Take $a = 2$ and $b = 5$. Change $a$ to 2.1. By how much do $a - b$ and $a \cdot b$ change? Divide
# by 0.1. Then do the same with $b$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The local slope of a product to one factor is the *other* factor. ReLU passes a positive number
# through as it is. What does it do with the change of a negative number?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_local_slopes(operation, a, b):
#     if operation == "a + b":
#         return 1.0, 1.0
#     if operation == "a - b":
#         return 1.0, -1.0
#     if operation == "a * b":
#         return b, a
#     if operation == "relu(a)":
#         return (1.0 if a > 0 else 0.0,)
#     raise ValueError(operation)
# ```
#
# </details>
#
# Here are three operations for `Value`. The last lines give them their signs: from then on, `a + b`
# calls `add(a, b)`.


# %%
def add(a, b):
    """Return a + b."""
    return Value(a.data + b.data, (a, b), (1.0, 1.0))


def multiply(a, b):
    """Return a * b."""
    return Value(a.data * b.data, (a, b), (b.data, a.data))


def relu(a):
    """Return max(a, 0)."""
    return Value(max(a.data, 0.0), (a,), (1.0 if a.data > 0 else 0.0,))


Value.__add__ = add
Value.__mul__ = multiply
Value.relu = relu

# %% tags=["nbval-check-output"]
w, x, one = Value(2.0), Value(3.0), Value(1.0)
a = w * x
b = a + one
loss = b * b
for name, value in {"a": a, "b": b, "loss": loss}.items():
    print(f"{name:5} {value.data:3g}   parents {[p.data for p in value.parents]}", end="")
    print(f"   local slopes {list(value.slopes)}")

# %% [markdown]
# The parents of the parents, and so on, form the **computation graph**. Here it is. A number on an
# arrow is a local slope.

# %%
places = {w: (0, 2), x: (0, 0.6), a: (1, 1.3), one: (1, 0), b: (2, 0.65), loss: (3.2, 0.65)}
names = {w: "w", x: "x", a: "a = w·x", one: "1", b: "b = a + 1", loss: "loss = b·b"}
figure = plots.Figure(
    768,
    290,
    alt="A graph that grows from left to right. w = 2 and x = 3 lead to a = 6, with local slopes 3 "
    "and 2. a and 1 lead to b = 7, with slopes 1 and 1. Two arrows lead from b to the loss, 49, "
    "each with slope 7.",
)
ax = figure.subplots()
for value, (right, height) in places.items():
    for n, (parent, slope_there) in enumerate(zip(value.parents, value.slopes, strict=True)):
        left, low = places[parent]
        bend = 0 if parent is not value.parents[1 - n] else 0.5 - n  # two arrows from b
        looks = {"arrowstyle": "->", "connectionstyle": f"arc3,rad={bend}", "shrinkB": 32}
        ax.annotate("", (right, height), (left, low), arrowprops=looks)
        middle = ((left + right) / 2, (low + height) / 2 - 1.1 * bend)
        ax.text(*middle, f"{slope_there:g}", ha="center", backgroundcolor="white")
    text = names[value] if names[value] == "1" else f"{names[value]}\n{value.data:g}"
    box = {"facecolor": "#EAF2F8"}
    ax.text(right, height, text, ha="center", va="center", bbox=box, zorder=5)
ax.set(xlim=(-0.3, 3.6), ylim=(-0.3, 2.4))
ax.set_axis_off()
figure

# %% [markdown]
# Two arrows lead from $b$ to the loss: $b$ is used twice. A change of $b$ reaches the loss on both
# ways, so both count. The slope is $7 + 7 = 14$, as $2b$ says.
#
# **The slopes of all uses are added up.** This is the second half of the chain rule. The sum runs
# over all numbers $y$ that were computed from $x$ directly:
#
# $$\frac{\partial L}{\partial x} = \sum_{y} \frac{\partial L}{\partial y} \cdot
# \frac{\partial y}{\partial x}$$
#
# Pixels are used more than once all the time. The total variation (lesson 8) compares neighbours.
# In a row of three pixels, the middle one has two neighbours, so it is used twice.

# %% tags=["nbval-check-output", "binds-formula"]
row = torch.tensor([0.2, 0.9, 0.5], dtype=torch.float64)
y1, y2 = row[1] - row[0], row[2] - row[1]  # the loss is (y1² + y2²) / 2, its slopes are y1 and y2
by_sum = y1 * 1 + y2 * -1

leaf = row.clone().requires_grad_()
nst.total_variation_loss(leaf.view(1, 1, 1, 3)).backward()
print("sum over both uses = package:", torch.isclose(by_sum, leaf.grad[1]).item())


def half_squares(middle):
    """Return the loss of the row 0.2, middle, 0.5."""
    return ((middle - 0.2) ** 2 + (0.5 - middle) ** 2) / 2


print("= finite difference:", math.isclose(slope(half_squares, 0.9), by_sum.item()))

# %% [markdown]
# Piece 3: the order. Backward means from the loss to the first numbers. A number may pass its slope
# on only when it is complete, that is, after *all* its uses. A list in which each number stands
# after its parents is in **topological order**. Backward, we read this list from its end.


# %%
def topological_order(loss):
    """Return all Values behind a loss, each one after its parents; the loss comes last."""
    order, seen = [], set()

    def visit(value):
        if value not in seen:
            seen.add(value)
            for parent in value.parents:
                visit(parent)
            order.append(value)

    visit(loss)
    return order


# %% tags=["nbval-check-output"]
print("in topological order:", [names[value] for value in topological_order(loss)])

# %% [markdown]
# ### Exercise: backward
#
# Piece 4. Fill in the four places marked `...`. When the loop begins, every `grad` is 0.


# %% tags=["exercise"]
def my_backward(loss):
    """Set the grad of every Value behind the loss; return the grads in topological order."""
    order = topological_order(loss)
    loss.grad = ...  # the slope of the loss to itself
    for value in ...:  # in which order?
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad = ... + slope * ...
    return [value.grad for value in order]


# %% tags=["check", "nbval-check-output"]
exercises.check_backward(my_backward)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# If the loss changes by a little, by how many times as much does the loss change? And
# `reversed(...)` reads a list from its end.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Along a path slopes are multiplied: the local slope times the grad of which Value? Other uses of
# the parent may have contributed before. What must happen to their contributions?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_backward(loss):
#     order = topological_order(loss)
#     loss.grad = 1.0
#     for value in reversed(order):
#         for parent, slope in zip(value.parents, value.slopes, strict=True):
#             parent.grad = parent.grad + slope * value.grad
#     return [value.grad for value in order]
# ```
#
# </details>
#
# Here are the same lines for the rest of the lesson. This is **backpropagation**. Seppo Linnainmaa
# described the method in 1970. David Rumelhart, Geoffrey Hinton and Ronald Williams made it known
# for neural networks in 1986.


# %% tags=["nbval-check-output"]
def backward(loss):
    """Add to the grad of every Value behind the loss its slope."""
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent, local in zip(value.parents, value.slopes, strict=True):
            parent.grad += local * value.grad


for value in topological_order(loss):
    value.grad = 0.0  # forget what an earlier run has added
backward(loss)
for value in (w, x, a, b, loss):
    print(f"{names[value]:10} {value.data:3g}   grad {value.grad:g}")

# %% [markdown]
# **Check by hand:** follow the arrows from the loss to $w$. Multiply along the way, and add where
# two ways meet. Do you get 42?
#
# ## Your autograd against torch
#
# Time for something real: a convolution layer. A kernel of 2×2 numbers slides over a picture of 3×3
# pixels. Then comes ReLU. The loss adds up the squared differences to a target. The function uses
# `+`, `*` and `.relu()` only, so it works for Values and for torch's tensors.


# %%
def layer_loss(kernel, picture, minus_target):
    """Return the squared error of a convolution layer; all three are lists of rows."""
    total = None
    for i in range(2):
        for j in range(2):
            products = [kernel[u][v] * picture[i + u][j + v] for u in range(2) for v in range(2)]
            response = sum(products[1:], products[0]).relu()
            error = response + minus_target[i][j]
            total = error * error if total is None else total + error * error
    return total


def as_values(numbers):
    """Turn a tensor of two dimensions into rows of Values."""
    return [[Value(number) for number in row] for row in numbers.tolist()]


generator = torch.Generator().manual_seed(4)
K = torch.randn(2, 2, generator=generator, dtype=torch.float64)
X = torch.rand(3, 3, generator=generator, dtype=torch.float64)
T = torch.rand(2, 2, generator=generator, dtype=torch.float64)

# %% tags=["nbval-check-output"]
kernel, picture = as_values(K), as_values(X)
loss = layer_loss(kernel, picture, as_values(-T))
backward(loss)
ours = [K.new_tensor([[v.grad for v in row] for row in rows]) for rows in (kernel, picture)]

leaves = [K.clone().requires_grad_(), X.clone().requires_grad_()]
by_package = layers.relu(layers.cross_correlate2d(leaves[1][None, None], leaves[0][None, None]))
(by_package - T).square().sum().backward()

nudges = 1e-4 * torch.eye(9, dtype=torch.float64).view(9, 3, 3)
changes = [layer_loss(K, X + n, -T) - layer_loss(K, X - n, -T) for n in nudges]
by_differences = torch.stack(changes).view(3, 3) / 2e-4

print("Values in the graph:", len(topological_order(loss)))
print("kernel,  ours = torch:", torch.allclose(ours[0], leaves[0].grad, rtol=1e-5))
print("picture, ours = torch:", torch.allclose(ours[1], leaves[1].grad, rtol=1e-5))
print("picture, ours = finite differences:", torch.allclose(ours[1], by_differences, rtol=1e-4))

# %% [markdown]
# The finite differences for the picture needed 18 evaluations of the loss. `backward` needed one
# walk through the graph, and gave the gradient of the kernel as well. With more pixels the first
# number grows. The second one stays.
#
# ## Whose gradient is it?
#
# Look at the output once more: the kernel has a gradient, and the *picture* has one. A gradient
# does not care whether a number is called weight or pixel.
#
# In torch, a tensor that was not computed from others is a **leaf**. A leaf that was marked with
# `requires_grad=True` gets its gradient into `.grad`. Torch's layers mark their weights when
# they are made. This is why gradients seem to belong to weights.
#
# **Predict:** a network was trained, and its weights are good. You want to change a *picture*, so
# that the network responds strongly to it. What has to be done?
#
# - (a) The network has to be trained a little more: only weights have gradients.
# - (b) The picture has to be marked with `requires_grad`, and the step has to change the picture.
# - (c) A second network is needed, which makes pictures.
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) You saw the gradient of nine pixels just now. Training would change the network, and leave
#   the picture as it is.
# - (b) Right. The chain rule leads to any number that the loss was computed from.
# - (c) This is possible: another method trains a network to paint. But it is not needed.
#
# </details>
#
# ### Exercise: who gets a gradient?
#
# Read this program. Which of the four tensors have numbers in `.grad` at its end? Answer `True` or
# `False` for each, before you try it out.
#
# ```python
# photo = torch.rand(1, 1, 8, 8, requires_grad=True)
# kernel = torch.rand(1, 1, 3, 3)
# target = torch.rand(1, 1, 6, 6)
# result = F.conv2d(photo, kernel)
# loss = (result - target).square().mean()
# loss.backward()
# ```

# %% tags=["exercise"]
my_gets_gradient = {"photo": ..., "kernel": ..., "target": ..., "result": ...}

# %% tags=["check", "nbval-check-output"]
exercises.check_gets_gradient(my_gets_gradient)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two questions decide: is the tensor a leaf? Is it marked with `requires_grad`?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `result` was computed from others, so it is no leaf. Torch uses its gradient on the way back and
# then throws it away.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_gets_gradient = {"photo": True, "kernel": False, "target": False, "result": False}
# ```
#
# </details>
#
# ## The gradient that was not forgotten
#
# **Predict:** a leaf $w = 3$ has the loss $w^2$. We compute the loss and call `backward()`. The
# gradient is 6. We compute the loss again and call `backward()` again. What is in `w.grad` now?
#
# - (a) 6
# - (b) 12
# - (c) There is an error message.
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) This would be so if `backward` replaced the old gradient.
# - (b) Right. `backward` *adds*. It has to: the same `+=` adds up the uses of a number. Nothing
#   says that the first loss is over and done with.
# - (c) An error comes if you call `backward()` twice on *one* loss. Here the loss was computed
#   again.
#
# </details>

# %% tags=["nbval-check-output"]
ours, leaf = Value(3.0), torch.tensor(3.0, requires_grad=True)
for call in (1, 2):
    backward(ours * ours)
    (leaf * leaf).backward()
    print(f"after call {call}: our grad {ours.grad:g}, torch's grad {leaf.grad.item():g}")

# %% [markdown]
# So a loop must forget the old gradient in every step: `w.grad = None`, or `optimizer.zero_grad()`.
# What happens if it does not? We go down the bowl again, at the small and safe rate 0.02.


# %%
def roll(rate, steps, forget):
    """Gradient descent on the bowl with torch; return w before each step."""
    w = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    path = []
    for _ in range(steps):
        path.append(w.item())
        if forget:
            w.grad = None
        bowl(w).backward()
        with torch.no_grad():
            w -= rate * w.grad
    return path


# %%
plots.plot_lines(
    {
        "gradient forgotten": roll(0.02, 60, forget=True),
        "gradients added up": roll(0.02, 60, forget=False),
    },
    xlabel="steps",
    ylabel="w",
    title="The lowest point is at 3",
    log=False,
    alt="Two lines begin at 0. With forgetting, w rises to 3 and stays there. Without, it swings "
    "in waves between about 0 and 6, and the waves do not get smaller.",
)

# %% tags=["nbval-check-output"]
away = {forget: [abs(w - BOTTOM) for w in roll(0.02, 1000, forget)] for forget in (True, False)}
print("forgotten: distance from 3 after 200 steps is below 0.00001:", away[True][200] < 1e-5)
print("added up: largest distance in the first 100 steps:", round(max(away[False][:100]), 1))
print("added up: largest distance in the last 100 steps: ", round(max(away[False][-100:]), 1))

# %% [markdown]
# The sum of all gradients still pushes when $w$ is at the bottom. So $w$ rolls through, and up the
# other side, like a ball without friction. It never comes to rest. The symptom is a loss that
# rises and falls in long waves.
#
# ### Exercise: gradient descent
#
# A blank page. Write the loop with torch. `loss_of(x)` returns the loss of a tensor `x`. Return `x`
# after `steps` steps. `start` must stay as it is. `loss_of` may have weights of its own: they must
# stay as they are, too.


# %% tags=["exercise"]
def my_descend(loss_of, start, rate, steps):
    """Return the tensor after gradient descent from `start`."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_descend(my_descend)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `x = start.clone().requires_grad_()` is a leaf of its own. Then come three things in each step:
# forget, `backward`, move.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Look into `roll` above. The move stands under `with torch.no_grad():`, so that autograd does
# not record it, and it uses `-=`, so that `x` stays the same leaf.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_descend(loss_of, start, rate, steps):
#     x = start.clone().requires_grad_()
#     for _ in range(steps):
#         x.grad = None
#         loss_of(x).backward()
#         with torch.no_grad():
#             x -= rate * x.grad
#     return x.detach()
# ```
#
# </details>
#
# ## Descent on pixels
#
# Back to the blurred photo. Let $x$ be the picture that we search, $k * x$ its blurred version, and
# $t$ the blurred photo. The loss adds up over all pixels:
#
# $$L(x) = \frac{1}{2} \sum_i \bigl((k * x)_i - t_i\bigr)^2$$

# %% tags=["nbval-check-output", "binds-formula"]
x, t = torch.rand(2, 1, 1, 6, 7, dtype=torch.float64)
total = 0.0
for i in range(6):
    for j in range(7):
        blurred = 0.0
        for u in range(5):
            for v in range(5):  # % 6 and % 7: beyond the border the picture begins again
                blurred += SOFT[u, v].double() * x[0, 0, (i + u - 2) % 6, (j + v - 2) % 7]
        total += 0.5 * (blurred - t[0, 0, i, j]) ** 2

kernel = SOFT.double()[None, None]
by_package = layers.cross_correlate2d(x, kernel, padding=2, padding_mode="circular")
print("loops = package:", torch.isclose(total, 0.5 * 42 * nst.content_loss(by_package, t)).item())
print("loops = torch:  ", torch.isclose(total, F.mse_loss(blur(x), t, reduction="sum") / 2).item())

# %% [markdown]
# The step is the one that you know. Only the name has changed, from $w$ to $x$:
#
# $$x \leftarrow x - \eta\, \frac{\partial L}{\partial x}$$
#
# The package has this step in `nst.optimize_image`, which also keeps the pixels between 0 and 1.


# %% tags=["nbval-check-output", "binds-formula"]
def package_losses(picture):
    """Return the loss in the form that the package wants: content, style, roughness, total."""
    loss = 0.5 * (blur(picture) - BLURRED).square().sum()
    return nst.Losses(loss, torch.zeros(()), torch.zeros(()), loss)


# The chain rule by hand: the kernel is symmetric, so the way back is the same blur.
by_hand = BLURRED - 0.5 * blur(blur(BLURRED) - BLURRED)

options = {"optimizer": "gradient-descent", "learning_rate": 0.5}
*_, second = nst.optimize_image(package_losses, BLURRED, steps=2, **options)
print("= package:", torch.allclose(by_hand.clamp(0, 1), second.image, atol=1e-5))

leaf = BLURRED.clone().requires_grad_()
package_losses(leaf).total.backward()
torch.optim.SGD([leaf], lr=0.5).step()
print("= torch:  ", torch.allclose(by_hand, leaf.detach(), atol=1e-5))

# %% [markdown]
# ### How large may the rate be?
#
# The loss is a bowl again, in as many directions as there are pixels. Its curvature differs from
# direction to direction. We measure it as before: go a little in a direction, and see by how much
# the slope changes.


# %% tags=["nbval-check-output"]
def curvature_along(direction):
    """Return the curvature of the loss along a direction, by the change of the gradient."""
    unit = direction / direction.norm()
    gradients = []
    for place in (torch.zeros_like(unit), unit):
        leaf = place.clone().requires_grad_()
        (0.5 * blur(leaf).square().sum()).backward()
        gradients.append(leaf.grad)
    return ((gradients[1] - gradients[0]) * unit).sum().item()


places = torch.arange(32)
stripes = {
    "all pixels brighter": torch.ones(32),
    "stripes, 4 pixels wide": 1.0 - 2.0 * (places // 4 % 2),
    "stripes, 2 pixels wide": 1.0 - 2.0 * (places // 2 % 2),
    "stripes, 1 pixel wide": 1.0 - 2.0 * (places % 2),
}
for name, row in stripes.items():
    print(f"{name:24} curvature {curvature_along(row.expand(1, 1, 32, 32)):.2f}")

# %% [markdown]
# Is there a still steeper direction? For a small picture we can ask for the curvatures in *all*
# directions. They are the eigenvalues of a matrix, the **Hessian**, in which all second slopes
# stand.

# %% tags=["nbval-check-output"]
hessian = torch.autograd.functional.hessian(
    lambda flat: 0.5 * blur(flat.view(1, 1, 10, 10)).square().sum(),
    torch.zeros(100, dtype=torch.float64),
)
steepest = torch.linalg.eigvalsh(hessian).max().item()
print(f"largest curvature {steepest:.3f}, critical rate {2 / steepest:.3f}")
for rate in (1.95, 2.05):
    losses = [(blur(picture) - BLURRED).square().sum() for picture in unblur(BLURRED, rate, 40)]
    print(f"rate {rate}: the loss fell from step 1 to step 40: {bool(losses[-1] < losses[0])}")

# %% [markdown]
# Now the four attempts are no riddle any more.

# %%
plots.plot_lines(
    {
        f"{name} (η = {ATTEMPTS[name]:g}):": [
            0.5 * (blur(picture) - BLURRED).square().sum().item() for picture in FOUND[name]
        ]
        for name in "CADB"
    },
    x=range(1, STEPS + 1),
    xlabel="steps",
    title="Four rates, one program",
    alt="Four losses over 11 steps, on a logarithmic axis. B rises. C falls a little. D falls "
    "faster. A falls at once, and ends far below the others.",
)

# %%
print("attempt  rate   distance from the photo   mean brightness")
for name in "CADB":
    picture = FOUND[name][-1]
    error = (picture - PHOTO).square().mean().sqrt()
    print(f"{name:8} {ATTEMPTS[name]:4}   {error:23.3f}   {picture.mean():15.2f}")
print(f"blurred         {(BLURRED - PHOTO).square().mean().sqrt():23.3f}", end="")
print(f"   {BLURRED.mean():15.2f}")

# %% tags=["nbval-check-output"]
errors = {name: (pictures[-1] - PHOTO).square().mean() for name, pictures in FOUND.items()}
print("from the best to the worst:", "".join(sorted(errors, key=errors.get)))
of_the_blurred_photo = (BLURRED - PHOTO).square().mean()
print("A is nearer to the photo than the blurred photo:", bool(errors["A"] < of_the_blurred_photo))

# %% [markdown]
# The brightness of the whole picture is the steepest direction, with curvature 1. At the rate 1.9
# its error is multiplied by −0.9 in each step. You can see it:

# %%
plots.show_images(
    FOUND["D"][:6],
    titles=[f"D, step {k}" for k in range(1, 7)],
    columns=6,
    alt="Six small pictures of the astronaut: much too bright, much too dark, and so on in turn. "
    "The difference becomes smaller.",
)

# %% [markdown]
# Fine details have a small curvature, so they come back slowly. The finest ones, stripes of one
# pixel, have curvature 0: the blur wipes them out, the loss cannot see them, and no rate brings
# them back.
#
# This is a dilemma. **The steepest direction limits the rate. The flattest direction decides how
# long it takes.** Adam and L-BFGS, which you will meet in lesson 8, are answers to it.
#
# **Question:** the losses of lessons 6 to 8 are *means* over all pixels, not sums. What happens to
# the critical rate if this loss is divided by the number of pixels, n?
#
# <details><summary>Answer</summary>
#
# All slopes and curvatures are divided by n. So the critical rate becomes n times as large. A rate
# has no meaning without the loss that it belongs to.
#
# </details>
#
# ### A picture that a kernel likes
#
# Gradient descent needs no photo as a target. Any loss will do. Here the loss is the *negative*
# response of a kernel, so that descent makes the response strong. We begin with gray noise.


# %%
def please(response_of, side=64, steps=60):
    """Change noise until a response is strong; return the picture, and both responses."""
    generator = torch.Generator().manual_seed(0)
    pixels = 0.5 + 0.1 * torch.randn(1, 3, side, side, generator=generator)
    pixels = pixels.to(BACKBONE.mean.device).requires_grad_()
    responses = []
    for _ in range(steps):
        pixels.grad = None
        loss = -response_of(pixels)
        loss.backward()
        responses.append(-loss.item())
        with torch.no_grad():
            pixels -= 0.02 / pixels.grad.abs().mean() * pixels.grad  # 0.02 for an average pixel
            pixels.clamp_(0, 1)
    return pixels.detach(), responses[0], responses[-1]


def upright_edges(pictures):
    """Return the mean response to upright edges, dark on the left and bright on the right."""
    kernel = torch.tensor([[-1.0, 0.0, 1.0]] * 3, device=pictures.device)[None, None]
    return F.conv2d(pictures.mean(dim=1, keepdim=True), kernel).relu().mean()


BACKBONE = nst.load_backbone()

# %% [markdown]
# We ask the kernel by hand, and then two filters of the network: in each of two layers the one that
# responds most to a photo.

# %%
weights_before = [weights.clone() for weights in BACKBONE.parameters()]
results = {"upright edges, by hand": please(upright_edges)}
for layer in ("relu2_1", "relu3_1"):
    maps = BACKBONE(PHOTO.to(BACKBONE.mean.device), [layer])[layer]
    favourite = maps.mean(dim=(0, 2, 3)).argmax().item()
    results[f"a filter of {layer}"] = please(
        lambda x, layer=layer, n=favourite: BACKBONE(x, [layer])[layer][:, n].mean()
    )
plots.show_images(
    [picture for picture, _, _ in results.values()],
    titles=list(results),
    alt="Three pictures that grew out of noise. Left: upright black and white stripes. The other "
    "two: fine patterns in black, white and strong colours, all over the picture.",
)

# %% tags=["nbval-check-output"]
for name, (_, first, last) in results.items():
    print(f"{name:23} the response more than doubled: {last > 2 * first}")
unchanged = all(map(torch.equal, weights_before, BACKBONE.parameters()))
print("the network's weights are what they were:", unchanged)

# %% [markdown]
# Nobody drew these patterns. They are what the filters look for. The network was not trained: its
# weights are the same as before, and the gradients went through them to the pixels.
#
# **This is how style transfer works.** It descends on pixels, and its loss asks a network. Only the
# loss is still missing. Lessons 6 and 7 build it.
#
# ## Recap
#
# - A finite difference measures a slope. The gradient has a slope for each number.
# - Gradient descent goes against the gradient. A bigger rate is faster only up to a point. Above
#   the critical rate, 2 divided by the largest curvature, it runs away.
# - Chain rule: multiply the local slopes along a path, and add up over all paths. Backward in
#   topological order, one walk gives the gradient of everything.
# - A gradient belongs to any leaf that is marked, weight or pixel.
# - `backward` adds. Forget the old gradient in every step.
#
# **Look back:** the number was the learning rate. From the smallest to the largest the order is C,
# A, D, B. Was it yours?
#
# **One thing to try:** run `unblur` with 100 steps at the rates 1.0 and 1.9, and compare the
# distances from the photo. Which rate wins now, and why? (Think of the flattest directions.)
