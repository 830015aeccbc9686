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
# # Lesson 3: Pooling, activation, the fully connected layer
#
# Below are four shapes. Under each of them is the same picture with its pixels shuffled, all four
# in the same way. Two small networks learn to name the shapes, once from the pictures and once
# from the shuffled ones. Do they mind the shuffling? Both alike? To find out, you build the three
# layers that still are missing.
#
# **After this lesson you can**
#
# - compute max, min and average pooling, and say what they learn (nothing);
# - write a dense layer with an activation, y = f(Wx + b);
# - show what goes wrong without activations;
# - write a convolution as a matrix, and say what it has that a dense layer has not;
# - say which layers take pictures of any size.
#
# **Time:** 45 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
import torch
import torch.nn.functional as F
from torch import nn

import nst_edu as nst
from nst_edu import exercises, layers, plots

torch.manual_seed(0)
SIDE = 16  # pixels on each side of a drawn shape
KINDS = ("disc", "ring", "square", "cross")
ORDER = torch.randperm(SIDE**2, generator=torch.Generator().manual_seed(0))


# %%
def draw_shapes(count, seed, side=SIDE):
    """Draw shapes of random kind, place and size; return pictures (count, 1, side, side), kinds."""
    generator = torch.Generator().manual_seed(seed)
    kinds = torch.randint(4, (count,), generator=generator)
    radius = 3 + 2 * torch.rand(count, 1, 1, generator=generator)
    middle = radius + (side - 1 - 2 * radius) * torch.rand(2, count, 1, 1, generator=generator)
    y = (torch.arange(side)[:, None] - middle[0]).abs()
    x = (torch.arange(side) - middle[1]).abs()
    away = (y**2 + x**2).sqrt()
    disc = away <= radius
    square = torch.maximum(y, x) <= 0.85 * radius
    cross = (torch.minimum(y, x) <= 0.8) & (torch.maximum(y, x) <= radius)
    masks = torch.stack([disc, disc & (away > radius - 1.5), square, cross])
    noise = torch.rand(count, 1, side, side, generator=generator) - 0.5
    return 0.3 + 0.5 * masks[kinds, torch.arange(count)][:, None] + noise * 0.4, kinds


def shuffle(pictures):
    """Move the pixels of each picture to new places, in all pictures to the same ones."""
    return pictures.flatten(1)[:, ORDER].view(pictures.shape)


# %%
pictures, kinds = draw_shapes(400, seed=1)
firsts = torch.stack([pictures[kinds == kind][0] for kind in range(4)])
plots.show_images(
    [*firsts.expand(-1, 3, -1, -1).split(1), *shuffle(firsts).expand(-1, 3, -1, -1).split(1)],
    titles=[*KINDS, *(["shuffled"] * 4)],
    columns=4,
    alt="Above: a light disc, ring, square and cross of few pixels, each on a dark, noisy ground. "
    "Below: the same pictures with their pixels shuffled. No shape can be seen in them.",
)

# %% [markdown]
# **Before you go on, decide:** which of the two does not mind the shuffling, a network of
# convolutions or a network without them? Write down your reason. The last section tests it.
#
# **Warm-up:** a window of 2 moves over 16 pixels with stride 2, without padding. How many places
# are there?
#
# <details><summary>Answer</summary>
#
# (16 − 2) / 2 + 1 = 8. See lesson 2.
#
# </details>
#
# ## Pooling
#
# **Pooling** replaces each window of a feature map by one number: the largest (**max pooling**),
# the smallest (**min pooling**) or the mean (**average pooling**). Each channel is treated for
# itself. Usually the stride is as large as the window, so that the windows do not overlap.
#
# ### The worked example: by hand


# %%
def pool_by_hand(grid, window, choose):
    """Replace each window x window block of a 2-d tensor by one number."""
    height, width = (layers.output_size(side, window, stride=window) for side in grid.shape)
    pooled = grid.new_zeros(height, width)  # zeros of the same kind of number as in grid
    for i in range(height):
        for j in range(width):
            top, left = i * window, j * window
            pooled[i, j] = choose(grid[top : top + window, left : left + window])
    return pooled


# %% tags=["nbval-check-output"]
GRID = torch.tensor([[1.0, 5, 2, 0], [3, 4, 1, 1], [7, 0, 2, 2], [0, 1, 2, 2]])
for mode, choose in {"max": torch.max, "min": torch.min, "average": torch.mean}.items():
    pooled = pool_by_hand(GRID, 2, choose)
    same = torch.equal(pooled, layers.pool2d(GRID[None, None], 2, mode=mode)[0, 0])
    print(f"{mode:8}", pooled.tolist(), "as the package:", same)

# %% [markdown]
# **Question:** the lower left block is 7, 0, 0, 1. What do the three poolings make of it? Find the
# three numbers in the output.
#
# <details><summary>Answer</summary>
#
# 7, 0 and 2: the first number of the second row each time. Max pooling keeps the one strong
# response, average pooling thins it out.
#
# </details>
#
# **Predict:** a pen drawing has dark lines on a light ground. What does *max* pooling do to the
# lines?
#
# - (a) It makes them thicker.
# - (b) It makes them thinner, or removes them.
# - (c) It makes them softer.
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) You think of "max" as "more line". But lines are dark, and dark is a *small* number.
# - (b) Right. If there is one light pixel in the window, the result is light.
# - (c) This is what average pooling does.
#
# </details>

# %%
drawing = nst.load_image("hatching")[:, :, 200:328, 80:208]  # a piece of 128 x 128 pixels
pooled = [layers.pool2d(drawing, 4, mode=mode) for mode in ("min", "average", "max")]
plots.show_images(
    [drawing, *(F.interpolate(small, scale_factor=4) for small in pooled)],  # shown enlarged
    titles=["the drawing", "min", "average", "max"],
    columns=2,
    alt="A piece of a pen drawing: white clouds with dark blue outlines in a sky of red lines on a "
    "light ground. Pooled, it has few, large pixels. Min: mostly red, heavy outlines. Average: in "
    "between. Max: mostly light, many of the red lines and of the outlines have gone.",
)

# %% tags=["nbval-check-output"]
means = [small.mean() for small in pooled]
print("brightness rises from min to average to max:", bool(means[0] < means[1] < means[2]))
by_torch = F.max_pool2d(drawing, 4), F.avg_pool2d(drawing, 4)
package = layers.pool2d(drawing, 4), layers.pool2d(drawing, 4, mode="average")
print("as torch:", all(map(torch.allclose, package, by_torch)))
print("torch has a function for min pooling:", hasattr(F, "min_pool2d"))

# %% [markdown]
# Torch has no min pooling, because it is not needed. Turn all numbers round: the smallest becomes
# the largest.
#
# $$\min(x) = -\max(-x)$$

# %% tags=["nbval-check-output", "binds-formula"]
numbers = torch.randn(2, 3, 8, 10)
smallest = torch.zeros(2, 3, 4, 5)
for i in range(4):
    for j in range(5):
        block = numbers[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].flatten(2)
        smallest[:, :, i, j] = block.sort(dim=2).values[:, :, 0]  # the first one in order
print("loop = package:       ", torch.equal(smallest, layers.pool2d(numbers, 2, mode="min")))
print("package = -max(-x):   ", torch.equal(smallest, -layers.pool2d(-numbers, 2)))
print("torch's max pooling:  ", torch.equal(smallest, -F.max_pool2d(-numbers, 2)))

# %% [markdown]
# ### Exercise: min pooling
#
# Fill in the two places marked `...`.


# %% tags=["exercise"]
def my_min_pool2d(images, window):
    """Return the smallest number of each window of (N, C, H, W)."""
    largest = F.max_pool2d(..., window)  # of which numbers?
    return largest * ...  # a factor, perhaps 1


# %% tags=["check", "nbval-check-output"]
exercises.check_min_pool2d(my_min_pool2d)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Take the numbers 1, 5, 3. What must you do to them, so that a search for the largest finds the
# place of the 1?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The formula has two minus signs. One belongs into the first blank, one into the second.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_min_pool2d(images, window):
#     largest = F.max_pool2d(-images, window)
#     return largest * -1
# ```
#
# </details>
#
# ### Exercise: max pooling
#
# A blank page. Write max pooling without `F.max_pool2d`, `nn.MaxPool2d` and `layers.pool2d`. The
# stride is the window. Rows and columns at the lower and right border that fill no window are left
# out.


# %% tags=["exercise"]
def my_max_pool2d(images, window):
    """Return the largest number of each window of (N, C, H, W)."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_max_pool2d(my_max_pool2d)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `pool_by_hand` has the loops. Which two axes does it pool? Put the other two in front of them.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `images[:, :, top : top + window, left : left + window].amax(dim=(2, 3))` has the shape (N, C):
# the largest number of one window in each channel of each picture.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_max_pool2d(images, window):
#     n, c, h, w = images.shape
#     rows = []
#     for top in range(0, h - window + 1, window):
#         row = []
#         for left in range(0, w - window + 1, window):
#             block = images[:, :, top : top + window, left : left + window]
#             row.append(block.amax(dim=(2, 3)))
#         rows.append(torch.stack(row, dim=2))
#     return torch.stack(rows, dim=2)
# ```
#
# </details>
#
# ### Does pooling learn?
#
# **Predict:** a network has a max pooling layer with windows of 2×2 and 8 channels. How many
# numbers does this layer learn?
#
# - (a) 4, one for each place in the window
# - (b) 8, one for each channel
# - (c) none
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) A *convolution* has a number for each place in the window. Pooling has a fixed rule.
# - (b) A bias would be one number for each channel. Pooling has no bias.
# - (c) Right. Max and mean are fixed. Training has nothing to change in them.
#
# </details>

# %% tags=["nbval-check-output"]
several = {
    "convolution 3×3, 8 to 8 channels": nn.Conv2d(8, 8, 3),
    "max pooling 2×2": nn.MaxPool2d(2),
    "average pooling 2×2": nn.AvgPool2d(2),
    "ReLU": nn.ReLU(),
}
for name, layer in several.items():
    print(f"{name:33}", sum(weights.numel() for weights in layer.parameters()))

# %% [markdown]
# Pooling learns nothing, but it decides which pixels learn. A gradient must pass through it on its
# way back. Which of the four numbers in a window gets it?

# %% tags=["nbval-check-output"]
for mode in ("max", "average"):
    window = torch.tensor([[[[1.0, 3.0], [2.0, 0.0]]]], requires_grad=True)
    layers.pool2d(window, 2, mode=mode).sum().backward()
    print(f"{mode:8}", window.grad[0, 0].tolist())

# %% [markdown]
# Max pooling gives all of the gradient to the winner. Average pooling gives each pixel its share.
# This matters for style transfer, where the gradient goes back to the pixels. Gatys, Ecker and
# Bethge replaced max by average pooling in 2015, and reported a better gradient flow and slightly
# more appealing pictures.
#
# Average pooling is a convolution with a kernel of equal numbers and a stride. Max pooling is no
# convolution with any kernel, because it is not **linear**: a linear layer gives for a sum of two
# pictures the sum of its two results.

# %% tags=["nbval-check-output"]
a, b = torch.rand(2, 1, 1, 8, 8)
equal_weights = torch.full((1, 1, 2, 2), 0.25)
as_convolution = layers.cross_correlate2d(a, equal_weights, stride=2)
print(
    "average pooling is a convolution:",
    torch.allclose(as_convolution, layers.pool2d(a, 2, mode="average")),
)
for mode in ("average", "max"):
    of_the_sum = layers.pool2d(a + b, 2, mode=mode)
    sum_of_both = layers.pool2d(a, 2, mode=mode) + layers.pool2d(b, 2, mode=mode)
    print(f"{mode} pooling is linear:", torch.allclose(of_the_sum, sum_of_both))

# %% [markdown]
# ## The dense layer and its activation
#
# A convolution looks at a window. A **dense layer** (or **fully connected layer**) looks at
# everything: each of its outputs is a weighted sum of *all* inputs, plus a bias. Then an
# **activation** $f$ is applied to each of the sums:
#
# $$y = f(W x + b)$$
#
# Here $f$ is **ReLU** (rectified linear unit): negative numbers become 0, the others stay.

# %% tags=["nbval-check-output", "binds-formula"]
x, weight, bias = torch.randn(6, 5), torch.randn(3, 5), torch.randn(3)  # 5 inputs, 3 outputs
by_loops = torch.zeros(6, 3, dtype=torch.float64)
for n in range(6):  # each of 6 inputs
    for k in range(3):
        weighted_sum = bias[k].double()
        for i in range(5):
            weighted_sum += weight[k, i].double() * x[n, i].double()
        by_loops[n, k] = max(weighted_sum.item(), 0.0)
package = layers.relu(layers.linear(x, weight, bias))
print("loops = package:", torch.allclose(by_loops, package.double(), atol=1e-5))
print("package = torch:", torch.allclose(package, F.relu(F.linear(x, weight, bias)), atol=1e-5))

# %% [markdown]
# ### Exercise: a dense layer
#
# Fill in the three places marked `...`. `x` has the shape `(N, inputs)`, `weight` the shape
# `(outputs, inputs)`. Do not use `F.linear`, `F.relu` and the package.


# %% tags=["exercise"]
def my_dense_layer(x, weight, bias):
    """Return f(W x + b) for each row of x, with ReLU as f: shape (N, outputs)."""
    sums = ...  # W x + b
    return torch.where(sums > 0, ..., ...)


# %% tags=["check", "nbval-check-output"]
exercises.check_dense_layer(my_dense_layer)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `a @ b` multiplies matrices: the last axis of `a` must be as long as the first axis of `b`. Which
# axes of `x` and `weight` are the inputs?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `weight.T` has the shape (inputs, outputs). `torch.where(condition, p, q)` takes from `p` where
# the condition holds, and from `q` elsewhere.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_dense_layer(x, weight, bias):
#     sums = x @ weight.T + bias
#     return torch.where(sums > 0, sums, torch.zeros_like(sums))
# ```
#
# </details>
#
# ## Are activations optional?
#
# A network has three dense layers and 16 numbers between them. It should learn whether a point
# lies inside a circle. We train it twice: without activations, and with ReLU between the layers.
# (The training loop is the subject of lesson 4. Here it is a tool.)
#
# **Predict:** what will the network *without* activations do?
#
# - (a) the same as the other, but more slowly
# - (b) the same, if it gets more layers
# - (c) it cannot learn the circle at all
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) This would be so if activations were there for speed.
# - (b) Three layers are no better than one here, as you will show below.
# - (c) Right. Whatever its weights are, the border between its two answers is a straight line.
#
# </details>


# %%
def train(network, inputs, targets, steps=200, rate=0.01, batch=64):
    """Change the weights of a network by gradient descent, so that it gives the right answers."""
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randint(len(inputs), (batch,), generator=generator)
        optimizer.zero_grad()
        F.cross_entropy(network(inputs[chosen]), targets[chosen]).backward()
        optimizer.step()
    return network.requires_grad_(False)


def accuracy(network, inputs, targets):
    """Return the share of right answers."""
    return (network(inputs).argmax(dim=1) == targets).float().mean().item()


def three_layers(activation):
    """Return a network with two inputs and two outputs, always with the same first weights."""
    torch.manual_seed(0)
    first, last = nn.Linear(2, 16), nn.Linear(16, 2)
    return nn.Sequential(first, activation(), nn.Linear(16, 16), activation(), last)


# %%
points = 2 * torch.rand(1000, 2, generator=torch.Generator().manual_seed(0)) - 1
inside = (points.square().sum(dim=1) < 0.5).long()
linear_net = train(three_layers(nn.Identity), points, inside)  # Identity: f(x) = x
relu_net = train(three_layers(nn.ReLU), points, inside)

line = torch.linspace(-1, 1, 64)
grid = torch.cartesian_prod(line, line)
truth = (grid.square().sum(dim=1) < 0.5).float()
maps = [truth, *(net(grid).softmax(dim=1)[:, 1] for net in (linear_net, relu_net))]
plots.show_images(
    [0.1 + 0.8 * m.view(1, 1, 64, 64).expand(1, 3, -1, -1) for m in maps],
    titles=["the circle", "three layers, no activation", "three layers, ReLU"],
    alt="A light circle on a dark ground. Without activation: one nearly even gray. With ReLU: the "
    "circle again, with softer and slightly angular borders.",
)

# %%
for name, net in {"no activation": linear_net, "ReLU": relu_net}.items():
    print(f"{name:14} share of right answers: {accuracy(net, points, inside):.2f}")
print(f"always saying 'outside': {1 - inside.float().mean():.2f}")

# %% tags=["nbval-check-output"]
print("without activation, more than 70 % right:", accuracy(linear_net, points, inside) > 0.7)
print("with ReLU, more than 90 % right:         ", accuracy(relu_net, points, inside) > 0.9)

# %% [markdown]
# Where is the straight line? No line separates the inside of a circle from its outside. So the best
# that the network without activations finds is to say "outside" nearly everywhere.
#
# The reason is one line of algebra. Two layers without an activation between them are *one* layer,
# with another matrix and another bias:
#
# $$W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\, x + (W_2 b_1 + b_2)$$

# %% tags=["nbval-check-output", "binds-formula"]
first, _, second, _, third = linear_net
x = points.double()
weight = torch.zeros(16, 2, dtype=torch.float64)  # W2 W1, written out
for i in range(16):
    for j in range(2):
        weight[i, j] = sum(second.weight[i, k].double() * first.weight[k, j] for k in range(16))
bias = second.weight.double() @ first.bias.double() + second.bias
one_layer = layers.linear(x, weight, bias)
middle = layers.linear(points, first.weight, first.bias)
package = layers.linear(middle, second.weight, second.bias).double()
print("one layer = two layers of the package:", torch.allclose(one_layer, package, atol=1e-5))
by_torch = second(first(points)).double()
print("one layer = two layers of torch:      ", torch.allclose(one_layer, by_torch, atol=1e-5))

# %% [markdown]
# The same holds for three layers, for a hundred, and for convolutions. A deep network without
# activations is no deeper than one layer. With an activation between them, a pair of layers can do
# what no single layer can. This is the gain of "two 3×3" that lesson 2 left open.
#
# ### Exercise: make one layer out of two
#
# A blank page. There is no activation between the two layers. Return the weight and the bias of the
# one layer that does the same, as a pair.


# %% tags=["exercise"]
def my_collapse(weight1, bias1, weight2, bias2):
    """Return (weight, bias) of one layer that does what layer 1 and then layer 2 do."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_collapse(my_collapse)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Put an input of zeros through both layers. What comes out is the bias of the one layer.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Look at the right side of the formula: what stands before x, and what stands without x? `@`
# multiplies a matrix with a matrix, and a matrix with a vector.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_collapse(weight1, bias1, weight2, bias2):
#     return weight2 @ weight1, weight2 @ bias1 + bias2
# ```
#
# </details>
#
# ## A convolution is a matrix, too
#
# Write the pixels of a picture below each other, as one long vector. A dense layer multiplies this
# vector with a matrix. A convolution does, too. Its matrix $K$ can be written down:
#
# $$\operatorname{vec}(k \star x) = K \operatorname{vec}(x)$$
#
# Here $\star$ stands for sliding the kernel $k$ over the picture $x$, and vec for writing the
# pixels below each other. Each row of $K$ belongs to one output: it has the kernel's numbers at the
# pixels under the window, and zeros everywhere else.


# %%
def matrix_by_hand(kernel, height, width):
    """Return the matrix of one kernel, for a picture with one channel."""
    k = len(kernel)
    rows = []
    for i in range(height - k + 1):
        for j in range(width - k + 1):
            pixels = torch.zeros(height, width)
            pixels[i : i + k, j : j + k] = kernel
            rows.append(pixels.flatten())
    return torch.stack(rows)


# %% tags=["nbval-check-output", "binds-formula"]
kernel = torch.tensor([[0.0, -1.0, 0.5], [1.0, 2.0, -0.5], [-2.0, 1.5, -1.5]])
x = torch.rand(1, 1, 7, 8)
by_hand = matrix_by_hand(kernel, 7, 8)
package = layers.convolution_matrix(kernel[None, None], 7, 8)
print("by hand = package:", torch.equal(by_hand, package))
product = layers.linear(x.flatten(1), package)
by_torch = F.conv2d(x, kernel[None, None]).flatten(1)
print("matrix times vector = sliding (torch):", torch.allclose(product, by_torch, atol=1e-5))

# %%
dense_matrix = torch.randn(package.shape)
plots.show_images(
    [(0.5 + m / 6).expand(1, 3, -1, -1) for m in (package, dense_matrix)],
    titles=["the matrix of a convolution", "the matrix of a dense layer"],
    alt="Two grids of squares. Convolution: gray, which is zero, with short pieces of the same "
    "pattern that move to the right from row to row. Dense layer: every square has another gray.",
)

# %% tags=["nbval-check-output"]
kernel = torch.arange(1.0, 10).view(1, 1, 3, 3)  # nine different numbers, none of them 0
matrix = layers.convolution_matrix(kernel, SIDE, SIDE)
print("shape of the matrix:         ", tuple(matrix.shape))
print("numbers in it:               ", matrix.numel())
print("of these not zero:           ", int((matrix != 0).sum()))
print("of these to be learned:      ", len(matrix[matrix != 0].unique()))

# %% [markdown]
# **Question:** two things make the convolution small. Which two? Look at the last two numbers.
#
# <details><summary>Answer</summary>
#
# Most entries are zero: an output looks only at neighbours. And the entries that are left repeat:
# every place uses the same kernel (**weight sharing**). So 9 numbers do the work for which a dense
# layer has 50 176.
#
# </details>
#
# It works in the other direction, too: a dense layer is a convolution whose window is as large as
# the picture.

# %% tags=["nbval-check-output"]
maps = torch.randn(5, 3, 4, 6)  # 5 pictures, 3 channels, 4 x 6 pixels
weight = torch.randn(7, 3 * 4 * 6)  # 7 outputs
dense = layers.linear(maps.flatten(1), weight)
large_window = layers.cross_correlate2d(maps, weight.view(7, 3, 4, 6))
print("shape of the convolution:", tuple(large_window.shape))
print("the same numbers:", torch.allclose(dense, large_window.flatten(1), atol=1e-4))

# %% [markdown]
# ### Exercise: count the weights
#
# Pictures of 3×32×32 numbers (colour channels, rows, columns) go through this network. How many
# numbers, weights and biases, does each layer learn? The convolutions have padding 1, so that they
# keep the size.
#
# | layer | what it does | numbers to learn |
# |---|---|---|
# | 1 | convolution 3×3, from 3 to 8 channels, with bias | ? |
# | 2 | ReLU | ? |
# | 3 | max pooling 2×2 | ? |
# | 4 | convolution 3×3, from 8 to 16 channels, with bias | ? |
# | 5 | max pooling 2×2 | ? |
# | 6 | dense layer from all that is left to 10 outputs, with bias | ? |

# %% tags=["exercise"]
my_weight_counts = [..., ..., ..., ..., ..., ...]

# %% tags=["check", "nbval-check-output"]
exercises.check_weight_counts(my_weight_counts)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# A kernel of layer 1 has 3·3 numbers for each of the 3 input channels. There are 8 kernels, and 8
# biases.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Two poolings make 8×8 out of 32×32. Layer 6 gets 16 channels of that size.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_weight_counts = [224, 0, 0, 1168, 0, 10250]
# ```
#
# </details>
#
# ## Two networks learn the shapes
#
# Now the question from the beginning. The first network has dense layers only. The second one has
# two convolutions with max pooling between them. Then comes **global pooling**: the largest number
# of each channel, wherever it is. A small dense layer gives the answer. Such a network is called a
# **CNN** (convolutional neural network).


# %%
def dense_net():
    """Return a network of dense layers, always with the same first weights."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 32), nn.ReLU(), nn.Linear(32, 4))


def cnn():
    """Return a network of convolutions, always with the same first weights."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1)),
        *(nn.Flatten(), nn.Linear(16, 4)),
    )


# %% tags=["nbval-check-output"]
for name, network in {"dense net": dense_net(), "CNN": cnn()}.items():
    print(f"{name:10} numbers to learn:", sum(w.numel() for w in network.parameters()))

# %% [markdown]
# **Predict:** we train each network on 400 plain pictures, and another copy of it on 400 shuffled
# ones. Then we test them on 1000 new pictures of the same sort. What does shuffling do?
#
# - (a) Both networks get much worse.
# - (b) Only the dense net gets much worse.
# - (c) Only the CNN gets much worse.
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) No human sees a shape in the shuffled pictures. But a dense layer has no idea of neighbours
#   that could be lost.
# - (b) The dense layer has one weight for each pixel, so it might seem to know where the pixels
#   are. It does not: the sum of its inputs has no order.
# - (c) Right. A convolution asks for neighbours. After the shuffling they are strangers.
#
# </details>

# %%
tests, test_kinds = draw_shapes(1000, seed=2)
NETS, SHARES = {}, {}
for name, build in {"dense net": dense_net, "CNN": cnn}.items():
    for sort, change in {"plain": torch.clone, "shuffled": shuffle}.items():
        net = train(build(), change(pictures) - 0.5, kinds)
        NETS[name, sort] = net
        SHARES[name, sort] = accuracy(net, change(tests) - 0.5, test_kinds)

print("share of right answers in new pictures (guessing: 0.25)")
print("            plain  shuffled")
for name in ("dense net", "CNN"):
    print(f"{name:10}  {SHARES[name, 'plain']:.2f}   {SHARES[name, 'shuffled']:.2f}")

# %% tags=["nbval-check-output"]
losses = {n: SHARES[n, "plain"] - SHARES[n, "shuffled"] for n in ("dense net", "CNN")}
print("the dense net lost or won less than 0.1: ", abs(losses["dense net"]) < 0.1)
print("the CNN lost more than 0.2:              ", losses["CNN"] > 0.2)
gap = SHARES["CNN", "plain"] - SHARES["dense net", "plain"]
print("the CNN's lead on plain pictures is more than 0.2:", gap > 0.2)

# %%
answers = NETS["CNN", "plain"](tests[:8] - 0.5).argmax(dim=1)
plots.show_images(
    list(tests[:8].expand(-1, 3, -1, -1).split(1)),
    titles=[f"CNN: {KINDS[k]}" for k in answers],
    columns=4,
    alt="Eight small pictures of light shapes on a dark, noisy ground, with the CNN's answers: "
    + ", ".join(KINDS[k] for k in answers)
    + ".",
)

# %% [markdown]
# The dense net does not mind, and this is no accident. Shuffle the columns of its first matrix in
# the same way as the pixels: it gives the same answers as before, to the last digit or nearly so.

# %% tags=["nbval-check-output"]
plain, moved = dense_net(), dense_net()
moved[1].weight.data = plain[1].weight.data[:, ORDER]
same = torch.allclose(plain(tests), moved(shuffle(tests)), atol=1e-5)
print("the same answers for shuffled pictures:", same)

# %% [markdown]
# For the CNN there is no such way out: a 3×3 kernel cannot follow its pixels to 256 different
# places. It is built on the belief that neighbours belong together. For pictures this belief is
# true. So the CNN does better with fewer numbers, as long as nobody shuffles.
#
# Look once more for what pooling has learned. These are all the trained tensors of the CNN. Layer 2
# (max pooling) and layer 5 (global pooling) are not among them.

# %% tags=["nbval-check-output"]
for name, weights in NETS["CNN", "plain"].named_parameters():
    print(f"{name:9}", tuple(weights.shape))

# %% [markdown]
# ## Which layers take any size?
#
# The networks have learned from pictures of 16×16 pixels. Now they get 24×24.
#
# **Predict:** what happens?
#
# - (a) Both give answers.
# - (b) Only the CNN gives answers.
# - (c) Neither does: a network is made for one size.
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) A dense layer has one column of weights for each input. 24·24 = 576 pixels meet 256 columns.
# - (b) Right. A kernel slides over as many places as there are. Pooling has no weights at all. The
#   CNN's own dense layer always gets 16 numbers, because of the global pooling.
# - (c) True of the dense net only.
#
# </details>

# %% tags=["nbval-check-output"]
larger, larger_kinds = draw_shapes(300, seed=3, side=24)
for name in ("dense net", "CNN"):
    try:
        share = accuracy(NETS[name, "plain"], larger - 0.5, larger_kinds)
        print(f"{name:9} gives answers, more than 90 % are right:", share > 0.9)
    except RuntimeError as error:
        print(f"{name:9} stops with a {type(error).__name__}: its matrix does not fit")

# %% [markdown]
# **Question:** VGG, the network of the next lessons, ends with three dense layers. They were made
# for pictures of 224×224 pixels. Style transfer works with pictures of any size. How can that be?
#
# <details><summary>Answer</summary>
#
# It does not use the dense layers. Only convolutions, activations and pooling are kept.
# `nst.load_backbone()` has no dense layer at all.
#
# </details>

# %% tags=["nbval-check-output"]
backbone = nst.load_backbone()
print("layers:", sorted({type(stage).__name__ for stage in backbone.stages.values()}))
for height, width in ((32, 32), (48, 80)):
    picture = torch.rand(1, 3, height, width).to(backbone.mean.device)
    maps = backbone(picture, ["relu3_1"])["relu3_1"]
    print((height, width), "->", tuple(maps.shape[2:]))

# %% [markdown]
# ### Exercise: which networks take any size?
#
# Each network was built for pictures of 16×16 pixels. Which of them also take 24×24, without any
# change? Write the list of their letters.
#
# | letter | network |
# |---|---|
# | A | convolution 3×3, ReLU, convolution 3×3 |
# | B | flatten, dense layer |
# | C | max pooling 2×2, ReLU |
# | D | convolution 3×3, ReLU, flatten, dense layer |
# | E | convolution 3×3, ReLU, global pooling, flatten, dense layer |
# | F | convolution 3×3, max pooling 2×2, flatten, dense layer |

# %% tags=["exercise"]
my_any_size = [...]  # for example ["A", "B"]

# %% tags=["check", "nbval-check-output"]
exercises.check_any_size(my_any_size)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Follow the number of values that reach the dense layer. Does it change with the size of the
# picture?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `flatten` learns nothing, but it makes the number of values depend on the size. Global pooling
# leaves one value for each channel.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_any_size = ["A", "C", "E"]
# ```
#
# </details>
#
# ## Recap
#
# - Pooling takes the max, min or mean of each window. It learns nothing. min(x) = −max(−x).
# - A dense layer with an activation is y = f(Wx + b). ReLU replaces negative numbers by 0.
# - Without activations, all layers together are one layer.
# - A convolution is a matrix with mostly zeros and few different numbers. It knows neighbours. A
#   dense layer does not, so shuffled pixels do not disturb it.
# - A dense layer takes one size only. Convolution, activation and pooling take any size.
#
# **Look back:** which network did you choose at the beginning, and was your reason the right one?
#
# **One thing to try:** shuffle the pixels *within* each 4×4 block only, and leave the blocks where
# they are. How much does the CNN lose now?
