"""Answers to the exercises of lesson 4: right ones in several styles, and known mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nst_edu.exercises.lesson_04 import Value, topological_order
from tests.bank.marks import right, wrong

# Finite differences -------------------------------------------------------------------------------

Loss = Callable[[Tensor], Tensor]


@right("finite_differences")
def differences_by_nudges(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    gradient = torch.zeros_like(x)
    for place in range(x.numel()):
        nudge = torch.zeros_like(x)
        nudge.view(-1)[place] = h
        gradient.view(-1)[place] = (loss_of(x + nudge) - loss_of(x - nudge)) / (2 * h)
    return gradient


@right("finite_differences")
def differences_by_a_unit_matrix(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    units = torch.eye(x.numel(), dtype=x.dtype)
    slopes = []
    for unit in units:
        step = h * unit.reshape(x.shape)
        slopes.append((loss_of(x + step) - loss_of(x - step)) / (2 * h))
    return torch.stack(slopes).reshape(x.shape)


@right("finite_differences")
def differences_there_and_back(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    flat = x.clone().flatten()
    slopes = []
    for n in range(len(flat)):
        before = flat[n].item()
        flat[n] = before + h
        up = loss_of(flat.view(x.shape)).item()
        flat[n] = before - h
        down = loss_of(flat.view(x.shape)).item()
        flat[n] = before
        slopes.append((up - down) / (2 * h))
    return torch.tensor(slopes, dtype=x.dtype).view(x.shape)


@right("finite_differences")
def differences_by_indices(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    gradient = torch.empty_like(x)
    for index in torch.ones_like(x).nonzero().tolist():
        up, down = x.clone(), x.clone()
        up[tuple(index)] += h
        down[tuple(index)] -= h
        gradient[tuple(index)] = 0.5 * (loss_of(up) - loss_of(down)) / h
    return gradient


@wrong("finite_differences", "all-at-once")
def differences_of_everything(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    return (loss_of(x + h) - loss_of(x - h)) / (2 * h)


@wrong("finite_differences", "all-at-once-filled-in")
def differences_of_everything_everywhere(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    return torch.full_like(x, ((loss_of(x + h) - loss_of(x - h)) / (2 * h)).item())


def _nudges(x: Tensor, h: float) -> list[Tensor]:
    return [h * unit.view(x.shape) for unit in torch.eye(x.numel(), dtype=x.dtype)]


@wrong("finite_differences", "one-side-only")
def differences_to_the_right(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    here = loss_of(x)
    return torch.stack([(loss_of(x + n) - here) / h for n in _nudges(x, h)]).view(x.shape)


@wrong("finite_differences", "divided-by-h")
def differences_by_one_h(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    slopes = [(loss_of(x + n) - loss_of(x - n)) / h for n in _nudges(x, h)]
    return torch.stack(slopes).view(x.shape)


@wrong("finite_differences", "not-divided")
def differences_only(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    return torch.stack([loss_of(x + n) - loss_of(x - n) for n in _nudges(x, h)]).view(x.shape)


@wrong("finite_differences", "multiplied-by-h")
def differences_without_brackets(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    slopes = [(loss_of(x + n) - loss_of(x - n)) / 2 * h for n in _nudges(x, h)]
    return torch.stack(slopes).view(x.shape)


@wrong("finite_differences", "wrong-sign")
def differences_turned_round(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    slopes = [(loss_of(x - n) - loss_of(x + n)) / (2 * h) for n in _nudges(x, h)]
    return torch.stack(slopes).view(x.shape)


@wrong("finite_differences", "absolute-slope")
def differences_without_signs(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    slopes = [(loss_of(x + n) - loss_of(x - n)).abs() / (2 * h) for n in _nudges(x, h)]
    return torch.stack(slopes).view(x.shape)


@wrong("finite_differences", "nudges-kept")
def differences_without_going_back(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    flat = x.clone().flatten()
    gradient = torch.zeros_like(flat)
    for n in range(len(flat)):
        flat[n] = flat[n] + h
        up = loss_of(flat.view(x.shape))
        flat[n] = flat[n] - 2 * h
        down = loss_of(flat.view(x.shape))
        gradient[n] = (up - down) / (2 * h)
    return gradient.view(x.shape)


@wrong("finite_differences", "flattened")
def differences_in_a_row(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    return torch.stack([(loss_of(x + n) - loss_of(x - n)) / (2 * h) for n in _nudges(x, h)])


@wrong("finite_differences", "autograd-used")
def differences_by_autograd(loss_of: Loss, x: Tensor, h: float) -> Any:
    leaf = x.clone().requires_grad_()
    loss_of(leaf).backward()
    return leaf.grad


@wrong("finite_differences", "autograd-used")
def differences_by_autograd_grad(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(loss_of(leaf), leaf)[0]


@wrong("finite_differences", "fixed-step")
def differences_by_a_thousandth(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    h = 0.001
    return torch.stack([(loss_of(x + n) - loss_of(x - n)) / (2 * h) for n in _nudges(x, h)]).view(
        x.shape
    )


@wrong("finite_differences", "fixed-step")
def differences_by_a_millionth(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    slopes = [(loss_of(x + n) - loss_of(x - n)) / 2e-6 for n in _nudges(x, 1e-6)]
    return torch.stack(slopes).view(x.shape)


@wrong("finite_differences", "fixed-step")
def differences_divided_by_a_step_of_its_own(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    slopes = [(loss_of(x + n) - loss_of(x - n)) / (2 * 0.001) for n in _nudges(x, h)]
    return torch.stack(slopes).view(x.shape)


@wrong("finite_differences", "fixed-step")
def differences_nudged_by_a_step_of_its_own(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    gradient = torch.zeros_like(x)
    for place in range(x.numel()):
        nudge = torch.zeros_like(x)
        nudge.view(-1)[place] = 0.01
        gradient.view(-1)[place] = (loss_of(x + nudge) - loss_of(x - nudge)) / (2 * h)
    return gradient


@wrong("finite_differences", "nudge-not-reset")
def differences_with_one_nudge_for_all(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    gradient, nudge = torch.zeros_like(x), torch.zeros_like(x)
    for place in range(x.numel()):
        nudge.view(-1)[place] = h
        gradient.view(-1)[place] = (loss_of(x + nudge) - loss_of(x - nudge)) / (2 * h)
    return gradient


@wrong("finite_differences", "nudge-not-reset")
def differences_with_one_nudge_in_another_type(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    gradient, nudge = torch.zeros(x.shape), torch.zeros_like(x)
    for place in range(x.numel()):
        nudge.view(-1)[place] += h
        gradient.view(-1)[place] = (loss_of(x + nudge) - loss_of(x - nudge)) / (2 * h)
    return gradient


@wrong("finite_differences", "changed-input")
def differences_in_place(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    flat, gradient = x.view(-1), torch.zeros_like(x)
    for n in range(len(flat)):
        flat[n] += h
        up = loss_of(x)
        flat[n] -= 2 * h
        down = loss_of(x)
        flat[n] += h
        gradient.view(-1)[n] = (up - down) / (2 * h)
    x += 0.5
    return gradient


# Judge the rate -----------------------------------------------------------------------------------

RATES = (0.01, 0.05, 0.1, 0.15, 0.3)
CREEPS, ONE, SWINGS, AWAY = "creeps", "one step", "swings", "runs away"


def _verdicts(*verdicts: str) -> dict[float, str]:
    return dict(zip(RATES, verdicts, strict=True))


@right("rate_verdicts")
def verdicts_as_asked() -> Any:
    return _verdicts(CREEPS, CREEPS, ONE, SWINGS, AWAY)


@right("rate_verdicts")
def verdicts_by_the_factor() -> Any:
    verdicts = {}
    for rate in RATES:
        factor = round(1 - 10 * rate, 9)
        calm = ONE if factor == 0 else CREEPS if factor > 0 else SWINGS
        verdicts[rate] = AWAY if factor < -1 else calm
    return verdicts


@right("rate_verdicts")
def verdicts_by_trying() -> Any:
    verdicts = {}
    for rate in RATES:
        w = [0.0]
        for _ in range(3):
            w.append(w[-1] - rate * 10 * (w[-1] - 1))
        away = [abs(value - 1) for value in w]
        if away[1] < 1e-9:
            verdicts[rate] = ONE
        elif away[-1] > away[0]:
            verdicts[rate] = AWAY
        else:
            verdicts[rate] = SWINGS if w[1] > 1 else CREEPS
    return verdicts


@right("rate_verdicts")
def verdicts_in_capitals() -> Any:
    return _verdicts("Creeps", "creeps ", " One  Step", "SWINGS", "Runs away")


@wrong("rate_verdicts", "unknown-verdict")
def verdicts_in_other_words() -> Any:
    return _verdicts("slow", "slow", ONE, SWINGS, "diverges")


@wrong("rate_verdicts", "factor-2-forgotten")
def verdicts_for_curvature_5() -> Any:
    return _verdicts(CREEPS, CREEPS, CREEPS, CREEPS, SWINGS)


@wrong("rate_verdicts", "bigger-is-faster")
def verdicts_by_size() -> Any:
    return _verdicts(CREEPS, CREEPS, CREEPS, CREEPS, ONE)


@wrong("rate_verdicts", "largest-rate-creeps")
def verdicts_all_alike() -> Any:
    return _verdicts(CREEPS, CREEPS, CREEPS, CREEPS, CREEPS)


@wrong("rate_verdicts", "factor-2-forgotten")
def verdicts_for_curvature_5_in_capitals() -> Any:
    return _verdicts("Creeps", "Creeps", "Creeps", "Creeps", "Swings")


@wrong("rate_verdicts", "smaller-rates-confused")
def verdicts_in_capitals_with_two_swapped() -> Any:
    return _verdicts("Creeps", "Creeps", "Swings", "One step", "Runs away")


@wrong("rate_verdicts", "small-rate-feared")
def verdicts_upside_down() -> Any:
    return _verdicts(AWAY, AWAY, SWINGS, CREEPS, SWINGS)


@wrong("rate_verdicts", "swinging-taken-for-running-away")
def verdicts_with_the_limit_too_low() -> Any:
    return _verdicts(CREEPS, CREEPS, ONE, AWAY, AWAY)


@wrong("rate_verdicts", "never-runs-away")
def verdicts_without_divergence() -> Any:
    return _verdicts(CREEPS, CREEPS, ONE, SWINGS, SWINGS)


@wrong("rate_verdicts", "smaller-rates-confused")
def verdicts_with_two_swapped() -> Any:
    return _verdicts(CREEPS, CREEPS, SWINGS, ONE, AWAY)


@wrong("rate_verdicts", "smaller-rates-confused")
def verdicts_with_one_step_too_early() -> Any:
    return _verdicts(CREEPS, ONE, SWINGS, SWINGS, AWAY)


# Local slopes -------------------------------------------------------------------------------------

Slopes = tuple[float, ...]


@right("local_slopes")
def slopes_by_cases(operation: str, a: float, b: float) -> Slopes:
    if operation == "a + b":
        return 1.0, 1.0
    if operation == "a - b":
        return 1.0, -1.0
    if operation == "a * b":
        return b, a
    return (1.0 if a > 0 else 0.0,)


@right("local_slopes")
def slopes_by_differences(operation: str, a: float, b: float) -> Slopes:
    h = 1e-4
    function: Callable[[float, float], float] = {
        "a + b": lambda a, b: a + b,
        "a - b": lambda a, b: a - b,
        "a * b": lambda a, b: a * b,
        "relu(a)": lambda a, b: max(a, 0.0),
    }[operation]
    to_a = (function(a + h, b) - function(a - h, b)) / (2 * h)
    to_b = (function(a, b + h) - function(a, b - h)) / (2 * h)
    return (to_a,) if operation == "relu(a)" else (to_a, to_b)


@right("local_slopes")
def slopes_by_torch(operation: str, a: float, b: float) -> Slopes:
    left = torch.tensor(a, dtype=torch.float64, requires_grad=True)
    other = torch.tensor(b, dtype=torch.float64, requires_grad=True)
    names = {"a": left, "b": other, "relu": torch.relu}
    eval(operation, names).backward()
    return tuple(leaf.grad.item() for leaf in (left, other) if leaf.grad is not None)


@right("local_slopes")
def slopes_in_a_list(operation: str, a: float, b: float) -> Any:
    if operation == "relu(a)":
        return [int(a > 0)]
    return {"a + b": [1, 1], "a - b": [1, -1], "a * b": [b, a]}[operation]


@wrong("local_slopes", "own-factor")
def slopes_of_a_product_swapped(operation: str, a: float, b: float) -> Slopes:
    return (a, b) if operation == "a * b" else slopes_by_cases(operation, a, b)


@wrong("local_slopes", "product-like-a-sum")
def slopes_of_a_product_as_1(operation: str, a: float, b: float) -> Slopes:
    return (1.0, 1.0) if operation == "a * b" else slopes_by_cases(operation, a, b)


@wrong("local_slopes", "product-itself")
def slopes_of_a_product_as_product(operation: str, a: float, b: float) -> Slopes:
    return (a * b, a * b) if operation == "a * b" else slopes_by_cases(operation, a, b)


@wrong("local_slopes", "difference-like-a-sum")
def slopes_of_a_difference_as_1(operation: str, a: float, b: float) -> Slopes:
    return (1.0, 1.0) if operation == "a - b" else slopes_by_cases(operation, a, b)


@wrong("local_slopes", "value-for-slope")
def slope_of_relu_as_relu(operation: str, a: float, b: float) -> Slopes:
    return (max(a, 0.0),) if operation == "relu(a)" else slopes_by_cases(operation, a, b)


@wrong("local_slopes", "always-passes")
def slope_of_relu_as_1(operation: str, a: float, b: float) -> Slopes:
    return (1.0,) if operation == "relu(a)" else slopes_by_cases(operation, a, b)


@wrong("local_slopes", "wrong-side-passes")
def slope_of_relu_turned_round(operation: str, a: float, b: float) -> Slopes:
    return (1.0 * (a < 0),) if operation == "relu(a)" else slopes_by_cases(operation, a, b)


@wrong("local_slopes", "falls-instead-of-flat")
def slope_of_relu_as_sign(operation: str, a: float, b: float) -> Slopes:
    return (1.0 if a > 0 else -1.0,) if operation == "relu(a)" else slopes_by_cases(operation, a, b)


# Backward -----------------------------------------------------------------------------------------

Grads = list[float]


@right("backward")
def backward_in_reverse(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            contribution = slope * value.grad
            parent.grad = parent.grad + contribution
    return [value.grad for value in order]


@right("backward")
def backward_by_pop(loss: Value) -> Grads:
    order = topological_order(loss)
    waiting = list(order)
    loss.grad = 1
    while waiting:
        value = waiting.pop()
        for number, parent in enumerate(value.parents):
            parent.grad += value.grad * value.slopes[number]
    return [value.grad for value in order]


@right("backward")
def backward_along_each_path_alone(loss: Value) -> Grads:
    order = topological_order(loss)
    for value in order:
        value.grad = 0.0

    def visit(value: Value, slope: float) -> None:
        value.grad += slope  # what this one path contributes
        for parent, local in zip(value.parents, value.slopes, strict=True):
            visit(parent, slope * local)

    visit(loss, 1.0)
    return [value.grad for value in order]


@right("backward")
def backward_in_a_dictionary(loss: Value) -> Grads:
    order = topological_order(loss)
    grads = {id(value): 0.0 for value in order}
    grads[id(loss)] = 1.0
    for value in order[::-1]:
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            grads[id(parent)] += slope * grads[id(value)]
    return list(grads.values())


@wrong("backward", "seeded-with-0")
def backward_from_nothing(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 0.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope * value.grad
    return [value.grad for value in order]


@wrong("backward", "seeded-with-the-loss")
def backward_from_the_value(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = loss.data
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope * value.grad
    return [value.grad for value in order]


@wrong("backward", "overwritten")
def backward_without_sum(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            contribution = slope * value.grad
            parent.grad = contribution
    return [value.grad for value in order]


@wrong("backward", "not-reversed")
def backward_forward(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in order:
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope * value.grad
    return [value.grad for value in order]


@wrong("backward", "slopes-added")
def backward_of_local_slopes(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope
    return [value.grad for value in order]


@wrong("backward", "slope-plus-grad")
def backward_with_sums_along_the_path(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope + value.grad
    return [value.grad for value in order]


@wrong("backward", "slope-left-out")
def backward_without_slopes(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent in value.parents:
            parent.grad += value.grad
    return [value.grad for value in order]


@wrong("backward", "passed-on-too-often")
def backward_by_recursion(loss: Value) -> Grads:
    order = topological_order(loss)

    def visit(value: Value) -> None:
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope * value.grad
            visit(parent)

    loss.grad = 1.0
    visit(loss)
    return [value.grad for value in order]


@wrong("backward", "passed-on-too-early")
def backward_level_by_level(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    queue, seen = [loss], {id(loss)}
    while queue:
        value = queue.pop(0)
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope * value.grad
            if id(parent) not in seen:
                seen.add(id(parent))
                queue.append(parent)
    return [value.grad for value in order]


@wrong("backward", "reverse-returns-none")
def backward_over_nothing(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in order.reverse():  # type: ignore[func-returns-value, attr-defined]
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad = parent.grad + slope * value.grad
    return [value.grad for value in order]


@wrong("backward", "list-turned-round")
def backward_after_reverse(loss: Value) -> Grads:
    order = topological_order(loss)
    order.reverse()
    loss.grad = 1.0
    for value in order:
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad = parent.grad + slope * value.grad
    return [value.grad for value in order]


@wrong("backward", "parents-grad-multiplied")
def backward_times_the_parents_grad(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad = parent.grad + slope * parent.grad
    return [value.grad for value in order]


@wrong("backward", "own-grad-added")
def backward_added_to_the_value(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad = value.grad + slope * value.grad
    return [value.grad for value in order]


@wrong("backward", "grads-swapped")
def backward_with_blanks_swapped(loss: Value) -> Grads:
    order = topological_order(loss)
    loss.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad = value.grad + slope * parent.grad
    return [value.grad for value in order]


# Who gets a gradient? -----------------------------------------------------------------------------


def _answers(photo: bool, kernel: bool, target: bool, result: bool) -> dict[str, bool]:
    return {"photo": photo, "kernel": kernel, "target": target, "result": result}


@right("gets_gradient")
def the_photo_alone() -> Any:
    return _answers(True, False, False, False)


@right("gets_gradient")
def the_photo_by_name() -> Any:
    return {name: name == "photo" for name in ("result", "target", "kernel", "photo")}


@right("gets_gradient")
def whoever_torch_gives_one() -> Any:
    photo = torch.rand(1, 1, 8, 8, requires_grad=True)
    kernel, target = torch.rand(1, 1, 3, 3), torch.rand(1, 1, 6, 6)
    result = torch.conv2d(photo, kernel)
    (result - target).square().mean().backward()
    return _answers(
        *(t.is_leaf and t.grad is not None for t in (photo, kernel, target, result)),
    )


@wrong("gets_gradient", "gradients-belong-to-weights")
def the_kernel_alone() -> Any:
    return _answers(False, True, False, False)


@wrong("gets_gradient", "everything-gets-one")
def all_of_them() -> Any:
    return _answers(True, True, True, True)


@wrong("gets_gradient", "every-leaf-gets-one")
def all_leaves() -> Any:
    return _answers(True, True, True, False)


@wrong("gets_gradient", "weights-as-well")
def photo_and_kernel() -> Any:
    return _answers(True, True, False, False)


@wrong("gets_gradient", "target-as-well")
def photo_and_target() -> Any:
    return _answers(True, False, True, False)


@wrong("gets_gradient", "in-between-as-well")
def photo_and_result() -> Any:
    return _answers(True, False, False, True)


@wrong("gets_gradient", "nothing-gets-one")
def the_result_alone() -> Any:
    return _answers(False, False, False, True)


# Gradient descent ---------------------------------------------------------------------------------


@right("descend")
def descend_by_hand(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@right("descend")
def descend_by_grad(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.detach()
    for _ in range(steps):
        leaf = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss_of(leaf), leaf)
        x = x - rate * gradient
    return x


@right("descend")
def descend_by_sgd(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.SGD([x], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(x).backward()
        optimizer.step()
    return x.data


@right("descend")
def descend_and_forget_last(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        loss_of(x).backward()
        assert x.grad is not None
        x.data.sub_(x.grad, alpha=rate)
        x.grad.zero_()
    return x


@wrong("descend", "weights-moved")
def descend_on_weights(loss_of: Any, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    optimizer = torch.optim.SGD(loss_of.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(x).backward()
        optimizer.step()
    return x.detach()


@wrong("descend", "start-moved")
def descend_without_a_copy(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "gradient-not-forgotten")
def descend_with_old_gradients(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        loss_of(x).backward()
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "gradient-not-forgotten")
def descend_by_sgd_without_zero_grad(
    loss_of: Loss, start: Tensor, rate: float, steps: int
) -> Tensor:
    x = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([x], lr=rate)
    for _ in range(steps):
        loss_of(x).backward()
        optimizer.step()
    return x.detach()


@wrong("descend", "uphill")
def ascend(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        with torch.no_grad():
            x += rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "rate-ignored")
def descend_at_rate_1(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        with torch.no_grad():
            x -= x.grad  # type: ignore[arg-type]
    return x.detach()


@wrong("descend", "one-step-only")
def descend_with_an_early_return(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
        return x.detach()
    return x


@wrong("descend", "one-step-too-many")
def descend_and_once_more(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps + 1):
        x.grad = None
        loss_of(x).backward()
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "one-step-too-few")
def descend_from_step_1(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(1, steps):
        x.grad = None
        loss_of(x).backward()
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "gradient-measured-once")
def descend_straight_on(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    loss_of(x).backward()
    for _ in range(steps):
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "gradient-normalised")
def descend_in_equal_steps(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        length = x.grad.norm()  # type: ignore[attr-defined]
        with torch.no_grad():
            x -= rate * x.grad / length  # type: ignore[operator]
    return x.detach()


@wrong("descend", "gradient-erased")
def descend_and_forget_too_early(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        loss_of(x).backward()
        x.grad.zero_()  # type: ignore[union-attr]
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "gradient-erased")
def descend_without_any_gradient(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        loss_of(x).backward()
        x.grad = None
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "gradient-erased")
def descend_by_sgd_after_zero_grad(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([x], lr=rate)
    for _ in range(steps):
        loss = loss_of(x)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
    return x.detach()


@wrong("descend", "nothing-moved")
def descend_on_a_copy_and_forget_last(
    loss_of: Loss, start: Tensor, rate: float, steps: int
) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        loss_of(x).backward()
        moved = x.detach() - rate * x.grad  # type: ignore[operator]
        x.grad = None
    return x.detach() + 0 * moved


@wrong("descend", "nothing-moved")
def descend_on_a_copy_of_the_copy(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        moved = x.detach().clone()
        moved -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "not-marked")
def descend_without_requires_grad(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        x = x - rate * x.grad  # type: ignore[operator]
    return x


@wrong("descend", "leaf-lost")
def descend_to_a_new_tensor(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        with torch.no_grad():
            x = x - rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "leaf-lost")
def descend_to_a_computed_tensor(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        loss_of(x).backward()
        x = x - rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "move-recorded")
def descend_without_no_grad(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    for _ in range(steps):
        x.grad = None
        loss_of(x).backward()
        x -= rate * x.grad  # type: ignore[operator]
    return x.detach()


@wrong("descend", "loss-computed-once")
def descend_with_one_loss(loss_of: Loss, start: Tensor, rate: float, steps: int) -> Tensor:
    x = start.clone().requires_grad_()
    loss = loss_of(x)
    for _ in range(steps):
        x.grad = None
        loss.backward()
        with torch.no_grad():
            x -= rate * x.grad  # type: ignore[operator]
    return x.detach()
