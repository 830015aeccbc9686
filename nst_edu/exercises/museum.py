"""Versions with and without a bug, on which lesson 9 tries out the learner's tests.

The first version with the bug is the exhibit itself; the others break the same promise in another
way. The first right version is the package's own; the others keep the promise by other means, so
that a test which asks for more than the promise is found out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nst_edu.images import to_bytes
from nst_edu.losses import gram_matrix, style_loss

# Promise: the Gram matrix of each picture of a batch does not depend on the others ----------------


def views_mixed(maps: Tensor) -> Tensor:
    """Count the channels of all pictures as those of one."""
    n, c, h, w = maps.shape
    rows = maps.reshape(n * c, h * w)  # (N*C, H*W)
    return rows @ rows.mT / (h * w)  # (N*C, N*C)


def pictures_summed(maps: Tensor) -> Tensor:
    """Add the matrices of all pictures up to one matrix."""
    h, w = maps.shape[-2:]
    return torch.einsum("nchw,ndhw->cd", maps, maps) / (h * w)


def mean_repeated(maps: Tensor) -> Tensor:
    """Give each picture the mean of the matrices of all pictures."""
    return gram_matrix(maps).mean(0, keepdim=True).repeat(len(maps), 1, 1)


def order_reversed(maps: Tensor) -> Tensor:
    """Give the first picture the matrix of the last one."""
    return gram_matrix(maps).flip(0)


def first_repeated(maps: Tensor) -> Tensor:
    """Give each picture the matrix of the first one."""
    return gram_matrix(maps)[:1].repeat(len(maps), 1, 1)


def last_repeated(maps: Tensor) -> Tensor:
    """Give each picture the matrix of the last one."""
    return gram_matrix(maps)[-1:].repeat(len(maps), 1, 1)


def gram_by_package(maps: Tensor) -> Tensor:
    """Call the package's gram_matrix."""
    return gram_matrix(maps)


def gram_by_einsum(maps: Tensor) -> Tensor:
    """Use einsum."""
    h, w = maps.shape[-2:]
    return torch.einsum("nchw,ndhw->ncd", maps, maps) / (h * w)


def gram_by_loop(maps: Tensor) -> Tensor:
    """Go through the pictures one by one."""
    return torch.stack([picture.flatten(1) @ picture.flatten(1).mT for picture in maps]) / (
        maps.shape[-1] * maps.shape[-2]
    )


def gram_in_chunks(maps: Tensor) -> Tensor:
    """Add up in chunks, shorter ones for a larger batch: other rounding errors."""
    h, w = maps.shape[-2:]
    chunks = maps.flatten(2).split(max(1, 5 // len(maps)), dim=2)
    total = torch.stack([rows @ rows.mT for rows in chunks]).sum(0)
    # The last digit depends on the order of the sum, nearly always; make it certain.
    last_digit = 2 * torch.finfo(maps.dtype).eps * (len(maps) - 1)
    return total / (h * w) * (1 + last_digit)


def gram_by_chw(maps: Tensor) -> Tensor:
    """Divide by C·H·W in place of H·W."""
    return gram_matrix(maps, divide_by="chw")


def gram_undivided(maps: Tensor) -> Tensor:
    """Do not divide."""
    return gram_matrix(maps, divide_by="none")


BATCH_BUGS = (
    *(views_mixed, pictures_summed, mean_repeated, order_reversed),
    *(first_repeated, last_repeated),
)
BATCH_RIGHT = (
    *(gram_by_package, gram_by_einsum, gram_by_loop, gram_in_chunks),
    *(gram_by_chw, gram_undivided),
)

# Promise: the style loss depends on the style picture ---------------------------------------------


def own_mean(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Compare the picture's maps with their own mean."""
    return (maps - maps.mean()).square().mean()


def compared_with_itself(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Compare the picture's Gram matrix with itself."""
    return style_loss(gram_matrix(maps), gram_matrix(maps))


def zeros_compared(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Compare the picture's Gram matrix with zeros."""
    return gram_matrix(maps).square().mean()


def style_by_package(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Call the package's style_loss on gram_matrix."""
    return style_loss(gram_matrix(maps), gram_matrix(style_maps))


def style_of_constant(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Detach the target: the style picture is a constant."""
    return style_loss(gram_matrix(maps), gram_matrix(style_maps.detach()).detach())


def style_of_paper(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Divide like the paper, by 4·C²·(H·W)²."""
    grams = [gram_matrix(m, divide_by="none") for m in (maps, style_maps)]
    _, c, h, w = maps.shape
    return (grams[0] - grams[1]).square().sum() / (4 * (c * h * w) ** 2)


def style_absolute(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Add up absolute differences of Gram matrices divided by C·H·W."""
    grams = [gram_matrix(m, divide_by="chw") for m in (maps, style_maps)]
    return (grams[0] - grams[1]).abs().sum()


def style_by_share(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Divide by the target's mean square, as nst.Objective does."""
    target = gram_matrix(style_maps)
    return style_loss(gram_matrix(maps), target) / target.square().mean().clamp(min=1e-12)


def style_without_order(maps: Tensor, style_maps: Tensor) -> Tensor:
    """Sort the products before adding them up: the order of the positions changes no digit."""

    def gram(m: Tensor) -> Tensor:
        products = (m[:, :, None] * m[:, None]).flatten(3)  # (N, C, C, H*W)
        return products.sort(dim=3).values.mean(3)

    return style_loss(gram(maps), gram(style_maps))


STYLE_BUGS = (own_mean, compared_with_itself, zeros_compared)
STYLE_RIGHT = (
    *(style_by_package, style_of_constant, style_of_paper),
    *(style_absolute, style_by_share, style_without_order),
)

# Promise: a display shows a picture between 0 and 1 as it is --------------------------------------


def stretched(picture: Tensor) -> Tensor:
    """Stretch the picture so that it spans 0 to 1."""
    low, high = picture.min(), picture.max()
    return (picture - low) / (high - low).clamp(min=1e-12)


def channels_stretched(picture: Tensor) -> Tensor:
    """Stretch each colour channel so that it spans 0 to 1."""
    low, high = picture.amin((2, 3), keepdim=True), picture.amax((2, 3), keepdim=True)
    return (picture - low) / (high - low).clamp(min=1e-12)


def divided_by_largest(picture: Tensor) -> Tensor:
    """Divide by the largest value."""
    return picture.clamp(min=0) / picture.max().clamp(min=1e-12)


def stays_black(picture: Tensor) -> Tensor:
    """Stay black, whatever the picture is."""
    return torch.zeros_like(picture)


def brighter(picture: Tensor) -> Tensor:
    """Show everything a little brighter."""
    return (picture + 0.1).clamp(0, 1)


def grainy(picture: Tensor) -> Tensor:
    """Add a grain: every other pixel too bright, the others too dark."""
    rows, columns = (torch.arange(size) for size in picture.shape[-2:])
    grain = 0.05 * (1 - 2 * ((rows[:, None] + columns) % 2)).to(picture)  # a chessboard
    return (picture + grain - grain.mean()).clamp(0, 1)


def clamped(picture: Tensor) -> Tensor:
    """Clamp to the range 0 to 1."""
    return picture.clamp(0, 1)


def clamped_by_where(picture: Tensor) -> Tensor:
    """Replace what is too large or too small."""
    above = torch.where(picture > 1, torch.ones_like(picture), picture)
    return torch.where(above < 0, torch.zeros_like(above), above)


def clamped_by_numpy(picture: Tensor) -> Tensor:
    """Clip with NumPy."""
    return torch.from_numpy(picture.detach().cpu().numpy().clip(0, 1))


def rounded_to_bytes(picture: Tensor) -> Tensor:
    """Clamp, and round to the 256 levels of a screen."""
    pages = [torch.from_numpy(to_bytes(page[None])) for page in picture]
    return torch.stack(pages).permute(0, 3, 1, 2).to(picture.dtype) / 255  # (N, H, W, 3) -> NCHW


def cut_to_bytes(picture: Tensor) -> Tensor:
    """Clamp, and cut off to the 256 levels of a screen."""
    return (picture.clamp(0, 1) * 255).floor() / 255


STRETCHING = (stretched, channels_stretched, divided_by_largest)
# Not stretched, but not the picture either: for tests that look at one number of the picture.
DISPLAY_BUGS = (*STRETCHING, stays_black, brighter, grainy)
DISPLAY_RIGHT = (clamped, clamped_by_where, clamped_by_numpy, rounded_to_bytes, cut_to_bytes)
