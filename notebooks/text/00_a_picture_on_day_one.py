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
# # Lesson 0: A picture on day one
#
# How can a program paint a cat in the manner of a picture it has never seen before, with no
# brush, no filter, and no training? In this lesson you watch it happen. Lessons 1 to 8 build
# every part of it.
#
# **After this lesson you can**
#
# - turn a photo of your own into a painting, offline, in seconds;
# - say which one thing changes while the program runs, and which things do not;
# - tell style transfer apart from laying one picture over another.
#
# **Time:** 15 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
import torch

import nst_edu as nst
from nst_edu import exercises, plots

torch.manual_seed(0)
SIZE = 96 if nst.is_fast() else 192  # pixels on the longer side, for the experiments
STEPS = 10 if nst.is_fast() else 60

# %% [markdown]
# ## Two pictures
#
# Style transfer starts from two pictures. The **content** picture says *what* to paint. The
# **style** picture says *how* to paint it. Both come with this course, so you need no network.

# %%
content = nst.load_image("chelsea")
style = nst.load_image("swirl")

plots.show_images(
    [content, style],
    titles=["content: what to paint", "style: how to paint it"],
    alt=f"Content: {nst.picture_alt('chelsea')} Style: {nst.picture_alt('swirl')}",
)

# %% [markdown]
# **Before you go on, decide:** what should a good result take from the left picture, and what
# from the right one? Write down one word for each. You will need them at the end.

# %% [markdown]
# ## One call
#
# The next cell does all of it. It takes some seconds on a laptop.

# %%
picture = nst.style_transfer(content, style)

plots.show_images(
    [picture],
    titles=["the finished picture"],
    alt="The cat of the content picture, in the colours and curved strokes of the style picture.",
)

# %% [markdown]
# A picture is a block of numbers, a **tensor**. Its shape is `(1, 3, H, W)`: one picture, three
# colour channels (red, green, blue), H rows and W columns of pixels. Every number lies between 0
# and 1.

# %% tags=["nbval-check-output"]
print("shape:", tuple(picture.shape))
print("numbers in it:", picture.numel())
print("all between 0 and 1:", bool(picture.min() >= 0 and picture.max() <= 1))

# %% [markdown]
# ## What changes?
#
# A neural network takes part: it looks at pictures and says what it sees. The program runs a
# loop: look at the picture, measure what is wrong with it, change something a little, look again.
#
# **Predict:** *what* does it change?
#
# - (a) the weights of the network: the network is being trained
# - (b) the content picture
# - (c) the pixels of a third picture
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) Often believed, because most programs with a neural network train it. The next cell tests
#   it.
# - (b) The content picture has to stay as it is. The program compares the result with it at every
#   step.
# - (c) Right. The third picture begins as a copy of the content picture, and its pixels are the
#   only numbers that change.
#
# </details>
#
# Test it. We keep a copy of everything before the run, and compare afterwards.

# %% tags=["nbval-check-output"]
network = nst.load_backbone()  # the network that looks at the pictures
small_content = nst.resize(content, SIZE)
small_style = nst.resize(style, SIZE)

weights_before = [weights.clone() for weights in network.parameters()]
content_before = small_content.clone()

steps = list(
    nst.style_transfer_steps(small_content, small_style, backbone=network, steps=STEPS, scales=1)
)

weights_equal = all(map(torch.equal, weights_before, network.parameters()))
print("the network's weights changed:    ", not weights_equal)
print("the content picture changed:      ", not torch.equal(content_before, small_content))
print("the third picture's pixels changed:", not torch.equal(steps[0].image, steps[-1].image))

# %% [markdown]
# So nothing is trained. The network was trained before, and is only *asked* here. Style transfer
# is an **optimisation**: a search for the pixels that fit best.
#
# ### Exercise: the one tensor that changes
#
# Here is all that takes part. Give the letter of the *one* tensor that the loop changes.
#
# | letter | tensor | shape |
# |---|---|---|
# | `"a"` | the weights of the network | many |
# | `"b"` | the content picture | (1, 3, H, W) |
# | `"c"` | the style picture | (1, 3, H', W') |
# | `"d"` | the picture that is being painted | (1, 3, H, W) |
# | `"e"` | what the network said about the photo, to compare with | (1, C, H/8, W/8) |

# %% tags=["exercise"]
my_changing_tensor = ...  # a letter in quotes, for example "a"

# %% tags=["check", "nbval-check-output"]
exercises.check_changing_tensor(my_changing_tensor)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# What did the cell above print about the weights and about the content picture?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Which of the five looked different at step 0 and at the last step?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_changing_tensor = "d"
# ```
#
# </details>
#
# ## How well it fits
#
# How well they fit is measured by a number, the **loss**. It has a part for the content and a
# part for the style. A loss of 0 would be a perfect fit. Here the total is content + 50 · style.
# (`tv` tells how rough the picture is; it does not count here. A value of 0 has no place on a
# logarithmic axis.)

# %%
plots.plot_losses(steps)

# %%
moments = [0, STEPS // 12, STEPS // 4, STEPS - 1]
plots.show_images(
    [steps[k].image for k in moments],
    titles=[f"step {k}" for k in moments],
    alt="Four moments: first the photo itself, then the colours change, then strokes appear.",
)

# %% [markdown]
# **Look at both:** at step 0 the picture *is* the photo. Its content loss is 0, and its style
# loss is large. What happens to the content loss while the picture becomes a painting? Lesson 8
# comes back to it.

# %% tags=["nbval-check-output"]
first, last = steps[0].losses, steps[-1].losses
print("content loss at step 0:", first.content)
print("content loss rose:", last.content > first.content)
print("style loss fell to less than half:", last.style < first.style / 2)
print("total loss fell:", last.total < first.total)

# %% [markdown]
# ## Is it a filter laid over the photo?
#
# Photo programs lay a texture over a photo by mixing pixels: half from one picture, half from the
# other. The function `mix` does this.


# %%
def mix(photo, texture):
    """Lay one picture over the other: half of each pixel."""
    texture = nst.resize(texture, photo.shape[-2:])
    return 0.5 * photo + 0.5 * texture


# %% [markdown]
# ### Exercise: a filter laid over a photo
#
# Let the user choose how much of the texture there should be. A `share` of 0 gives back the photo,
# a `share` of 1 gives the texture alone. Both pictures have the same size here.


# %% tags=["exercise"]
def my_overlay(photo, texture, share):
    """Return the photo with `share` of the texture laid over it."""
    return ... * photo + ... * texture


# %% tags=["check", "nbval-check-output"]
exercises.check_overlay(my_overlay)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# In `mix` both numbers are 0.5. What do they add up to?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# If a quarter comes from the texture, how much comes from the photo?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_overlay(photo, texture, share):
#     """Return the photo with `share` of the texture laid over it."""
#     return (1 - share) * photo + share * texture
# ```
#
# </details>
#
# Is this what style transfer does? We shift the style picture to the left by a third of its width,
# and see what follows.
#
# **Predict:** what leaves the style picture at one side comes back at the other. How much will (1)
# the mixed picture and (2) the style transfer change?
#
# - (a) both change much
# - (b) only the mixture changes much
# - (c) neither changes much
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) You expect that style transfer uses what lies *where* in the style picture. The next cell
#   tests it.
# - (b) Right. Style transfer asks which colours and strokes occur in the style picture, and which
#   occur together, but not where. Lesson 7 shows how.
# - (c) The mixture takes every pixel from its place, so it has to change.
#
# </details>


# %%
def paint(photo, texture, network):
    """Style transfer, in a small size."""
    return nst.style_transfer(photo, texture, backbone=network, steps=STEPS, scales=1)


shifted_style = torch.roll(small_style, shifts=-small_style.shape[-1] // 3, dims=-1)
mixtures = [mix(small_content, picture) for picture in (small_style, shifted_style)]
paintings = [paint(small_content, picture, network) for picture in (small_style, shifted_style)]

plots.show_images(
    [*mixtures, *paintings],
    titles=["mixed", "mixed, style shifted", "painted", "painted, style shifted"],
    alt="In the two mixed pictures the style's motifs lie over the cat, at different places. "
    "The two painted pictures look alike.",
)

# %% [markdown]
# ### Exercise: how much has a picture changed?
#
# The eye says it. A number says it, too: by how much does a number of the picture change *on
# average*, up or down? Write the function from the start. It gets two pictures of the same size.


# %% tags=["exercise"]
def my_picture_change(before, after):
    """Return the mean absolute difference of two pictures."""
    return ...


# %% tags=["check", "nbval-check-output"]
exercises.check_picture_change(my_picture_change)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# One pixel gets brighter by 0.2, another one darker by 0.2. The average change is 0.2, not 0.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A tensor has the methods `.abs()` and `.mean()`. The order matters.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_picture_change(before, after):
#     """Return the mean absolute difference of two pictures."""
#     return (after - before).abs().mean()
# ```
#
# </details>

# %% tags=["nbval-check-output"]
change_of_mixture = (mixtures[0] - mixtures[1]).abs().mean()
change_of_painting = (paintings[0] - paintings[1]).abs().mean()
print("the painting changed less than the mixture:", bool(change_of_painting < change_of_mixture))

# %% [markdown]
# ### Exercise: four claims
#
# Here are four claims about style transfer. You have seen an experiment on each of them. Write
# `True` or `False`.

# %% tags=["exercise"]
my_claims = {
    "it trains the network": ...,
    "it lays the style picture over the photo": ...,
    "its content loss rises from 0": ...,
    "it cares where things are in the style picture": ...,
}

# %% tags=["check", "nbval-check-output"]
exercises.check_claims(my_claims)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The first claim: look at what was printed about the weights. The third: look at step 0.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The other two: compare the four pictures in a row. Which of them change when the style picture is
# shifted?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_claims = {
#     "it trains the network": False,
#     "it lays the style picture over the photo": False,
#     "its content loss rises from 0": True,
#     "it cares where things are in the style picture": False,
# }
# ```
#
# </details>
#
# ## Your turn at the easel
#
# Choose another pair. Then change one thing at a time, and say what you expect *before* you run
# the cell.

# %% tags=["nbval-check-output"]
print("photos:", ", ".join(nst.picture_names("photos")))
print("styles:", ", ".join(nst.picture_names("styles")))

# %%
my_content = nst.load_image("coffee", size=2 * SIZE)
my_style = nst.load_image("strokes")

my_picture = nst.style_transfer(my_content, my_style, steps=STEPS, style_weight=50.0)

plots.show_images([my_picture], titles=["mine"], alt="My own choice of content and style.")

# %% [markdown]
# A file of your own works too: `nst.load_image("my_photo.jpg", size=512)`. Drop it into the
# folder of this notebook first. `nst.save_image(my_picture, "painting.png")` keeps the result.
#
# ## Recap
#
# - Style transfer searches for *pixels*. Nothing is trained: the network's weights stay as they
#   are.
# - The loss says how far the picture still is from the content of one picture and from the style
#   of another.
# - The style is *which* colours and strokes occur, and which occur together; not *where* they
#   are.
#
# The method is by Leon Gatys, Alexander Ecker and Matthias Bethge. They published it in 2015: [A
# Neural Algorithm of Artistic Style](https://arxiv.org/abs/1508.06576).
#
# **Look back:** compare your two words from the beginning with the picture. What did it take from
# each?
#
# **One thing to try:** paint with `start="noise"`. The search then begins with random pixels in
# place of the photo. Does it still find the cat?
