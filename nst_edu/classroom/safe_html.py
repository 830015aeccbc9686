"""Show what a student wrote, or what their code put out, in a page that can do no harm.

The teacher opens the page in a browser. So text is escaped, HTML is never taken over, Markdown
passes a parser that knows no HTML and then a list of allowed tags, formulas have a list of their
own, and a picture is shown only if it is a PNG or JPEG. On top of that the page forbids the browser
to run or load anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

LONGEST_TEXT = 20_000  # characters of one text or output that are shown
LONGEST_CODE = 200_000  # of one code cell: all that is executed is shown, see `raw_cells`
LONGEST_HTML = 100_000  # characters that one text may become
LARGEST_PICTURE = 2_000_000  # bytes
DEEPEST = 20  # lists in quotations in lists …: no honest text has more

TEMPLATES = Path(__file__).parent / "templates"
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Control characters, and those that turn the direction of writing: text must look like what it is.
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
LINK = re.compile(r"(?:https?://|mailto:|#)", re.IGNORECASE)
TAGS = {
    *("a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "s", "strong", "ul"),
    *("h3", "h4", "h5", "h6", "table", "tbody", "td", "th", "thead", "tr"),
}
MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def plain(text: object, longest: int = LONGEST_TEXT) -> str:
    r"""Return text without colours, control characters and tricks, and not too long.

    It is not escaped: the template does that.

    Examples
    --------
    >>> plain("\x1b[31mred\x1b[0m and \x00")
    'red and �'
    """
    whole = str(text)
    lines = ANSI.sub("", whole[:longest]).replace("\r\n", "\n").replace("\r", "\n")
    shown = UNSEEN.sub("\ufffd", lines)
    hidden = len(whole) - longest
    return f"{shown}\n… {hidden:,} more characters are not shown." if hidden > 0 else shown


def message(text: object) -> str:
    r"""Return a message as JupyterLab shows it: all as it was written, indented lines as code.

    Examples
    --------
    >>> message("You wrote:\n\n    x < *y*")
    'You wrote:\n\n<code>    x &lt; *y*</code>'
    """
    from markupsafe import escape

    from nst_edu.exercises.result import CODE

    lines = ((line, str(escape(line))) for line in plain(text).split("\n"))
    return "\n".join(f"<code>{e}</code>" if line.startswith(CODE) else e for line, e in lines)


@lru_cache(maxsize=1000)  # the assignment's own text is the same for the whole class
def markdown(text: str) -> str:
    """Return Markdown as harmless HTML; headings start at level 3, below those of the page."""
    import bleach
    from markupsafe import escape

    from nst_edu.classroom.formulas import Formulas

    text = plain(text)
    formulas = Formulas()
    try:
        made = _parser().render(text, {"formulas": formulas})
        if len(made) > LONGEST_HTML:  # of a small table a large one can be made
            raise ValueError("too long")
        clean = bleach.clean(made, tags=TAGS, attributes=_allowed, strip=True, strip_comments=True)
        # Once more: Markdown has names and numbers for characters.
        return formulas.put_back(UNSEEN.sub("\ufffd", clean))
    except Exception:  # a text made to break the parser is shown as it is
        return f"<pre>{escape(text)}</pre>"


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST}).enable("table")

    def lower(state: Any) -> None:
        for token in state.tokens:
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1]) + 2)}"

    parser.core.ruler.push("lower_headings", lower)

    def formula(_: Any, tokens: Any, at: int, __: Any, env: Any) -> str:
        token = tokens[at]
        placed: str = env["formulas"].place(token.content.strip(), token.type != "math_inline")
        return f"<p>{placed}</p>\n" if token.block else placed

    dollarmath_plugin(parser, allow_labels=False, double_inline=True)
    for kind in ("math_inline", "math_inline_double", "math_block"):
        parser.add_render_rule(kind, formula)
    # A picture in Markdown is a link to load; what it shows remains as text.
    parser.add_render_rule("image", lambda _, tokens, at, *__: _described(tokens[at].content))
    return parser


def _described(alt: str) -> str:
    from markupsafe import escape

    return f"<em>[picture: {escape(alt)}]</em>"


def _allowed(tag: str, name: str, value: str) -> bool:
    """Tell whether an attribute may stay."""
    return (tag, name) == ("a", "href") and LINK.match(value) is not None


def picture(kind: str, data: object) -> str | None:
    """Return the ``data:`` address of a picture, or None if this is none.

    Parameters
    ----------
    kind
        The MIME type that it claims.
    data
        Base64, as notebooks store it.
    """
    lines: list[Any] = data if isinstance(data, list) else [data]
    if kind not in MAGIC or not all(isinstance(line, str) for line in lines):
        return None
    text = "".join(lines)
    if len(text) > LARGEST_PICTURE * 4 // 3 + 4:
        return None
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    if not content.startswith(MAGIC[kind]):
        return None
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def policy(style: str) -> str:
    """Return the Content-Security-Policy of a page with this one style sheet, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def page(template: str, **values: Any) -> str:
    """Fill in a template of this package; all text in `values` is escaped."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return str(
        _environment().get_template(template).render(style=style, policy=policy(style), **values)
    )


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["markdown"] = lambda text: Markup(markdown(text))
    environment.filters["message"] = lambda text: Markup(message(text))
    environment.filters["plain"] = plain
    environment.filters["code"] = lambda text: plain(text, LONGEST_CODE)
    environment.filters["points"] = points
    return environment


def points(value: float) -> str:
    """Write points as people do: 6, 4.5.

    Examples
    --------
    >>> points(6.0), points(4.5), points(1 / 3)
    ('6', '4.5', '0.33')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")
