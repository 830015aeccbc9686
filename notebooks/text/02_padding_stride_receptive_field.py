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
# # Lesson 2: Padding, stride, kernel size and the receptive field
#
# A photo was blurred forty times with the same small kernel. A dark frame has grown around it.
# Nobody painted a frame, and the photo is not dark at its border. Where does the dark come from?
# In this lesson you find out what a convolution does at the border, how large its result is, and
# how far one number of the result can see.
#
# **After this lesson you can**
#
# - compute the size of a layer's output, and be right about the last pixel;
# - choose a padding, and say what it does to the border of a picture;
# - say what a stride leaves out;
# - decide between one large kernel and several small ones;
# - compute how many pixels one unit of a deep layer sees.
#
# **Time:** 40 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
import torch
import torch.nn.functional as F

import nst_edu as nst
from nst_edu import exercises, layers, plots

torch.manual_seed(0)
SIZE = 64 if nst.is_fast() else 128  # pixels on the longer side
MODES = ("zeros", "reflect", "replicate", "circular")
PHOTO = nst.load_image("coffee", size=SIZE)


# %%
def box(window):
    """Return kernels that average window x window pixels, each colour channel for itself."""
    return torch.eye(3).view(3, 3, 1, 1) * torch.ones(window, window) / window**2


def blur(images, times, mode):
    """Blur `times` times with a 3 x 3 mean. The size of the picture stays the same."""
    for _ in range(times):
        images = layers.cross_correlate2d(images, box(3), padding=1, padding_mode=mode)
    return images


plots.show_images(
    [PHOTO, blur(PHOTO, 40, "zeros")],
    titles=["the photo", "blurred 40 times"],
    alt="A red cup on a wooden table. Blurred, the same picture fades to black along all four "
    "sides.",
)

# %% [markdown]
# **Warm-up:** in lesson 1 a 3×3 kernel slid over a picture of 5×5 pixels. It stayed inside the
# picture. How many numbers did the result have?
#
# <details><summary>Answer</summary>
#
# 3×3 = 9. The kernel's left column can stand on the pixel columns 0, 1 and 2. From column 3 on,
# the kernel would hang over the right side. The same holds for the rows.
#
# </details>
#
# ## How many places are there?
#
# A kernel looks through a **window**. The result has one number for each place of the window. So
# the size of the result is a matter of counting. Rows and columns follow the same rule, so we
# count on one line of pixels.
#
# Two settings take part. **Padding** adds pixels at both ends of the line. The **stride** is the
# number of pixels from one place of the window to the next.


# %%
def places(size, window, padding=0, stride=1):
    """List the pixel on which the window begins, place by place. Pixel 0 is the first one."""
    return list(range(-padding, size + padding - window + 1, stride))


def draw(size, window, padding=0, stride=1):
    """Print a line for each place: # window, . pixel, - padding."""
    line = "-" * padding + "." * size + "-" * padding
    for place in places(size, window, padding, stride):
        start = place + padding
        print("   ", line[:start] + "#" * window + line[start + window :])


# %% tags=["nbval-check-output"]
print("7 pixels, window 3:")
draw(7, 3)
print("7 pixels, window 3, padding 1:")
draw(7, 3, padding=1)
print("7 pixels, window 3, stride 2:")
draw(7, 3, stride=2)

# %% [markdown]
# **Predict:** 8 pixels, window 3, stride 2, no padding. How many places are there?
#
# - (a) 2
# - (b) 3
# - (c) 4
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) The window can move by 8 − 3 = 5 pixels. That is room for 2 steps of 2 pixels. But the
#   place *before* the first step counts as well. This is the usual off-by-one mistake.
# - (b) Right: two steps, and the place at the start.
# - (c) 8 / 2 = 4 is the rule of thumb "stride 2 halves the size". It holds only with enough
#   padding. The fourth window would hang over the end by one pixel.
#
# </details>

# %% tags=["nbval-check-output"]
print("8 pixels, window 3, stride 2:")
draw(8, 3, stride=2)
print("places:", len(places(8, 3, stride=2)))

# %% [markdown]
# **Question:** which pixel is seen by no window?
#
# <details><summary>Answer</summary>
#
# The last one. Two steps of 2 pixels use 4 of the 5 pixels of room. The rest is left out, without
# any message.
#
# </details>
#
# ### The worked example: from counting to a formula
#
# The padded line has $n + 2p$ pixels, because padding is added at *both* ends. A window of $k$
# pixels can move by $n + 2p - k$. Divide this by the stride $s$ and round down: that is the number
# of steps. There is one place more than there are steps:
#
# $$n_{out} = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1$$
#
# The next cell compares four ways to get this number: counting, the formula, the package, and a
# real convolution by torch.

# %% tags=["nbval-check-output", "binds-formula"]
agree = []
for n in range(1, 13):
    for k, p, s in [(1, 0, 1), (2, 0, 2), (3, 0, 2), (3, 1, 1), (3, 1, 2), (5, 2, 3), (4, 3, 2)]:
        if k <= n + 2 * p:
            counted = len(places(n, k, p, s))
            formula = (n + 2 * p - k) // s + 1
            package = layers.output_size(n, k, padding=p, stride=s)
            real = F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), padding=p, stride=s)
            agree.append(counted == formula == package == real.shape[-1])
print("all four agree:", all(agree), "in", len(agree), "cases")

# %% [markdown]
# Often the output should be as large as the input, with stride 1. Then $2p = k - 1$. A window of 3
# needs a padding of 1, a window of 5 a padding of 2. An even window would need half a pixel. This
# is one reason why kernels are 3 or 5 wide, and hardly ever 4.
#
# **Question:** which padding does a window of 7 need, so that a line keeps its length?
#
# <details><summary>Answer</summary>
#
# 2p = 7 − 1, so 3 at each end. Check it: `layers.output_size(20, 7, padding=3)` is 20.
#
# </details>
#
# ### Exercise: the output size
#
# Fill in the two places marked `...`.


# %% tags=["exercise"]
def my_output_size(size, window, padding=0, stride=1):
    """Return the number of places of a window on a padded line."""
    room = ...  # how many pixels the window can move
    steps = room // stride
    return steps + ...  # a number, perhaps 0: how many more places than steps?


# %% tags=["check", "nbval-check-output"]
exercises.check_output_size(my_output_size)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Draw the line with its padding on paper. How long is it? How far is it from the first place of
# the window to the last one?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Compare with `draw(7, 3, padding=1)`. The padded line has 9 pixels, the window can move by 6, and
# there are 7 places.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_output_size(size, window, padding=0, stride=1):
#     room = size + 2 * padding - window
#     steps = room // stride
#     return steps + 1
# ```
#
# </details>
#
# ### Exercise: a puzzle of sizes
#
# A picture is 96 pixels wide. It goes through five layers, one after the other. What is the width
# after each of them? Use pencil and paper, not code.
#
# | layer | window | padding | stride | width after it |
# |---|---|---|---|---|
# | 1 | 11 | 5 | 2 | ? |
# | 2 | 3 | 0 | 2 | ? |
# | 3 | 5 | 2 | 1 | ? |
# | 4 | 3 | 1 | 2 | ? |
# | 5 | 2 | 0 | 2 | ? |
#
# Replace each `...` by a number.

# %% tags=["exercise"]
my_layer_sizes = [..., ..., ..., ..., ...]

# %% tags=["check", "nbval-check-output"]
exercises.check_layer_sizes(my_layer_sizes)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Layer 1: the padded line has 96 + 2·5 = 106 pixels. How far can a window of 11 move?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Round *down* after the division, then add 1. The result is the $n$ of the next layer.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_layer_sizes = [48, 23, 23, 12, 6]
# ```
#
# </details>
#
# ## What lies outside the picture?
#
# Padding needs numbers, and the photo has none there. They must be made up. Four ways are usual.
# This is what they make up around the photo:

# %%
frame = SIZE // 5
plots.show_images(
    [layers.pad2d(PHOTO, frame, mode) for mode in MODES],
    titles=MODES,
    alt="The photo with a wide frame, four times. Zeros: a black frame. Reflect: the photo "
    "mirrored at its sides. Replicate: the border pixels drawn out to stripes. Circular: the "
    "opposite side of the photo.",
)

# %% [markdown]
# - **Zero padding** adds zeros.
# - **Reflect padding** is a mirror that stands *on* the last pixel.
# - **Replicate padding** repeats the last pixel.
# - **Circular padding** goes on at the opposite side, as on a globe.
#
# **Predict:** the row 1 2 3 4 gets two pixels of reflect padding at each end. What comes out?
#
# - (a) 2 1 1 2 3 4 4 3
# - (b) 3 2 1 2 3 4 3 2
# - (c) 1 1 1 2 3 4 4 4
# - (d) 3 4 1 2 3 4 1 2
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) Here the mirror stands *beside* the last pixel, so the last pixel is seen twice. Some
#   programs have this mode too. They call it "symmetric".
# - (b) Right. The mirror stands on the last pixel, so that pixel is not repeated.
# - (c) This is replicate.
# - (d) This is circular.
#
# </details>
#
# By hand, each mode is a rule that says which pixel comes to which place:


# %%
def pad_row(row, padding, mode):
    """Return a list of numbers with `padding` more at each end."""
    n = len(row)
    padded = []
    for place in range(-padding, n + padding):
        inside = 0 <= place < n
        nearest = min(max(place, 0), n - 1)
        if mode == "zeros":
            padded.append(row[place] if inside else 0)
        elif mode == "reflect":
            padded.append(row[2 * nearest - place])  # as far from the last pixel, but inside
        elif mode == "replicate":
            padded.append(row[nearest])
        else:
            padded.append(row[place % n])  # circular
    return padded


# %% tags=["nbval-check-output"]
row = [1, 2, 3, 4]
square = torch.tensor(row, dtype=torch.float32).expand(1, 1, 4, 4)  # four equal rows
for mode in MODES:
    by_hand = pad_row(row, 2, mode)
    package = layers.pad2d(square, 2, mode)
    by_torch = F.pad(square, [2] * 4, mode="constant" if mode == "zeros" else mode)
    equal = package[0, 0, 2].tolist() == by_hand and torch.equal(package, by_torch)
    print(f"{mode:10}", *by_hand, "  as the package and torch:", equal)

# %% [markdown]
# **Question:** can four pixels be reflected by five? What does `pad_row([1, 2, 3, 4], 5,
# "reflect")` do, and what should it do? Try it in a cell of your own.
#
# <details><summary>Answer</summary>
#
# No. Five places to the left of pixel 0 the mirror would show pixel 5, and there is none. Our
# `pad_row` stops with an `IndexError`. The package stops as well, and says why.
#
# </details>
#
# ### Exercise: reflect padding
#
# Write reflect padding for whole pictures, shape `(N, C, H, W)`. A blank page: use slices, `flip`
# and `torch.cat`, or index lists, or whatever you like, but not `F.pad` or `layers.pad2d`. Do not
# forget the corners.


# %% tags=["exercise"]
def my_pad_reflect(images, padding):
    """Add a frame of mirrored pixels, `padding` wide, to pictures of shape (N, C, H, W)."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_pad_reflect(my_pad_reflect)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Do one direction after the other. First add rows above and below. Then add columns to the
# *result*: the corners come by themselves.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The rows above are the rows 1 to `padding` of the picture, upside down. Row 0 is the mirror, so it
# is not among them.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_pad_reflect(images, padding):
#     above = images[:, :, 1 : padding + 1].flip(2)
#     below = images[:, :, -padding - 1 : -1].flip(2)
#     images = torch.cat([above, images, below], dim=2)
#     left = images[:, :, :, 1 : padding + 1].flip(3)
#     right = images[:, :, :, -padding - 1 : -1].flip(3)
#     return torch.cat([left, images, right], dim=3)
# ```
#
# </details>
#
# ## Is padding neutral?
#
# "Padding only makes the sizes fit." Test this belief. Take a plain gray picture, every pixel 0.9,
# and average 3×3 pixels. Without a border every mean is 0.9.
#
# **Predict:** with zero padding, how large is the number in the corner?
#
# - (a) 0.9: zeros add nothing
# - (b) 0.6
# - (c) 0.4
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) Zeros add nothing to the *sum*. But the kernel still divides by 9. A zero is not "no
#   pixel", it is a *black* pixel.
# - (b) This is right for the sides: 3 of the 9 pixels are black, and 0.9 · 6/9 = 0.6.
# - (c) Right. In the corner 5 of the 9 pixels are black: 0.9 · 4/9 = 0.4.
#
# </details>

# %% tags=["nbval-check-output"]
gray = torch.full((1, 3, 5, 5), 0.9)
for line in blur(gray, 1, "zeros")[0, 0].tolist():
    print(*(f"{value:.1f}" for value in line))
for mode in MODES[1:]:
    print(f"{mode:10} leaves it gray:", torch.allclose(blur(gray, 1, mode), gray))

# %% [markdown]
# So this is who painted the dark frame: zero padding, a little more at each blur.
#
# A gray picture is easy for the other three modes. For a photo all four are guesses. How wrong are
# they? We can know, if we cut a piece out of a photo and hide the rest: blur the whole photo, and
# cut out the piece afterwards. This is the truth. Then blur the piece alone, with padding. The
# mean squared difference in the pixels that lie $d$ pixels from the border is the **border
# energy** at distance $d$.


# %%
def depth(height, width):
    """Return for each pixel its distance from the nearest border; 0 for a border pixel."""
    y, x = torch.arange(height)[:, None], torch.arange(width)
    to_side = torch.minimum(x, width - 1 - x)
    return torch.minimum(torch.minimum(y, height - 1 - y), to_side)


def border_energy(name, mode, times=8, cut=20):
    """Return the mean squared error of a blurred piece, by distance from its border."""
    whole = nst.load_image(name, size=128)
    truth = blur(whole, times, "replicate")[..., cut:-cut, cut:-cut]
    guess = blur(whole[..., cut:-cut, cut:-cut], times, mode)
    error = (guess - truth).square().mean(dim=(0, 1))  # (1, 3, H, W) -> (H, W)
    return [error[depth(*error.shape) == d].mean().item() for d in range(times + 2)]


# %% tags=["nbval-check-output"]
print("distances from the border in a picture of 5 x 6 pixels:")
for line in depth(5, 6).tolist():
    print(*line)

# %%
energies = {mode: border_energy("coffee", mode) for mode in MODES}
plots.plot_lines(
    {mode: values[:8] for mode, values in energies.items()},
    xlabel="pixels from the border",
    ylabel="border energy",
    title="Eight blurs of a piece of a photo",
    alt="Border energy by distance from the border, on a logarithmic scale. All four lines fall "
    "steeply. At every distance zeros are highest, then circular, then reflect, and replicate is "
    "lowest.",
)

# %%
print("distance  " + "  ".join(f"{mode:>9}" for mode in MODES))
for d in (0, 2, 4, 6, 8):
    print(f"{d:8}  " + "  ".join(f"{energies[mode][d]:9.1e}" for mode in MODES))

# %% [markdown]
# **Question:** at which distance is the error gone, and why just there?
#
# <details><summary>Answer</summary>
#
# At 8. Each blur looks one pixel further, so what padding made up moves inwards by one pixel with
# each blur. After 8 blurs the outer 8 pixels depend on it, and no others.
#
# </details>
#
# Is the order of the four modes an accident of this photo? Ask all the pictures of the course.

# %% tags=["nbval-check-output"]
names = nst.picture_names()
at_border = [{mode: border_energy(name, mode)[0] for mode in MODES} for name in names]
print("pictures:", len(names))
print("zeros are the worst guess in:", sum(max(e, key=e.get) == "zeros" for e in at_border))
print("replicate is the best guess in:", sum(min(e, key=e.get) == "replicate" for e in at_border))
print("gone after 8 pixels:", all(energies[m][8] < 1e-3 * energies[m][7] for m in MODES))

# %% [markdown]
# This holds for blurring: neighbours in a picture are alike, so repeating the last pixel is a good
# guess, and black is a bad one. In the table above, reflect comes close.
#
# ### Exercise: how far does padding reach?
#
# A picture of `height` × `width` pixels goes through `count` layers. Each of them has 3×3 kernels,
# padding 1 and stride 1. How many places of the result depend on what padding made up? Count
# places, not channels. The layers may be so many that no place is left untouched.


# %% tags=["exercise"]
def my_touched_by_padding(height, width, count):
    """Return how many of height x width places depend on padding after `count` 3 x 3 layers."""
    untouched_rows = ...
    untouched_columns = ...
    return height * width - untouched_rows * untouched_columns


# %% tags=["check", "nbval-check-output"]
exercises.check_touched_by_padding(my_touched_by_padding)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# After one layer the outermost ring is touched. After two layers two rings are touched. How many
# of 10 rows are left untouched then?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A picture of 5 rows has none left after 3 layers. Your formula may say −1. `max(…, 0)` helps.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_touched_by_padding(height, width, count):
#     untouched_rows = max(height - 2 * count, 0)
#     untouched_columns = max(width - 2 * count, 0)
#     return height * width - untouched_rows * untouched_columns
# ```
#
# </details>
#
# ### What a network sees at the border
#
# A network has many layers, and each of them pads. VGG was trained with zero padding. The backbone
# of this course, `compact`, repeats the border pixel. Show a plain gray picture to both kinds. An
# ideal layer would give the same number everywhere. (The second network has random weights and
# VGG's zero padding.)

# %%
PLAIN = torch.full((1, 3, 64, 64), 0.6)


def response(name, layer):
    """Return the feature maps of a plain picture, each divided by its value in the middle."""
    backbone = nst.load_backbone(name)
    maps = backbone(PLAIN.to(backbone.mean.device), [layer])[layer].cpu()
    middle = maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]
    seen = middle[0] > 1e-3  # channels that respond to gray at all
    return maps[:, seen] / middle[:, seen, None, None]


responses = [response(name, "relu2_2") for name in ("compact", "random")]
deviations = [(maps - 1).square().mean(dim=1, keepdim=True).sqrt() for maps in responses]
plots.show_images(
    [(0.8 - deviation).expand(1, 3, -1, -1) for deviation in deviations],
    titles=["replicate padding", "zero padding"],
    alt="The darker, the more a unit's response to plain gray differs from that in the middle. "
    "With replicate padding all is equally bright. With zero padding there is a dark frame, three "
    "units wide.",
)

# %% [markdown]
# The darker a unit, the more its response differs from that in the middle.

# %% tags=["nbval-check-output"]
for name, deviation in zip(("replicate", "zeros"), deviations, strict=True):
    frame = depth(*deviation.shape[-2:])[deviation[0, 0] > 0.01]  # distances where they differ
    width = int(frame.max()) + 1 if len(frame) else 0
    print(f"{name:10} the frame in the map of 32 x 32 units is {width} units wide")

# %% [markdown]
# **Question:** four convolutions stand before `relu2_2`. After the second of them a pooling layer
# halves the size. Why is the frame 3 units wide?
#
# <details><summary>Answer</summary>
#
# Each 3×3 convolution brings the border one unit further in. The first two make a frame of 2
# pixels. Pooling turns these into 1 unit. The other two convolutions add 1 unit each: 1 + 2 = 3.
#
# </details>
#
# So padding is not neutral. Zero padding tells a network where the border is: the layers behind it
# see an edge, and there is none in the picture. Md Amirul Islam and others showed in 2021 that
# trained networks learn positions from zero padding, and that this can help or harm: [Position,
# Padding and Predictions](https://arxiv.org/abs/2101.12322). In style transfer nobody asked for a
# frame. This is why `compact` repeats the border pixel.
#
# (In VGG's first layer a zero is not black. The picture is normalised before it, so that 0 stands
# for the mean colour of the training pictures; see lesson 5. For our plain gray it is an edge all
# the same.)
#
# One more property is worth knowing. Shift a picture in a circle: what leaves at the right comes
# back at the left. Which paddings make the result shift in the same way, and change nothing else?

# %% tags=["nbval-check-output"]
shifted = torch.roll(PHOTO, shifts=7, dims=-1)
for mode in MODES:
    same = torch.allclose(
        blur(shifted, 1, mode), torch.roll(blur(PHOTO, 1, mode), 7, dims=-1), atol=1e-6
    )
    print(f"{mode:10} shift, then blur = blur, then shift: {same}")

# %% [markdown]
# Only circular padding treats all places alike. The others know where the border is.
#
# ## Stride: what is left out
#
# With stride 2 the window stands on every second place. So the result is every second number of
# the result with stride 1:

# %% tags=["nbval-check-output"]
dense = layers.cross_correlate2d(PHOTO, box(3), padding=1)
strided = layers.cross_correlate2d(PHOTO, box(3), padding=1, stride=2)
print("stride 2 = every second number:", torch.allclose(strided, dense[:, :, ::2, ::2]))
by_torch = F.conv2d(PHOTO, box(3), padding=1, stride=2)
print("as torch:", torch.allclose(strided, by_torch, atol=1e-6))
share = strided.numel() / dense.numel()
print("about a quarter of the numbers is left:", abs(share - 0.25) < 0.02)

# %% [markdown]
# **Predict:** a picture has dark and light stripes, each one pixel wide. We keep every second
# pixel. What do we see?
#
# - (a) stripes, half as many
# - (b) a plain middle gray
# - (c) plain dark, or plain light
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) Every second pixel of dark, light, dark, light … has always the same colour.
# - (b) This is what you see from far away, because the eye takes means. A stride takes no mean.
#   It throws away.
# - (c) Right. Which of the two depends on where you begin to count. That detail of the picture
#   comes back as something else is called **aliasing**.
#
# </details>

# %%
stripes = (0.2 + 0.6 * (torch.arange(64) % 2)).expand(1, 3, 64, 64)
point = torch.eye(3).view(3, 3, 1, 1)  # a kernel of one pixel: take it as it is
kept = layers.cross_correlate2d(stripes, point, stride=2)
moved = layers.cross_correlate2d(stripes[..., 1:], point, stride=2)
meaned = layers.cross_correlate2d(stripes, box(2), stride=2)
plots.show_images(
    [stripes, kept, moved, meaned],
    titles=["stripes", "stride 2", "stride 2, begun one pixel later", "mean of 2×2, stride 2"],
    alt="Fine dark and light stripes. With stride 2 all turns dark; begun one pixel later, all "
    "turns light. With the mean of 2 by 2 pixels all turns middle gray.",
)

# %% tags=["nbval-check-output"]
for name, picture in {"stripes": stripes, "kept": kept, "moved": moved, "meaned": meaned}.items():
    print(f"{name:8} darkest {picture.min():.1f}, mean {picture.mean():.1f}")

# %%
drawing = nst.load_image("hatching", size=2 * SIZE)
thinned = layers.cross_correlate2d(drawing, point, stride=4)
averaged = layers.cross_correlate2d(drawing, box(4), stride=4)
plots.show_images(
    [thinned, averaged],
    titles=["every fourth pixel", "mean of 4×4, stride 4"],
    alt="A pen drawing, made small in two ways. Every fourth pixel: broken, jagged lines. Means: "
    "soft lines.",
)

# %% [markdown]
# A stride saves work: with stride 2 only a quarter of the numbers are computed. But a stride that
# is larger than the window skips pixels, and fine patterns may come back wrong. A window that is as
# wide as the stride skips no pixel. To weaken fine patterns before they do harm, it also has to
# smooth, as the mean does. Lesson 3 meets this again as pooling.
#
# ### Exercise: put the lines in order
#
# A Parsons problem. These lines compute a convolution with padding and stride for one channel,
# when they are put in the right order. Two of the nine lines do not belong there.
#
# | letter | line |
# |---|---|
# | A | `        window = padded[i * stride : i * stride + k, j * stride : j * stride + k]` |
# | B | `    for j in range(columns):` |
# | C | `padded = pad(image, padding)` |
# | D | `        result[i, j] = (window * kernel).sum()` |
# | E | `rows, columns = ((side - k) // stride + 1 for side in padded.shape)` |
# | F | `        window = padded[i : i + k, j : j + k]` |
# | G | `result = torch.zeros(rows, columns)` |
# | H | `for i in range(rows):` |
# | I | `rows, columns = ((side - k) // stride + 1 for side in image.shape)` |
#
# Write the seven letters in order.

# %% tags=["exercise"]
my_convolution_lines = [...]  # for example ["A", "B", "C"]

# %% tags=["check", "nbval-check-output"]
exercises.check_convolution_lines(my_convolution_lines)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# What must be known before the loops can begin? Before `result` can be made? Before the sizes can
# be computed?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A and F both cut out a window. Try both with `i = 1` and a stride of 2: where should the second
# window begin? E and I both compute sizes. Which line is it that the window slides along?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_convolution_lines = ["C", "E", "G", "H", "B", "A", "D"]
# ```
#
# </details>
#
# ## Is a bigger kernel better?
#
# A bigger kernel sees more and has more numbers to adapt. So it can only be better?
#
# Test it. Somebody sharpened a photo with a kernel that we do not know, and there is noise in the
# result. We look for the kernel that fits best, in a piece of 20×20 pixels. This is a system of
# 400 linear equations, and `torch.linalg.lstsq` finds the kernel with the smallest squared error.
# Then we use the kernel in another part of the photo. (How the equations are collected does not
# matter here; the numbers that come out do.)

# %%
CLEAN = nst.load_image("coffee", size=128).mean(dim=1, keepdim=True).double()
SHARPEN = torch.tensor([[[[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]]]).double()
NOISE = torch.randn(CLEAN.shape, generator=torch.Generator().manual_seed(0)).double()
GIVEN = layers.cross_correlate2d(CLEAN, SHARPEN, padding=1) + 0.1 * NOISE


def equations(window, top, left, side=20):
    """Return one row of pixels for each place of the window, and the numbers wanted there."""
    reach = window // 2
    y, x = top - reach, left - reach
    piece = CLEAN[:, :, y : y + side + 2 * reach, x : x + side + 2 * reach]
    pixels = F.unfold(piece, window)[0].T  # (1, window², places) -> (places, window²)
    return pixels, GIVEN[0, 0, top : top + side, left : left + side].reshape(-1, 1)


# %% [markdown]
# **Predict:** the true kernel is 3×3. Which window gives the smallest error in the *other* part of
# the photo?
#
# - (a) 11×11
# - (b) 7×7
# - (c) 3×3
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) It contains every 3×3 kernel, with zeros around it. So where it was fitted it can only
#   be better. But its other 112 numbers do not stay zero: they adapt to the noise.
# - (b) Less wrong than (a), but 40 of its 49 numbers have nothing to do but fit noise.
# - (c) Right, as the next cells show.
#
# </details>

# %%
windows = [1, 3, 5, 7, 9, 11]
fitted, elsewhere = [], []
for window in windows:
    pixels, wanted = equations(window, top=20, left=20)
    kernel = torch.linalg.lstsq(pixels, wanted).solution
    fitted.append((pixels @ kernel - wanted).square().mean().item())
    pixels, wanted = equations(window, top=30, left=70)
    elsewhere.append((pixels @ kernel - wanted).square().mean().item())

plots.plot_lines(
    {"where it was fitted": fitted, "elsewhere": elsewhere},
    x=windows,
    xlabel="side of the window",
    ylabel="mean squared error",
    title="One unknown 3×3 kernel, six sizes of windows",
    alt="Mean squared error by the side of the window, on a logarithmic scale. Both lines drop "
    "from 1 to 3. After that the error where the kernel was fitted falls slowly. The error "
    "elsewhere rises, and ends about seven times as high as the other.",
)

# %%
print("window  numbers  error where fitted  error elsewhere")
for window, near, far in zip(windows, fitted, elsewhere, strict=True):
    print(f"{window:4}    {window**2:5}    {near:.4f}              {far:.4f}")

# %% tags=["nbval-check-output"]
print("best where fitted:", windows[fitted.index(min(fitted))])
print("best elsewhere:   ", windows[elsewhere.index(min(elsewhere))])

# %% [markdown]
# **Question:** which column would mislead you, and why?
#
# <details><summary>Answer</summary>
#
# The error where the kernel was fitted. It falls with every larger window, down below the variance
# of the noise, which is 0.01. No kernel can really predict noise. So a part of that success is
# learned by heart. This is **overfitting**.
#
# </details>
#
# ### Exercise: choose a window
#
# Write the rule by which you would choose the window from such a table. `fitted` and `elsewhere`
# are lists with an error for each window.


# %% tags=["exercise"]
def my_choose_window(windows, fitted, elsewhere):
    """Return the window that you would use for new pictures."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_choose_window(my_choose_window)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Which of the two lists says something about pictures that the fit has not seen?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `errors.index(min(errors))` is the position of the smallest error.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_choose_window(windows, fitted, elsewhere):
#     return windows[elsewhere.index(min(elsewhere))]
# ```
#
# </details>
#
# ### Two small kernels against one large
#
# A network that should see 5×5 pixels can use one 5×5 kernel, or two 3×3 kernels one after the
# other. An impulse shows how far each of them reaches.

# %% tags=["nbval-check-output"]
impulse = torch.zeros(1, 1, 9, 9)
impulse[0, 0, 4, 4] = 1
ones = torch.ones(1, 1, 3, 3)
once = layers.cross_correlate2d(impulse, ones, padding=1)
twice = layers.cross_correlate2d(once, ones, padding=1)
for line in twice[0, 0].int().tolist():
    print(*line)
print("pixels reached:", int((twice > 0).sum()))

# %% [markdown]
# Two 3×3 kernels reach 5×5 pixels. With $C$ channels in and out, they have $2 \cdot 9\,C^2$
# weights. One 5×5 kernel has $25\,C^2$.

# %% tags=["nbval-check-output"]
channels = 64
two_small, one_large = 2 * 3 * 3 * channels**2, 5 * 5 * channels**2
print("weights of two 3×3 layers:", two_small)
print("weights of one 5×5 layer: ", one_large)
print("ratio:", two_small / one_large)

# %% [markdown]
# Fewer numbers must mean that something is lost. Two 3×3 kernels in a row, without anything
# between them, have 18 numbers. A 5×5 kernel has 25. Let gradient descent look for two kernels
# that together do what a given 5×5 kernel does. (You need not read the next cell. It uses tools
# that lesson 4 explains.)


# %%
def factorise(wanted, steps=300, starts=16):
    """Find two 3 x 3 kernels whose chain is near the 5 x 5 kernel; return the relative error."""
    generator = torch.Generator().manual_seed(0)
    pairs = torch.randn(2, starts, 1, 3, 3, generator=generator).requires_grad_()
    optimizer = torch.optim.Adam([pairs], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        first = F.pad(pairs[0], [2] * 4).transpose(0, 1)  # (1, starts, 7, 7)
        chains = F.conv2d(first, pairs[1].flip(-2, -1), groups=starts)  # what the two do together
        errors = (chains - wanted).square().sum(dim=(0, 2, 3)) / wanted.square().sum()
        errors.sum().backward()
        optimizer.step()
    return errors.min().item()  # of the best start


# %%
pascal = torch.tensor([1.0, 4, 6, 4, 1]) / 6
smooth = pascal[:, None] * pascal
some = torch.randn(5, 5, generator=torch.Generator().manual_seed(1))
errors = {"a smooth 5×5 kernel": factorise(smooth), "a random 5×5 kernel": factorise(some)}
for name, error in errors.items():
    print(f"{name}: relative squared error {error:.6f}")

# %% tags=["nbval-check-output"]
print("the smooth one can be split:", errors["a smooth 5×5 kernel"] < 0.001)
print("the random one was split as well:", errors["a random 5×5 kernel"] < 0.001)

# %% [markdown]
# So the two are not equal. Two small kernels see as far as the large one, with fewer weights and
# less work, but they cannot do everything that it can. In exchange a network puts an *activation*
# between them. Then the pair can do things that no single kernel can (lesson 3).
#
# Karen Simonyan and Andrew Zisserman chose 3×3 kernels everywhere for these reasons: [Very Deep
# Convolutional Networks for Large-Scale Image Recognition](https://arxiv.org/abs/1409.1556)
# (2014). Their network is the VGG of this course.
#
# ## The receptive field
#
# The **receptive field** of a unit is the part of the picture that it can see: the pixels that can
# change its value. Count along one side. The first layer sees its window, $k_1$ pixels. Each
# further layer adds $k_l - 1$ units of the layer before it. How many *pixels* lie between two of
# those units? The product of all strides before:
#
# $$r = 1 + \sum_{l} (k_l - 1) \prod_{m<l} s_m$$
#
# Gradients measure it: a pixel that a unit can see has a gradient that is not zero. Kernels of
# ones make sure that no gradient is zero by accident.


# %%
def measured_field(windows_and_strides, size=64):
    """Count the pixels on a line that change one unit of the last layer."""
    line = torch.zeros(1, 1, size, requires_grad=True)
    units = line
    for window, stride in windows_and_strides:
        units = F.conv1d(units, torch.ones(1, 1, window), stride=stride)
    units[0, 0, 0].backward()
    return int((line.grad != 0).sum())


# %% tags=["nbval-check-output", "binds-formula"]
stacks = {
    "one 5×5": [(5, 1)],
    "two 3×3": [(3, 1), (3, 1)],
    "three 3×3": [(3, 1)] * 3,
    "3×3, pooling, 3×3": [(3, 1), (2, 2), (3, 1)],
    "two 3×3 with stride 2": [(3, 2), (3, 2)],
}
for name, stack in stacks.items():
    formula = 1
    for number, (window, _) in enumerate(stack):
        strides_before = torch.tensor([stride for _, stride in stack[:number]])
        formula += (window - 1) * int(strides_before.prod())
    agree = formula == layers.receptive_field(stack) == measured_field(stack)
    print(f"{name:22} {formula:2} pixels, package and gradient agree: {agree}")

# %% [markdown]
# **Question:** in the fourth stack the second 3×3 layer adds 4 pixels, not 2. Why?
#
# <details><summary>Answer</summary>
#
# It stands behind a pooling layer with stride 2. Its neighbours are 2 pixels apart, so 3 − 1 = 2
# units more are 4 pixels more. A stride makes everything behind it see further.
#
# </details>
#
# ### Exercise: the receptive field
#
# A blank page. `windows_and_strides` is a list of pairs, such as `[(3, 1), (2, 2)]`, from the
# picture on.


# %% tags=["exercise"]
def my_receptive_field(windows_and_strides):
    """Return how many pixels, along one side, a unit of the last layer sees."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_receptive_field(my_receptive_field)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Walk through the list once. Keep two numbers: the pixels seen so far, and the distance in pixels
# between two neighbouring units.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Before the first layer a unit is a pixel: it sees 1 pixel, and its neighbour is 1 pixel away. A
# layer's own stride does not change how far *it* sees, only how far the layers behind it see.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_receptive_field(windows_and_strides):
#     seen, distance = 1, 1
#     for window, stride in windows_and_strides:
#         seen = seen + (window - 1) * distance
#         distance = distance * stride
#     return seen
# ```
#
# </details>
#
# ### How far does the backbone see?
#
# `compact` has VGG-19's windows and strides. Ask one unit in the middle of four layers which pixels
# change it, and how much.

# %%
BACKBONE = nst.load_backbone("compact")
DEPTHS = ["relu1_2", "relu2_2", "relu3_4", "relu4_1"]


def field_of(layer):
    """Return the receptive field of a layer of the backbone, by the formula."""
    before = BACKBONE.layers[: BACKBONE.layers.index(layer)]
    settings = {"conv": (3, 1), "pool": (2, 2), "relu": (1, 1)}
    return layers.receptive_field([settings[name[:4]] for name in before])


def sensitivity(layer, size=96):
    """Return how much each pixel changes the unit in the middle of `layer`: (size, size)."""
    noise = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    pixels = noise.to(BACKBONE.mean.device).requires_grad_()
    maps = BACKBONE(pixels, [layer])[layer]
    maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2].sum().backward()
    return pixels.grad[0].abs().sum(dim=0).cpu()  # (1, 3, H, W) -> (H, W)


# %%
fields = {layer: sensitivity(layer) for layer in DEPTHS}
plots.show_images(
    [(f / f.max()).sqrt().expand(1, 3, -1, -1) for f in fields.values()],
    titles=[f"{layer}: {field_of(layer)} pixels" for layer in DEPTHS],
    columns=2,
    alt="Four black squares with a bright patch in the middle. The deeper the layer, the larger "
    "the patch. Each patch is brightest near its middle and fades outwards.",
)


# %%
def middle_shares(f):
    """Return the side of a field, and two shares of its inner square: of gradient and of area."""
    rows, columns = ((f > 0).any(dim=1).nonzero(), (f > 0).any(dim=0).nonzero())
    f = f[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    rim = len(f) // 4
    inner = f[rim:-rim, rim:-rim]
    return len(f), float(inner.sum() / f.sum()), inner.numel() / f.numel()


measured = {layer: middle_shares(f) for layer, f in fields.items()}
print("layer    formula  measured  inner square: area, gradient")
for layer, (side, gradient, area) in measured.items():
    print(f"{layer}  {field_of(layer):7}  {side:8}  {area:18.2f}  {gradient:8.2f}")

# %% tags=["nbval-check-output"]
print("by the formula:", [field_of(layer) for layer in DEPTHS])
print("measured:      ", [side for side, _, _ in measured.values()])
print("the inner square has more than its share:", all(g > a for _, g, a in measured.values()))

# %% [markdown]
# The formula gives the pixels that *can* matter. Those in the middle matter more: there are more
# paths from them to the unit. Wenjie Luo, Yujia Li, Raquel Urtasun and Richard Zemel described this
# in 2016 as the **effective receptive field**: [their paper](https://arxiv.org/abs/1701.04128).
#
# For style transfer the receptive field says how large a brush stroke a layer can see. A unit that
# sees 5 pixels cannot know a swirl that is 50 pixels wide. A unit that sees 68 pixels can. If the
# picture gets larger, the field stays as it is: in a large picture the same unit sees a smaller
# part.
#
# ## Recap
#
# - The output size is ⌊(n + 2p − k) / s⌋ + 1: steps, and one for the first place.
# - Padding makes up pixels. Zeros are black pixels and darken the border. Its effect moves inwards,
#   layer by layer.
# - A stride keeps every s-th result. What it leaves out may come back as aliasing.
# - A bigger kernel fits better where it was fitted. Elsewhere it may do worse. Two 3×3 kernels see
#   as far as one 5×5, with 72 % of the weights.
# - A unit sees 1 + Σ (k − 1) · (product of the strides before) pixels.
#
# **Look back:** which of the four paddings would you choose for the blurred photo at the top?
# Blur it forty times with your choice, and look at the border.
#
# **One thing to try:** compute the border energy of a *sharpening* kernel in place of the blur. Is
# replicate still the best guess?
