"""What lesson 9 says of a learner's test: on which version it went wrong, and at which assert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from nst_edu.exercises import museum
from nst_edu.exercises.lesson_09 import check_batch_test, check_display_test, check_style_test

Test = Callable[..., Any]


def expects_one(gram: Test) -> None:
    matrices = gram(torch.rand(2, 3, 4, 5))
    assert matrices.shape == (2, 3, 3)
    assert matrices.max() == 1, f"the largest entry\n  of {matrices.shape} is not 1: {'x' * 500}"


def test_a_test_that_fails_on_right_code_is_shown_its_own_assert() -> None:
    result = check_batch_test(expects_one)
    assert result.misconception == "fails-on-right-code"
    assert "\n    assert matrices.max() == 1, f" in result.message
    assert "It says: the largest entry of torch.Size([2, 3, 3]) is not 1: xxx" in result.message
    assert max(map(len, result.message.splitlines()[1:])) <= 140
    assert "It fails on all 6 right versions, for example on this one:" in result.message
    assert "    gram_by_package: Call the package's gram_matrix." in result.message


def with_the_divisor(gram: Test) -> None:
    maps = torch.rand(2, 3, 4, 5)
    together = gram(maps)
    assert together.shape == (2, 3, 3)
    rows = maps.flatten(2)
    torch.testing.assert_close(together, rows @ rows.mT / 20)


def test_the_versions_and_the_assert_are_shown_for_known_mistakes_too() -> None:
    result = check_batch_test(with_the_divisor)
    assert result.misconception == "one-divisor"
    assert "It fails on right versions:\n    gram_by_chw: Divide by C·H·W" in result.message
    assert "    gram_undivided: Do not divide." in result.message
    assert "    torch.testing.assert_close(together, rows @ rows.mT / 20)" in result.message
    assert "It says: Tensor-likes are not close!" in result.message


def without_words(display: Test, picture: torch.Tensor) -> None:
    if not torch.equal(display(0.5 * picture), 0.5 * picture):
        raise AssertionError


def test_an_assert_without_words_is_shown_by_its_line() -> None:
    result = check_display_test(without_words)
    assert result.misconception == "too-exact"
    assert "    raise AssertionError" in result.message
    assert "It says" not in result.message


def calls_with_one(loss: Test) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    assert loss(maps) != loss(style)


def trips_over_a_right_version(loss: Test) -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    assert loss(maps, style) != loss(maps, 2 * style)
    print(1 / loss(maps, maps).item())


@pytest.mark.parametrize(
    ("test", "kind", "name"),
    [
        (calls_with_one, "This version has the bug:", "own_mean"),
        (trips_over_a_right_version, "This version is right:", "style_by_package"),
    ],
)
def test_a_test_that_stops_is_told_with_which_version(test: Test, kind: str, name: str) -> None:
    result = check_style_test(test)
    assert result.misconception == "raised"
    about = getattr(museum, name).__doc__.splitlines()[0]
    assert result.message.endswith(f"\n\n{kind}\n    {name}: {about}")


def test_the_names_of_the_versions_can_be_read_in_a_sentence() -> None:
    versions = (
        *(*museum.BATCH_BUGS, *museum.BATCH_RIGHT, *museum.STYLE_BUGS, *museum.STYLE_RIGHT),
        *(*museum.DISPLAY_BUGS, *museum.DISPLAY_RIGHT),
    )
    # "the function itself" is no function's name
    assert not {version.__name__ for version in versions} & {"itself", "black", "one", "it"}
    assert all(version.__doc__ for version in versions)


def test_a_style_loss_without_rounding_sees_no_order_of_positions() -> None:
    maps, style = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5)
    loss = museum.style_without_order
    for other in (style.flip(-1), style.mT, style.flatten(2)[..., torch.randperm(20)][..., None]):
        assert loss(maps, other) == loss(maps, style)
    assert torch.allclose(loss(maps, style), museum.style_by_package(maps, style))
    assert loss(maps, 2 * style) > loss(maps, maps) == 0
