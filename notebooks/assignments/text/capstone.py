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
# # Assignment: Capstone
#
# Choose a photo and a style picture of your own, paint, measure, and argue. Three short programs
# prepare the work and are marked by a program: how large may the picture be, how does the photo
# keep its colours, and when was a run finished. The rest, 16 of 30 points, is marked by a person,
# who looks at your experiment, your reasons, and how you treat the rights of others.
#
# **You need:** lessons 0 to 8. **Time:** about 120 minutes, two hours. **Points:** 30.
#
# | task | points | minutes | marked by |
# |---|---|---|---|
# | 1. How large may it be? | 4 | 15 | program |
# | 2. Keep the photo's colours | 5 | 20 | program |
# | 3. When was it finished? | 5 | 20 | program |
# | 4. Your experiment | 8 | 35 | person |
# | 5. Whose pictures are they? | 3 | 10 | person |
# | 6. A card for your painting | 5 | 20 | person |
#
# **How it works**
#
# - Write where you see `...  # your answer` or `YOUR ANSWER HERE`. Keep the names of the functions
#   and their arguments.
# - In tasks 1 to 3 the cell after your answer tries an example that was worked out by hand. It
#   never stops the notebook. The marks come from other inputs. A mistake that many make earns a
#   part of the points.
# - Your pictures need not be handed in. Your outputs stay in the notebook, so the person who marks
#   it sees them. Where your files are missing, bundled pictures take their place.
# - All cells together must run within 100 seconds. Keep to the size and the steps of the set-up.
# - Before you hand in: *Restart Kernel and Run All Cells*, then `nst-edu classroom validate`.

# %% [markdown] nbgrader={"grade_id": "rubric", "locked": true}
# ## The rubric of tasks 4 to 6
#
# - **4a. Question (2 points).** *Full:* one question that a number can answer, a prediction, and a
#   reason. *Half:* a question without a prediction, or several changes at once. *None:* no
#   question.
# - **4b. Experiment (3).** *Full:* at least three values of *one* setting, and all else equal:
#   seed, start, steps. *Half:* two values, or something else changed too. *None:* pictures without
#   a comparison.
# - **4c. Answer (3).** *Full:* it refers to the numbers *and* to the pictures, compares with the
#   prediction, and names a limit. *Half:* only numbers, or only pictures. *None:* "it looks good".
# - **5. Rights (3).** *Full:* for both pictures author, source, licence or permission, and what it
#   allows. *Half:* one of these is missing. *None:* no source.
# - **6. Card (5).** *Full:* all five headings, each with a fact that can be checked. *Half:* three
#   headings, or facts that are only general. *None:* a description of the picture only.

# %% nbgrader={"grade_id": "set_up", "locked": true}
import torch

import nst_edu as nst
from nst_edu import plots
from nst_edu.classroom import tasks
from nst_edu.exercises.checking import Misconception

SIZE = 96  # pixels on the longer side
STEPS = 8 if nst.is_fast() else 40  # evaluations in one run


def own_or(name, bundled):
    """Load a picture: a file of yours, a bundled one by its name, or `bundled` in its place."""
    try:
        return nst.load_image(name, size=SIZE)
    except (OSError, ValueError, TypeError):
        print(f"{str(name)[:60]!r} is not here: {bundled!r} takes its place.")
        return nst.load_image(bundled, size=SIZE)


def tried(function, *arguments):
    """Return the picture that `function` makes, (1, 3, H, W); if it makes none, a gray one."""
    try:
        return nst.check_image(function(*arguments).detach().clamp(0, 1))
    except Exception as error:
        print(f"No picture yet ({type(error).__name__}).")
        return torch.full((1, 3, 64, 96), 0.5)


# %% nbgrader={"grade_id": "student", "solution": true}
STUDENT = "..."  # your id, between the quotation marks
### BEGIN SOLUTION
STUDENT = "teacher"
### END SOLUTION

# %% [markdown] nbgrader={"grade_id": "pair_question", "locked": true}
# ## Your pair
#
# Write the names of two files beside this notebook, or of bundled pictures (`nst.picture_names()`
# lists them). Choose pictures for which you can answer task 5.

# %% nbgrader={"grade_id": "pair", "solution": true}
my_content_file, my_style_file = "chelsea", "waves"
### BEGIN SOLUTION
my_content_file, my_style_file = "coffee", "marbling"
### END SOLUTION

# %% nbgrader={"grade_id": "pair_shown", "locked": true}
CONTENT, STYLE = own_or(my_content_file, "chelsea"), own_or(my_style_file, "waves")
plots.show_images(
    [CONTENT, STYLE],
    titles=["content", "style"],
    alt="Left the photo that was chosen, right the style picture that was chosen.",
)

# %% [markdown] nbgrader={"grade_id": "size_question", "locked": true}
# ## 1. How large may it be?
#
# The network halves the picture four times, so both sides should be multiples of 16. The photo that
# the next cell prints is to be painted as large as its budget of pixels allows:
#
# - the longer side is a multiple of 16;
# - the shorter side keeps the proportions as well as it can: it is the multiple of 16 that is
#   *nearest* to longer side × (photo's shorter side / photo's longer side);
# - height × width is at most the budget.
#
# Among all such sizes take the largest. Give a dictionary of whole numbers: `"height"`, `"width"`,
# and `"positions"`: how many positions the maps of `relu4_1` have then. (Pooling comes after the
# blocks 1, 2, 3 and 4.)

# %% nbgrader={"grade_id": "size_numbers", "locked": true}
draw = tasks.personal(STUDENT, "size")
my_long = 100 * int(torch.randint(20, 50, (1,), generator=draw))
my_short = 10 * (my_long * int(torch.randint(55, 85, (1,), generator=draw)) // 1000) + 7
my_budget = 1000 * int(torch.randint(150, 900, (1,), generator=draw))
upright = bool(torch.randint(0, 2, (1,), generator=draw))
my_height, my_width = (my_long, my_short) if upright else (my_short, my_long)
print(f"The photo is {my_height} high and {my_width} wide. Budget: {my_budget} pixels.")

# %% nbgrader={"grade_id": "size", "solution": true}
my_size = {"height": ..., "width": ..., "positions": ...}
### BEGIN SOLUTION
proportion = min(my_height, my_width) / max(my_height, my_width)
longer = 16
while True:
    candidate = longer + 16
    if candidate * 16 * round(candidate * proportion / 16) > my_budget:
        break
    longer = candidate
shorter = 16 * round(longer * proportion / 16)
high, wide = (longer, shorter) if my_height > my_width else (shorter, longer)
my_size = {"height": high, "width": wide, "positions": high // 8 * (wide // 8)}
### END SOLUTION

# %% nbgrader={"grade_id": "size_test", "grade": true, "locked": true, "points": 4}
filled_in = isinstance(my_size, dict) and "Ellipsis" not in str(my_size)
print("a dictionary without blanks:", filled_in)


### BEGIN HIDDEN TESTS
def planned_size(generator, nearest=0.5, turned=False, pools=3, beyond=0, square=False):
    """Return the answers; the options are mistakes."""
    photo_long = 100 * int(torch.randint(20, 50, (1,), generator=generator))
    tenths = photo_long * int(torch.randint(55, 85, (1,), generator=generator)) // 1000
    budget = 1000 * int(torch.randint(150, 900, (1,), generator=generator))
    upright_photo = bool(torch.randint(0, 2, (1,), generator=generator)) != turned
    share = (10 * tenths + 7) / photo_long

    def short_of(longer):
        return 16 * int(longer * share / 16 + nearest)

    sizes = [16 * k for k in range(1, 200)]
    fits = [s for s in sizes if s * (s if square else short_of(s)) <= budget]
    longer = max(fits) + 16 * beyond
    sides = (longer, short_of(longer))
    height, width = sides if upright_photo else sides[::-1]
    positions = (height // 2**pools) * (width // 2**pools)
    return {"height": height, "width": width, "positions": positions}


TASK = tasks.Task(
    name="my_size",
    points=4,
    reference=planned_size,
    misconceptions=(
        Misconception(
            "four-pools-before-relu4",
            "Height and width are right. How many pooling layers does the picture pass *before* "
            "`relu4_1`?",
            wrong=lambda generator: planned_size(generator, pools=4),
        ),
        Misconception(
            "positions-of-the-picture",
            "Height and width are right. The positions are those of the maps, not of the picture.",
            wrong=lambda generator: planned_size(generator, pools=0),
        ),
        Misconception(
            "height-and-width-exchanged",
            "Look at the photo again: which of its sides is the longer one?",
            wrong=lambda generator: planned_size(generator, turned=True),
        ),
        Misconception(
            "rounded-down",
            "You rounded the shorter side down. Which multiple of 16 is nearest?",
            wrong=lambda generator: planned_size(generator, nearest=0.0),
        ),
        Misconception(
            "over-budget",
            "Your picture is one size too large. Multiply height and width, and compare with the "
            "budget.",
            wrong=lambda generator: planned_size(generator, beyond=1),
        ),
        Misconception(
            "counted-as-square",
            "You could go larger: you counted the pixels as if the photo were a square.",
            wrong=lambda generator: planned_size(generator, square=True),
        ),
    ),
    credit={
        "four-pools-before-relu4": 0.75,
        "positions-of-the-picture": 0.75,
        "height-and-width-exchanged": 0.75,
        "rounded-down": 0.5,
        "over-budget": 0.5,
        "counted-as-square": 0.5,
    },
    lesson=5,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "keep_colours_question", "locked": true}
# ## 2. Keep the photo's colours
#
# Leon Gatys and colleagues (2016, [Preserving Color in Neural Artistic Style
# Transfer](https://arxiv.org/abs/1606.05897)) take over the *brightness* of a painting only. Your
# version has four steps, for each picture of the batch by itself:
#
# 1. The brightness of a pixel is $Y = 0.299\,R + 0.587\,G + 0.114\,B$.
# 2. Shift and scale the painting's $Y$, so that its mean and its standard deviation become those of
#    the photo's $Y$. The standard deviation is the root of the *mean* squared deviation.
# 3. Add to each of the photo's three channels the new brightness minus the photo's brightness.
# 4. Clamp to the range 0 to 1.
#
# **Shapes:** `painting` and `photo` (N, 3, H, W), float32 or float64, range 0 to 1; no painting is
# flat. Return (N, 3, H, W), range 0 to 1.
#
# **By hand:** two pixels. The photo is gray 0.2 and 0.6; its mean is 0.4 and its standard deviation
# 0.2. The painting is gray 0.5 and 0.4: mean 0.45, standard deviation 0.05. Its $Y$ becomes
# $0.4 + (0.5 - 0.45) \cdot 0.2/0.05 = 0.6$, and 0.2. So the result is gray 0.6 and 0.2.


# %% nbgrader={"grade_id": "keep_colours", "solution": true}
def my_keep_colours(painting, photo):
    """Return the painting's brightness with the photo's colours, (N, 3, H, W)."""
    ### BEGIN SOLUTION
    weights = torch.tensor([0.299, 0.587, 0.114]).to(photo).view(1, 3, 1, 1)
    new, old = ((weights * images).sum(dim=1, keepdim=True) for images in (painting, photo))
    axes = {"dim": (2, 3), "keepdim": True}
    scale = old.std(**axes, correction=0) / new.std(**axes, correction=0)
    new = old.mean(**axes) + scale * (new - new.mean(**axes))
    return (photo + new - old).clamp(0, 1)
    ### END SOLUTION


# %% nbgrader={"grade_id": "keep_colours_test", "grade": true, "locked": true, "points": 5}
photo, painting, expected = (
    torch.tensor(pixels).expand(1, 3, 1, 2) for pixels in ([0.2, 0.6], [0.5, 0.4], [0.6, 0.2])
)
print("example right:", tasks.agrees(my_keep_colours, (painting, photo), expected))
colourful = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(0))
print("photo with itself:", tasks.agrees(my_keep_colours, (colourful, colourful), colourful))


### BEGIN HIDDEN TESTS
def coloured(
    painting,
    photo,
    shares=(0.299, 0.587, 0.114),
    dims=(-2, -1),
    match=True,
    correction=0,
    clamp=True,
):
    """Return the picture; the options are mistakes."""

    def brightness(images):
        return sum(share * images[:, k : k + 1] for k, share in enumerate(shares))

    def moments(values):
        mean = values.mean(dims, keepdim=True)
        return mean, (values - mean).square().mean(dims, keepdim=True).sqrt()

    new, old = brightness(painting), brightness(photo)
    if match:
        (mean, deviation), (target, wanted) = moments(new), moments(old)
        new = (new - mean) / deviation * wanted + target
    result = photo + (new - old)
    return result.clamp(0, 1) if clamp else result


def deviation_by_sample(painting, photo):
    """Divide by n - 1 for one of the two only: in the fraction of both it cancels."""
    rows = torch.tensor([0.299, 0.587, 0.114]).to(photo)
    new, old = (torch.einsum("c,nchw->nhw", rows, images)[:, None] for images in (painting, photo))
    scale = old.std((2, 3), keepdim=True, correction=0) / new.std((2, 3), keepdim=True)
    new = (new - new.mean((2, 3), keepdim=True)) * scale + old.mean((2, 3), keepdim=True)
    return (photo + new - old).clamp(0, 1)


def mean_only(painting, photo):
    rows = torch.tensor([0.299, 0.587, 0.114]).to(photo)
    new, old = (torch.einsum("c,nchw->nhw", rows, images)[:, None] for images in (painting, photo))
    shift = old.mean((2, 3), keepdim=True) - new.mean((2, 3), keepdim=True)
    return (photo + new + shift - old).clamp(0, 1)


def colour_cases(generator):
    shapes = [
        ((2, 3, 4, 6), torch.float64),
        ((3, 3, 5, 3), torch.float32),
        ((1, 3, 3, 7), torch.float32),
    ]
    found = []
    for size, dtype in shapes:
        photo = torch.rand(size, generator=generator, dtype=torch.float64)
        painting = torch.rand(size, generator=generator, dtype=torch.float64)
        level = torch.linspace(0.3, 0.9, size[0]).double().view(-1, 1, 1, 1)
        found.append(((0.2 + 0.6 * level * painting).to(dtype), (level * photo).to(dtype)))
    return found


TASK = tasks.Task(
    name="my_keep_colours",
    points=5,
    reference=coloured,
    cases=colour_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "channels-equal",
            "Your brightness is the plain mean of the three channels. Look at the weights in step "
            "1: which colour looks brightest to us?",
            wrong=lambda *a: coloured(*a, shares=(1 / 3, 1 / 3, 1 / 3)),
        ),
        Misconception(
            "blue-and-red-exchanged",
            "You gave red the weight of blue, and blue that of red. Our channels are R, G, B.",
            wrong=lambda *a: coloured(*a, shares=(0.114, 0.587, 0.299)),
        ),
        Misconception(
            "not-matched",
            "Step 2 is missing: you took the painting's brightness as it is.",
            wrong=lambda *a: coloured(*a, match=False),
        ),
        Misconception(
            "mean-only",
            "You matched the mean. What about the standard deviation?",
            wrong=mean_only,
        ),
        Misconception(
            "moments-of-the-batch",
            "You took one mean and one standard deviation for the whole batch. Each picture has "
            "its own.",
            wrong=lambda *a: coloured(*a, dims=(0, 1, 2, 3)),
        ),
        Misconception(
            "roles-exchanged",
            "Your result has the painting's colours and the photo's brightness. Read step 3 again.",
            wrong=lambda painting, photo: coloured(photo, painting),
        ),
        Misconception(
            "not-clamped",
            "Some numbers of your result are below 0 or above 1. Step 4 is missing.",
            wrong=lambda *a: coloured(*a, clamp=False),
        ),
        Misconception(
            "two-kinds-of-deviation",
            "For the two pictures you used two kinds of standard deviation: one divides by n, and "
            "the other by n − 1.",
            wrong=deviation_by_sample,
        ),
    ),
    credit={
        "channels-equal": 0.6,
        "blue-and-red-exchanged": 0.7,
        "not-matched": 0.4,
        "mean-only": 0.6,
        "moments-of-the-batch": 0.6,
        "roles-exchanged": 0.5,
        "not-clamped": 0.7,
        "two-kinds-of-deviation": 0.8,
    },
    lesson=8,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "finished_question", "locked": true}
# ## 3. When was it finished?
#
# A run is a list of content losses and a list of style losses, one number for each evaluation. Its
# total is $\alpha$ · content + $\beta$ · style. Write the report on a run: a dictionary with
#
# - `"best"`: the number of the evaluation with the lowest total, counted from 0 (the first one, if
#   several are equally low);
# - `"share"`: the lowest total, divided by the first total;
# - `"content_rose"`: True if the *content* loss of the best evaluation is higher than that of the
#   first one;
# - `"converged"`: how many evaluations it took until the run had converged. As in lesson 8, a run
#   has converged after $k$ evaluations if the last `window` of them lowered the total by less than
#   `tolerance`: if total number $k - 1$ is larger than $(1 - tolerance)$ times total number
#   $k - 1 - window$. Give the smallest such $k$; −1 if there is none.
#
# **Types:** `contents` and `styles` are lists of floats of the same length, all positive. `alpha`,
# `beta` and `tolerance` are floats, `window` is a whole number from 1 on. Return an int, a float, a
# bool and an int.
#
# **By hand:** contents 1, 2, 3, 3 and styles 5, 2, 1, 0.99; α is 1, β is 2, the window is 1, the
# tolerance 0.1. The totals are 11, 6, 5 and 4.98. The best is number 3, its share is 4.98/11, and
# the content rose. Number 3 is larger than 0.9 · 5 = 4.5, for the first time. So it had converged
# after 4 evaluations.


# %% nbgrader={"grade_id": "finished", "solution": true}
def my_finished(contents, styles, alpha, beta, window, tolerance):
    """Return the report on a run: a dictionary with best, share, content_rose and converged."""
    ### BEGIN SOLUTION
    totals = [alpha * c + beta * s for c, s in zip(contents, styles, strict=True)]
    best = totals.index(min(totals))
    converged = -1
    for k in range(window + 1, len(totals) + 1):
        if totals[k - 1] > (1 - tolerance) * totals[k - 1 - window]:
            converged = k
            break
    return {
        "best": best,
        "share": totals[best] / totals[0],
        "content_rose": contents[best] > contents[0],
        "converged": converged,
    }
    ### END SOLUTION


# %% nbgrader={"grade_id": "finished_test", "grade": true, "locked": true, "points": 5}
run = ([1.0, 2.0, 3.0, 3.0], [5.0, 2.0, 1.0, 0.99], 1.0, 2.0, 1, 0.1)
expected = {"best": 3, "share": 4.98 / 11, "content_rose": True, "converged": 4}
print("example right:", tasks.agrees(my_finished, run, expected))


### BEGIN HIDDEN TESTS
def report_on(contents, styles, alpha, beta, window, tolerance, **mistakes):
    """Return the report; the options are mistakes."""
    content_weight, style_weight = mistakes.get("weights", (alpha, beta))
    totals = [content_weight * c + style_weight * s for c, s in zip(contents, styles, strict=True)]
    lowest = min(totals)
    best = len(totals) - 1 if mistakes.get("last") else totals.index(lowest)

    def has_converged(k):
        before, now = totals[k - 1 - window], totals[k - 1]
        if mistakes.get("absolute"):
            return before - now < tolerance
        return now > (1 - tolerance) * before

    counts = [k for k in range(window + 1, len(totals) + 1) if has_converged(k)]
    count = counts[0] - mistakes.get("earlier", 0) if counts else -1
    rose = contents if mistakes.get("content") != "totals" else totals
    return {
        "best": best + mistakes.get("from_one", 0),
        "share": totals[best] / totals[0] if not mistakes.get("drop") else 1 - lowest / totals[0],
        "content_rose": bool(rose[best] > rose[0]),
        "converged": count,
    }


def run_cases(generator):
    """Return runs that fall and level off, rise at the end, or never level off."""
    found = []
    shapes = [(24, 0.7, 4, 0.05, 0.0), (18, 0.8, 3, 0.02, 0.03), (12, 0.6, 2, 1e-4, 0.0)]
    shapes += [(20, 0.75, 5, 0.1, 0.02)]
    for length, fall, window, tolerance, rise in shapes:
        noise = torch.rand(length, generator=generator, dtype=torch.float64)
        alpha, beta = (0.5 + 3 * torch.rand(2, generator=generator)).double().tolist()
        levels = [0.2 if tolerance > 1e-3 else 0.0, 1 - 0.5 ** (len(found) % 2)]
        styles = [3 * fall**k + levels[0] + rise * max(0, k - length // 2) for k in range(length)]
        sign = 1 if len(found) % 2 else -1
        contents = [0.6 + sign * 0.3 * (1 - fall**k) for k in range(length)]
        if levels[0] == 0.0:
            contents = [value * fall**k for k, value in enumerate(contents)]
        styles = [s * (1 + 0.01 * n) for s, n in zip(styles, noise.tolist(), strict=True)]
        found.append((contents, styles, alpha, beta, window, tolerance))
    return found


TASK = tasks.Task(
    name="my_finished",
    points=5,
    reference=report_on,
    cases=run_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "weights-forgotten",
            "You added the two losses without their weights.",
            wrong=lambda *a: report_on(*a, weights=(1.0, 1.0)),
        ),
        Misconception(
            "last-in-place-of-best",
            "You reported on the last evaluation. Some runs get worse at the end.",
            wrong=lambda *a: report_on(*a, last=True),
        ),
        Misconception(
            "counted-from-one",
            "Your `best` is one too large. It is counted from 0.",
            wrong=lambda *a: report_on(*a, from_one=1),
        ),
        Misconception(
            "number-in-place-of-count",
            "Your `converged` is one too small: it is the number of the last evaluation, counted "
            "from 0. How many evaluations are that?",
            wrong=lambda *a: report_on(*a, earlier=1),
        ),
        Misconception(
            "absolute-tolerance",
            "You compared the fall itself with the tolerance. A fall of 0.05 is much for a total "
            "of 0.1, and nothing for a total of 100.",
            wrong=lambda *a: report_on(*a, absolute=True),
        ),
        Misconception(
            "total-in-place-of-content",
            "For `content_rose` you compared the totals. The lowest total can never be above the "
            "first one.",
            wrong=lambda *a: report_on(*a, content="totals"),
        ),
        Misconception(
            "fall-in-place-of-share",
            "Your `share` says how much of the first total is gone. How much is left?",
            wrong=lambda *a: report_on(*a, drop=True),
        ),
    ),
    credit={
        "weights-forgotten": 0.5,
        "last-in-place-of-best": 0.4,
        "counted-from-one": 0.8,
        "number-in-place-of-count": 0.8,
        "absolute-tolerance": 0.6,
        "total-in-place-of-content": 0.7,
        "fall-in-place-of-share": 0.7,
    },
    lesson=8,
)
TASK.mark(globals())
### END HIDDEN TESTS

# %% [markdown] nbgrader={"grade_id": "experiment_question", "locked": true}
# ## 4. Your experiment
#
# Ask *one* question that a number can answer. For example: from which style weight on is the photo
# no longer recognisable? Does a start from noise end at the same picture? What does the total
# variation do to fine strokes? Better is a question of your own.
#
# In the next cell, write your **prediction** as a comment, and the program. Change one setting
# only, at three values or more. Show the pictures side by side with alt text that says what one
# sees, and print a number for each. `nst.style_transfer_steps(CONTENT, STYLE, steps=STEPS, …)`
# yields one `Step` after the other (lesson 8); each has an `image` and `losses`. In the cell after
# that, write your answer: what you see, what the numbers say, whether your prediction was right,
# and where your experiment has its limits. The rubric is at the top.

# %% nbgrader={"grade_id": "experiment", "grade": true, "solution": true, "points": 5}
# Question: how much smoother does the picture get with a larger weight of the total variation, and
# what does the style pay for it?
# Prediction: the roughness falls with the weight, and the style loss rises, because strokes need
# differences between neighbours.
torch.manual_seed(7)
backbone = nst.load_backbone("compact", device="cpu")
paintings = {}
for tv_weight in (0.0, 10.0, 100.0):
    options = {"backbone": backbone, "steps": STEPS, "scales": 1, "tv_weight": tv_weight}
    *_, last_step = nst.style_transfer_steps(CONTENT, STYLE, **options)
    paintings[f"TV weight {tv_weight:g}"] = last_step

for title, step in paintings.items():
    print(f"{title:14} style {step.losses.style:.4f}, roughness {step.losses.tv:.5f}")
comparison = plots.show_images(
    [CONTENT, *(step.image for step in paintings.values())],
    titles=["content", *paintings],
    alt="A red coffee cup, and three paintings of it with swirls of the marbled paper. From the "
    "first to the third one the fine grain disappears, and the swirls become flat areas.",
)
comparison
### BEGIN MARK SCHEME
# 4a, question and prediction: 2 points. One setting, one number, a prediction with a reason.
# 4b, experiment: 3 points. Three values or more of one setting, all else equal. Half, if a second
# thing changed with it (the number of steps, the start, the size, the seed).
### END MARK SCHEME

# %% [markdown] nbgrader={"grade_id": "answer_question", "locked": true}
# ### Your answer
#
# Five to ten sentences.

# %% [markdown] nbgrader={"grade_id": "answer", "grade": true, "solution": true, "points": 3}
# The roughness fell from picture to picture, as I predicted. The style loss rose at the same time:
# the strokes of the marbled paper are differences between neighbours, and these cost something now.
# In the pictures the grain goes first, and the swirls stay. With the largest weight they become
# flat areas. So for this pair I would take the weight in the middle. The limits: one pair of
# pictures, one seed, small pictures, and few steps. With more steps the style might catch up.
#
# ### BEGIN MARK SCHEME
# 4c, answer: 3 points. One for the numbers, one for the pictures, one for prediction and limits.
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade_id": "rights_question", "locked": true}
# ## 5. Whose pictures are they?
#
# For *both* pictures: who made it, where did you find it, under which licence or with whose
# permission do you use it, and what does that allow? (May the result be published? Changed? Sold?
# Must a name be given?) If people can be recognised: did they agree? For bundled pictures,
# `images/CREDITS.md` has the facts.

# %% [markdown] nbgrader={"grade_id": "rights", "grade": true, "solution": true, "points": 3}
# Both pictures are bundled with the course; `images/CREDITS.md` names the author, the source and
# the licence of each. The photo of the cup shows no people. I looked up there what each licence
# allows, and I give both names below my painting.
#
# ### BEGIN MARK SCHEME
# Author, source and licence of both pictures: 2 points. What the licence allows, and people: 1
# point. Look the licence up: a style picture "from the internet" earns nothing.
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade_id": "card_question", "locked": true}
# ## 6. A card for your painting
#
# Who finds your painting later should know how it was made, and what it says nothing about. Write a
# short card, two or three sentences for each of these headings: **Made with** (method, paper,
# network, settings), **Made from** (the pictures, and what the network was trained on),
# **Measured** (one number, and what it means), **Good for, and not good for**, **Who could be
# hurt** (imitation of living artists, likeness of people, passing it off as handmade).

# %% [markdown] nbgrader={"grade_id": "card", "grade": true, "solution": true, "points": 5}
# **Made with.** Neural style transfer (Gatys, Ecker and Bethge 2015), 40 evaluations of L-BFGS at
# 96 pixels, with the compact backbone of the course and a weight of 10 for the total variation.
#
# **Made from.** A photo of a cup and a marbled paper, both bundled. The backbone was trained to
# imitate VGG-19, which was trained on ImageNet; the model card of the course says more.
#
# **Measured.** The style loss above. It is relative to the style's own Gram matrices: 0 means
# equal.
#
# **Good for, and not good for.** A small decoration. Not as evidence of what the cup looks like,
# and not as an example of handmade marbling.
#
# **Who could be hurt.** Nobody can be recognised. The style is an old craft, not one living
# person's manner. Sold as handmade, it would deceive buyers.
#
# ### BEGIN MARK SCHEME
# One point for each heading, if it has a fact that can be checked: in the notebook, in the model
# card, or in the paper. General remarks ("AI can be biased") earn half a point.
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade_id": "gallery_text", "locked": true}
# ## Your pair, in the photo's colours
#
# One short run with your pair, and your function of task 2.

# %% nbgrader={"grade_id": "gallery", "locked": true}
torch.manual_seed(0)
SETTINGS = {
    "backbone": nst.load_backbone("compact", device="cpu"),
    "steps": STEPS // 2,
    "scales": 1,
}
painted = nst.style_transfer(CONTENT, STYLE, **SETTINGS)
plots.show_images(
    [painted, tried(my_keep_colours, painted, CONTENT)],
    titles=["painted", "in the photo's colours"],
    alt="Left the chosen photo, painted in the chosen style. Right, if task 2 is right, the same "
    "painting in the colours of the photo.",
)

# %% [markdown] nbgrader={"grade_id": "end", "locked": true}
# ## Before you hand in
#
# Restart the kernel, run all cells, and look at what the examples say. Is your id in the second
# code cell? Are your pictures to be seen in the outputs? Save the notebook, and hand it in.
