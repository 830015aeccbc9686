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
# # Lesson 8: The full optimisation
#
# Three painters get the same photo, the same style, the same loss and the same number of tries.
# They come back with three pictures. Why? In this lesson you put the losses of lessons 6 and 7
# together, write the loop that paints, and find out what each of its parts is good for.
#
# **After this lesson you can**
#
# - write the whole of neural style transfer in about twenty lines, and show that they are right;
# - choose α, β and γ, the first picture and the optimiser, and say what each choice does;
# - recognise four classic mistakes by their symptoms;
# - decide when to stop.
#
# **Time:** 60 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
from itertools import pairwise

import torch

import nst_edu as nst
from nst_edu import exercises, plots
from nst_edu.losses import content_loss, gram_matrix, style_loss, total_variation_loss

torch.manual_seed(0)
SIZE = 96 if nst.is_fast() else 176  # pixels on the longer side
STEPS = 25 if nst.is_fast() else 50  # evaluations of the loss in one run
LONG = 30 if nst.is_fast() else 300  # evaluations in a long run

BACKBONE = nst.load_backbone()
CONTENT = nst.load_image("chelsea", size=SIZE).to(BACKBONE.mean.device)
STYLE = nst.load_image("waves", size=SIZE).to(BACKBONE.mean.device)

# %%
plots.show_images(
    [CONTENT, STYLE],
    titles=["content", "style"],
    alt=f"Content: {nst.picture_alt('chelsea')} Style: {nst.picture_alt('waves')}",
)

# %% [markdown]
# **Warm-up:** lesson 6 compared feature maps, lesson 7 compared Gram matrices. Which of the two
# knows *where* something is in the picture?
#
# <details><summary>Answer</summary>
#
# The feature maps: they have a value at every position. A Gram matrix is a mean over all
# positions, so it knows which channels respond together, but not where.
#
# </details>
#
# ## The objective
#
# The picture $x$ should have the content of $p$ and the style of $a$, and should not be noisy:
#
# $$L(x) = \alpha\, L_{content}(x, p) + \beta\, L_{style}(x, a) + \gamma\, L_{TV}(x)$$
#
# The three weights say how much each wish counts. Only their *ratios* decide which picture is
# best: doubling all three doubles the loss everywhere.
#
# Here it is, written out. Each layer's loss is divided by the target's own mean square. So 0
# means "equal", and 1 means "as far away as a map of zeros", at every layer of every network.
# (The papers do not divide like this. Gatys and colleagues rescale the network's weights instead.)

# %%
TARGETS = BACKBONE(CONTENT, BACKBONE.content_layers)
GRAMS = {name: gram_matrix(m) for name, m in BACKBONE(STYLE, BACKBONE.style_layers).items()}


def my_objective(image, alpha=1.0, beta=50.0, gamma=0.0):
    """Return alpha * content + beta * style + gamma * total variation."""
    maps = BACKBONE(image, [*BACKBONE.content_layers, *BACKBONE.style_layers])
    content_part = style_part = 0.0
    for name, target in TARGETS.items():
        part = content_loss(maps[name], target) / target.square().mean()
        content_part += part / len(TARGETS)
    for name, target in GRAMS.items():
        part = style_loss(gram_matrix(maps[name]), target) / target.square().mean()
        style_part += part / len(GRAMS)
    return alpha * content_part + beta * style_part + gamma * total_variation_loss(image)


# %% [markdown]
# Does it agree with the package, and is its gradient right? A **finite difference** needs no
# calculus: change the picture a little in one direction, and see how much the loss changes. The
# step has to be tiny, because ReLU and max pooling give the loss sharp bends. And tiny differences
# need many digits: here the finite difference is computed in float64.

# %% tags=["nbval-check-output", "binds-formula"]
package_objective = nst.Objective(BACKBONE, CONTENT, STYLE, tv_weight=10.0)
image = (0.8 * CONTENT + 0.1).requires_grad_()

mine, package = my_objective(image, gamma=10.0), package_objective(image).total
print("the same value as the package:", torch.allclose(mine, package, rtol=1e-4))

mine.backward()
gradient = image.grad.cpu().double()  # not every GPU knows float64
precise_backbone = nst.load_backbone(device="cpu").double()
precise = nst.Objective(
    precise_backbone, CONTENT.cpu().double(), STYLE.cpu().double(), tv_weight=10.0
)
length = gradient.norm()
with torch.no_grad():
    place, direction = image.cpu().double(), gradient / length
    ahead, behind = (precise(place + h * direction).total for h in (1e-5, -1e-5))
slope = (ahead - behind) / 2e-5
print("the same slope as a finite difference:", torch.allclose(slope, length, rtol=1e-3))

# %% [markdown]
# ## The loop
#
# ### Exercise: the loop, line by line
#
# Somebody has shuffled the lines of the program that paints. Two wrong lines have slipped in. Put
# the right ones in order, and leave the wrong ones out. To keep it short, the loss is the content
# loss alone.
#
# | letter | line |
# |---|---|
# | `a` | `····loss.backward()` |
# | `b` | `pixels = start.clone().requires_grad_()` |
# | `c` | `········pixels.clamp_(0, 1)` |
# | `d` | `····pixels.grad = None` |
# | `e` | `for _ in range(steps):` |
# | `f` | `····loss = content_loss(features(pixels), target)` |
# | `g` | `········pixels -= rate * pixels.grad` |
# | `h` | `target = features(photo).detach()` |
# | `i` | `····with torch.no_grad():` |
# | `x` | `····target = features(pixels)` |
# | `y` | `········weights -= rate * weights.grad` |
#
# Each dot is a space at the beginning of the line. Give a list of letters: `["b", …]`.

# %% tags=["exercise"]
my_loop_order = [...]

# %% tags=["check", "nbval-check-output"]
exercises.check_loop_order(my_loop_order)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# What is needed once comes before the loop. It is not indented.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# In each step: forget the old gradient, measure the loss, compute the gradient, move the pixels,
# put them back into the range from 0 to 1.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_loop_order = ["h", "b", "e", "d", "f", "a", "i", "g", "c"]
# ```
#
# `b` may come before `h`. `d` may stand anywhere in the loop where no gradient is waiting to be
# used: before `f`, before `a`, or at the end.
#
# </details>
#
# ### The loop as a formula
#
# It is gradient descent, as in lesson 4, on pixels in place of weights:
#
# $$x \leftarrow x - \eta\, \frac{\partial L}{\partial x}$$
#
# Five lines do the work: forget the old gradient, measure the loss, compute the gradient, move
# the pixels, put them back into the range from 0 to 1.


# %%
def descend(loss_of, start, rate, steps, forget_gradient=True):
    """Gradient descent on pixels; return the last picture and the loss at every step."""
    pixels = start.clone().requires_grad_()
    history = []
    for _ in range(steps):
        if forget_gradient:
            pixels.grad = None  # or the old gradients are added to the new one
        loss = loss_of(pixels)
        loss.backward()
        with torch.no_grad():
            pixels -= rate * pixels.grad
            pixels.clamp_(0, 1)
        history.append(loss.item())
    return pixels.detach(), history


# No fixed rate suits all sizes and weights. This one lets the first step change a pixel by 0.02
# on average.
start = CONTENT.clone().requires_grad_()
my_objective(start).backward()
rate = 0.02 / start.grad.abs().mean()

# %% tags=["nbval-check-output", "binds-formula"]
by_formula = (CONTENT - rate * start.grad).clamp(0, 1)
by_descend, _ = descend(my_objective, CONTENT, rate, 1)

by_torch = start.detach().clone().requires_grad_()
my_objective(by_torch).backward()
torch.optim.SGD([by_torch], lr=rate.item()).step()

options = {"optimizer": "gradient-descent", "learning_rate": rate.item()}
*_, second = nst.optimize_image(
    nst.Objective(BACKBONE, CONTENT, STYLE), CONTENT, steps=2, **options
)
for name, image in {
    "loop": by_descend,
    "torch": by_torch.clamp(0, 1),
    "package": second.image,
}.items():
    print(f"formula = {name}:", torch.allclose(by_formula, image.detach(), atol=1e-3))

# %%
painted, history = descend(my_objective, CONTENT, rate, STEPS)
plots.show_images(
    [CONTENT, painted],
    titles=["start", f"after {STEPS} steps"],
    alt="The photo, and the photo with colours and first lines of the style picture.",
)

# %% tags=["nbval-check-output"]
print("the loss fell to less than half:", history[-1] < history[0] / 2)
takes_gradients = any(weights.requires_grad for weights in BACKBONE.parameters())
print("the network's weights take gradients:", takes_gradients)

# %% [markdown]
# ## Four classic mistakes
#
# Each one runs without an error message. Learn them by their symptoms.
#
# ### 1. The gradient is not forgotten
#
# `backward` *adds* to the gradient that is there. **Predict:** what does the loss do if nobody ever
# resets it?
#
# - (a) it falls faster, because the steps get longer
# - (b) nothing changes
# - (c) it swings up and down
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) Only at first. The sum of all gradients holds old ones, from places that the picture has
#   left. It overshoots, like a ball that rolls without friction.
# - (b) This would be so if `backward` replaced the gradient.
# - (c) Right, as the plot shows.
#
# </details>

# %%
_, history_sum = descend(my_objective, CONTENT, rate, STEPS, forget_gradient=False)
plots.plot_lines(
    {"gradient forgotten at each step": history, "gradients added up": history_sum},
    ylabel="loss",
    title="The same rate, with and without forgetting",
)


# %% tags=["nbval-check-output"]
def rises(losses):
    """Count the steps at which the loss went up."""
    return sum(later > earlier for earlier, later in pairwise(losses))


print("the loss rises more often when gradients add up:", rises(history_sum) > rises(history))

# %% [markdown]
# ### 2. The target is not a constant
#
# The targets belong to the photo. They must be computed once, before the loop. In the next cell
# they are computed from the picture itself, inside the loop.


# %% tags=["nbval-check-output"]
def moving_target(image):
    """A content loss against the picture's own feature maps: a mistake."""
    maps = BACKBONE(image, BACKBONE.content_layers)
    targets_of_itself = BACKBONE(image, BACKBONE.content_layers)
    return sum(content_loss(maps[name], targets_of_itself[name]) for name in maps)


pixels = torch.rand_like(CONTENT).requires_grad_()
loss = moving_target(pixels)
loss.backward()
print("loss of a picture of pure noise:", loss.item())
print("largest entry of its gradient:", pixels.grad.abs().max().item())

# %% [markdown]
# The symptom: a loss that is 0 from the start, whatever the picture is. A picture always equals
# itself.
#
# A second form of this mistake is harder to see. The target is the photo's, but it is not cut off
# from autograd. Then a gradient flows into the photo, too. The value of the loss is right, and the
# painting comes out right, but every step computes two gradients and uses one.
#
# ### Exercise: a target that is a constant
#
# Write the content loss of a picture against a photo. `network` is called with a picture and
# returns its feature maps. The gradient must reach `image`, and must not reach `photo`.


# %% tags=["exercise"]
def my_content_part(network, image, photo):
    """Return the mean squared difference of the feature maps; the photo is a constant."""
    target = ...
    return (network(image) - target).square().mean()


# %% tags=["check", "nbval-check-output"]
exercises.check_content_part(my_content_part)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# What does the network have to look at, to know the target?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `.detach()` returns the same numbers, without the memory of where they come from.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_content_part(network, image, photo):
#     """Return the mean squared difference of the feature maps; the photo is a constant."""
#     target = network(photo).detach()
#     return (network(image) - target).square().mean()
# ```
#
# </details>
#
# ### 3. The wrong thing is optimised
#
# An optimiser changes what it is given. Here it is given the *network*. (The weights must first
# be thawed: the package freezes them, so that this cannot happen by accident.)

# %% tags=["nbval-check-output"]
network = nst.load_backbone().requires_grad_(True)
pixels = CONTENT.clone().requires_grad_()
optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)  # should be [pixels]
losses = []
for _ in range(8):
    optimizer.zero_grad()
    maps = network(pixels, network.style_layers)
    loss = sum(style_loss(gram_matrix(maps[name]), GRAMS[name]) for name in maps)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print("the loss fell:", losses[-1] < losses[0])
print("the picture changed:", not torch.equal(pixels, CONTENT))
style_maps = network(STYLE, network.style_layers)
of_the_style_itself = sum(style_loss(gram_matrix(style_maps[n]), GRAMS[n]) for n in style_maps)
print("the style picture itself still fits:", of_the_style_itself.item() < 1)

# %% [markdown]
# The symptom: the loss falls, and the picture stays as it was. The network has learned to see the
# style in *this photo*. It was not the picture that got better, it was the judge that got worse:
# not even the style picture fits its own targets any more.
#
# ### 4. Clamping behind the optimiser's back
#
# Pixels must end up between 0 and 1. Gradient descent looks at one gradient at a time, so a
# **clamp** after each step does no harm. Adam remembers gradients, not moves, and a clamp changes
# no gradient that was seen. **L-BFGS** has another memory. It learns how the loss curves
# from pairs: *how far I moved* and *how the gradient changed*. A clamp that it does not know of
# makes the first number wrong.
#
# **Predict:** which of these ends *worst*?
#
# - (a) clamp once, at the end
# - (b) clamp after each step
# - (c) clamp after each step, and correct the memory


# %%
def make_lbfgs(pixels):
    """Return torch's L-BFGS: one evaluation in each step, a memory of 20 moves."""
    return torch.optim.LBFGS(
        [pixels], max_iter=1, history_size=20, tolerance_grad=0, tolerance_change=0
    )


# %%
def lbfgs(loss_of, start, steps, clamp, correct=False):
    """L-BFGS with one evaluation in each step; return the picture and the losses."""
    pixels = start.clone().requires_grad_()
    optimizer = make_lbfgs(pixels)
    history = []
    for number in range(steps):
        pixels.grad = None
        loss = loss_of(pixels).total
        loss.backward()
        history.append(loss.item())
        before, gradient = pixels.detach().clone(), pixels.grad.abs()
        # As for gradient descent: the first step changes a pixel by 0.02 on average.
        first_rate = 0.02 / gradient.mean() * max(1.0, gradient.sum())
        optimizer.param_groups[0]["lr"] = first_rate if number == 0 else 1.0
        optimizer.step(lambda loss=loss: loss.item())
        if clamp:
            pixels.data.clamp_(0, 1)
        if correct:  # what it believes to have moved is t * d
            memory = optimizer.state[pixels]
            memory["d"] = ((pixels.detach() - before) / memory["t"]).flatten()
    return pixels.detach(), history


# %%
small = nst.load_image("coffee", size=96).to(CONTENT.device)
small_style = nst.load_image("glass", size=96).to(CONTENT.device)
small_objective = nst.Objective(BACKBONE, small, small_style)
runs = {
    "(a) clamped at the end": lbfgs(small_objective, small, LONG, clamp=False),
    "(b) clamped": lbfgs(small_objective, small, LONG, clamp=True),
    "(c) clamped, corrected": lbfgs(small_objective, small, LONG, clamp=True, correct=True),
}
plots.plot_lines(
    {name: history for name, (_, history) in runs.items()},
    ylabel="loss",
    title="Three ways to clamp",
)


# %%
def jumps(losses, after=20):
    """Count the steps, after the first ones, at which the loss rose by more than half."""
    return sum(b > 1.5 * a for a, b in pairwise(losses[after:]))


final = {}
for name, (image, history) in runs.items():
    final[name] = small_objective(image.clamp(0, 1)).total.item()
    print(f"{name:24} loss of the clamped picture: {final[name]:.2f}, jumps: {jumps(history)}")

# %% tags=["nbval-check-output"]
worst = max(final, key=final.get)
print("the worst:", worst)
print("jumps of (c):", jumps(runs["(c) clamped, corrected"][1]))

# %% [markdown]
# <details><summary>Show the reasons</summary>
#
# - *(a)* Right. Its loss looks good while it runs, because the pixels may leave the range. The
#   clamp at the end destroys what was built on forbidden values. Compare the end of its curve with
#   the loss of the picture that you really get.
# - *(b)* Its memory holds moves that were never made. What this does to the curve depends on the
#   network and the pictures: often nothing can be seen, and now and then the loss jumps. (With the
#   first version of this course's network it jumped in six of eight runs.) A mistake that does no
#   harm today is still a mistake. Lesson 9 shows a run that it spoils.
# - *(c)* Its memory is right. The package does it this way.
#
# All three may jump in their first few steps, which are not counted. The memory holds only one or
# two pairs then.
#
# </details>
#
# Many programs clamp at yet another place: inside the **closure**, the function that torch's
# L-BFGS calls in the middle of its step to get the loss. Is that better? We measure the memory
# itself. How far is the move that L-BFGS believes in from the move that was made?


# %%
def memory_error(loss_of, start, place, steps=10):
    """Return how wrong L-BFGS is about its last move, as a share of that move."""
    pixels = start.clone().requires_grad_()
    optimizer = make_lbfgs(pixels)
    seen = []  # the pictures for which the loss was computed

    def closure():
        if place == "inside the closure":
            pixels.data.clamp_(0, 1)
        seen.append(pixels.detach().clone())
        pixels.grad = None
        loss = loss_of(pixels).total
        loss.backward()
        return loss.item()

    for _ in range(steps):
        optimizer.step(closure)
        memory = optimizer.state[pixels]
        if place.startswith("after the step"):
            pixels.data.clamp_(0, 1)
        if place == "after the step, corrected":
            memory["d"] = ((pixels.detach() - seen[-1]) / memory["t"]).flatten()
    closure()  # looks at the picture once more, as the next step would
    believed, made = memory["t"] * memory["d"], (seen[-1] - seen[-2]).flatten()
    return ((believed - made).norm() / made.norm()).item()


# %%
places = ["inside the closure", "after the step", "after the step, corrected", "once, at the end"]
errors = {place: memory_error(small_objective, small, place) for place in places}
for place, error in errors.items():
    print(f"{place:26} the memory is wrong by {error:.1%} of the move")

# %% tags=["nbval-check-output"]
print([place for place, error in errors.items() if error > 0.001])

# %% [markdown]
# ### Exercise: where to clamp
#
# Give each place its verdict: `"right"`, `"memory wrong"` (L-BFGS believes in moves that were not
# made) or `"values lost"` (what was gained outside the range is thrown away).

# %% tags=["exercise"]
my_clamp_verdicts = {
    "inside the closure": ...,
    "after the step": ...,
    "after the step, corrected": ...,
    "once, at the end": ...,
}

# %% tags=["check", "nbval-check-output"]
exercises.check_clamp_verdicts(my_clamp_verdicts)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The table says for which two the memory is wrong.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Of the other two, one keeps every picture on the way between 0 and 1.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_clamp_verdicts = {
#     "inside the closure": "memory wrong",
#     "after the step": "memory wrong",
#     "after the step, corrected": "right",
#     "once, at the end": "values lost",
# }
# ```
#
# </details>
#
# ## α and β
#
# **Predict:** α stays 1 and β grows. What happens to the two losses of the finished picture? (The
# losses themselves, without their weights.)
#
# - (a) both fall: a larger weight makes the search stronger
# - (b) the style loss falls, the content loss rises
# - (c) the style loss falls, the content loss stays: its weight is the same
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) A weight does not make a search stronger. It says what counts more.
# - (b) Right. The two wishes compete for the same pixels. The one with more weight gets its way.
# - (c) The weight α is the same, but what is left of the photo is not. Its share in the total has
#   become smaller.
#
# </details>

# %%
OBJECTIVE = nst.Objective(BACKBONE, CONTENT, STYLE)

betas = [0.3, 3.0, 30.0, 300.0]
pictures, rows = [], []
for beta in betas:
    weighted = nst.Objective(BACKBONE, CONTENT, STYLE, style_weight=beta)
    *_, last = nst.optimize_image(weighted, CONTENT, steps=STEPS)
    pictures.append(last.image)
    rows.append(last.losses)

plots.show_images(
    pictures,
    titles=[f"β/α = {beta:g}" for beta in betas],
    columns=2,
    alt="Four pictures. With each larger β the photo gives way more to the style's colours and "
    "strokes.",
)

# %%
print("β/α      content   style")
for beta, losses in zip(betas, rows, strict=True):
    print(f"{beta:<8g} {losses.content:.3f}     {losses.style:.5f}")

# %% tags=["nbval-check-output"]
content_losses, style_losses = [r.content for r in rows], [r.style for r in rows]
print("more β, more content loss:", content_losses == sorted(content_losses))
print("more β, less style loss:", style_losses == sorted(style_losses, reverse=True))

# %% [markdown]
# The content loss *must rise* when you start from the photo: at the start it is 0, and it cannot
# get smaller. A rising content loss is no sign of a mistake. The *total* has to fall.
#
# The totals of two different β cannot be compared: they are sums with different weights. A lower
# number does not mean a better picture. Look at the picture.
#
# ## γ: total variation
#
# **Total variation** is, in programs for style transfer, the mean squared difference of
# neighbouring pixels. (In mathematics the word means the sum of the *absolute* differences. That
# one spares sharp edges. The square punishes them most.)
#
# $$L_{TV}(x) = \operatorname{mean}\,(x_{y+1,x} - x_{y,x})^2
# + \operatorname{mean}\,(x_{y,x+1} - x_{y,x})^2$$

# %% tags=["nbval-check-output", "binds-formula"]
checker = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]).expand(1, 3, 2, 3)
down = sum((checker[0, 0, 1, x] - checker[0, 0, 0, x]) ** 2 for x in range(3)) / 3
pairs = [(checker[0, 0, y, x], checker[0, 0, y, x + 1]) for y in range(2) for x in range(2)]
right = sum((b - a) ** 2 for a, b in pairs) / 4
print("by hand:", (down + right).item())
print("package:", total_variation_loss(checker).item())
mse = torch.nn.functional.mse_loss
print(
    "torch:  ",
    (mse(checker[:, :, 1:], checker[:, :, :-1]) + mse(checker[..., 1:], checker[..., :-1])).item(),
)

# %% [markdown]
# ### Exercise: total variation
#
# Write it with slices, without loops.


# %% tags=["exercise"]
def my_total_variation(image):
    """Return the total variation of pictures, (N, 3, H, W), as a scalar."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_total_variation(my_total_variation)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `image[..., 1:, :]` is the picture without its first row. Which rows must be left out of the
# other one, so that neighbours meet?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Two means, one for each direction, and then their sum.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_total_variation(image):
#     """Return the total variation of pictures, (N, 3, H, W), as a scalar."""
#     down = image[..., 1:, :] - image[..., :-1, :]
#     right = image[..., 1:] - image[..., :-1]
#     return down.square().mean() + right.square().mean()
# ```
#
# </details>

# %%
gammas = [0.0, 100.0, 1000.0]
smooth = []
for gamma in gammas:
    weighted = nst.Objective(BACKBONE, CONTENT, STYLE, tv_weight=gamma)
    *_, last = nst.optimize_image(weighted, CONTENT, steps=STEPS)
    smooth.append(last)

plots.show_images(
    [step.image for step in smooth],
    titles=[f"γ = {gamma:g}" for gamma in gammas],
    alt="Three pictures. The larger γ is, the softer the strokes and the less fine noise there is.",
)

# %% tags=["nbval-check-output"]
tv = [step.losses.tv for step in smooth]
print("more γ, less total variation:", tv == sorted(tv, reverse=True))

# %% [markdown]
# Total variation cannot tell noise from a fine brush stroke. A large γ takes both away.
#
# ## The first picture: photo or noise?
#
# **Predict:** the same objective, the same number of steps. One search begins with the photo, the
# other one with noise. Which of the two pictures shows the cat better?
#
# - (a) both alike: the objective decides what is best
# - (b) the one that began with the photo
# - (c) the one that began with noise: it is free of old pixels
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) This would be so if both searches were run until nothing changes any more, *and* there were
#   only one best picture.
# - (b) Right. The photo has content loss 0 to begin with; the search gives up only as much of it as
#   the style asks for. From noise the cat has to be found.
# - (c) Noise is old pixels, too. They have to be painted over.
#
# </details>

# %%
noise = torch.rand(CONTENT.shape, generator=torch.Generator().manual_seed(0)).to(CONTENT.device)
from_photo = list(nst.optimize_image(OBJECTIVE, CONTENT, steps=STEPS))
from_noise = list(nst.optimize_image(OBJECTIVE, noise, steps=STEPS))
plots.show_images(
    [from_photo[-1].image, from_noise[-1].image],
    titles=["started from the photo", "started from noise"],
    alt="Two paintings of the cat. The one that was started from noise shows the cat less clearly.",
)

# %%
plots.plot_lines(
    {
        "from the photo": [step.losses.content for step in from_photo[1:]],
        "from noise": [step.losses.content for step in from_noise[1:]],
    },
    x=range(1, STEPS),
    ylabel="content loss",
    title="Content loss after the first step",
)

# %% tags=["nbval-check-output"]
# The photo's own content loss is 0 and has no place on a logarithmic axis.
print(
    "content loss at the end is higher than that of the photo:",
    from_photo[-1].losses.content > from_photo[0].losses.content,
)
print(
    "started from the photo, content loss and total are lower:",
    from_photo[-1].losses.content < from_noise[-1].losses.content
    and from_photo[-1].losses.total < from_noise[-1].losses.total,
)

# %%
for name, steps in {"from the photo": from_photo, "from noise": from_noise}.items():
    print(f"{name:15} total loss after equal work: {steps[-1].losses.total:.2f}")

# %% [markdown]
# After equal work the two have not met. Where a search begins decides what it finds in the time
# that it has.
#
# ## Three painters: gradient descent, Adam, L-BFGS
#
# All three get the same objective, the same start and the same number of evaluations. Gradient
# descent uses the gradient as it is. **Adam** gives each pixel a step size of its own. L-BFGS
# estimates how the loss curves.

# %%
painters = {
    name: list(nst.optimize_image(OBJECTIVE, CONTENT, steps=STEPS, optimizer=name))
    for name in ("gradient-descent", "adam", "lbfgs")
}
plots.plot_lines(
    {name: [step.losses.total for step in steps] for name, steps in painters.items()},
    ylabel="total loss",
    title="The same objective, the same number of evaluations",
)

# %%
plots.show_images(
    [steps[-1].image for steps in painters.values()],
    titles=list(painters),
    alt="Three paintings: by gradient descent still close to the photo, by the others finished.",
)

# %% tags=["nbval-check-output"]
by_total = sorted(painters, key=lambda name: painters[name][-1].losses.total)
print("from the lowest loss to the highest:", ", ".join(by_total))

# %% [markdown]
# This is the answer to the opening question. The loss has no single valley that all painters
# reach in the same time. The objective says what is good; the optimiser, the start and the number
# of steps decide how far you get.
#
# ### Exercise: paint with Adam
#
# Fill in the three places marked `...`. `loss_of(pixels)` returns the loss. The first picture must
# stay as it is.


# %% tags=["exercise"]
def my_paint_with_adam(loss_of, start, steps, rate):
    """Return the painted picture, every pixel between 0 and 1."""
    pixels = start.clone().requires_grad_()
    optimizer = ...  # an Adam optimiser that changes the pixels
    for _ in range(steps):
        ...  # forget the old gradient
        loss_of(pixels).backward()
        optimizer.step()
        ...  # put the pixels back into the range 0 to 1
    return pixels.detach()


# %% tags=["check", "nbval-check-output"]
exercises.check_paint_with_adam(my_paint_with_adam)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `torch.optim.Adam` takes a *list* of the tensors it may change, and `lr`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Look in `descend` for the line that forgets the gradient and for the line that clamps. The clamp
# must stand under `with torch.no_grad():`, as there.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_paint_with_adam(loss_of, start, steps, rate):
#     """Return the painted picture, every pixel between 0 and 1."""
#     pixels = start.clone().requires_grad_()
#     optimizer = torch.optim.Adam([pixels], lr=rate)
#     for _ in range(steps):
#         optimizer.zero_grad()
#         loss_of(pixels).backward()
#         optimizer.step()
#         with torch.no_grad():
#             pixels.clamp_(0, 1)
#     return pixels.detach()
# ```
#
# </details>
#
# ## When to stop
#
# The loss falls fast, then slowly. A run has **converged** when more steps hardly change it any
# more. A usual test of **convergence**: did the last ten evaluations lower the loss by less than
# one per cent? Then stop.


# %%
def has_converged(losses, window=10, tolerance=0.01):
    """Tell whether the last `window` evaluations lowered the loss by less than `tolerance`."""
    if len(losses) <= window:
        return False
    return losses[-1] > (1 - tolerance) * losses[-1 - window]


totals = []
for step in nst.optimize_image(OBJECTIVE, CONTENT, steps=4 * STEPS):
    totals.append(step.losses.total)
    if has_converged(totals):
        break
print(f"stopped after {len(totals)} of at most {4 * STEPS} evaluations")

# %% tags=["nbval-check-output"]
print("a falling loss has converged:", has_converged([0.9**k for k in range(30)]))
print("a flat loss has converged:", has_converged([1.0] * 30))
print("three losses are enough to tell:", has_converged([1.0] * 3))

# %% [markdown]
# ## Coarse to fine
#
# The package paints small first, then enlarges the picture and goes on. Most of the evaluations
# are then made while they are cheap. The same number of evaluations takes less time. Here it
# ends at a somewhat higher loss.

# %%
large_content, large_style = (nst.load_image(n, size=2 * SIZE) for n in ("chelsea", "waves"))
results = {}
for scales, name in ((1, "one size"), (2, "coarse to fine")):
    options = {"backbone": BACKBONE, "steps": STEPS, "scales": scales}
    steps = list(nst.style_transfer_steps(large_content, large_style, **options))
    results[name] = steps[-1].image
    work = sum(step.image[0, 0].numel() for step in steps) / 1e6
    print(f"{name:16} {work:.2f} million pixels evaluated, loss {steps[-1].losses.total:.2f}")

# %%
plots.show_images(
    list(results.values()),
    titles=list(results),
    alt="Two paintings of the cat in double size, painted at one size and from coarse to fine.",
)

# %% [markdown]
# ## Recap
#
# - The objective is α · content + β · style + γ · total variation. Ratios matter, sizes do not.
# - The loop: forget the gradient, measure, `backward`, move the pixels, clamp.
# - The targets are constants. The network is frozen. The pixels are the only thing that changes.
# - From the photo, the content loss rises while the total falls. That is as it should be.
# - Here L-BFGS got further than Adam, and Adam further than gradient descent, with the same
#   number of evaluations.
#
# **One thing to try:** run `nst.style_transfer` with `content_weight=0`. What is left when
# nothing asks for the cat?
