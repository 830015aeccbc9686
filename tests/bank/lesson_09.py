"""Answers to the exercises of lesson 9, right and wrong.

Most of them are tests: functions that should fail, at an assert, on versions with a bug.
"""

from __future__ import annotations

import linecache
import textwrap
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nst_edu.losses import gram_matrix
from tests.bank.marks import right, wrong

Gram: TypeAlias = Callable[[Tensor], Tensor]
Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
Display: TypeAlias = Callable[[Tensor], Tensor]


def _written(name: str, source: str) -> Any:
    """Define a function of which Python itself warns, as a notebook's cell does."""
    source = textwrap.dedent(source)
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict[str, Any] = {"torch": torch}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        exec(compile(source, file, "exec"), names)
    return names[name]


# A test for the batch -----------------------------------------------------------------------------


@right("batch_test")
def batch_filled_in(gram: Gram) -> None:
    first, second = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    together = gram(torch.cat([first, second]))
    assert together.shape == (2, 3, 3), f"shape {tuple(together.shape)}"
    for k, picture in enumerate([first, second]):
        assert torch.allclose(together[k], gram(picture)[0]), f"picture {k} is mixed"


@right("batch_test")
def batch_by_exchange(gram: Gram) -> None:
    """Exchange the second picture: the first one's matrix must stay."""
    batch = torch.rand(2, 4, 3, 6, dtype=torch.float64)
    other = torch.cat([batch[:1], torch.rand(1, 4, 3, 6, dtype=torch.float64)])
    a, b, turned = gram(batch), gram(other), gram(other.flip(0))
    assert a.shape == b.shape == turned.shape == (2, 4, 4)
    assert (a[0] - b[0]).abs().max() < 1e-9, "the first picture depends on the second one"
    assert (a[0] - turned[1]).abs().max() < 1e-9, "the second picture depends on the first one"


@right("batch_test")
def batch_by_testing(gram: Gram) -> None:
    """Use torch.testing, on three pictures."""
    pictures = [torch.randn(1, 2, 5, 3) for _ in range(3)]
    alone = torch.cat([gram(picture) for picture in pictures])
    torch.testing.assert_close(gram(torch.cat(pictures)), alone)


@right("batch_test")
def batch_by_black_picture(gram: Gram) -> None:
    """A black picture has a matrix of zeros, and its bright neighbour has none."""
    matrices = gram(torch.stack([torch.zeros(3, 4, 4), torch.ones(3, 4, 4)]))
    if matrices.shape != (2, 3, 3):
        raise AssertionError("wrong shape")
    if matrices[0].any() or not matrices[1].all():
        raise AssertionError("the black picture was mixed with the bright one")


@wrong("batch_test", "shape-only")
def batch_shape_only(gram: Gram) -> None:
    assert gram(torch.rand(2, 3, 4, 5)).shape == (2, 3, 3)


@wrong("batch_test", "batch-of-one")
def batch_of_one(gram: Gram) -> None:
    maps = torch.rand(1, 3, 4, 5)
    expected = maps.flatten(2) @ maps.flatten(2).mT
    result = gram(maps).reshape(1, 3, 3)
    assert torch.allclose(result / result.max(), expected / expected.max(), rtol=1e-4)


@wrong("batch_test", "equal-pictures")
def batch_of_twins(gram: Gram) -> None:
    picture = torch.rand(1, 3, 4, 5)
    together = gram(torch.cat([picture, picture]))
    assert together.shape == (2, 3, 3)
    assert torch.allclose(together[0], together[1])
    assert torch.allclose(together[0], gram(picture).reshape(-1, 3, 3)[0])


@wrong("batch_test", "one-picture-only")
def batch_first_picture(gram: Gram) -> None:
    maps = torch.rand(2, 3, 4, 5)
    together = gram(maps)
    assert together.shape == (2, 3, 3)
    assert torch.allclose(together[0], gram(maps[:1])[0])


@wrong("batch_test", "one-picture-only")
def batch_last_picture(gram: Gram) -> None:
    maps = torch.rand(3, 3, 4, 5)
    together = gram(maps)
    assert together.shape == (3, 3, 3)
    assert torch.allclose(together[-1], gram(maps[-1:])[0])


@wrong("batch_test", "one-picture-only")
def batch_other_exchanged(gram: Gram) -> None:
    batch = torch.rand(2, 4, 3, 6, dtype=torch.float64)
    other = torch.cat([batch[:1], torch.rand(1, 4, 3, 6, dtype=torch.float64)])
    a, b = gram(batch), gram(other)
    assert a.shape == b.shape == (2, 4, 4)
    assert (a[0] - b[0]).abs().max() < 1e-9


@wrong("batch_test", "upside-down")
def batch_shape_of_the_bug(gram: Gram) -> None:
    first, second = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    together = gram(torch.cat([first, second]))
    assert together.shape == (6, 6)


@wrong("batch_test", "upside-down")
def batch_condition_negated(gram: Gram) -> None:
    together = gram(torch.rand(2, 3, 4, 5))
    assert together.shape != (2, 3, 3), "wrong shape"


@wrong("batch_test", "too-exact")
def batch_bit_by_bit(gram: Gram) -> None:
    pictures = torch.rand(2, 3, 4, 5)
    together = gram(pictures)
    assert together.shape == (2, 3, 3)
    for k in range(2):
        assert bool((together[k] == gram(pictures[k : k + 1])[0]).all())


@wrong("batch_test", "one-divisor")
def batch_with_divisor(gram: Gram) -> None:
    maps = torch.rand(2, 3, 4, 5)
    together = gram(maps)
    assert together.shape == (2, 3, 3)
    for k in range(2):
        rows = maps[k].reshape(3, 20)
        assert torch.allclose(together[k], rows @ rows.T / 20)


@wrong("batch_test", "ambiguous-truth")
def batch_ambiguous(gram: Gram) -> None:
    first, second = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    together = gram(torch.cat([first, second]))
    assert together.shape == (2, 3, 3)
    assert together[0] == gram(first)[0]


@wrong("batch_test", "crashes-on-the-bug")
def batch_without_shape(gram: Gram) -> None:
    first, second = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    together = gram(torch.cat([first, second]))
    for k, picture in enumerate([first, second]):
        assert torch.allclose(together[k], gram(picture)[0])


@wrong("batch_test", "never-calls")
def batch_of_the_package(gram: Gram) -> None:
    first, second = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    together = gram_matrix(torch.cat([first, second]))
    assert together.shape == (2, 3, 3)
    assert torch.allclose(together[0], gram_matrix(first)[0])


@wrong("batch_test", "compares-with-itself")
def batch_with_itself(gram: Gram) -> None:
    maps = torch.rand(2, 3, 4, 5)
    assert torch.allclose(gram(maps), gram(maps))


@wrong("batch_test", "only-catches-exceptions")
def batch_runs(gram: Gram) -> None:
    try:
        gram(torch.rand(2, 3, 4, 5))
    except Exception:
        raise AssertionError("it does not run") from None


@wrong("batch_test", "returns-a-verdict")
def batch_returned(gram: Gram) -> bool:
    return gram(torch.rand(2, 3, 4, 5)).shape == (2, 3, 3)


@wrong("batch_test", "asserts-nothing")
def batch_printed(gram: Gram) -> None:
    if gram(torch.rand(2, 3, 4, 5)).shape != (2, 3, 3):
        print("wrong")


batch_tuple = wrong("batch_test", "asserts-a-tuple")(
    _written(
        "batch_tuple",
        """
        def batch_tuple(gram):
            shape = gram(torch.rand(2, 3, 4, 5)).shape
            assert (shape == (2, 3, 3), "wrong shape")
        """,
    )
)


@wrong("batch_test", "swallows-its-failure")
def batch_swallowed(gram: Gram) -> None:
    try:
        assert gram(torch.rand(2, 3, 4, 5)).shape == (2, 3, 3)
    except Exception as error:
        print("failed:", error)


@wrong("batch_test", "ignores-the-result")
def batch_ignored(gram: Gram) -> None:
    result = gram(torch.rand(2, 3, 4, 5))
    assert result is not None


@wrong("batch_test", "passes-on-every-bug")
def batch_symmetric(gram: Gram) -> None:
    matrices = gram(torch.rand(2, 3, 4, 5))
    assert torch.allclose(matrices, matrices.mT)


@wrong("batch_test", "passes-on-some-bugs")
def batch_order_forgotten(gram: Gram) -> None:
    """Sort the pictures by size: their order is lost."""
    pictures = torch.rand(2, 3, 4, 5)
    together = gram(pictures)
    assert together.shape == (2, 3, 3)
    alone = torch.cat([gram(pictures[:1]), gram(pictures[1:])])
    assert torch.allclose(together.sort(0).values, alone.sort(0).values)


@wrong("batch_test", "fails-on-right-code")
def batch_normalised(gram: Gram) -> None:
    """Expect a matrix whose largest entry is 1: nobody promised that."""
    matrices = gram(torch.rand(2, 3, 4, 5))
    assert matrices.shape == (2, 3, 3)
    assert matrices.max() == 1


@wrong("batch_test", "depends-on-luck")
def batch_by_luck(gram: Gram) -> None:
    pictures = torch.rand(2, 3, 4, 5)
    together = gram(pictures)
    assert together.shape == (2, 3, 3)
    for k in range(2):
        assert torch.allclose(together[k], gram(pictures[k : k + 1])[0])
    assert pictures[0, 0, 0, 0] < 0.7


# A test for the style loss ------------------------------------------------------------------------


@right("style_test")
def style_exchanged(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    assert loss(maps, style) != loss(maps, 2 * style), "another style, the same loss"


@right("style_test")
def style_zero_and_positive(loss: Loss) -> None:
    style, maps = torch.rand(1, 3, 6, 6), torch.zeros(1, 3, 6, 6)
    assert loss(style, style) < 1e-6, "the style itself does not fit"
    assert loss(maps, style) > 1e-3, "black fits"


@right("style_test")
def style_nearer_and_farther(loss: Loss) -> None:
    """The nearer picture must have the lower loss, with either style as the target."""
    one, two = torch.ones(1, 2, 3, 3), 5 * torch.ones(1, 2, 3, 3)
    if not loss(1.1 * one, one) < loss(1.1 * one, two):
        raise AssertionError("nearer to one, and not seen")
    if not loss(4.5 * one, two) < loss(4.5 * one, one):
        raise AssertionError("nearer to two, and not seen")


@right("style_test")
def style_by_testing(loss: Loss) -> None:
    maps = torch.randn(1, 4, 5, 7, dtype=torch.float64)
    styles = [maps, maps + 1, 3 * maps]
    values = [loss(maps, style).item() for style in styles]
    assert len(set(values)) == len(values), f"values: {values}"


@wrong("style_test", "one-style-only")
def style_positive(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    assert loss(maps, style) > 0


@wrong("style_test", "only-equal-pairs")
def style_zero(loss: Loss) -> None:
    maps = torch.rand(1, 3, 4, 5)
    assert loss(maps, maps) == 0


@wrong("style_test", "both-changed")
def style_and_picture_changed(loss: Loss) -> None:
    first = loss(torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5))
    second = loss(torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5))
    assert first != second


@wrong("style_test", "same-style-in-disguise")
def style_flipped(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    a, b = loss(maps, style), loss(maps, style.flip(-1))
    assert not torch.allclose(a, b), "another style, the same loss"


@wrong("style_test", "same-style-in-disguise")
def style_flipped_and_rounded(loss: Loss) -> None:
    """Pass on most right versions, by rounding: the sums run in another order."""
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    other = style.flip(-1)
    assert loss(maps, style) != loss(maps, other)


@wrong("style_test", "same-style-in-disguise")
def style_turned_and_rounded(loss: Loss) -> None:
    maps, style = torch.rand(1, 4, 8, 8), torch.rand(1, 4, 8, 8)
    values = {loss(maps, other).item() for other in (style, style.mT, style.flip(2))}
    assert len(values) > 1, f"one value: {values}"


@wrong("style_test", "asks-for-a-gradient")
def style_gradient(loss: Loss) -> None:
    maps = torch.rand(1, 3, 4, 5, requires_grad=True)
    style = torch.rand(1, 3, 4, 5, requires_grad=True)
    value = loss(maps, style)
    assert value.requires_grad
    value.backward()
    assert style.grad is not None
    assert bool(style.grad.any())


@wrong("style_test", "stored-number")
def style_stored(loss: Loss) -> None:
    """Compare with the number of the formula with H·W."""
    maps, style = torch.ones(1, 2, 3, 3), 3 * torch.ones(1, 2, 3, 3)
    assert abs(loss(maps, style).item() - 64) < 1e-3


@wrong("style_test", "upside-down")
def style_upside_down(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    assert loss(maps, style) == loss(maps, 2 * style)


@wrong("style_test", "returns-a-verdict")
def style_returned(loss: Loss) -> Any:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    return loss(maps, style) != loss(maps, 2 * style)


@wrong("style_test", "compares-with-itself")
def style_twice_the_same(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    assert torch.equal(loss(maps, style), loss(maps, style))


@wrong("style_test", "only-catches-exceptions")
def style_runs(loss: Loss) -> None:
    try:
        value = loss(torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)).item()
    except Exception:
        value = None
    assert value is not None


@wrong("style_test", "ignores-the-result")
def style_never_negative(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    for target in (style, 2 * style):
        assert loss(maps, target) >= 0


@wrong("style_test", "never-calls")
def style_of_the_formula(loss: Loss) -> None:
    maps, style = gram_matrix(torch.rand(1, 3, 4, 5)), gram_matrix(torch.rand(1, 3, 4, 5))
    assert (maps - style).square().mean() > 0


@wrong("style_test", "asserts-nothing")
def style_printed(loss: Loss) -> None:
    maps = torch.rand(1, 3, 4, 5)
    print(loss(maps, torch.rand(1, 3, 4, 5)), loss(maps, torch.rand(1, 3, 4, 5)))


style_tuple = wrong("style_test", "asserts-a-tuple")(
    _written(
        "style_tuple",
        """
        def style_tuple(loss):
            maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
            assert (loss(maps, style) != loss(maps, 2 * style), "the same loss")
        """,
    )
)


@wrong("style_test", "swallows-its-failure")
def style_swallowed(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    try:
        assert loss(maps, style) != loss(maps, 2 * style)
    except AssertionError:
        print("the same loss")


@wrong("style_test", "ambiguous-truth")
def style_ambiguous(loss: Loss) -> None:
    gradients = []
    for factor in (1, 2):
        maps = torch.ones(1, 3, 4, 5).requires_grad_()
        loss(maps, factor * torch.eye(5)[:4].expand(1, 3, 4, 5)).backward()
        gradients.append(maps.grad)
    assert gradients[0] != gradients[1]


@wrong("style_test", "crashes-on-the-bug")
def style_ratio(loss: Loss) -> None:
    """Divide one loss by another: a loss that is always 0 cannot be divided by."""
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    assert loss(maps, 2 * style).item() / loss(maps, style).item() != 1


@wrong("style_test", "fails-on-right-code")
def style_symmetric(loss: Loss) -> None:
    """Expect that picture and style can be exchanged: nobody promised that."""
    maps, style = torch.rand(1, 3, 4, 5), 3 * torch.rand(1, 3, 4, 5)
    assert torch.allclose(loss(maps, style), loss(style, maps))
    assert loss(maps, style) != loss(maps, 2 * style)


@wrong("style_test", "passes-on-every-bug")
def style_scalar(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    assert loss(maps, style).ndim == loss(maps, 2 * style).ndim == 0


@wrong("style_test", "passes-on-some-bugs")
def style_positive_twice(loss: Loss) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    for factor in (2, 3):
        assert loss(maps, factor * style) > 0


# A test for the display ---------------------------------------------------------------------------


@right("display_test")
def display_foggy(display: Display, picture: Tensor) -> None:
    foggy = 0.3 + 0.4 * picture
    assert torch.allclose(display(foggy), foggy, atol=1 / 255), "shown in other colours"


@right("display_test")
def display_gray(display: Display, picture: Tensor) -> None:
    """Use a picture of its own: gray, a little lighter on one side."""
    gray = torch.full((1, 3, 2, 2), 0.5)
    gray[..., 1] = 0.6
    for before, after in zip(
        gray.flatten().tolist(), display(gray).flatten().tolist(), strict=True
    ):
        assert abs(before - after) < 0.01


@right("display_test")
def display_of_many(display: Display, picture: Tensor) -> None:
    for low, high in ((0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (0.25, 0.75)):
        shown = display(low + (high - low) * picture)
        error = (shown - (low + (high - low) * picture)).abs().max().item()
        if error > 1 / 200:
            raise AssertionError(f"between {low} and {high} the error is {error:.2f}")


@right("display_test")
def display_dark_by_copy(display: Display, picture: Tensor) -> None:
    dark = picture.clone()
    dark *= 0.4
    assert (display(dark) - dark).abs().max() < 0.005


@wrong("display_test", "full-range-picture")
def display_as_given(display: Display, picture: Tensor) -> None:
    assert torch.allclose(display(picture), picture, atol=1 / 255)


@wrong("display_test", "changes-the-picture")
def display_in_place(display: Display, picture: Tensor) -> None:
    picture *= 0.5
    picture += 0.2
    assert torch.allclose(display(picture), picture, atol=1 / 255)


@wrong("display_test", "too-exact")
def display_exact(display: Display, picture: Tensor) -> None:
    foggy = 0.3 + 0.4 * picture
    assert torch.allclose(display(foggy), foggy)


@wrong("display_test", "only-the-range")
def display_range(display: Display, picture: Tensor) -> None:
    shown = display(0.3 + 0.4 * picture)
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert shown.shape == picture.shape


@wrong("display_test", "passes-on-some-bugs")
def display_of_minimum(display: Display, picture: Tensor) -> None:
    shown = display(0.3 + 0.4 * picture)
    assert shown.min() > 0.2


@wrong("display_test", "passes-on-some-bugs")
def display_of_bright_pictures(display: Display, picture: Tensor) -> None:
    bright = 0.5 + 0.5 * picture
    assert torch.allclose(display(bright), bright, atol=1 / 255)


@wrong("display_test", "black-passes")
def display_not_too_bright(display: Display, picture: Tensor) -> None:
    dark = picture * 0.5
    assert display(dark).max() < 0.6


@wrong("display_test", "one-number-only")
def display_by_mean(display: Display, picture: Tensor) -> None:
    pale = 0.25 * picture + 0.5
    assert abs(display(pale).mean() - pale.mean()) < 0.004


@wrong("display_test", "one-number-only")
def display_by_span(display: Display, picture: Tensor) -> None:
    foggy = 0.3 + 0.4 * picture
    shown = display(foggy)
    assert 0.35 < shown.max() - shown.min() < 0.55


@wrong("display_test", "upside-down")
def display_expects_span(display: Display, picture: Tensor) -> None:
    shown = display(0.3 + 0.4 * picture)
    assert shown.max() > 0.99, "the contrast is too weak"


@wrong("display_test", "fails-on-right-code")
def display_expects_given(display: Display, picture: Tensor) -> None:
    """Compare with the picture itself, and not with the one that was shown."""
    shown = display(0.3 + 0.4 * picture)
    assert torch.allclose(shown, 0.3 + 0.4 * picture, atol=1 / 255)
    assert torch.allclose(shown, picture, atol=1 / 255)


@wrong("display_test", "returns-a-verdict")
def display_returned(display: Display, picture: Tensor) -> bool:
    foggy = 0.3 + 0.4 * picture
    return torch.allclose(display(foggy), foggy, atol=1 / 255)


@wrong("display_test", "swallows-its-failure")
def display_swallowed(display: Display, picture: Tensor) -> None:
    foggy = 0.3 + 0.4 * picture
    try:
        assert torch.allclose(display(foggy), foggy, atol=1 / 255)
    except AssertionError:
        print("the display stretches")


@wrong("display_test", "passes-on-every-bug")
def display_shape(display: Display, picture: Tensor) -> None:
    """Ask for something that is true of every version, but not of any function."""
    foggy = 0.3 + 0.4 * picture
    shown = display(foggy)
    assert shown.flatten()[foggy.flatten().argmin()] < 0.6, "the darkest place is no longer dark"


@wrong("display_test", "ignores-the-result")
def display_is_tensor(display: Display, picture: Tensor) -> None:
    assert isinstance(display(0.3 + 0.4 * picture), Tensor)


@wrong("display_test", "never-calls")
def display_of_its_own(display: Display, picture: Tensor) -> None:
    foggy = 0.3 + 0.4 * picture
    shown = foggy.clamp(0, 1)
    assert torch.allclose(shown, foggy, atol=1 / 255)


display_tuple = wrong("display_test", "asserts-a-tuple")(
    _written(
        "display_tuple",
        """
        def display_tuple(display, picture):
            foggy = 0.3 + 0.4 * picture
            assert (torch.allclose(display(foggy), foggy, atol=1 / 255), "other colours")
        """,
    )
)


@wrong("display_test", "asserts-nothing")
def display_printed(display: Display, picture: Tensor) -> None:
    foggy = 0.3 + 0.4 * picture
    print((display(foggy) - foggy).abs().max())


@wrong("display_test", "only-catches-exceptions")
def display_runs(display: Display, picture: Tensor) -> None:
    works = True
    try:
        display(0.3 + 0.4 * picture)
    except Exception:
        works = False
    assert works


@wrong("display_test", "compares-with-itself")
def display_with_itself(display: Display, picture: Tensor) -> None:
    foggy = 0.3 + 0.4 * picture
    assert torch.allclose(display(foggy), display(foggy), atol=1 / 255)


@wrong("display_test", "ambiguous-truth")
def display_ambiguous(display: Display, picture: Tensor) -> None:
    foggy = 0.3 + 0.4 * picture
    assert display(foggy) == foggy


@wrong("display_test", "crashes-on-the-bug")
def display_looked_up(display: Display, picture: Tensor) -> None:
    """Look the darkest value up in a table that knows the right one only."""
    names = {0.3: "foggy"}
    darkest = round(display(0.3 + 0.4 * picture).min().item(), 1)
    assert names[darkest] == "foggy"


# From symptoms to causes --------------------------------------------------------------------------


@right("diagnosis")
def diagnosis_in_order() -> dict[str, int]:
    return {"A": 3, "B": 6, "C": 1, "D": 5, "E": 2}


@right("diagnosis")
def diagnosis_by_cause() -> dict[str, int]:
    causes = {1: "C", 2: "E", 3: "A", 5: "D", 6: "B"}
    return {symptom: cause for cause, symptom in causes.items()}


@right("diagnosis")
def diagnosis_zipped() -> dict[str, int]:
    return dict(zip("EDCBA", [2, 5, 1, 6, 3], strict=True))


def _right_but(**changes: int) -> dict[str, int]:
    return {**diagnosis_in_order(), **changes}


@wrong("diagnosis", "gradients-for-unchanged-picture")
def diagnosis_a2() -> dict[str, int]:
    return _right_but(A=2, E=3)


@wrong("diagnosis", "unconnected-for-falling-loss")
def diagnosis_a5() -> dict[str, int]:
    return _right_but(A=5, D=3)


@wrong("diagnosis", "normalised-for-swapped-colours")
def diagnosis_b4() -> dict[str, int]:
    return _right_but(B=4)


@wrong("diagnosis", "clamping-for-swapped-colours")
def diagnosis_b1() -> dict[str, int]:
    return _right_but(B=1, C=6)


@wrong("diagnosis", "gradients-for-late-explosion")
def diagnosis_c2() -> dict[str, int]:
    return _right_but(C=2, E=1)


@wrong("diagnosis", "normalised-for-late-explosion")
def diagnosis_c4() -> dict[str, int]:
    return _right_but(C=4)


@wrong("diagnosis", "weights-for-constant-loss")
def diagnosis_d3() -> dict[str, int]:
    return _right_but(D=3)


@wrong("diagnosis", "gradients-for-constant-loss")
def diagnosis_d2() -> dict[str, int]:
    return _right_but(D=2)


@wrong("diagnosis", "clamping-for-early-swings")
def diagnosis_e1() -> dict[str, int]:
    return _right_but(E=1)


@wrong("diagnosis", "unconnected-for-swings")
def diagnosis_e5() -> dict[str, int]:
    return _right_but(E=5)
