"""Exercises of lesson 4: finite differences, learning rates, the chain rule, gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from nst_edu.exercises import loops
from nst_edu.exercises.checking import Attempt, Exercise, Misconception, check, check_value
from nst_edu.exercises.result import Result
from nst_edu.exercises.spelling import spelled, spelled_like

# Finite differences -------------------------------------------------------------------------------

Loss = Callable[[Tensor], Tensor]


def bent(x: Tensor) -> Tensor:
    """Return a loss that couples neighbours; its differences to one side tell themselves apart."""
    flat = x.flatten()
    return (flat**3).sum() + (flat[1:] * flat[:-1]).sum()


def steep(x: Tensor) -> Tensor:
    """Return a loss in which every number counts differently."""
    flat = x.flatten()
    return (torch.arange(1, len(flat) + 1).to(x) * flat.exp()).mean()


def up_and_down(x: Tensor) -> Tensor:
    """Return a loss that falls with every other number."""
    flat = x.flatten()
    places = torch.arange(len(flat)).to(x)
    return ((1 - 2 * (places % 2)) * (places + 1) * flat.exp()).mean()


def difference_cases(generator: torch.Generator) -> list[tuple[Any, ...]]:
    """Try tensors of one to four dimensions, and slopes of both signs."""
    cases = (
        (bent, (3,), 0.25, torch.float64),
        (steep, (2, 3), 0.5, torch.float32),
        (bent, (2, 1, 2, 3), 0.1, torch.float64),
        (steep, (3, 1, 2), 0.2, torch.float32),
        (up_and_down, (2, 3), 0.3, torch.float64),
    )
    return [
        (loss_of, torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype) + 0.2, h)
        for loss_of, shape, h, dtype in cases
    ]


def _moved(x: Tensor, place: int, h: float) -> Tensor:
    twin = x.clone()
    twin.view(-1)[place] += h
    return twin


def _by_place(x: Tensor, of_place: Callable[[int], Tensor]) -> Tensor:
    return torch.stack([of_place(place) for place in range(x.numel())]).view(x.shape).to(x)


def _central(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    return _by_place(x, lambda p: (loss_of(_moved(x, p, h)) - loss_of(_moved(x, p, -h))) / (2 * h))


def _forward(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    return _by_place(x, lambda p: (loss_of(_moved(x, p, h)) - loss_of(x)) / h)


def _all_at_once(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    return (loss_of(x + h) - loss_of(x - h)) / (2 * h)


def _nudges_kept(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    """Move each number up and down, and forget to put it back."""
    x = x.clone()
    gradient = torch.zeros_like(x)
    for place in range(x.numel()):
        x.view(-1)[place] += h
        up = loss_of(x)
        x.view(-1)[place] -= 2 * h
        gradient.view(-1)[place] = (up - loss_of(x)) / (2 * h)
    return gradient


def _autograd(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(loss_of(leaf), leaf)[0]


STEPS = (1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)


def _exact_enough(attempt: Attempt, function: Callable[..., Tensor], rtol: float) -> bool:
    """Tell whether an attempt gave what a function gives; float32 keeps too few digits for that."""
    outcomes = [o for o in attempt.outcomes if o.arguments[1].dtype == torch.float64]
    return bool(outcomes) and all(
        isinstance(o.value, Tensor)
        and o.value.shape == o.arguments[1].shape
        and torch.allclose(o.value.double(), function(*o.arguments), rtol=rtol, atol=0.01 * rtol)
        for o in outcomes
    )


def _autograd_used(attempt: Attempt) -> bool:
    """Tell whether the numbers are exact: no finite difference is, whatever its step is."""
    return _exact_enough(attempt, _autograd, 1e-12)


def _fixed_step(attempt: Attempt) -> bool:
    """Tell whether a step of the learner's own stands in the place of h, or of one of the two h."""
    return any(
        _exact_enough(attempt, partial(measured, step=step), 1e-3)
        for measured in (_step_for_h, _step_for_nudge, _step_for_divisor, _forward_step)
        for step in STEPS
    )


def _step_for_h(loss_of: Loss, x: Tensor, h: float, step: float) -> Tensor:
    return _central(loss_of, x, step)


def _step_for_nudge(loss_of: Loss, x: Tensor, h: float, step: float) -> Tensor:
    return step / h * _central(loss_of, x, step)


def _step_for_divisor(loss_of: Loss, x: Tensor, h: float, step: float) -> Tensor:
    return h / step * _central(loss_of, x, h)


def _forward_step(loss_of: Loss, x: Tensor, h: float, step: float) -> Tensor:
    return _forward(loss_of, x, step)


def _nudge_grows(loss_of: Loss, x: Tensor, h: float) -> Tensor:
    """Make one nudge for all places, and forget to empty it."""
    nudge, gradient = torch.zeros_like(x), torch.zeros_like(x)
    for place in range(x.numel()):
        nudge.view(-1)[place] = h
        gradient.view(-1)[place] = (loss_of(x + nudge) - loss_of(x - nudge)) / (2 * h)
    return gradient


FINITE_DIFFERENCES = Exercise(
    id="finite_differences",
    lesson=4,
    title="Finite differences",
    reference=_central,
    cases=difference_cases,
    gradient=False,
    rtol=1e-3,  # float32 loses digits in a difference of two nearly equal losses
    misconceptions=(
        Misconception(
            "all-at-once",
            "You move all numbers of x at the same time. Then the loss changes because of all of "
            "them, and you cannot tell which number did it. Move one number alone.",
            wrong=_all_at_once,
        ),
        Misconception(
            "all-at-once-filled-in",
            "Every number of your gradient is the same: it comes from moving all of x at once. "
            "Each number needs a pair of losses of its own.",
            wrong=lambda loss_of, x, h: torch.zeros_like(x) + _all_at_once(loss_of, x, h),
        ),
        Misconception(
            "one-side-only",
            "You compare the loss at one side with the loss at x itself, and divide by h. The "
            "formula of this lesson compares both sides. Look at its numerator.",
            wrong=_forward,
        ),
        Misconception(
            "divided-by-h",
            "Your numbers are twice the right ones. How far apart are the two places that you "
            "compare?",
            wrong=lambda loss_of, x, h: 2 * _central(loss_of, x, h),
        ),
        Misconception(
            "not-divided",
            "You return the changes of the loss. A slope is a change of the loss, divided by "
            "something. Look at the denominator of the formula.",
            wrong=lambda loss_of, x, h: 2 * h * _central(loss_of, x, h),
        ),
        Misconception(
            "multiplied-by-h",
            "In Python `a / 2 * h` divides by 2 and then *multiplies* by h. Your numbers show it. "
            "Where do brackets belong?",
            wrong=lambda loss_of, x, h: h * h * _central(loss_of, x, h),
        ),
        Misconception(
            "wrong-sign",
            "All your signs are turned round. If the loss rises with a number, its slope is "
            "positive. Which of the two losses do you subtract?",
            wrong=lambda loss_of, x, h: -_central(loss_of, x, h),
        ),
        Misconception(
            "absolute-slope",
            "Where a slope is negative, yours is positive: its sign is lost. Without the sign "
            "nobody knows in which direction the loss falls. Look for an absolute value.",
            wrong=lambda loss_of, x, h: _central(loss_of, x, h).abs(),
        ),
        Misconception(
            "nudges-kept",
            "The first number is right, the later ones are not: you move a number and do not put "
            "it back before you go on to the next one.",
            wrong=_nudges_kept,
        ),
        Misconception(
            "nudge-not-reset",
            "The first number is right, the later ones are not: your nudge still holds the `h` of "
            "the places before. Print it in each round. Where should it be made?",
            wrong=_nudge_grows,
        ),
        Misconception(
            "flattened",
            "Your numbers are right, but they stand in one long row. A gradient has the shape of "
            "the tensor that it belongs to.",
            wrong=lambda loss_of, x, h: _central(loss_of, x, h).flatten(),
        ),
        Misconception(
            "autograd-used",
            "This is the exact gradient, from autograd. Here it should be measured: by the losses "
            "at two places a distance h away. That is what will check autograd later.",
            recognise=_autograd_used,
        ),
        Misconception(
            "fixed-step",
            "Your result does not follow `h`: a step of your own, such as 0.001, stands where h "
            "should. Whoever calls the function chooses the step. Call it with two values of h, "
            "and compare.",
            recognise=_fixed_step,
        ),
    ),
)


def check_finite_differences(my_finite_differences: Callable[..., Any]) -> Result:
    """Check the exercise "Finite differences" of lesson 4."""
    return check(FINITE_DIFFERENCES, my_finite_differences)


# Judge the rate -----------------------------------------------------------------------------------

VERDICTS = ("creeps", "one step", "swings", "runs away")
RIGHT_VERDICTS = {
    0.01: "creeps",
    0.05: "creeps",
    0.1: "one step",
    0.15: "swings",
    0.3: "runs away",
}


VERDICTS_WITHOUT_FACTOR_2 = {
    **dict.fromkeys((0.01, 0.05, 0.1, 0.15), "creeps"),
    0.3: "swings",
}


def _verdicts(attempt: Attempt) -> dict[float, Any]:
    return dict(spelled(attempt.value))


RATE_VERDICTS = Exercise(
    id="rate_verdicts",
    lesson=4,
    title="Judge the rate",
    reference=RIGHT_VERDICTS,
    accepts=spelled_like(RIGHT_VERDICTS),
    misconceptions=(
        Misconception(
            "unknown-verdict",
            "One of your verdicts is none of the four. Copy them letter by letter from the task.",
            recognise=lambda a: any(v not in VERDICTS for v in _verdicts(a).values()),
        ),
        Misconception(
            "factor-2-forgotten",
            "Your verdicts belong to the curvature 5. But the slope of (w − 1)² brings a factor of "
            "its own. What is the slope of 5·(w − 1)²?",
            recognise=lambda a: _verdicts(a) == VERDICTS_WITHOUT_FACTOR_2,
        ),
        Misconception(
            "bigger-is-faster",
            "You give the largest rate the best verdict. A bigger rate is faster only up to a "
            "point. Compute the factor 1 − ηc for your largest rate.",
            recognise=lambda a: _verdicts(a)[0.3] == "one step",
        ),
        Misconception(
            "largest-rate-creeps",
            "You say that 0.3 creeps: nearer with each step, always from the same side. Compute "
            "its factor 1 − ηc. Which sign does it have, and what does w do then?",
            recognise=lambda a: _verdicts(a)[0.3] == "creeps",
        ),
        Misconception(
            "small-rate-feared",
            "You expect the smallest rate to swing or to run away. A small rate makes small steps, "
            "and these cannot jump over the lowest point. What do they do?",
            recognise=lambda a: _verdicts(a)[0.01] in ("swings", "runs away"),
        ),
        Misconception(
            "swinging-taken-for-running-away",
            "You say that 0.15 runs away. It is larger than 1/c, so w jumps to the other side. But "
            "compare the distance before and after: what is the size of the factor 1 − ηc?",
            recognise=lambda a: _verdicts(a)[0.15] == "runs away",
        ),
        Misconception(
            "never-runs-away",
            "You say that 0.3 swings and comes nearer. Compute its factor 1 − ηc. What happens to "
            "the distance if you multiply it by this number again and again?",
            recognise=lambda a: _verdicts(a)[0.3] == "swings",
        ),
        Misconception(
            "smaller-rates-confused",
            "You are right about the largest rate. Compute the factor 1 − ηc for the other rates. "
            "For one of them it is 0, and for one it is negative.",
            recognise=lambda a: _verdicts(a)[0.3] == "runs away",
        ),
    ),
)


def check_rate_verdicts(my_rate_verdicts: dict[float, str]) -> Result:
    """Check the exercise "Judge the rate" of lesson 4."""
    return check_value(RATE_VERDICTS, spelled(my_rate_verdicts))


# Local slopes -------------------------------------------------------------------------------------


def slope_cases(generator: torch.Generator) -> list[tuple[str, float, float]]:
    """Try each operation with positive and negative, small and large numbers."""
    cases = (
        *(("a + b", 1, 1), ("a - b", 1, 1), ("a * b", 1, -1), ("a * b", -1, 1), ("a - b", -1, -1)),
        *(("relu(a)", 1, 1), ("relu(a)", -1, 1), ("relu(a)", 0.01, -1), ("relu(a)", -0.01, -1)),
    )
    sizes = 0.5 + 2 * torch.rand(len(cases), 2, generator=generator, dtype=torch.float64)
    return [
        (operation, times_a * a, times_b * b)
        for (operation, times_a, times_b), (a, b) in zip(cases, sizes.tolist(), strict=True)
    ]


def _local_slopes(operation: str, a: float, b: float) -> tuple[float, ...]:
    slopes: dict[str, tuple[float, ...]] = {
        "a + b": (1.0, 1.0),
        "a - b": (1.0, -1.0),
        "a * b": (b, a),
        "relu(a)": (1.0 if a > 0 else 0.0,),
    }
    return slopes[operation]


Slopes = Callable[[float, float], tuple[float, ...]]


def _slopes_with(wanted: str, wrong: Slopes) -> Callable[[str, float, float], tuple[float, ...]]:
    """Return the right function, but for one operation."""
    return lambda operation, a, b: (
        wrong(a, b) if operation == wanted else _local_slopes(operation, a, b)
    )


LOCAL_SLOPES = Exercise(
    id="local_slopes",
    lesson=4,
    title="Local slopes",
    reference=_local_slopes,
    cases=slope_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "own-factor",
            "For a * b you give each factor its own value as slope. Take a = 2 and b = 5, and let "
            "a grow by 1. By how much does the product grow?",
            wrong=_slopes_with("a * b", lambda a, b: (a, b)),
        ),
        Misconception(
            "product-like-a-sum",
            "For a * b you give the slopes of a sum. If a grows by 1, does a * b grow by 1 "
            "whatever b is?",
            wrong=_slopes_with("a * b", lambda a, b: (1.0, 1.0)),
        ),
        Misconception(
            "product-itself",
            "For a * b you return the product itself. The slope says by how much the product "
            "changes if one factor changes by 1, and the other one stays.",
            wrong=_slopes_with("a * b", lambda a, b: (a * b, a * b)),
        ),
        Misconception(
            "difference-like-a-sum",
            "For a - b you give b the slope of a sum. If b grows by 1, does a - b rise or fall?",
            wrong=_slopes_with("a - b", lambda a, b: (1.0, 1.0)),
        ),
        Misconception(
            "value-for-slope",
            "For relu(a) you return its *value*. The slope says how many times as much it changes "
            "as a. Try a = 2 and a = 3.",
            wrong=_slopes_with("relu(a)", lambda a, b: (max(a, 0.0),)),
        ),
        Misconception(
            "wrong-side-passes",
            "For relu(a) your slope is 0 where a is positive, and not 0 where it is negative. "
            "Which numbers does ReLU pass through?",
            recognise=lambda attempt: all(
                (float(o.value[0]) == 0) == (o.arguments[1] > 0)
                for o in attempt.outcomes
                if o.arguments[0] == "relu(a)"
            ),
        ),
        Misconception(
            "always-passes",
            "For relu(a) your slope is 1 everywhere. Try a = −2 and a = −3. How much does the "
            "result change?",
            wrong=_slopes_with("relu(a)", lambda a, b: (1.0,)),
        ),
        Misconception(
            "falls-instead-of-flat",
            "For relu(a) your slope is −1 where a is negative. That is the absolute value. ReLU is "
            "flat there.",
            wrong=_slopes_with("relu(a)", lambda a, b: (1.0 if a > 0 else -1.0,)),
        ),
    ),
)


def check_local_slopes(my_local_slopes: Callable[..., Any]) -> Result:
    """Check the exercise "Local slopes" of lesson 4."""
    return check(LOCAL_SLOPES, my_local_slopes)


# Backward -----------------------------------------------------------------------------------------


class Value:
    """A number that remembers where it comes from: as in the lesson, with a readable form."""

    def __init__(
        self, data: float, parents: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()
    ) -> None:
        self.data = data
        self.parents = parents
        self.slopes = slopes
        self.grad = 0.0

    def __repr__(self) -> str:
        return f"a Value of {self.data:.3g} with {len(self.parents)} parents"


def add(a: Value, b: Value) -> Value:
    """Return a + b."""
    return Value(a.data + b.data, (a, b), (1.0, 1.0))


def multiply(a: Value, b: Value) -> Value:
    """Return a * b."""
    return Value(a.data * b.data, (a, b), (b.data, a.data))


def topological_order(loss: Value) -> list[Value]:
    """Return all Values behind a loss, each after its parents, as in the lesson."""
    order: list[Value] = []

    def visit(value: Value) -> None:
        if value not in order:
            for parent in value.parents:
                visit(parent)
            order.append(value)

    visit(loss)
    return order


def graph_cases(generator: torch.Generator) -> list[tuple[Value]]:
    """Try a chain, a square, numbers that are used at different depths, and a larger graph."""
    data = 0.5 + torch.rand(10, generator=generator, dtype=torch.float64)
    w, x, y, z, *more = (Value(number) for number in data.tolist())
    chain = multiply(add(multiply(w, x), y), z)
    once = add(more[0], more[1])
    square = multiply(once, once)
    u, v, t = more[2:5]
    early = multiply(u, v)  # used by the last step and by one in between
    between = add(early, t)
    deep = multiply(early, multiply(between, u))
    ladder = [multiply(more[5], more[5]), more[5]]
    for _ in range(4):
        ladder.append(add(multiply(ladder[-1], ladder[-2]), ladder[-1]))
    return [(chain,), (square,), (deep,), (ladder[-1],)]


def _grads(order: Sequence[Value]) -> list[float]:
    return [value.grad for value in order]


def _backward(
    loss: Value,
    *,
    seed: float = 1.0,
    order: Callable[[list[Value]], Sequence[Value]] = lambda order: order[::-1],
    passed: Callable[[float, float, float], float] = lambda old, slope, grad: old + slope * grad,
) -> list[float]:
    """Go backward, rightly or with one thing done differently.

    Parameters
    ----------
    seed
        The grad of the loss.
    order
        Gets the topological order, returns the order in which the Values pass on.
    passed
        Gets a parent's grad, the local slope and the child's grad; returns the parent's new grad.
    """
    found = topological_order(loss)
    loss.grad = seed
    for value in order(found):
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad = passed(parent.grad, slope, value.grad)
    return _grads(found)


def _backward_reference(loss: Value) -> list[float]:
    return _backward(loss)


def _backward_differently(**options: Any) -> Callable[[Value], list[float]]:
    return lambda loss: _backward(loss, **options)


def _along_every_path(loss: Value) -> list[float]:
    """Pass on at once whatever arrives, together with what has been passed on before."""
    loss.grad = 1.0

    def visit(value: Value) -> None:
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.grad += slope * value.grad
            visit(parent)

    visit(loss)
    return _grads(topological_order(loss))


def _breadth_first(loss: Value) -> list[float]:
    """Let each Value pass on once, in the order in which they are met."""

    def met(_: list[Value]) -> list[Value]:
        queue = [loss]
        for value in queue:  # grows on the way
            queue += [parent for parent in dict.fromkeys(value.parents) if parent not in queue]
        return queue

    return _backward(loss, order=met)


def _seeded_with_data(loss: Value) -> list[float]:
    return _backward(loss, seed=loss.data)


def _nothing_to_loop_over(attempt: Attempt) -> bool:
    return any("'NoneType' object is not" in str(outcome.error) for outcome in attempt.outcomes)


BACKWARD = Exercise(
    id="backward",
    lesson=4,
    title="Backward",
    reference=_backward_reference,
    cases=graph_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "seeded-with-0",
            "All your grads are 0. The loss begins with 0, and 0 times a slope is 0. If the loss "
            "changes by a little, how many times as much does the loss change?",
            wrong=_backward_differently(seed=0.0),
        ),
        Misconception(
            "seeded-with-the-loss",
            "You begin with the *value* of the loss. The first grad is the slope of the loss to "
            "itself, which does not depend on its value.",
            wrong=_seeded_with_data,
        ),
        Misconception(
            "overwritten",
            "A number that is used more than once keeps only one of its contributions: you replace "
            "the parent's grad. Look at the graph with b·b. What must happen to the two 7s?",
            wrong=_backward_differently(passed=lambda old, slope, grad: slope * grad),
        ),
        Misconception(
            "not-reversed",
            "You begin with the first numbers. Their grads are still 0 then, so they have nothing "
            "to pass on. At which end does the slope begin?",
            wrong=_backward_differently(order=lambda order: order),
        ),
        Misconception(
            "slopes-added",
            "You add up local slopes, and do not multiply by the grad of the value itself. The "
            "chain rule multiplies along a path.",
            wrong=_backward_differently(passed=lambda old, slope, grad: old + slope),
        ),
        Misconception(
            "slope-plus-grad",
            "You add the local slope and the grad of the value. Along a path they are multiplied. "
            "Follow the path from the loss to w in the graph.",
            wrong=_backward_differently(passed=lambda old, slope, grad: old + slope + grad),
        ),
        Misconception(
            "slope-left-out",
            "You pass the grad of the value to its parents as it is. Each arrow has a local slope: "
            "where does it come in?",
            wrong=_backward_differently(passed=lambda old, slope, grad: old + grad),
        ),
        Misconception(
            "passed-on-too-often",
            "You pass on whatever arrives, at once, and again when more arrives. So some parts are "
            "counted twice. A number may pass on once, when its grad is complete. Which order "
            "makes sure of that?",
            wrong=_along_every_path,
        ),
        Misconception(
            "passed-on-too-early",
            "Some numbers pass on before all of their uses have contributed. Going back level by "
            "level is not enough if a number is used at two depths. Which list is safe?",
            wrong=_breadth_first,
        ),
        Misconception(
            "reverse-returns-none",
            "Your loop gets None in place of a list. The method `reverse()` turns a list round "
            "where it is, and returns nothing. What reads a list from its end and leaves it as it "
            "is?",
            recognise=_nothing_to_loop_over,
        ),
        Misconception(
            "list-turned-round",
            "Your grads are right, but they stand in the opposite order. `order.reverse()`, or "
            "order = order[::-1], changes the list that your last line reads as well. Can the loop "
            "read it from its end without that?",
            wrong=lambda loss: _backward(loss)[::-1],
        ),
        Misconception(
            "parents-grad-multiplied",
            "You multiply the slope by the grad of the parent. It is still 0 when the loop comes "
            "there, so nothing is passed on. Whose grad is complete at this moment?",
            wrong=_backward_differently(passed=lambda old, slope, grad: old + slope * old),
        ),
        Misconception(
            "own-grad-added",
            "You add the contribution to the grad of the *value*. It goes to the parent, whose "
            "grad may hold contributions of other uses. Look at the left side of the assignment.",
            wrong=_backward_differently(passed=lambda old, slope, grad: grad + slope * grad),
        ),
        Misconception(
            "grads-swapped",
            "The two grads have changed places: you add to the grad of the value, and multiply "
            "the slope by the parent's. What has the parent collected so far, and what comes now?",
            wrong=_backward_differently(passed=lambda old, slope, grad: grad + slope * old),
        ),
    ),
)


def check_backward(my_backward: Callable[..., Any]) -> Result:
    """Check the exercise "Backward" of lesson 4."""
    return check(BACKWARD, my_backward)


# Who gets a gradient? -----------------------------------------------------------------------------


def _says(**answers: bool) -> Callable[[Attempt], bool]:
    """Return whether an attempt gives these answers."""
    return lambda attempt: all(attempt.value[name] is said for name, said in answers.items())


GETS_GRADIENT = Exercise(
    id="gets_gradient",
    lesson=4,
    title="Who gets a gradient?",
    reference={"photo": True, "kernel": False, "target": False, "result": False},
    misconceptions=(
        Misconception(
            "gradients-belong-to-weights",
            "You give the gradient to the kernel, because it is a weight, and none to the photo. "
            "Autograd does not know what a weight is. Which tensor was marked?",
            recognise=_says(photo=False, kernel=True),
        ),
        Misconception(
            "everything-gets-one",
            "You give a gradient to every tensor. Autograd works for marked tensors only: all "
            "else would be wasted time. Which one was marked?",
            recognise=_says(photo=True, kernel=True, target=True, result=True),
        ),
        Misconception(
            "every-leaf-gets-one",
            "You give a gradient to all three leaves. To be a leaf is not enough: a leaf that is "
            "not marked is a constant. Compare the lines that make the three.",
            recognise=_says(photo=True, kernel=True, target=True, result=False),
        ),
        Misconception(
            "weights-as-well",
            "The photo is right. But a kernel is not marked by itself: here it is a plain tensor "
            "of random numbers, not a layer of a network.",
            recognise=_says(photo=True, kernel=True),
        ),
        Misconception(
            "target-as-well",
            "You give a gradient to the target. It is a leaf, but look at the line that makes it: "
            "what is missing there?",
            recognise=_says(target=True),
        ),
        Misconception(
            "in-between-as-well",
            "You give a gradient to the result. The gradient does pass through it. But is it a "
            "leaf? Look at what torch keeps in .grad.",
            recognise=_says(photo=True, result=True),
        ),
        Misconception(
            "nothing-gets-one",
            "You give a gradient to none of the inputs. One of them was marked with "
            "requires_grad=True. Look at the four lines again.",
            recognise=_says(photo=False, kernel=False, target=False),
        ),
    ),
)


def check_gets_gradient(my_gets_gradient: dict[str, bool]) -> Result:
    """Check the exercise "Who gets a gradient?" of lesson 4."""
    return check_value(GETS_GRADIENT, my_gets_gradient)


# Gradient descent ---------------------------------------------------------------------------------


class Valley(nn.Module):
    """A loss with weights of its own, which take gradients: only the tensor should move."""

    def __init__(self, generator: torch.Generator, dtype: torch.dtype) -> None:
        super().__init__()
        numbers = torch.rand(2, generator=generator, dtype=torch.float64)
        self.weight = nn.Parameter(numbers.to(dtype))

    def forward(self, x: Tensor) -> Tensor:
        """Return the loss of a tensor of any shape."""
        flat = x.flatten()
        steps = torch.linspace(0.5, 1.5, len(flat), dtype=x.dtype)
        return (steps * (flat - self.weight[0]) ** 2).sum() + self.weight[1] * flat.cos().sum()

    def __repr__(self) -> str:
        return "a loss with two weights"


def descent_cases(generator: torch.Generator) -> list[tuple[nn.Module, Tensor, float, int]]:
    """Return a loss, a start, a rate and a number of steps."""
    # A process's first optimiser makes torch load for seconds: not at the cost of the time limit.
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    cases = (
        ((2, 3), 0.1, 4, torch.float64),
        ((2, 1, 3, 2), 0.15, 3, torch.float32),
        ((5,), 0.2, 5, torch.float64),
        ((1, 4), 0.05, 6, torch.float32),
        ((2, 2), 0.1, 1, torch.float64),
    )
    return [
        (
            Valley(generator, dtype),
            2 * torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype),
            rate,
            steps,
        )
        for shape, rate, steps, dtype in cases
    ]


def descend(
    loss_of: Callable[[Tensor], Tensor],
    start: Tensor,
    rate: float,
    steps: int,
    *,
    forget: bool = True,
    direction: Callable[[Tensor], Tensor] = lambda gradient: gradient,
) -> Tensor:
    """Descend, rightly or with one thing done differently."""
    x = start.detach().clone().requires_grad_()
    for _ in range(steps):
        if forget:
            x.grad = None
        loss_of(x).backward()
        assert x.grad is not None
        x.data -= rate * direction(x.grad)
    return x.detach()


def _reference_descend(
    loss_of: Callable[[Tensor], Tensor], start: Tensor, rate: float, steps: int
) -> Tensor:
    return descend(loss_of, start, rate, steps)


def _descend_differently(**options: Any) -> Callable[..., Tensor]:
    return lambda *arguments: descend(*arguments, **options)


def _weights_moved(attempt: Attempt) -> bool:
    """Tell whether a call changed its first argument: the loss has weights."""
    return any(0 in outcome.changed for outcome in attempt.outcomes)


def _start_moved(attempt: Attempt) -> bool:
    return any(1 in outcome.changed for outcome in attempt.outcomes)


DESCEND = Exercise(
    id="descend",
    lesson=4,
    title="Gradient descent",
    reference=_reference_descend,
    cases=descent_cases,
    gradient=False,
    misconceptions=(
        Misconception(
            "weights-moved",
            "Your steps changed the weights inside `loss_of`. Gradients do not belong to weights "
            "alone. Which tensor should move here?",
            recognise=_weights_moved,
        ),
        Misconception(
            "start-moved",
            "`start` is not what it was before the call. Whoever called you still needs it. Look "
            "at the line that makes x: is it a copy?",
            recognise=_start_moved,
        ),
        Misconception(
            "gradient-not-forgotten",
            "Your first step is right, the later ones are too long: the old gradients are still in "
            "x.grad, and backward adds to them. What must come first in each step?",
            wrong=_descend_differently(forget=False),
        ),
        Misconception(
            "uphill",
            "You go uphill: your steps follow the gradient. Look at the sign in the rule.",
            wrong=_descend_differently(direction=lambda gradient: -gradient),
        ),
        Misconception(
            "rate-ignored",
            "Your steps are as long as the gradient itself: the rate is not in them.",
            wrong=lambda loss_of, start, rate, steps: descend(loss_of, start, 1.0, steps),
        ),
        Misconception(
            "one-step-only",
            "You make one step and stop. Is your return inside the loop?",
            wrong=lambda loss_of, start, rate, steps: descend(loss_of, start, rate, 1),
        ),
        Misconception(
            "one-step-too-many",
            "You make one step more than `steps`. Count the moves: with steps = 1 there should be "
            "one. Look at the range of your loop, and for a move outside it.",
            wrong=lambda loss_of, start, rate, steps: descend(loss_of, start, rate, steps + 1),
        ),
        Misconception(
            "one-step-too-few",
            "You make one step less than `steps`. Count the moves: with steps = 1 there should be "
            "one. Look at where the range of your loop begins and ends.",
            wrong=lambda loss_of, start, rate, steps: descend(loss_of, start, rate, steps - 1),
        ),
        Misconception(
            "gradient-measured-once",
            "You measure the gradient once, at the start, and use it for all steps. The slope is "
            "different at each new place.",
            wrong=lambda loss_of, start, rate, steps: descend(loss_of, start, rate * steps, 1),
        ),
        Misconception(
            "gradient-normalised",
            "Each of your steps has the same length: you divide the gradient by its own length, or "
            "use its sign alone. The rule uses the gradient as it is.",
            recognise=lambda a: any(
                _gives(a, _descend_differently(direction=direction))
                for direction in (torch.sign, lambda gradient: gradient / gradient.norm())
            ),
        ),
        Misconception(
            "gradient-erased",
            "You erase the gradient after backward has computed it, and before the move uses it. "
            "Follow x.grad through the lines of your loop.",
            recognise=loops.gradient_erased,
        ),
        Misconception(
            "nothing-moved",
            "You return the start as it was. Print x and x.grad right before the move, and x after "
            "it. Is x the tensor that your lines change, and by how much?",
            recognise=loops.nothing_moved,
        ),
        Misconception(
            "not-marked",
            "Your x has no gradient when it should move, not even in the first step. How does "
            "autograd learn which tensor it should work for, and does x.grad last until the move?",
            recognise=loops.not_marked,
        ),
        Misconception(
            "leaf-lost",
            "After the first step your x is a new tensor, computed from the old one. It is no leaf "
            "any more, so it gets no .grad. How can the move change x itself?",
            recognise=loops.leaf_lost,
        ),
        Misconception(
            "move-recorded",
            "Torch refuses your move, because autograd watches it: it would become part of the "
            "computation. Which line tells autograd to look away for a moment?",
            recognise=loops.move_recorded,
        ),
        Misconception(
            "loss-computed-once",
            "Your backward goes a second time through one computation. A loss belongs to the place "
            "where it was computed. What must be computed again after each move?",
            recognise=loops.loss_computed_once,
        ),
    ),
)


def _gives(attempt: Attempt, function: Callable[..., Tensor]) -> bool:
    """Tell whether an attempt gave in all cases what a function gives."""
    return bool(attempt.outcomes) and all(
        isinstance(o.value, Tensor)
        and o.value.shape == o.arguments[1].shape
        and torch.allclose(o.value.double(), function(*o.arguments).double(), 1e-4, 1e-5)
        for o in attempt.outcomes
    )


def check_descend(my_descend: Callable[..., Any]) -> Result:
    """Check the exercise "Gradient descent" of lesson 4."""
    return check(DESCEND, my_descend)
