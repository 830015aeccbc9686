"""Right and wrong answers to the exercises of lesson 3."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.bank.marks import right, wrong

# Min pooling --------------------------------------------------------------------------------------


@right("min_pool2d")
def least_by_turning(images: Tensor, window: int) -> Tensor:
    largest = F.max_pool2d(-images, window)
    return largest * -1


@right("min_pool2d")
def least_by_subtracting(images: Tensor, window: int) -> Tensor:
    largest: Tensor = nn.MaxPool2d(window)(1 - images)
    return 1 - largest


@right("min_pool2d")
def least_by_unfolding(images: Tensor, window: int) -> Tensor:
    return images.unfold(2, window, window).unfold(3, window, window).amin(dim=(-2, -1))


@right("min_pool2d")
def least_by_loops(images: Tensor, window: int) -> Tensor:
    height, width = (side // window for side in images.shape[2:])
    return torch.stack(
        [
            torch.stack(
                [
                    images[:, :, i * window : (i + 1) * window, j * window : (j + 1) * window]
                    .flatten(2)
                    .min(dim=2)
                    .values
                    for j in range(width)
                ],
                dim=-1,
            )
            for i in range(height)
        ],
        dim=-2,
    )


@wrong("min_pool2d", "max-returned")
def least_not_turned(images: Tensor, window: int) -> Tensor:
    largest = F.max_pool2d(images, window)
    return largest * 1


@wrong("min_pool2d", "turned-once-before")
def least_not_turned_back(images: Tensor, window: int) -> Tensor:
    return F.max_pool2d(-images, window)


@wrong("min_pool2d", "turned-once-after")
def least_turned_too_late(images: Tensor, window: int) -> Tensor:
    return -F.max_pool2d(images, window)


@wrong("min_pool2d", "stride-one")
def least_of_overlapping_windows(images: Tensor, window: int) -> Tensor:
    return -F.max_pool2d(-images, window, stride=1)


@wrong("min_pool2d", "whole-picture")
def least_of_all(images: Tensor, window: int) -> Tensor:
    return images.flatten(2).min(dim=2).values


@wrong("min_pool2d", "inverse")
def least_by_dividing(images: Tensor, window: int) -> Tensor:
    return 1 / F.max_pool2d(1 / images, window)


@wrong("min_pool2d", "absolute-values")
def least_without_signs(images: Tensor, window: int) -> Tensor:
    return -F.max_pool2d(-images.abs(), window)


@wrong("min_pool2d", "detached")
def least_by_data(images: Tensor, window: int) -> Tensor:
    return -F.max_pool2d(-images.data, window)


# Max pooling --------------------------------------------------------------------------------------


@right("max_pool2d")
def most_by_loops(images: Tensor, window: int) -> Tensor:
    _, _, h, w = images.shape
    rows = []
    for top in range(0, h - window + 1, window):
        row = []
        for left in range(0, w - window + 1, window):
            block = images[:, :, top : top + window, left : left + window]
            row.append(block.amax(dim=(2, 3)))
        rows.append(torch.stack(row, dim=2))
    return torch.stack(rows, dim=2)


@right("max_pool2d")
def most_by_reshaping(images: Tensor, window: int) -> Tensor:
    n, c, h, w = images.shape
    rows, columns = h // window, w // window
    cut = images[:, :, : rows * window, : columns * window]
    return cut.reshape(n, c, rows, window, columns, window).amax(dim=(3, 5))


@right("max_pool2d")
def most_by_unfold(images: Tensor, window: int) -> Tensor:
    n, c, h, w = images.shape
    blocks = F.unfold(images, window, stride=window).view(n, c, window**2, -1)
    return blocks.max(dim=2).values.view(n, c, h // window, w // window)


@right("max_pool2d")
def most_by_shifted_pictures(images: Tensor, window: int) -> Tensor:
    rows, columns = (side // window * window for side in images.shape[2:])
    best = images[:, :, 0:rows:window, 0:columns:window]
    for u in range(window):
        for v in range(window):
            best = torch.maximum(best, images[:, :, u:rows:window, v:columns:window])
    return best


@right("max_pool2d")
def most_into_an_empty_tensor(images: Tensor, window: int) -> Tensor:
    n, c, h, w = images.shape
    pooled = images.new_zeros(n, c, h // window, w // window)
    for i in range(h // window):
        for j in range(w // window):
            a, b = i * window, j * window
            pooled[:, :, i, j] = images[:, :, a : a + window, b : b + window].amax((-1, -2))
    return pooled


@wrong("max_pool2d", "across-channels")
def most_of_all_channels(images: Tensor, window: int) -> Tensor:
    windows = images.unfold(2, window, window).unfold(3, window, window)
    return windows.amax(dim=(1, -2, -1)).unsqueeze(1)


@wrong("max_pool2d", "across-the-batch")
def most_of_all_pictures(images: Tensor, window: int) -> Tensor:
    windows = images.unfold(2, window, window).unfold(3, window, window)
    return windows.amax(dim=(0, -2, -1)).unsqueeze(0)


@wrong("max_pool2d", "stride-one")
def most_of_overlapping_windows(images: Tensor, window: int) -> Tensor:
    return images.unfold(2, window, 1).unfold(3, window, 1).amax(dim=(-2, -1))


@wrong("max_pool2d", "average")
def mean_of_each_window(images: Tensor, window: int) -> Tensor:
    return F.avg_pool2d(images, window)


@wrong("max_pool2d", "one-direction")
def most_along_rows(images: Tensor, window: int) -> Tensor:
    return images.unfold(3, window, window).amax(dim=-1)


@wrong("max_pool2d", "one-direction")
def most_along_columns(images: Tensor, window: int) -> Tensor:
    return images.unfold(2, window, window).max(dim=-1).values


@wrong("max_pool2d", "partial-windows")
def most_with_the_rest(images: Tensor, window: int) -> Tensor:
    return F.max_pool2d(images, window, ceil_mode=True)


@wrong("max_pool2d", "partial-windows")
def most_by_slices_beyond_the_border(images: Tensor, window: int) -> Tensor:
    _, _, h, w = images.shape
    rows = [
        torch.stack(
            [
                images[:, :, top : top + window, left : left + window].amax(dim=(2, 3))
                for left in range(0, w, window)
            ],
            dim=2,
        )
        for top in range(0, h, window)
    ]
    return torch.stack(rows, dim=2)


@wrong("max_pool2d", "one-pixel-of-each")
def every_kth_pixel(images: Tensor, window: int) -> Tensor:
    return images[:, :, ::window, ::window]


@wrong("max_pool2d", "one-pixel-of-each")
def corner_of_each_window(images: Tensor, window: int) -> Tensor:
    n, c, h, w = images.shape
    pooled = images.new_zeros(n, c, h // window, w // window)
    for i in range(h // window):
        for j in range(w // window):
            pooled[:, :, i, j] = images[:, :, i * window, j * window]
    return pooled


@wrong("max_pool2d", "cut-without-permute")
def most_of_runs(images: Tensor, window: int) -> Tensor:
    n, c, h, w = images.shape
    rows, columns = h // window, w // window
    cut = images[:, :, : rows * window, : columns * window].contiguous()
    return cut.view(n, c, rows, columns, window, window).amax(dim=(4, 5))


@wrong("max_pool2d", "border-not-cut-off")
def most_of_pictures_that_fit(images: Tensor, window: int) -> Tensor:
    n, c, h, w = images.shape
    return images.reshape(n, c, h // window, window, w // window, window).amax(dim=(3, 5))


@wrong("max_pool2d", "border-not-cut-off")
def most_by_unflatten(images: Tensor, window: int) -> Tensor:
    _, _, h, w = images.shape
    rows = torch.unflatten(images, 2, (h // window, window))
    return torch.unflatten(rows, 4, (w // window, window)).amax(dim=(3, 5))


@wrong("max_pool2d", "first-two-axes")
def most_of_pictures_and_channels(images: Tensor, window: int) -> Tensor:
    n, c, h, w = images.shape
    pooled = images.new_zeros(n, c, h // window, w // window)
    for i in range(h // window):
        for j in range(w // window):
            top, left = i * window, j * window
            block = images[:, :, top : top + window, left : left + window]
            pooled[:, :, i, j] = block.amax(dim=(0, 1))
    return pooled


@wrong("max_pool2d", "first-two-axes")
def most_of_pictures_and_channels_stacked(images: Tensor, window: int) -> Tensor:
    _, _, h, w = images.shape
    rows = []
    for top in range(0, h, window):
        row = [
            images[:, :, top : top + window, left : left + window].amax((0, 1))
            for left in range(0, w, window)
        ]
        rows.append(torch.stack(row, dim=1))
    return torch.stack(rows, dim=1)


@wrong("max_pool2d", "first-two-axes")
def most_at_each_place(images: Tensor, window: int) -> Tensor:
    return images.amax(dim=(0, 1))


@wrong("max_pool2d", "whole-picture")
def most_of_the_picture(images: Tensor, window: int) -> Tensor:
    return images.amax(dim=(2, 3))


# The dense layer ----------------------------------------------------------------------------------


@right("dense_layer")
def dense_by_where(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = x @ weight.T + bias
    return torch.where(sums > 0, sums, torch.zeros_like(sums))


@right("dense_layer")
def dense_by_where_and_a_number(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = torch.addmm(bias, x, weight.t())
    return torch.where(sums > 0, sums, 0.0)


@right("dense_layer")
def dense_by_einsum(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return (torch.einsum("ni,oi->no", x, weight) + bias[None]).clamp(min=0)


@right("dense_layer")
def dense_by_loops(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    rows = []
    for sample in x:
        sums = [(w * sample).sum() + b for w, b in zip(weight, bias, strict=True)]
        rows.append(torch.stack([s if s > 0 else s * 0 for s in sums]))
    return torch.stack(rows)


@right("dense_layer")
def dense_by_half_the_absolute_value(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = F.linear(x, weight, bias)
    return (sums + sums.abs()) / 2


@wrong("dense_layer", "activation-forgotten")
def dense_sums(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = x @ weight.T + bias
    return torch.where(sums > 0, sums, sums)


@wrong("dense_layer", "bias-forgotten")
def dense_without_bias(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.relu(x @ weight.T)


@wrong("dense_layer", "bias-after-activation")
def dense_with_late_bias(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.relu(x @ weight.T) + bias


@wrong("dense_layer", "activation-first")
def dense_of_relu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.relu(x) @ weight.T + bias


@wrong("dense_layer", "absolute-value")
def dense_with_absolute_values(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = x @ weight.T + bias
    return torch.where(sums > 0, sums, -sums)


@wrong("dense_layer", "negative-part-kept")
def dense_the_wrong_way_round(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = x @ weight.T + bias
    return torch.where(sums > 0, torch.zeros_like(sums), sums)


@wrong("dense_layer", "ones-for-positive")
def dense_as_a_switch(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = x @ weight.T + bias
    return torch.where(sums > 0, torch.ones_like(sums), torch.zeros_like(sums))


@wrong("dense_layer", "weight-not-transposed")
def dense_with_the_wrong_axes(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = x @ weight + bias
    return torch.where(sums > 0, sums, torch.zeros_like(sums))


@wrong("dense_layer", "weight-in-front")
def dense_as_on_paper(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = weight @ x + bias
    return torch.where(sums > 0, sums, torch.zeros_like(sums))


@wrong("dense_layer", "weight-in-front")
def dense_as_on_paper_by_matmul(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.relu(torch.matmul(weight, x).T + bias)


@wrong("dense_layer", "outputs-in-rows")
def dense_with_columns_for_inputs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    sums = weight @ x.T + bias
    return torch.where(sums > 0, sums, 0.0)


@wrong("dense_layer", "axes-do-not-meet")
def dense_with_both_turned(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.relu(x.T @ weight.T + bias)


@wrong("dense_layer", "activation-forgotten")
def dense_sums_in_another_type(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return (x @ weight.T + bias).float()


@wrong("dense_layer", "weight-not-transposed")
def dense_by_einsum_with_the_wrong_axes(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.relu(torch.einsum("ni,io->no", x, weight) + bias)


# One layer out of two -----------------------------------------------------------------------------

Layer = tuple[Tensor, Tensor]


@right("collapse")
def one_layer_by_matmul(weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Layer:
    return weight2 @ weight1, weight2 @ bias1 + bias2


@right("collapse")
def one_layer_by_einsum(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    return torch.einsum("oh,hi->oi", w2, w1), torch.einsum("oh,h->o", w2, b1) + b2


@right("collapse")
def one_layer_by_trying_it_out(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    def both(x: Tensor) -> Tensor:
        return F.linear(F.linear(x, w1, b1), w2, b2)

    inputs = w1.shape[1]
    bias = both(torch.zeros(inputs, dtype=w1.dtype))
    columns = [both(unit) - bias for unit in torch.eye(inputs, dtype=w1.dtype)]
    return torch.stack(columns, dim=1), bias


@right("collapse")
def one_layer_by_loops(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    rows = [torch.stack([(row * column).sum() for column in w1.T]) for row in w2]
    bias = [(row * b1).sum() + b for row, b in zip(w2, b2, strict=True)]
    return torch.stack(rows), torch.stack(bias)


@right("collapse")
def one_layer_transposed_twice(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> list[Tensor]:
    return [(w1.T @ w2.T).T, b1 @ w2.T + b2]


@wrong("collapse", "first-bias-forgotten")
def one_layer_with_the_last_bias(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    return w2 @ w1, b2


@wrong("collapse", "biases-added")
def one_layer_with_both_biases(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    return w2 @ w1, b1 + b2


@wrong("collapse", "second-bias-forgotten")
def one_layer_with_the_first_bias(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    return w2 @ w1, w2 @ b1


@wrong("collapse", "order-swapped")
def one_layer_in_reading_order(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    return w1 @ w2, w2 @ b1 + b2


@wrong("collapse", "weights-added")
def one_layer_as_a_sum(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    weight = w1 + w2
    return weight, w2 @ b1 + b2


@wrong("collapse", "weights-multiplied-entry-by-entry")
def one_layer_entry_by_entry(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    weight = w2 * w1
    return weight, w2 @ b1 + b2


@wrong("collapse", "pair-turned-round")
def one_layer_bias_first(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Layer:
    return w2 @ b1 + b2, w2 @ w1


# Count the weights --------------------------------------------------------------------------------


@right("weight_counts")
def counts_as_list() -> Any:
    return [224, 0, 0, 1168, 0, 10250]


@right("weight_counts")
def counts_as_products() -> Any:
    return (3 * 3 * 3 * 8 + 8, 0, 0, 8 * 9 * 16 + 16, 0, 16 * 8**2 * 10 + 10)


@right("weight_counts")
def counts_by_torch() -> Any:
    network = [
        *(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3), nn.MaxPool2d(2), nn.Linear(1024, 10)),
    ]
    return [sum(weights.numel() for weights in layer.parameters()) for layer in network]


@wrong("weight_counts", "pooling-learns")
def counts_with_learned_pooling() -> Any:
    return [224, 0, 4, 1168, 4, 10250]


@wrong("weight_counts", "activation-learns")
def counts_with_learned_thresholds() -> Any:
    return [224, 8, 0, 1168, 0, 10250]


@wrong("weight_counts", "bias-forgotten")
def counts_without_biases() -> Any:
    return [216, 0, 0, 1152, 0, 10240]


@wrong("weight_counts", "one-bias-only")
def counts_with_one_bias() -> Any:
    return [217, 0, 0, 1153, 0, 10241]


@wrong("weight_counts", "input-channels-forgotten")
def counts_of_flat_kernels() -> Any:
    return [80, 0, 0, 160, 0, 10250]


@wrong("weight_counts", "output-channels-forgotten")
def counts_of_one_kernel() -> Any:
    return [28, 0, 0, 73, 0, 1025]


@wrong("weight_counts", "weights-for-each-place")
def counts_without_sharing() -> Any:
    return [229376, 0, 0, 299008, 0, 10250]


@wrong("weight_counts", "size-before-pooling")
def counts_of_a_dense_layer_on_large_maps() -> Any:
    return [224, 0, 0, 1168, 0, 163850]


@wrong("weight_counts", "places-forgotten")
def counts_of_a_dense_layer_on_channels() -> Any:
    return [224, 0, 0, 1168, 0, 170]


# Which networks take any size? --------------------------------------------------------------------


@right("any_size")
def sizes_in_order() -> Any:
    return ["A", "C", "E"]


@right("any_size")
def sizes_in_another_order() -> Any:
    return ("E", "A", "C")


@right("any_size")
def sizes_in_small_letters() -> Any:
    return {"a", "c", "e"}


@wrong("any_size", "dense-takes-any-size")
def sizes_with_all_networks() -> Any:
    return ["A", "B", "C", "D", "E", "F"]


@wrong("any_size", "dense-takes-any-size")
def sizes_with_a_dense_network() -> Any:
    return ["A", "B", "C", "E"]


@wrong("any_size", "convolution-removes-the-size")
def sizes_of_all_that_convolve() -> Any:
    return ["A", "C", "D", "E", "F"]


@wrong("any_size", "global-pooling-overlooked")
def sizes_without_any_dense_layer() -> Any:
    return ["A", "C"]


@wrong("any_size", "kernel-tied-to-a-size")
def sizes_with_pooling_only() -> Any:
    return ["C", "E"]


@right("any_size")
def sizes_as_one_text() -> Any:
    return "A, C, E"


@wrong("any_size", "no-such-network")
def sizes_with_another_letter() -> Any:
    return ["E", "C", "G"]


@wrong("any_size", "no-such-network")
def sizes_with_a_letter_too_many() -> Any:
    return ["A", "C", "E", "X"]
