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
# # Lesson 9: The bug museum
#
# Four programs got the same photo and the same style picture. All of them ran to their end, and
# none reported an error. One program is right. Each of the others has one wrong line. Which one
# would you trust, and how would you find the wrong lines? In this lesson you visit mistakes that
# stand in published programs and articles, and you learn to write the test that finds them.
#
# **After this lesson you can**
#
# - name the cause of fourteen classic mistakes by their symptoms;
# - write a small test that fails on a bug and passes on right code;
# - tell a test that proves something from a test that never fails;
# - check a claim that you have read by an experiment.
#
# **Time:** 50 minutes. <!-- cost -->
#
# Terms in bold type stand in the [glossary](glossary.md) (English, 中文). [All lessons](README.md).
#
# *Before you begin:* the results are stored in this notebook. Choose *Edit → Clear Outputs of All
# Cells*, so that no answer stands below its question.

# %%
import torch
from PIL import Image
from torch import nn

import nst_edu as nst
from nst_edu import exercises, plots
from nst_edu.losses import content_loss, gram_matrix, style_loss, total_variation_loss

torch.manual_seed(0)
SIZE = 64 if nst.is_fast() else 96  # pixels on the longer side
STEPS = 12 if nst.is_fast() else 60  # evaluations of the loss in one run

BACKBONE = nst.load_backbone()
DEVICE = BACKBONE.mean.device
CONTENT = nst.load_image("chelsea", size=SIZE).to(DEVICE)
STYLE = nst.load_image("swirl", size=SIZE).to(DEVICE)
OTHER_STYLE = nst.load_image("glass", size=SIZE).to(DEVICE)
NOISE = torch.rand(CONTENT.shape, generator=torch.Generator().manual_seed(0)).to(DEVICE)


# %% [markdown]
# ## Four programs
#
# Two functions are enough for most exhibits. The first one is the loop of lesson 8, with Adam.


# %%
def paint(loss_of, start, steps=STEPS):
    """Change the pixels of `start` so that the loss falls; return the picture and the losses."""
    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=0.03)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(pixels)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            pixels.clamp_(0, 1)
        losses.append(loss.item())
    return pixels.detach(), losses


# %% [markdown]
# The second one is the objective, built so that its parts can be exchanged for broken ones.


# %%
def relative_style_loss(maps, style_maps):
    """One layer's style loss, divided by the target's mean square as in lesson 8."""
    target = gram_matrix(style_maps)
    return style_loss(gram_matrix(maps), target) / target.square().mean()


def objective(style=STYLE, loss=relative_style_loss):
    """Return a function of the picture: its content loss + 20 * its style loss."""
    targets = BACKBONE(CONTENT, BACKBONE.content_layers)
    style_maps = BACKBONE(style, BACKBONE.style_layers)

    def loss_of(image):
        maps = BACKBONE(image, [*targets, *style_maps])
        parts = [content_loss(maps[n], t) / t.square().mean() for n, t in targets.items()]
        styles = [loss(maps[name], style_maps[name]) for name in style_maps]
        return sum(parts) / len(parts) + 20 * sum(styles) / len(styles)

    return loss_of


# %% tags=["nbval-check-output"]
package = nst.Objective(BACKBONE, CONTENT, STYLE, style_weight=20)
print("equal to the package's objective:", end=" ")
print(torch.allclose(objective()(NOISE), package(NOISE).total, rtol=1e-4))

# %% [markdown]
# Here are the four pictures. Do not try to understand the three broken lines yet: each of them has
# an exhibit of its own below.


# %%
def undivided_style_loss(maps, style_maps):
    """An exhibit."""
    target = gram_matrix(style_maps, divide_by="none")
    gram = gram_matrix(maps, divide_by="none")
    return style_loss(gram, target) / target.square().mean()


def blind_style_loss(maps, style_maps):
    """An exhibit."""
    return (maps - maps.mean()).square().mean()


LARGE_STYLE = nst.load_image("swirl", size=2 * SIZE).to(DEVICE)
programs = [
    objective(STYLE.flip(1)),
    objective(LARGE_STYLE, undivided_style_loss),
    objective(),
    objective(STYLE, blind_style_loss),
]
results = [paint(loss_of, CONTENT) for loss_of in programs]

# %%
plots.show_images(
    [CONTENT, STYLE, *(picture for picture, _ in results)],
    titles=["content", "style", *(f"program {k}" for k in range(1, 5))],
    columns=3,
    alt="A cat, a night sky of swirling blue strokes, and four results. Program 1: the cat in "
    "orange and brown strokes. Program 2: the cat in glaring colours, with black and white "
    "patches. Program 3: the cat in brown, green and blue strokes. Program 4: a gray area in which "
    "hardly anything can be made out.",
)

# %%
for number, (_, losses) in enumerate(results, 1):
    print(f"program {number}: the loss fell from {losses[0]:.3g} to {losses[-1]:.3g}")

# %% tags=["nbval-check-output"]
print("the loss fell in every program:", all(losses[-1] < losses[0] for _, losses in results))

# %% [markdown]
# A falling loss proves nothing: each program makes *its own* loss smaller. And who has never seen
# the right picture may well be content with a wrong one. What helps is a test.
#
# **Warm-up** (lesson 5): a convolution gives positive and negative numbers. What can you say about
# the numbers behind a ReLU?
#
# <details><summary>Answer</summary>
#
# None of them is negative: ReLU replaces every negative number by 0. The first exhibit uses it.
#
# </details>
#
# ## Room 1: What the network sees
#
# ### Exhibit 1: The map that changed afterwards (a worked example)
#
# A program saves the map of `conv1_1`, and goes on to the next layer. The ReLU of torchvision's
# VGG works **in place**: it writes its result over its input. A program that keeps the map then
# finds something else in it.


# %%
def saved_maps(image, relu):
    """Save the map behind the convolution and the one behind the ReLU."""
    saved = {}
    x = (image - BACKBONE.mean) / BACKBONE.std
    x = saved["conv1_1"] = BACKBONE.stages["conv1_1"](x)
    x = saved["relu1_1"] = relu(x)
    return saved


def as_picture(values):
    """Show one channel: 0 is middle gray, negative is darker, positive is brighter."""
    return (0.5 + 0.5 * values / values.abs().max()).expand(1, 3, -1, -1)


with_bug = saved_maps(CONTENT, nn.ReLU(inplace=True))["conv1_1"]
with_fix = saved_maps(CONTENT, nn.ReLU())["conv1_1"]
channel = with_fix.std(dim=(0, 2, 3)).argmax().item()

# %%
plots.show_images(
    [as_picture(with_fix[:, channel]), as_picture(with_bug[:, channel])],
    titles=["conv1_1, right", "conv1_1, overwritten"],
    alt="One channel of conv1_1. Right: bright and dark places on middle gray. Overwritten: all "
    "the dark places have become middle gray.",
)

# %% [markdown]
# How do you write a test that finds this?
#
# 1. **Say the promise in one sentence.** "The saved map of `conv1_1` is what the convolution
#    gave."
# 2. **Find something that is true of right code and not of the bug.** A convolution's map has
#    negative values; a ReLU's map has none.
# 3. **Write it as an `assert`.** An `assert` stops the program with an **AssertionError** if its
#    condition is not true. The text after the comma says what is wrong.
# 4. **Try it on both.** A test has two duties: it fails on the bug, and it passes on the fix.


# %%
def test_conv_map_is_kept(relu):
    """The saved map of a convolution has negative values."""
    saved = saved_maps(CONTENT, relu)
    assert saved["conv1_1"].min() < 0, "the map of conv1_1 has no negative value"


def try_test(test, **versions):
    """Run a test on each version, and say how it ends."""
    for name, version in versions.items():
        try:
            test(version)
        except AssertionError as error:
            print(f"{name}: the test FAILS: {error}")
        else:
            print(f"{name}: the test passes")


# %% tags=["nbval-check-output"]
try_test(test_conv_map_is_kept, bug=nn.ReLU(inplace=True), fix=nn.ReLU())

# %% [markdown]
# **The cause:** `saved["conv1_1"]` and the ReLU's result are one and the same tensor. **The fix:**
# `nn.ReLU(inplace=False)`, as in this package, or saving a copy with `.clone()`.
#
# **Check yourself:** the test is changed to `assert saved["relu1_1"].min() >= 0`. Which of its two
# duties does it fail to do?
#
# <details><summary>Answer</summary>
#
# The first one. A ReLU's map has no negative values with the bug and without it. So this test
# passes on both: it can never fail on this bug.
#
# </details>
#
# ### Exhibit 2: Blue first
#
# Some libraries, such as OpenCV, give the colours of a picture in the order blue, green, red
# (**BGR**). Pretrained networks of torchvision expect red, green, blue (**RGB**). Program 1 got
# its style picture in this way.


# %%
def load_blue_first(source):
    """Load a picture with its channels in the order blue, green, red: a mistake."""
    return nst.load_image(source).flip(1)


plots.show_images(
    [STYLE, STYLE.flip(1), results[2][0], results[0][0]],
    titles=["style", "style, blue first", "painted", "painted, blue first"],
    alt="The blue night sky; the same sky in brown and orange; the cat in brown and blue strokes; "
    "the cat in orange and brown strokes.",
)


# %% tags=["nbval-check-output"]
def test_red_stays_red(load):
    """A picture of one red pixel is 1, 0, 0."""
    numbers = load(Image.new("RGB", (1, 1), "red")).flatten().tolist()
    assert numbers == [1, 0, 0], f"red became {numbers}"


try_test(test_red_stays_red, bug=load_blue_first, fix=nst.load_image)

# %% [markdown]
# **The fix:** change the order once, where the file is read. **Check yourself:** would a test with
# a *white* pixel find the bug? (No. White has three equal channels, and their order does not show.
# Choose an input for which the bug makes a difference.)
#
# ### Exhibit 3: Prepared twice, prepared never, 0 to 255
#
# The networks expect pixels from 0 to 1, from which ImageNet's mean colour was subtracted, and
# which were divided by its standard deviation. Our backbone does this itself. A program that does
# it as well does it twice. Here the photo's maps are made in a wrong way, and then the photo is
# rebuilt from them (lesson 6).


# %%
def prepare(image):
    """Subtract the mean colour, divide by the standard deviation: right."""
    return (image - BACKBONE.mean) / BACKBONE.std


PREPARATIONS = {
    "once": prepare,
    "twice": lambda image: prepare(prepare(image)),
    "never": lambda image: image,
    "of 0 to 255": lambda image: prepare(255 * image),
}
LAYERS = ["relu2_1", "relu4_2"]


# %%
def look(prepared, layers=LAYERS):
    """Give the network prepared numbers: undo what the backbone is going to do."""
    return BACKBONE(prepared * BACKBONE.std + BACKBONE.mean, layers)


def distance_to(targets):
    """Return a function: how far are a picture's maps from the targets?"""

    def loss_of(image):
        maps = BACKBONE(image, list(targets))
        return sum(content_loss(maps[n], t) / t.square().mean() for n, t in targets.items())

    return loss_of


# %%
rebuilt = [paint(distance_to(look(f(CONTENT))), NOISE)[0] for f in PREPARATIONS.values()]
plots.show_images(
    rebuilt,
    titles=[f"prepared {name}" for name in PREPARATIONS],
    alt="Four pictures rebuilt from the photo's maps. Prepared once: the cat. Twice: the cat in "
    "much too strong contrasts. Never: a gray haze without a cat. Of 0 to 255: "
    "colourful patches.",
)


# %% [markdown]
# One tiny picture is enough for a test: one pixel of ImageNet's mean colour. Prepared rightly, it
# is 0, 0, 0.


# %% tags=["nbval-check-output"]
def test_mean_colour_becomes_zero(prepare):
    """The mean colour is prepared to 0."""
    largest = prepare(BACKBONE.mean).abs().max()
    assert largest < 1e-5, "the mean colour does not become 0"


try_test(test_mean_colour_becomes_zero, **PREPARATIONS)

# %% [markdown]
# **Check yourself:** a version subtracts the mean and forgets to divide. Does the test find it?
# (No: 0 divided by anything is 0. A second pixel, `mean + std`, has to become 1, 1, 1.)
#
# **Predict:** now a program prepares *everything* twice: the photo, the style and the picture that
# it paints. How broken will the painting be?
#
# - (a) destroyed, as above
# - (b) it looks like a good painting
# - (c) the program stops with an error
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) Above, the target was prepared in another way than the picture. They did not fit together.
# - (b) Right, as the next cell shows. The same mistake is made on both sides, so both still fit
#   together. The network only sees pictures unlike those it was trained on.
# - (c) The numbers have the right shape and type. There is nothing that could raise an error.
#
# </details>


# %%
class Twice:
    """A backbone that prepares every picture twice: a mistake."""

    content_layers, style_layers = BACKBONE.content_layers, BACKBONE.style_layers

    def __call__(self, image, layers):
        """Return the feature maps."""
        return look(prepare(prepare(image)), layers)


twice = nst.Objective(Twice(), CONTENT, STYLE, style_weight=20)
by_twice, _ = paint(lambda image: twice(image).total, CONTENT)
plots.show_images(
    [CONTENT, results[2][0], by_twice],
    titles=["content", "prepared once", "all prepared twice"],
    alt="The photo, and two paintings of the cat with brown, green and blue strokes. They differ a "
    "little, and neither looks broken.",
)

# %%
judge = objective()  # the right one
for name, image in {"photo": CONTENT, "once": results[2][0], "twice": by_twice}.items():
    print(f"{name:6} loss by the right objective: {judge(image).item():5.2f}")

# %% tags=["nbval-check-output"]
print("prepared twice, and better than the photo:", (judge(by_twice) < judge(CONTENT)).item())

# %% [markdown]
# By the right objective the mistaken painting is far better than the photo that it began with. It
# may even come out better than the right program's: both stopped long before the end, and how far
# a search has come by then is partly luck. A good picture is no proof that the code is right, and
# neither is a low loss. The test with one pixel finds this mistake as well.
#
# ### Exhibit 4: The fourth convolution
#
# The paper compares contents at `conv4_2`. A program counts convolutions and takes number 4. It
# calls the result `conv_4`.


# %%
def counted_layer():
    """Take the fourth convolution, from the beginning: a mistake."""
    return [name for name in BACKBONE.layers if name.startswith("conv")][3]


def named_layer():
    """Take the layer that the paper names."""
    return "conv4_2"


chosen = [counted_layer(), named_layer()]
copies = [paint(distance_to(BACKBONE(CONTENT, [layer])), NOISE)[0] for layer in chosen]
plots.show_images(
    [CONTENT, *copies],
    titles=["photo", *(f"rebuilt from {layer}" for layer in chosen)],
    alt="The photo. The cat, rebuilt from conv2_2: with fine stripes, nearly a copy. Rebuilt from "
    "conv4_2: coarser and with colour errors.",
)


# %% [markdown]
# Names can lie; sizes cannot. Each of the three pooling layers before level 4 halves the picture.


# %% tags=["nbval-check-output"]
def test_content_layer_is_in_level_4(layer):
    """A map of level 4 has an eighth of the picture's height and width."""
    size = BACKBONE(torch.zeros(1, 3, 32, 32, device=DEVICE), [layer()])[layer()].shape[-1]
    assert size == 32 // 8, f"{layer()}: {size} columns in place of {32 // 8}"


try_test(test_content_layer_is_in_level_4, bug=counted_layer, fix=named_layer)

# %% [markdown]
# **The symptom** in a painting: it keeps too much of the photo, because a shallow layer knows too
# much (lesson 6). **The fix:** ask for layers by the paper's names.
#
# ## Room 2: The losses
#
# ### Exhibit 5: The batch in one pot
#
# This Gram matrix stands in a tutorial that many programs have copied. Here the "maps" are two
# pictures with three colour channels each.


# %%
def gram_of_views(maps):
    """Compute a Gram matrix, without a loop over the batch: a mistake."""
    n, c, h, w = maps.shape
    rows = maps.reshape(n * c, h * w)  # (N*C, H*W)
    return rows @ rows.mT / (h * w)  # (N*C, N*C)


pair = torch.cat([CONTENT, nst.resize(STYLE, tuple(CONTENT.shape[-2:]))])  # (2, 3, H, W)
one_pot, separate = gram_of_views(pair), gram_matrix(pair)
plots.show_images(
    [m.expand(1, 3, -1, -1) / separate.max() for m in (one_pot[None], separate[:1], separate[1:])],
    titles=["one matrix for two pictures", "matrix of picture 1", "matrix of picture 2"],
    alt="A matrix of 6 by 6 gray squares, and two matrices of 3 by 3 squares each. The two small "
    "ones are the upper left and the lower right quarter of the large one.",
)

# %% tags=["nbval-check-output"]
print("shape with the bug:", tuple(one_pot.shape))
print("right shape:       ", tuple(separate.shape))
print("the quarters are the two matrices:", end=" ")
print(torch.allclose(one_pot[:3, :3], separate[0]) and torch.allclose(one_pot[3:, 3:], separate[1]))

# %% [markdown]
# The other two quarters compare channels of *different pictures*. They belong to no style.
#
# **Predict:** here are three tests. Which of them fails on this bug and passes on the fix?
#
# - (a) `test_one_picture`: the numbers for a batch with one picture are right
# - (b) `test_symmetric`: the matrix is symmetric
# - (c) `test_independent`: a picture's numbers do not depend on the other pictures of the batch


# %%
def test_one_picture(gram):
    expected = torch.tensor([2.5, 5.5, 5.5, 12.5])  # lesson 7: one picture, two channels
    numbers = gram(torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])).flatten()
    assert torch.allclose(numbers, expected), "wrong numbers"


def test_symmetric(gram):
    matrix = gram(torch.rand(2, 3, 4, 5))
    assert torch.allclose(matrix, matrix.mT), "not symmetric"


def test_independent(gram):
    for_one, for_two = (gram(torch.rand(n, 3, 4, 5)).numel() for n in (1, 2))
    assert for_two == 2 * for_one, f"{for_two} numbers for two pictures, {for_one} for one"


# %% tags=["nbval-check-output"]
for test in (test_one_picture, test_symmetric, test_independent):
    print(test.__name__)
    try_test(test, bug=gram_of_views, fix=gram_matrix)

# %% [markdown]
# <details><summary>Show the reasons</summary>
#
# - (a) With one picture there is nothing to mix. The bug gives the right numbers. Most programs
#   are only ever tried with one picture: this is why the bug lives so long.
# - (b) The mixed matrix is symmetric as well. The statement is true, but it is true of both
#   versions.
# - (c) Right. Here it counts numbers only. In the exercise you compare them.
#
# </details>
#
# ### Exercise: a test for the batch (faded)
#
# The promise: *each picture's matrix is the one that it has alone*. Fill in the two blanks. Your
# test gets several versions of `gram`. It has to fail on all that mix pictures, whatever shape
# they return, and to pass on all right ones. Some of the right ones divide by another number.


# %% tags=["exercise"]
def my_batch_test(gram):
    """Fail if `gram` mixes the pictures of a batch."""
    first, second = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    together = gram(torch.cat([first, second]))
    assert together.shape == ..., f"shape {tuple(together.shape)}"
    for k, picture in enumerate([first, second]):
        alone = gram(picture)
        assert ..., f"picture {k}: {together[k]} in the batch, {alone[0]} alone"


# %% tags=["check", "nbval-check-output"]
exercises.check_batch_test(my_batch_test)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two pictures with three channels: which shape do their two matrices have, as one tensor?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `together[k]` is picture k's matrix in the batch, and `alone[0]` is its matrix alone. Sums in
# another order have other rounding errors: `torch.allclose` allows for them, and `==` does not.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_batch_test(gram):
#     """Fail if `gram` mixes the pictures of a batch."""
#     first, second = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
#     together = gram(torch.cat([first, second]))
#     assert together.shape == (2, 3, 3), f"shape {tuple(together.shape)}"
#     for k, picture in enumerate([first, second]):
#         alone = gram(picture)
#         same = torch.allclose(together[k], alone[0])
#         assert same, f"picture {k}: {together[k]} in the batch, {alone[0]} alone"
# ```
#
# </details>
#
# ### Exhibit 6: The divisor
#
# Programs divide the Gram matrix by H·W, by C·H·W, by N·C·H·W, or not at all. Some texts state one
# divisor while their code uses another. Program 2 did not divide, and its style picture was twice
# as high and twice as wide as the photo.

# %%
plots.show_images(
    [CONTENT, results[1][0], paint(objective(LARGE_STYLE), CONTENT)[0]],
    titles=["photo", "not divided", "divided by H·W"],
    alt="The photo; the cat in glaring colours with black and white patches; the cat in brown and "
    "blue strokes.",
)


# %% tags=["nbval-check-output"]
def test_size_does_not_count(gram):
    """Four copies of a texture, side by side, have the style of one."""
    maps = torch.rand(1, 3, 4, 5)
    larger = gram(maps.repeat(1, 1, 2, 2))
    assert torch.allclose(larger, gram(maps)), f"{(larger / gram(maps)).mean():.2f} times as much"


def undivided(maps):
    """Sum up, and do not divide: a mistake if sizes differ."""
    return gram_matrix(maps, divide_by="none")


try_test(test_size_does_not_count, bug=undivided, fix=gram_matrix)

# %% [markdown]
# The larger picture's sums run over four times as many positions. To reach them, the optimiser has
# to make every response twice as strong (lesson 7).
#
# And if a text states another divisor than its code uses? Compute one small case by hand from the
# *text*. A text says "divided by C·H·W", its code divides by H·W. Take two channels and one row of
# two positions, 1 2 and 3 4. By the text, the first entry is (1·1 + 2·2) / (2·1·2) = 1.25.


# %% tags=["nbval-check-output"]
def test_code_does_what_the_text_says(gram):
    entry = gram(torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]]))[0, 0, 0].item()
    assert entry == 1.25, f"the first entry is {entry}"


def as_stated(maps):
    """Divide by C·H·W."""
    return gram_matrix(maps, divide_by="chw")


try_test(test_code_does_what_the_text_says, code=gram_matrix, as_stated=as_stated)

# %% [markdown]
# Neither of the two is wrong in itself. But a weight β that was found with the one does not suit
# the other.
#
# ### Exhibit 7: The loss that never looks
#
# A style loss gets the picture's maps and the style's maps. This one forgets the second: it
# compares the picture's maps with their own mean. Program 4 used it.


# %%
def style_only(loss, style):
    """Return the sum of a style loss over all layers, as a function of the picture."""
    style_maps = BACKBONE(style, BACKBONE.style_layers)

    def loss_of(image):
        maps = BACKBONE(image, list(style_maps))
        return sum(loss(maps[name], style_maps[name]) for name in style_maps)

    return loss_of


loss_and_style = [
    (loss, style)
    for style in (STYLE, OTHER_STYLE)
    for loss in (blind_style_loss, relative_style_loss)
]
runs = [paint(style_only(loss, style), CONTENT) for loss, style in loss_and_style]

# %%
plots.show_images(
    [STYLE, runs[0][0], runs[1][0], OTHER_STYLE, runs[2][0], runs[3][0]],
    titles=["style 1", "blind loss", "right loss", "style 2", "blind loss", "right loss"],
    columns=3,
    alt="Two styles, a blue night sky and colourful glass, and beside each what was painted with "
    "it. With the blind loss both are the same dull gray. With the right loss one has the colours "
    "of the night sky and the other one those of the glass.",
)

# %% tags=["nbval-check-output"]
(_, blind_1), (_, blind_2) = runs[0], runs[2]
print("the blind loss fell:", blind_1[-1] < blind_1[0] and blind_2[-1] < blind_2[0])
same = abs(blind_1[0] - blind_2[0]) < 1e-4 * blind_1[0]
print("its first values are equal for both styles:", same)

# %% [markdown]
# The loss falls until all positions of a map are equal: a dull gray. Other forms of the same
# mistake compare the picture's Gram matrix with itself, or with zeros.
#
# ### Exercise: a test for the style loss (blank)
#
# The promise: *the style loss depends on the style*. Write a test that gets a function
# `loss(maps, style_maps)`, whose arguments have shape (1, C, H, W). It has to fail on every loss
# that never looks at `style_maps`, and pass on every right one. The right ones differ in their
# divisors, and some detach the target.


# %% tags=["exercise"]
def my_style_test(loss):
    """Fail if `loss` never looks at the style."""
    ...


# %% tags=["check", "nbval-check-output"]
exercises.check_style_test(my_style_test)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Say it as an experiment: keep the one thing, change the other, and look at what the loss does.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# You need one `maps` and two different `style_maps`, for example from `torch.rand(1, 3, 4, 5)`.
# Beware of a second style that is the first one with its positions moved (lesson 7).
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_style_test(loss):
#     """Fail if `loss` never looks at the style."""
#     maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
#     other_style = 2 * style
#     assert loss(maps, style) != loss(maps, other_style), "another style, the same loss"
# ```
#
# A second way: the loss of a picture that *is* the style has to be 0, and the loss of another
# picture larger than 0. It takes both: a loss that is always 0 fulfils the first one.
#
# </details>
#
# ### Exhibit 8: Up and down twice
#
# Total variation adds differences to the right and downwards (lesson 8). Here the indices for the
# one direction were copied, and not changed.


# %%
def downwards_twice(image):
    """Add the differences downwards to those downwards: a mistake."""
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., 1:, :] - image[..., :-1, :]
    return down.square().mean() + right.square().mean()


noisy = (CONTENT + 0.3 * (NOISE - 0.5)).clamp(0, 1)
smooth = [
    paint(lambda image, tv=tv: content_loss(image, noisy) + tv(image), noisy)[0]
    for tv in (total_variation_loss, downwards_twice)
]
plots.show_images(
    [noisy, *smooth],
    titles=["noisy", "smoothed", "smoothed, with the bug"],
    alt="A noisy photo of the cat; the same without noise and a little soft; the same with "
    "upright streaks.",
)


# %% tags=["nbval-check-output"]
def test_both_directions_count(tv):
    """A picture and the same picture on its side are equally rough."""
    image = torch.rand(1, 3, 4, 5)
    assert torch.allclose(tv(image), tv(image.mT)), "turned on its side, it counts differently"


try_test(test_both_directions_count, bug=downwards_twice, fix=total_variation_loss)

# %% [markdown]
# A second mistake with the same name: a text states the *sum* of the squared differences, and its
# code takes half of their mean. Both get smaller when the picture gets smoother. But a γ from the
# text does not fit the code. The cure is that of exhibit 6: one small case by hand. In one row of
# two pixels, black and white, three channels differ by 1. The sum is 3.


# %% tags=["nbval-check-output"]
def half_of_the_mean(image):
    """Code that belongs to a text which says: the sum."""
    return 0.5 * total_variation_loss(image)


def the_sum(image):
    """Add the squared differences up."""
    down, right = image.diff(dim=-2), image.diff(dim=-1)
    return down.square().sum() + right.square().sum()


def test_sum_of_squares(tv):
    value = tv(torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2)).item()
    assert value == 3, f"{value} in place of 3"


try_test(test_sum_of_squares, code=half_of_the_mean, as_stated=the_sum)

# %%
factor = (the_sum(noisy) / half_of_the_mean(noisy)).item()
print(f"for our noisy photo the sum is {factor:,.0f} times the half mean")

# %% [markdown]
# ## Room 3: The loop
#
# ### Exhibits 9 and 10: Looking at the wrong tensor
#
# Both programs should rebuild the photo from noise. The first one measures the loss of a
# **placeholder**, a tensor that was made for the picture and then never connected with it. The
# second one compares the photo's layer *weights* with the picture's maps. Weights belong to the
# network, and know nothing of the photo.

# %%
TARGETS = BACKBONE(CONTENT, ["relu4_2"])
PLACEHOLDER = NOISE.clone().requires_grad_()
right_distance = distance_to(TARGETS)


def to_placeholder(image):
    """Measure the loss of another tensor: a mistake."""
    maps = BACKBONE(PLACEHOLDER, ["relu4_2"])["relu4_2"]
    return content_loss(maps, TARGETS["relu4_2"])


def to_weights(image):
    """Compare feature maps with the layer's weights: a mistake."""
    maps = BACKBONE(image, ["conv4_2"])["conv4_2"]
    return (maps.mean() - BACKBONE.stages["conv4_2"].weight.mean()).square()


losses_of = {
    "exhibit 9: a placeholder": to_placeholder,
    "exhibit 10: layer weights": to_weights,
    "right": right_distance,
}
runs = {name: paint(loss_of, NOISE) for name, loss_of in losses_of.items()}

# %%
plots.show_images(
    [picture for picture, _ in runs.values()],
    titles=list(runs),
    alt="Three pictures. Exhibit 9: the noise that it began with. Exhibit 10: noise "
    "in other colours, without a cat. Right: the cat can be made out.",
)

# %%
plots.plot_lines(
    {name: [loss / losses[0] for loss in losses] for name, (_, losses) in runs.items()},
    ylabel="loss, as a share of the first",
    title="One loss stands still, the others fall",
)


# %% tags=["nbval-check-output"]
def test_gradient_reaches_the_picture(loss_of):
    """The loss depends on the picture."""
    pixels = NOISE.clone().requires_grad_()
    loss_of(pixels).backward()
    assert pixels.grad is not None, "no gradient reaches the picture"
    assert pixels.grad.any(), "the gradient is 0 everywhere"


def test_the_photo_is_perfect(loss_of):
    """The photo's own distance to the photo is 0."""
    assert loss_of(CONTENT) < 1e-6, "the photo itself is not perfect"


for test in (test_gradient_reaches_the_picture, test_the_photo_is_perfect):
    print(test.__name__)
    try_test(test, bug_9=to_placeholder, bug_10=to_weights, fix=right_distance)

# %% [markdown]
# The second test finds both bugs here. The first one says more about where to look. Note that the
# loss of exhibit 10 falls nicely: the picture's mean response can become any number.
#
# ### Exhibit 11: Not the pixels
#
# One program gives the network's weights to the optimiser in place of the pixels (lesson 8). An
# article computes its "result image" as the learning rate times the picture.


# %%
def paint_weights(start, steps):
    """Optimise the weights of the network: a mistake."""
    network = nst.load_backbone().requires_grad_(True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    grams = {name: gram_matrix(m) for name, m in BACKBONE(STYLE, network.style_layers).items()}
    for _ in range(steps):
        optimizer.zero_grad()
        maps = network(start, network.style_layers)
        sum(style_loss(gram_matrix(maps[name]), grams[name]) for name in grams).backward()
        optimizer.step()
    return start


def paint_times_rate(start, steps):
    """Multiply the learning rate into the picture: a mistake."""
    return 0.03 * paint(objective(), start, steps)[0]


def paint_pixels(start, steps):
    """Optimise the pixels."""
    return paint(objective(), start, steps)[0]


# %%
painters = [paint_weights, paint_times_rate, paint_pixels]
plots.show_images(
    [painter(CONTENT, STEPS // 4) for painter in painters],
    titles=["weights optimised", "times the rate", "right"],
    alt="The unchanged photo; an almost black picture; the photo with first strokes.",
)


# %% tags=["nbval-check-output"]
def test_painter_moves_the_pixels(painter):
    """After no step the picture is the start, and after two steps it is another one."""
    assert torch.equal(painter(CONTENT, 0), CONTENT), "changed before the first step"
    assert not torch.equal(painter(CONTENT, 2), CONTENT), "two steps changed nothing"


try_test(
    test_painter_moves_the_pixels,
    weights=paint_weights,
    times_rate=paint_times_rate,
    fix=paint_pixels,
)

# %% [markdown]
# ### Exhibit 12: Never frozen
#
# A network that was loaded for training computes gradients for its weights, too. Nobody uses them,
# and nobody resets them: `zero_grad` of the picture's optimiser forgets the gradient of the
# *pixels* only. The picture comes out right. The symptom is hidden: work that is thrown away.


# %%
def weight_gradients(frozen, steps=12):
    """Paint; return the sum of the absolute gradients of all weights after each step."""
    network = nst.load_backbone().requires_grad_(not frozen)
    loss = nst.Objective(network, CONTENT, STYLE)
    pixels = CONTENT.clone().requires_grad_()
    optimizer, sums = torch.optim.Adam([pixels], lr=0.03), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss(pixels).total.backward()
        optimizer.step()
        gradients = [w.grad for w in network.parameters() if w.grad is not None]
        sums.append(sum(gradient.abs().sum().item() for gradient in gradients))
    return sums


plots.plot_lines(
    {"not frozen": weight_gradients(frozen=False), "frozen": weight_gradients(frozen=True)},
    xlabel="steps",
    ylabel="size of the weights' gradient",
    title="Computed, added up, and used for nothing",
    log=False,
)

# %%
count = sum(weights.numel() for weights in BACKBONE.parameters())
print(f"numbers that should get a gradient: {CONTENT.numel():,} (the picture)")
print(f"numbers that get one for nothing:   {count:,} (the weights)")


# %% tags=["nbval-check-output"]
def test_weights_get_no_gradient(frozen):
    assert sum(weight_gradients(frozen, steps=1)) == 0, "the weights have gradients"


try_test(test_weights_get_no_gradient, bug=False, fix=True)

# %% [markdown]
# **The fix:** `network.requires_grad_(False)`, once, after loading. Our backbones are frozen from
# the start.
#
# ### Exhibit 13: Clamped while the optimiser looks
#
# L-BFGS calls a function again and again, the **closure**: it computes the loss and the gradient
# of the picture. A well-known tutorial clamps the pixels at the closure's beginning. So the
# closure *changes* what it should only measure, and the memory of L-BFGS holds moves that were
# never made (lesson 8).


# %%
def make_closure(loss_of, pixels, clamp):
    """Return a closure for L-BFGS, and the list of losses that it fills."""
    losses = []

    def closure():
        if clamp:
            pixels.data.clamp_(0, 1)  # a mistake
        pixels.grad = None
        loss = loss_of(pixels)
        loss.backward()
        losses.append(loss.item())
        return loss

    return closure, losses


small, glass = (nst.load_image(name, size=64).to(DEVICE) for name in ("coffee", "glass"))
layers = {"content_layers": ["relu2_1"], "style_layers": ["relu1_1", "relu2_1", "relu3_1"]}
small_objective = nst.Objective(BACKBONE, small, glass, **layers)

# %%
EVALUATIONS = 40 if nst.is_fast() else 300

pixels = small.clone().requires_grad_()
closure, losses = make_closure(lambda x: small_objective(x).total, pixels, clamp=True)
optimizer = torch.optim.LBFGS([pixels])  # one step calls the closure up to 20 times
moments = {}
while len(losses) < EVALUATIONS:
    optimizer.step(closure)
    moments[losses[-1]] = pixels.detach().clamp(0, 1)

right = list(nst.optimize_image(small_objective, small, steps=EVALUATIONS, optimizer="lbfgs"))
plots.plot_lines(
    {"clamped in the closure": losses, "the package": [step.losses.total for step in right]},
    ylabel="loss of the clamped picture",
    title="L-BFGS, clamped in two ways",
)

# %%
plots.show_images(
    [moments[max(list(moments)[1:])], right[-1].image],
    titles=["clamped in the closure, at its worst", "the package, at the end"],
    alt="The cup of coffee, painted like coloured glass. Left, at the step with the highest loss "
    "after the first one: rough, with glaring spots of all colours. Right: the cup in coloured "
    "patches, smoother.",
)

# %% [markdown]
# Look for jumps in the curve. When they come differs from machine to machine, so a test that waits
# for them would be slow and would not always fail. The smallest failing test asks a simpler
# question: does the closure change the pixels?


# %% tags=["nbval-check-output"]
def test_closure_only_measures(clamp):
    """A closure leaves the pixels as they are."""
    pixels = torch.tensor([0.5, 1.25]).requires_grad_()
    closure, _ = make_closure(lambda x: x.square().sum(), pixels, clamp)
    before = pixels.detach().clone()
    closure()
    assert torch.equal(pixels, before), f"{before.tolist()} became {pixels.tolist()}"


try_test(test_closure_only_measures, bug=True, fix=False)

# %% [markdown]
# **The fix:** clamp after each step, and tell the optimiser how far the picture really moved, as
# the package does. (Clamping once at the end would keep the memory right, too. But then the picture
# loses what was gained outside the range: lesson 8.)
#
# ## Room 4: The display
#
# ### Exhibit 14: Stretched
#
# The last line of many programs stretches the picture, so that its smallest value becomes 0 and
# its largest one becomes 1. Here are three pictures, as they are and stretched.


# %%
def stretch(picture):
    """Let the picture span the range 0 to 1: a mistake in a display."""
    return (picture - picture.min()) / (picture.max() - picture.min())


three = [CONTENT, 0.4 * CONTENT, 0.5 + 0.3 * CONTENT]
displayed = [stretch(picture) for picture in three]
plots.show_images(
    [*three, *displayed],
    titles=["photo", "dark", "foggy", *["stretched"] * 3],
    columns=3,
    alt="Above: the photo, a dark version and a foggy version of it. Below: the three pictures "
    "stretched. They look the same.",
)

# %% tags=["nbval-check-output"]
print("three different pictures are displayed as one:", end=" ")
print(all(torch.allclose(picture, displayed[0], atol=1e-5) for picture in displayed))

# %% [markdown]
# Whoever judges a run by such a display judges another picture. A display has to *clamp*: values
# below 0 become 0, values above 1 become 1, and all others stay. `plots.show_images` does so.
#
# ### Exercise: a test for the display (blank)
#
# The promise: *a picture between 0 and 1 is shown as it is*. Your test gets a function `display`,
# which returns what the screen shows, and a `picture` (N, 3, H, W) whose values span 0 to 1. It has
# to fail on every display that shows other colours. It has to pass on those that do not; some of
# them round to the 256 levels of a screen, so differences up to 1/255 are allowed. Others use
# `picture` after you: leave it as it is.


# %% tags=["exercise"]
def my_display_test(display, picture):
    """Fail if `display` shows a picture in other colours than its own."""
    ...


# %% tags=["check", "nbval-check-output"]
exercises.check_display_test(my_display_test)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# What does stretching do to a picture that spans 0 to 1 already? Show another one, for example a
# foggy one that you make out of `picture`, or one of your own.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.allclose(a, b, atol=...)` compares with an absolute tolerance. `torch.full_like(picture,
# 0.5)` makes an even gray of the same shape and type.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_display_test(display, picture):
#     """Fail if `display` shows a picture in other colours than its own."""
#     gray = torch.full_like(picture, 0.5)
#     assert torch.allclose(display(gray), gray, atol=1 / 255), "gray is not shown as gray"
# ```
#
# A foggy picture, `0.3 + 0.4 * picture`, finds the bug as well.
#
# </details>
#
# ## Room 5: Claims
#
# Not only code has bugs. The following sentences stand in introductory articles. We test them.
#
# ### "Style transfer needs two different networks, one for content and one for style"
#
# **Predict:** what changes if one network does both?
#
# - (a) the style gets worse, because a network for objects knows nothing of style
# - (b) nothing
# - (c) the content gets worse, because style maps overwrite content maps
#
# <details><summary>Show the reasons, after you have chosen</summary>
#
# - (a) The style maps are made by the same layers, whoever asks for them. The style is a statistic
#   of these maps (lesson 7), not a second skill.
# - (b) Right, as the next cell shows.
# - (c) This would be so if the maps were written over each other, as in exhibit 1. A program that
#   keeps its maps apart has all of them after a single pass.
#
# </details>

# %% tags=["nbval-check-output"]
one, for_content, for_style = (nst.load_backbone() for _ in range(3))
in_one_pass = one(NOISE, [*one.content_layers, *one.style_layers])
in_two = for_content(NOISE, one.content_layers) | for_style(NOISE, one.style_layers)
print("layers:", len(in_one_pass), "and", len(in_two))
print("all maps equal:", all(torch.allclose(in_one_pass[name], in_two[name]) for name in in_two))

# %% [markdown]
# Equal maps give equal losses, equal gradients and equal pictures. A second network doubles the
# work. Gatys, Ecker and Bethge (2015) use one network, VGG-19, for both.
#
# ### "The network is trained on the content and style images"
#
# If this were so, a network that has already painted would differ from a fresh one.

# %%
used = nst.load_backbone()
paintings = []
for name in ("swirl", "glass", "mosaic", "swirl"):
    style = nst.load_image(name, size=SIZE).to(DEVICE)
    steps = nst.optimize_image(nst.Objective(used, CONTENT, style), CONTENT, steps=STEPS // 4)
    paintings.append(list(steps)[-1].image)

plots.show_images(
    paintings,
    titles=["1: swirl", "2: glass", "3: mosaic", "4: swirl again"],
    columns=4,
    alt="Four unfinished paintings of the cat by one network. The first and the last look alike.",
)

# %% tags=["nbval-check-output"]
fresh = nst.load_backbone()
same_weights = all(map(torch.equal, used.parameters(), fresh.parameters()))
print("weights after four paintings = weights of a fresh network:", same_weights)
print("paintings 1 and 4 are equal:", torch.allclose(paintings[0], paintings[3], atol=1e-2))

# %% [markdown]
# Nothing is learned from the pictures. (The network *was* trained before, on other pictures, for
# another task. And there is another method, which trains a network to paint.)
#
# ### "Neural style transfer was published in 2008"
#
# An arXiv number begins with the year and the month: 1508.06576 is from August 2015. The network
# that the method is built on, VGG (Simonyan and Zisserman), is 1409.1556.

# %% tags=["nbval-check-output"]
numbers = {"VGG": "1409.1556", "A Neural Algorithm of Artistic Style": "1508.06576"}
for title, number in numbers.items():
    print(f"{title}: month {int(number[2:4])} of {2000 + int(number[:2])}")

# %% [markdown]
# So the claim is impossible: a method cannot be six years older than its network. A fact that must
# be true for a claim to be true is a test as well.
#
# ### Exercise: from symptoms to causes
#
# Five programs are ill. Give each symptom the number of its cause. One cause is left over.
#
# | symptom | what you see |
# |---|---|
# | `"A"` | The loss falls from step to step. The picture stays as it was. |
# | `"B"` | The style picture is blue. The painting has its strokes, but they are orange. |
# | `"C"` | With L-BFGS the loss falls for a hundred steps. Then it jumps up, again and again. |
# | `"D"` | The loss is the same number at each step. The picture stays as it was. |
# | `"E"` | With gradient descent the loss swings up and down, from the first steps on. |
#
# | cause | what is wrong |
# |---|---|
# | 1 | The pixels are clamped in the closure. |
# | 2 | The old gradient is not forgotten before `backward`. |
# | 3 | The optimiser was given the network's weights. |
# | 4 | The photo is prepared twice. |
# | 5 | The loss is computed from another tensor than the one that is optimised. |
# | 6 | The style picture's channels are in the order blue, green, red. |

# %% tags=["exercise"]
my_diagnosis = {"A": ..., "B": ..., "C": ..., "D": ..., "E": ...}

# %% tags=["check", "nbval-check-output"]
exercises.check_diagnosis(my_diagnosis)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# If a loss falls, something is being changed. If the picture is not changed, what is?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A is in exhibit 11, B in exhibit 2, C in exhibit 13, D in exhibit 9. E was the first of the four
# mistakes in lesson 8.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_diagnosis = {"A": 3, "B": 6, "C": 1, "D": 5, "E": 2}
# ```
#
# </details>
#
# ## Recap
#
# - None of these bugs raises an error, and in most of them the loss falls. A falling loss and a
#   pleasant picture are no proof.
# - A test states a promise. It fails on the bug *and* passes on the fix: try it on both.
# - Small inputs are enough: one red pixel, one pixel of the mean colour, a batch of two.
# - Choose an input for which the bug makes a difference: two pictures and not one, unequal sizes,
#   a picture that does not span the whole range.
# - Ask for the promise only: other right code has other divisors and other rounding errors.
#
# **Look back** at the four programs of the beginning. Which one is right, and which exhibit is each
# of the others?
#
# <details><summary>Answer</summary>
#
# Program 3 is right. Program 1 is exhibit 2, program 2 is exhibit 6, program 4 is exhibit 7.
#
# </details>
#
# **One thing to try:** take a program for style transfer that you find on the web, and look for an
# exhibit of this museum in it. Write the test before you read on.
