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
# # Lesson 5: VGG-16, VGG-19 and the embedded backbone
#
# Two recipes for style transfer say: "take the content from layer 22". One uses the network
# VGG-16, the other one VGG-19. Both programs run without an error. They compare different things.
# In this lesson you learn the names of a network's layers, what has to go into the network, and
# what comes out of it.
#
# **After this lesson you can**
#
# - compute at which index a layer stands, in VGG-16 and in VGG-19;
# - prepare a picture for a network, and say what a wrong range or channel order does;
# - look at a network's filters and feature maps;
# - tell the output of a convolution from that of a ReLU, and explain how one can turn into the
#   other behind your back.
#
# **Time:** 45 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
import torch
from torch import nn
from torch.nn import functional
from torchvision import models
from torchvision.transforms.functional import normalize

import nst_edu as nst
from nst_edu import exercises, plots
from nst_edu.features import IMAGENET_MEAN, IMAGENET_STD, VGG_CONVOLUTIONS, vgg_stages
from nst_edu.losses import content_loss

torch.manual_seed(0)
SIZE = 64 if nst.is_fast() else 188  # pixels on the longer side, for looking at maps
SMALL = 96 if nst.is_fast() else 128  # the same, for painting
STEPS = 60  # evaluations of the loss in one run

BACKBONE = nst.load_backbone()
DEVICE = BACKBONE.mean.device
PHOTO = nst.load_image("chelsea", size=SIZE).to(DEVICE)

# %% [markdown]
# ## What a network sees
#
# A **feature map** has a number for each position: how strongly one filter responds there. One
# layer has many of them, its **channels**. Here is a photo, and seven of its maps from two layers.
# Black is 0. White is the strongest response in this map.


# %%
def as_pictures(maps, channels):
    """Turn some channels of maps (1, C, h, w) into gray pictures as large as the photo."""
    pictures = []
    for channel in channels:
        values = maps[:, channel : channel + 1]  # (1, 1, h, w)
        values = values / values.max().clamp(min=1e-6)
        larger = functional.interpolate(values, PHOTO.shape[-2:], mode="nearest")
        pictures.append(larger.expand(-1, 3, -1, -1))
    return pictures


def strongest(maps, count):
    """Return the channels that respond most, on average over all positions."""
    return maps[0].mean(dim=(1, 2)).argsort(descending=True)[:count].tolist()


# %%
shown, titles = [PHOTO], ["photo"]
for layer, count in (("relu1_1", 3), ("relu3_1", 4)):
    maps = BACKBONE(PHOTO, [layer])[layer]
    shown += as_pictures(maps, strongest(maps, count))
    titles += [layer] * count
plots.show_images(
    shown,
    titles=titles,
    columns=4,
    alt="A photo of a cat and seven gray pictures of it. The three from relu1_1 are as sharp as "
    "the photo: some show bright areas, some edges. The four from relu3_1 consist of coarse "
    "squares; each is bright at a few places only.",
)

# %% [markdown]
# **Before you go on:** how can a recipe say *which* of all these maps it means? What could go
# wrong?
#
# **Warm-up** (lesson 3): each pooling layer halves height and width, and rounds down. Two of
# them lie before `relu3_1`. Which height and width do its maps have for a photo of 125 × 188
# pixels? Compute it first.

# %%
print("photo:  ", tuple(PHOTO.shape[-2:]))
print("relu3_1:", tuple(BACKBONE(PHOTO, ["relu3_1"])["relu3_1"].shape[-2:]))

# %% [markdown]
# ## A plan with names
#
# Karen Simonyan and Andrew Zisserman published the **VGG** networks in 2014
# ([arXiv:1409.1556](https://arxiv.org/abs/1409.1556)). VGG-16 and VGG-19 follow one plan. There
# are five **levels**. A level is a number of 3×3 convolutions, each followed by a ReLU. A pooling
# layer ends the level.
#
# | network | convolutions in levels 1 to 5 |
# |---|---|
# | VGG-16 | 2, 2, 3, 3, 3 |
# | VGG-19 | 2, 2, 4, 4, 4 |
#
# From this table we can write down the name of every layer. `relu4_2` is the ReLU behind the
# second convolution of level 4.


# %%
def layer_names(convolutions):
    """Name the layers of a VGG, in the order in which they are applied."""
    names = []
    for level, count in enumerate(convolutions, 1):
        for number in range(1, count + 1):
            names += [f"conv{level}_{number}", f"relu{level}_{number}"]
        names.append(f"pool{level}")
    return names


NAMES = {network: layer_names(VGG_CONVOLUTIONS[network]) for network in ("vgg16", "vgg19")}
print("VGG-16 begins with:", ", ".join(NAMES["vgg16"][:7]), "…")

# %% [markdown]
# Are these the layers of the real networks? Two tests: the package's own builder, and torchvision,
# which most programs use. (`meta` builds a network without memory for its weights. That is enough
# to look at its plan.)

# %% tags=["nbval-check-output"]
with torch.device("meta"):
    TORCHVISION = {"vgg16": models.vgg16(), "vgg19": models.vgg19()}
    OURS = {network: vgg_stages(network) for network in NAMES}
KINDS = {nn.Conv2d: "conv", nn.ReLU: "relu", nn.MaxPool2d: "pool"}

for network, names in NAMES.items():
    features = TORCHVISION[network].features
    kinds = [KINDS[type(layer)] for layer in features]
    dense = sum(isinstance(layer, nn.Linear) for layer in TORCHVISION[network].classifier)
    print(f"{network}: {kinds.count('conv')} convolutions and {dense} dense layers")
    print("  the package's names are the same:", names == list(OURS[network]))
    print("  torchvision's kinds are the same:", [name[:4] for name in names] == kinds)

# %% [markdown]
# The number in a network's name counts the layers that have weights: 13 + 3 and 16 + 3.
#
# torchvision gives its layers no names, only an **index**: `features[0]`, `features[1]`, …
#
# **Predict:** a recipe takes `features[22]`. Is it the same layer in VGG-16 and in VGG-19?
#
# - (a) yes: both networks are made by one plan
# - (b) no
# - (c) VGG-16 has fewer layers, so `features[22]` is an error there
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) The plan is the same, but the levels differ in length. As soon as one level is longer, all
#   that follows is shifted.
# - (b) Right, as the next cell shows. And no error message tells you.
# - (c) VGG-16 has fewer layers, but its `features` still has 31 entries. Index 22 exists.
#
# </details>

# %% tags=["nbval-check-output"]
for network, names in NAMES.items():
    print(f"{network}: features[22] is {names[22]}, relu4_2 is features[{names.index('relu4_2')}]")

print("\nlayer     index in VGG-16   index in VGG-19")
for layer in ("relu1_1", "relu2_1", "relu3_1", "relu3_3", "relu4_1", "relu4_2", "relu5_1"):
    print(f"{layer:9} {NAMES['vgg16'].index(layer):<17} {NAMES['vgg19'].index(layer)}")

# %%
LETTERS = {"conv": "C", "relu": "R", "pool": "P"}
figure = plots.Figure(800, 190)
figure.alt = (
    "The layers of both networks as two rows of letters, C, R and P, above their index. The rows "
    "agree up to index 15. At 16 VGG-16 pools, and VGG-19 has one more convolution. A frame marks "
    "relu4_2, at index 20 in VGG-16 and 22 in VGG-19."
)
ax = figure.subplots()
for row, (network, names) in enumerate(NAMES.items()):
    for index, name in enumerate(names):
        frame = {"boxstyle": "square,pad=0.25", "facecolor": "none", "linewidth": 2}
        box = frame if name == "relu4_2" else None
        letter = LETTERS[name[:4]]
        weight = "bold" if letter == "P" else "normal"
        ax.text(index, -row, letter, ha="center", va="center", bbox=box, weight=weight)
    ax.text(-1, -row, network, ha="right", va="center")
ax.set(xlim=(-4, 37), ylim=(-1.6, 0.8), yticks=[], xticks=range(0, 37, 2), xlabel="index")
ax.set_title("C: convolution, R: ReLU, P: pooling. The frame: relu4_2", fontsize=10)
ax.spines[["left", "right", "top"]].set_visible(False)
figure

# %% [markdown]
# **Worked example.** Why 20? Before level 4 of VGG-16 there are three complete levels. A level
# with $n$ convolutions has $n$ convolutions, $n$ ReLUs and one pooling layer: $2n + 1$ layers.
#
# - levels 1 to 3: $(2 \cdot 2 + 1) + (2 \cdot 2 + 1) + (2 \cdot 3 + 1) = 17$ layers, with the
#   indices 0 to 16
# - level 4: `conv4_1` is 17, `relu4_1` is 18, `conv4_2` is 19, `relu4_2` is 20
#
# In general, with $n_l$ convolutions in level $l$, the index of `relu`$k$`_`$m$ is
#
# $$i_{k,m} = \sum_{l=1}^{k-1} (2 n_l + 1) + 2 m - 1$$
#
# The next cell compares the formula with the list of names, and with torchvision's layers: the
# layer at this index is a ReLU, $k - 1$ pooling layers lie before it, and $m$ convolutions lie
# between the last of these and it.


# %% tags=["nbval-check-output", "binds-formula"]
def index_by_formula(k, m, n):
    """Return the index of relu{k}_{m}; n[0] is the number of convolutions in level 1."""
    return sum(2 * n[level - 1] + 1 for level in range(1, k)) + 2 * m - 1


def place(layers, index):
    """Say which ReLU of a list of torchvision's layers stands at `index`."""
    kinds = [KINDS[type(layer)] for layer in layers[: index + 1]]
    level = kinds[::-1].index("pool") if "pool" in kinds else len(kinds)
    return kinds[-1], kinds.count("pool") + 1, kinds[len(kinds) - level :].count("conv")


for network, n in {name: VGG_CONVOLUTIONS[name] for name in NAMES}.items():
    every = [(k, m) for k in range(1, 6) for m in range(1, n[k - 1] + 1)]
    found = {(k, m): index_by_formula(k, m, n) for k, m in every}
    by_name = all(NAMES[network][i] == f"relu{k}_{m}" for (k, m), i in found.items())
    layers = list(TORCHVISION[network].features)
    by_layer = all(place(layers, i) == ("relu", k, m) for (k, m), i in found.items())
    print(f"{network}: {len(found)} ReLUs, names agree: {by_name}, torchvision: {by_layer}")

# %% [markdown]
# **Check yourself:** VGG-19 has one convolution more in level 3, and one more in level 4. So why
# is `relu4_2` shifted by two, and not by four?
#
# <details><summary>Answer</summary>
#
# The additional convolution of level 3 brings its ReLU with it: two layers. The additional one of
# level 4, `conv4_4`, stands *behind* `relu4_2`, and shifts nothing before it.
#
# </details>
#
# Some programs count the convolutions only. Their "conv_4" is the fourth one in the whole
# network. Which layer is that?

# %% tags=["nbval-check-output"]
only_convolutions = [name for name in NAMES["vgg19"] if name.startswith("conv")]
print("the fourth convolution is", only_convolutions[3])

# %% [markdown]
# It has nothing to do with level 4. Read a recipe's words with care: a name such as `relu4_2` is
# safe, a number is not.
#
# ### Exercise: the index of a layer
#
# Fill in the two places marked `...`. The function should work for any plan, not only for these
# two networks.


# %% tags=["exercise"]
def my_layer_index(level, number, convolutions):
    """Return the index of relu{level}_{number}; convolutions: how many each level has."""
    before = [... for count in convolutions[: level - 1]]  # layers in each complete level
    return sum(before) + ...


# %% tags=["check", "nbval-check-output"]
exercises.check_layer_index(my_layer_index)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# How many layers does a level with `count` convolutions have, if you count ReLU and pooling, too?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Write down the first four names of a level, and 0, 1, 2, 3 below them. At which of these places
# are the first and the second ReLU?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_layer_index(level, number, convolutions):
#     before = [2 * count + 1 for count in convolutions[: level - 1]]
#     return sum(before) + 2 * number - 1
# ```
#
# </details>
#
# ## The embedded backbone
#
# A network that is used to look at pictures is called a **backbone**. How much of VGG-19 does
# style transfer need? Its deepest layer is `relu5_1`.

# %% tags=["nbval-check-output"]
vgg19 = TORCHVISION["vgg19"]
numbers = {
    "in all": sum(p.numel() for p in vgg19.parameters()),
    "in the dense layers": sum(p.numel() for p in vgg19.classifier.parameters()),
    "up to relu5_1": sum(p.numel() for p in vgg19.features[:30].parameters()),
}
for part, count in numbers.items():
    print(f"VGG-19's weights {part:20} {count:>11,} ({count / numbers['in all']:.0%})")

# %% [markdown]
# The dense layers say "this is a cat". Style transfer never asks them. But they are in the file:
# about 550 MB to download.
#
# This course brings a small network of its own, called `compact`. It has the same plan and the
# same names up to `relu5_1`, with fewer channels. It was **distilled**: trained to imitate the
# maps of networks that had been trained before. [Lesson 5b](05b_how_compact_was_made.ipynb) tells
# how, and the [model card](../nst_edu/weights/compact.md) says where its limits are.
# `nst.load_backbone("vgg19")` loads the original, if you have a network connection.

# %%
weights = sum(p.numel() for p in BACKBONE.parameters())
print(f"{BACKBONE.name}: {weights:,} weights, {4 * weights / 1e6:.1f} MB\n")
print("layer     channels here   channels of VGG-19")
level_maps = BACKBONE(PHOTO, BACKBONE.style_layers)
for layer, maps in level_maps.items():
    convolution = OURS["vgg19"][layer.replace("relu", "conv")]
    print(f"{layer:9} {maps.shape[1]:<15} {convolution.out_channels}")

# %% [markdown]
# In this package you ask for layers by name. What happens if you ask for one that does not exist?

# %% tags=["nbval-check-output"]
try:
    BACKBONE(PHOTO, ["relu4_7"])
except ValueError as error:
    print("the name is refused:", "'relu4_7'" in str(error))
    print("the message names layers that exist:", "relu4_2" in str(error))

# %% [markdown]
# ## What goes in
#
# VGG was trained on the photos of the ImageNet collection. Before training, the mean $\mu_c$ of
# each colour channel $c$ was subtracted. The weights that torchvision offers, and `compact`,
# expect pictures in the range 0 to 1, **normalised** with these means and with the standard
# deviations $\sigma_c$:
#
# $$z_c = \frac{x_c - \mu_c}{\sigma_c}$$
#
# Our `Backbone` does this inside. So you give it plain pictures. Here is the proof, by three ways
# to the map of the first convolution.


# %% tags=["nbval-check-output", "binds-formula"]
def normalise_by_hand(image):
    """Write the formula out, number by number."""
    z = torch.empty_like(image)
    for c in range(3):
        for y in range(image.shape[2]):
            for x in range(image.shape[3]):
                z[0, c, y, x] = (image[0, c, y, x] - IMAGENET_MEAN[c]) / IMAGENET_STD[c]
    return z


small = nst.resize(PHOTO, 16)
by_hand = normalise_by_hand(small)
by_torchvision = normalize(small, IMAGENET_MEAN, IMAGENET_STD)
print("by hand = torchvision:", torch.allclose(by_hand, by_torchvision, atol=1e-5))

first = BACKBONE.stages["conv1_1"]
inside = BACKBONE(small, ["conv1_1"])["conv1_1"]
print("the backbone does it inside:", torch.allclose(inside, first(by_hand), atol=0.01))
print("by itself, the first convolution does not:", not torch.allclose(inside, first(small)))

# %% [markdown]
# **Predict:** a program forgets to normalise, or feeds numbers from 0 to 255. What happens?
#
# - (a) an error message
# - (b) nothing of importance: a network looks at shapes, not at the range of the numbers
# - (c) it runs, and its feature maps are others
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) The *shape* of the picture is right, so torch has no reason to complain.
# - (b) A convolution multiplies and adds. Larger numbers in, larger numbers out. And the bias
#   and ReLU decide what counts as "no response": they fit the range of the training.
# - (c) Right. The next cell says by how much.
#
# </details>
#
# To make mistakes on purpose, we change the picture so that the backbone's own normalisation
# leaves the wrong numbers. **BGR** means that red and blue have changed places. (The first files
# of VGG's weights, made for the program Caffe, expect BGR and the range 0 to 255, less the mean.
# So which input is right depends on the file of weights.)

# %%
MEAN, STD = BACKBONE.mean, BACKBONE.std
MISTAKES = {
    "not normalised": lambda image: image * STD + MEAN,
    "normalised twice": lambda image: (image - MEAN) / STD,
    "0 to 255": lambda image: 255 * image,
    "BGR": lambda image: image.flip(1),
}
DEPTHS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
COFFEE = nst.load_image("coffee", size=SMALL).to(DEVICE)


def distance(maps, target):
    """Squared error as a share of the target's own mean square: 1 is as far as a map of zeros."""
    return ((maps - target).square().mean() / target.square().mean()).item()


right_maps = BACKBONE(COFFEE, DEPTHS)
table = {}
print("mistake            distance to the right maps at")
print(" " * 18 + "".join(f"{layer:>11}" for layer in DEPTHS))
for mistake, change in MISTAKES.items():
    maps = BACKBONE(change(COFFEE), DEPTHS)
    table[mistake] = [distance(maps[layer], right_maps[layer]) for layer in DEPTHS]
    print(f"{mistake:18}" + "".join(f"{value:11.3f}" for value in table[mistake]))

# %% tags=["nbval-check-output"]
smallest = min(values[0] for values in table.values())
print("at relu1_1 each mistake moves the maps by more than a quarter:", smallest > 0.25)
print("the farthest: ", max(table, key=lambda mistake: table[mistake][0]))

# %% [markdown]
# A loss is made of squares. So the range has one more effect: the size of the loss.
#
# **Predict:** the program feeds 0 to 255. By which factor does the content loss (the mean squared
# difference of two pictures' maps) grow, about?
#
# - (a) it does not change
# - (b) 255
# - (c) 255² = 65,025
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) This would be so if each layer divided its result by the range. None does.
# - (b) The *maps* grow by about this factor. The loss squares their difference.
# - (c) Right, about. The bias of each layer does not grow with the picture, so the factor is not
#   exactly this one.
#
# </details>

# %%
darker = 0.8 * COFFEE
factors = {}
for layer in DEPTHS:
    right = content_loss(BACKBONE(darker, [layer])[layer], right_maps[layer])
    wrong_maps = (BACKBONE(255 * image, [layer])[layer] for image in (darker, COFFEE))
    factors[layer] = (content_loss(*wrong_maps) / right).item()
    print(f"{layer}: the content loss becomes {factors[layer]:,.0f} times as large")

# %% tags=["nbval-check-output"]
within = all(255**2 / 4 < factor < 4 * 255**2 for factor in factors.values())
print("between a quarter of 65,025 and four times 65,025 at each depth:", within)

# %% [markdown]
# All the weights α and β that somebody found by experiment are then worthless: they belong to
# another range. (`nst.Objective` divides each loss by the target's own mean square, so most of this
# effect cancels out there. The paper's losses are not divided.)
#
# Does one see it in the finished picture? We paint four times. Each program makes its mistake
# *everywhere*: for the photo, for the style, and for the picture that is painted. So it compares
# like with like. Afterwards all four are judged by the right network.


# %%
class WrongInput:
    """A backbone that changes every picture before it looks at it."""

    def __init__(self, change):
        self.change = change
        self.content_layers = BACKBONE.content_layers
        self.style_layers = BACKBONE.style_layers

    def __call__(self, image, layers):
        return BACKBONE(self.change(image), layers)


STYLE = nst.load_image("swirl", size=SMALL).to(DEVICE)
programs = {"right": BACKBONE}
programs |= {name: WrongInput(MISTAKES[name]) for name in ("not normalised", "0 to 255", "BGR")}
judge = nst.Objective(BACKBONE, COFFEE, STYLE)
paintings, verdicts = {}, {}
for name, program in programs.items():
    objective = nst.Objective(program, COFFEE, STYLE)
    steps = list(nst.optimize_image(objective, COFFEE, steps=STEPS))
    best = min(steps, key=lambda step: step.losses.total)
    paintings[name] = best.image
    verdicts[name] = judge(best.image).total.item()
    own = f"{steps[0].losses.total:.1f} → {best.losses.total:.2f}"
    print(f"{name:15} its own loss: {own}, judged by the right network: {verdicts[name]:.2f}")

# %%
plots.show_images(
    list(paintings.values()),
    titles=list(paintings),
    columns=2,
    alt="Four paintings of a coffee cup in the colours of the style picture. All four look like "
    "paintings; they differ in how the colours are spread and in how clear the cup is.",
)

# %% tags=["nbval-check-output"]
print("judged best:", min(verdicts, key=verdicts.get))

# %% [markdown]
# Look at both, the numbers and the pictures. Each program believes that it did well: its *own*
# loss fell. No picture says "mistake". This is why such mistakes live long. You find them by
# testing the numbers that go in, not by looking at what comes out.
#
# **Check yourself:** for one of the bundled photos, BGR in place of RGB changes nothing at all.
# For what kind of photo? Here is the test for `camera`.

# %% tags=["nbval-check-output"]
camera = nst.load_image("camera", size=SIZE).to(DEVICE)
pair = (BACKBONE(image, ["relu3_1"])["relu3_1"] for image in (camera.flip(1), camera))
print("distance at relu3_1:", distance(*pair))

# %% [markdown]
# <details><summary>Answer</summary>
#
# For a gray photo: its three channels are equal, so exchanging them changes nothing. A test of
# the channel order must use a *coloured* picture.
#
# </details>
#
# ### Exercise: normalise a picture
#
# Write the formula for a batch of pictures. `mean` and `std` are tensors of shape (3,).


# %% tags=["exercise"]
def my_normalise(image, mean, std):
    """Return the normalised pictures; image: (N, 3, H, W), mean and std: (3,)."""
    ...


# %% tags=["check", "nbval-check-output"]
exercises.check_normalise(my_normalise)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# torch lines shapes up from the *right*. To which axis of (N, 3, H, W) would a tensor of shape
# (3,) belong?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `mean.view(1, 3, 1, 1)` holds the same three numbers, on the axis of the channels.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_normalise(image, mean, std):
#     return (image - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
# ```
#
# </details>
#
# ## What is inside: filters
#
# The first convolution has filters of 3×3 pixels and 3 colours, so each can be shown as a tiny
# picture. Gray means 0. A brighter patch has a positive weight in this colour, a darker one a
# negative weight.

# %%
kernels = first.weight[:16]  # (16, 3, 3, 3): at most 16 of them
tiny = []
for kernel in kernels.split(1):
    scaled = 0.5 + 0.5 * kernel / kernel.abs().max()
    tiny.append(functional.interpolate(scaled, scale_factor=12, mode="nearest"))
plots.show_images(
    tiny,
    titles=[str(number) for number in range(len(tiny))],
    columns=8,
    alt="Sixteen filters of 3 by 3 patches. Some go from bright to dark or from one colour to "
    "another; some have a centre that differs from what is around it; some have nearly one colour.",
)

# %% [markdown]
# A filter whose weights sum up to about 0 is *balanced*. Where all the 27 numbers that it looks at
# are equal, its positive and negative weights cancel out. It responds to differences: between
# neighbouring pixels, as at an edge, or between colours. The others respond to light or to dark
# areas as well.

# %%
balance = kernels.sum(dim=(1, 2, 3)) / kernels.abs().sum(dim=(1, 2, 3))
for number, value in enumerate(balance.tolist()):
    likes = "differences only" if abs(value) < 0.1 else "light, too" if value > 0 else "dark, too"
    print(f"filter {number:2}: balance {value:5.2f}, responds to {likes}")

# %% [markdown]
# **Check yourself:** compare the numbers with the pictures. Which filter would you take to find
# bright areas?
#
# <details><summary>Answer</summary>
#
# The one with the largest balance. The nearer it is to 1, the more of its weights are positive, so
# that it adds up light of all colours.
#
# </details>
#
# A response is nothing but a sum (lesson 1). Here is one, by hand: filter 0 at the position
# (y, x) = (5, 7).

# %% tags=["nbval-check-output"]
normalised = (PHOTO - MEAN) / STD
response = first.bias[0].clone()
for c in range(3):
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            weight = first.weight[0, c, 1 + dy, 1 + dx]
            response += weight * normalised[0, c, 5 + dy, 7 + dx]

in_the_map = BACKBONE(PHOTO, ["conv1_1"])["conv1_1"][0, 0, 5, 7]
agree = torch.allclose(response, in_the_map, rtol=0.01, atol=0.01)  # a GPU rounds more
print("27 products and the bias give the map's value:", agree)

# %% [markdown]
# ## What is inside: feature maps
#
# Now go deeper. Each row shows the four strongest channels of one layer.

# %%
rows = ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]
maps = BACKBONE(PHOTO, rows)
plots.show_images(
    [picture for layer in rows for picture in as_pictures(maps[layer], strongest(maps[layer], 4))],
    titles=[layer for layer in rows for _ in range(4)],
    columns=4,
    alt="Four rows of gray maps of the cat. In the first row the cat is as sharp as in the photo; "
    "from row to row the squares get larger, and in the last row no cat can be recognised.",
)

# %%
print("layer     height × width   zeros")
for layer in rows:
    height, width = maps[layer].shape[-2:]
    print(f"{layer:9} {height:3} × {width:<10} {(maps[layer] == 0).float().mean():.0%}")

# %% [markdown]
# **Check yourself:** from which row on could you no longer tell that it is a cat? And what do the
# zeros mean?
#
# <details><summary>Answer</summary>
#
# A zero means "this filter does not find its pattern here". ReLU has replaced each negative
# response by 0. The maps get coarser at each level, because pooling keeps one value of four.
#
# </details>
#
# ## Convolution or ReLU?
#
# `conv1_1` and `relu1_1` have the same shape. One thing tells them apart: a ReLU has no negative
# output.

# %% tags=["nbval-check-output"]
maps = BACKBONE(PHOTO, ["conv1_1", "relu1_1"])
print("conv1_1 has negative values:", bool(maps["conv1_1"].min() < 0))
print("relu1_1 has negative values:", bool(maps["relu1_1"].min() < 0))
print("relu1_1 = max(conv1_1, 0):  ", torch.equal(maps["relu1_1"], maps["conv1_1"].clamp(min=0)))

# %% [markdown]
# torchvision's ReLU works **in place**: it writes its result into the memory of its input. That
# saves memory.
#
# **Predict:** you keep the output of a convolution. Then the ReLU behind it is applied. What is
# in the tensor that you kept?
#
# - (a) the output of the convolution: I kept it before the ReLU came
# - (b) the output of the ReLU
# - (c) only zeros
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) A Python name is no copy. It points to a place in memory, and this place is overwritten.
# - (b) Right, as the next cell shows.
# - (c) ReLU replaces the negative values only. The positive ones stay.
#
# </details>

# %% tags=["nbval-check-output"]
all_relus = [layer for layer in vgg19.features if isinstance(layer, nn.ReLU)]
print("torchvision's ReLUs work in place:", all(relu.inplace for relu in all_relus))

kept = first(normalised)
copy = kept.clone()
print("before the ReLU, kept has negative values:", bool(kept.min() < 0))
output = nn.ReLU(inplace=True)(kept)
print("after the ReLU, kept has negative values: ", bool(kept.min() < 0))
print("kept and the ReLU's output share their memory:", kept.data_ptr() == output.data_ptr())
print("the copy still has negative values:", bool(copy.min() < 0))


# %%
def signed_picture(maps, channel, largest):
    """Show one channel with its sign: gray is 0, darker is negative, brighter is positive."""
    return (0.5 + 0.5 * maps[:, channel : channel + 1] / largest).expand(-1, 3, -1, -1)


share_negative = (copy < 0).float().mean(dim=(0, 2, 3))
channel = (share_negative - 0.5).abs().argmin().item()  # about half of its values are negative
largest = copy[:, channel].abs().max()
plots.show_images(
    [signed_picture(copy, channel, largest), signed_picture(kept, channel, largest)],
    titles=["the copy: convolution", "kept: overwritten by ReLU"],
    alt="One map of the cat, twice. On the left there is dark and bright; on the right all that "
    "was dark has become one flat gray.",
)

# %%
print(f"negative values in all channels of conv1_1: {(copy < 0).float().mean():.0%}, now lost")
print(f"distance of the overwritten map to the right one: {distance(kept, copy):.2f}")

# %% [markdown]
# There is no error message here either. The tell-tale is a number: look at the smallest value of
# what you saved. This package builds its ReLUs so that a map that is handed out never changes.
#
# ### Exercise: collect feature maps
#
# `stages` holds the layers of a network by name, in order. Its ReLUs work in place. Return the
# maps of the layers that are asked for, as they were when their layer had made them.


# %% tags=["exercise"]
def my_feature_maps(stages, x, layers):
    """Return a dictionary: layer name -> its map.

    stages: like a dictionary, name -> layer; stages.items() gives both. x: the picture, already
    normalised. layers: a list of names.
    """
    ...


# %% tags=["check", "nbval-check-output"]
exercises.check_feature_maps(my_feature_maps)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Go through `stages.items()`, and replace `x` by the layer's output each time. Keep it if its
# name is in `layers`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The next layer may write into `x`. `x.clone()` is a copy with memory of its own, and the
# gradient flows through it.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_feature_maps(stages, x, layers):
#     maps = {}
#     for name, stage in stages.items():
#         x = stage(x)
#         if name in layers:
#             maps[name] = x.clone()
#     return maps
# ```
#
# </details>
#
# ### Bug hunt: which maps are wrong?
#
# A program saves five maps of a photo, and prints this table. Two of the maps cannot be what
# their name says. Write the two names into the list.
#
# | saved as | smallest value | largest value | share of zeros |
# |---|---|---|---|
# | `conv1_1` | 0.00 | 9.31 | 42 % |
# | `relu1_1` | 0.00 | 9.31 | 42 % |
# | `conv3_1` | −6.20 | 7.85 | 0 % |
# | `relu3_1` | −6.20 | 7.85 | 0 % |
# | `relu4_1` | 0.00 | 12.40 | 77 % |

# %% tags=["exercise"]
my_suspicious_maps = [..., ...]

# %% tags=["check", "nbval-check-output"]
exercises.check_suspicious_maps(my_suspicious_maps)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Can the output of a convolution be negative? Can the output of a ReLU?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Go through the five rows one by one. Ask of each: does the smallest value fit the first four
# letters of the name?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_suspicious_maps = ["conv1_1", "relu3_1"]
# ```
#
# The map saved as `conv1_1` was overwritten by its ReLU. The map saved as `relu3_1` is the output
# of the convolution, under the wrong name.
#
# </details>
#
# ## Recap
#
# - `relu4_2` is `features[20]` in VGG-16 and `features[22]` in VGG-19. Names are safe, indices
#   are not.
# - A level with $n$ convolutions has $2n + 1$ layers.
# - The network expects the range and the channel order that it was trained with. A wrong input
#   raises no error, but it changes the maps and the size of every loss.
# - Early maps are sharp and show edges and colours; deep maps are coarse.
# - An in-place ReLU overwrites the map that you kept. Negative values are the tell-tale.
#
# **Look back:** which two layers do the two recipes of the beginning compare?
#
# <details><summary>Answer</summary>
#
# `features[22]` is `relu4_2` in VGG-19, and `relu4_3` in VGG-16.
#
# </details>
#
# **One thing to try:** `nst.load_backbone("random")` has the plan of VGG-19, and weights drawn by
# chance. Show the strongest maps of its `relu3_1` with `as_pictures`. What did training change?
