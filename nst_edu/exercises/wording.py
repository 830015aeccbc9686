"""What to say about each kind of difference, and where to look next."""

from __future__ import annotations

from collections.abc import Sequence

from nst_edu.exercises.differences import Difference

ADVICE = {
    "wrong-type": "Look at what your last line returns.",
    "wrong-shape": "Print the shape after each line, and see where it first surprises you.",
    "wrong-dtype": "Your numbers are right, but of another type (dtype) than the input: whole "
    "(int64), with more digits (float64) or with fewer (float32). Look for a tensor that you make "
    "from nothing, as torch.zeros(…) does: x.new_zeros(…) and torch.zeros_like(x) take the type of "
    "x. Or is there a conversion such as .float()?",
    "not-a-number": "Look for a division by zero, or a root or logarithm of something not "
    "positive.",
    "wrong-value": "Try your function on numbers so small that you can do the sum by hand.",
}
RETURNED_NONE = (
    "Your function returns None. Does its last line say return? A print shows a value, but does "
    "not hand it back."
)
CHANGED_INPUT = (
    "Your function changes its argument {name}. Whoever calls it still needs that. Look for +=, "
    "*=, an assignment to part of it (x[...] = …), or a method that ends in an underscore, and "
    "make a new tensor instead."
)
DETACHED = (
    "The values are right, but the gradient{to} is lost on the way: a loss made of this could not "
    "change it. Look for .detach(), .item(), .data, torch.tensor(…), NumPy, or torch.no_grad()."
)
ATTACHED = (
    "The values are right, but a gradient flows{to} where none should: it is a constant here. Look "
    "at where .detach() belongs."
)
WRONG_GRADIENT = (
    "The values are right, but the gradient{to} is not: part of it is lost, or counted twice. Look "
    "for .detach(), .data or torch.no_grad() on part of the way."
)
BACKWARD = (
    "The values are right, but backward() fails: {error} Look for a tensor that is changed in "
    "place after it was used."
)
GRADIENTS = {"detached": DETACHED, "attached": ATTACHED, "wrong-gradient": WRONG_GRADIENT}


OTHER_DTYPE = (
    "These two tensors keep their numbers in different types (dtype). Look for a tensor that you "
    "make from nothing: x.new_zeros(…), torch.zeros_like(x) or dtype=x.dtype take the type of x."
)
THROUGH_NUMPY = (
    "This function must pass on gradients, and NumPy knows none. Do the same with torch: most "
    "functions of NumPy have a twin there, or a method of the tensor."
)
DTYPE_ERRORS = ("same dtype", "same data type", "scalar type", "bias type", "weight type")


def about_error(error: BaseException) -> str:
    """Say more about an error whose own words a beginner cannot know; "" if there is nothing."""
    said = _said(error)
    if "numpy() on Tensor that requires grad" in said:
        return THROUGH_NUMPY
    return OTHER_DTYPE if any(sign in said for sign in DTYPE_ERRORS) else ""


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an error class of the learner's own
        return ""


def words(
    difference: Difference, names: Sequence[str], backward_error: BaseException | None = None
) -> str:
    """Say what differs and what to look at.

    Parameters
    ----------
    difference
        For arguments and gradients its detail is the argument's position.
    names
        The names of the arguments.
    backward_error
        What the backward pass raised.
    """
    kind, detail = difference.kind, difference.detail
    if kind == "returned-none":
        return RETURNED_NONE
    if kind == "changed-input":
        return CHANGED_INPUT.format(name=names[int(detail)])
    if kind in GRADIENTS and backward_error is not None:
        return BACKWARD.format(error=str(backward_error)[:200].rstrip(".") + ".")
    if kind in GRADIENTS:
        return GRADIENTS[kind].format(to=f" to {names[int(detail)]}" if detail else "")
    return f"{detail} {ADVICE.get(kind, '')}".strip()
