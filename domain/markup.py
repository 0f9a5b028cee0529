"""How does the plain text a marketer writes become a mail? As the same words in plain text and in careful HTML.

The text knows four marks and no more: a blank line between paragraphs, ``- `` before a list item, ``**bold**`` and
``[words](https://address)``. A paragraph that is nothing but a link becomes a button. Everything is escaped first, so
nothing in the text can become markup of its own.

What customers wrote (names, custom attributes) must not be able to use the marks. ``shield`` swaps their characters
for private ones before a template is rendered, and both forms of the mail swap them back at the end.
"""

import html
import re

_MARKS = "*[]()"
_SHIELDS = "".join(chr(0xE000 + index) for index in range(len(_MARKS)))
_SCHEME, _SCHEME_SHIELD = "://", "\ue00f"
_TO_SHIELD = str.maketrans(_MARKS, _SHIELDS)
_FROM_SHIELD = {**{ord(hidden): mark for hidden, mark in zip(_SHIELDS, _MARKS, strict=True)}, 0xE00F: _SCHEME}

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ue000-\ue00f\ufeff]+")
_UNPRINTABLE_BUT_NEWLINE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
_SHIELDED = re.compile(f"[{_SHIELDS}{_SCHEME_SHIELD}]")
_MARKED = re.compile(r"[*\[\]()]|://")

_LINK = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s()<>]+|mailto:[^\s()<>]+)\)")
_BARE = re.compile(r"(?<![\"'>=/\w])(https?://[^\s<>()\[\]]*[^\s<>()\[\].,;:!?])")
_BOLD = re.compile(r"\*\*(\S(?:[^*\n]*\S)?)\*\*")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")

_FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Inter,Helvetica,Arial,sans-serif"
_PARAGRAPH = '<p style="margin:0 0 16px">'
_BUTTON = (
    "display:inline-block;padding:11px 20px;border-radius:8px;background:#0f6b66;color:#ffffff;text-decoration:none"
)
_LINK_STYLE = "color:#0f6b66"


def one_line(text: str) -> str:
    """The text without line breaks, control characters and characters that turn the reading direction around."""
    return _UNPRINTABLE.sub(" ", text)


def shield(text: str) -> str:
    """Text of a customer, so that it cannot use the marks, break a line or hide a direction change."""
    if _UNPRINTABLE.search(text):
        text = one_line(text)
    if _MARKED.search(text):
        text = text.translate(_TO_SHIELD).replace(_SCHEME, _SCHEME_SHIELD)
    return text


def unshield(text: str) -> str:
    """The text as the customer wrote it."""
    return text.translate(_FROM_SHIELD) if _SHIELDED.search(text) else text


def plain(body: str) -> str:
    """The plain-text form of a rendered body: links as ``words: address``, no marks, no more than one blank line."""
    text = _UNPRINTABLE_BUT_NEWLINE.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    text = _LINK.sub(lambda found: f"{found[1]}: {found[2]}", text)
    text = _BLANK_LINES.sub("\n\n", _BOLD.sub(r"\1", text))
    return unshield(text.strip())


def page(body: str, *, preview: str, sender: str, footer: tuple[str, ...], unsubscribe_url: str | None) -> str:
    """The HTML form of a rendered body: a whole document without scripts, pictures or remote parts.

    ``preview`` is the line inboxes show after the subject; ``footer`` are lines of plain text.
    """
    clean = _UNPRINTABLE_BUT_NEWLINE.sub("", body.replace("\r\n", "\n").replace("\r", "\n")).strip()
    blocks = "".join(_block(block) for block in _BLANK_LINES.split(clean))
    lines = "<br>".join(html.escape(line) for line in footer)
    if unsubscribe_url:
        lines += f'<br><a href="{html.escape(unsubscribe_url)}" style="color:#6b7280">Unsubscribe</a>'
    foot = f'<p style="margin:0;font-size:12px;line-height:18px;color:#6b7280">{lines}</p>' if lines else ""
    return unshield(
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"></head>'
        f'<body style="margin:0;padding:0;background:#f4f5f5;font-family:{_FONT}">'
        f'<div style="display:none;max-height:0;overflow:hidden">{html.escape(preview)}</div>'
        '<div style="max-width:560px;margin:0 auto;padding:32px 20px">'
        f'<p style="margin:0 0 20px;font-size:13px;font-weight:600;color:#374151">{html.escape(sender)}</p>'
        '<div style="padding:28px;border-radius:8px;background:#ffffff;color:#1f2937;font-size:15px;line-height:24px">'
        f'{blocks}</div><div style="padding:20px 28px">{foot}</div></div></body></html>'
    )


def _block(block: str) -> str:
    alone = _LINK.fullmatch(block.strip())
    if alone:
        address = html.escape(alone[2])
        return f'{_PARAGRAPH}<a href="{address}" style="{_BUTTON}">{html.escape(alone[1])}</a></p>'
    out: list[str] = []
    items: list[str] = []
    lines: list[str] = []
    for line in block.split("\n"):
        if line.startswith("- "):
            _flush(out, lines)
            items.append(f'<li style="margin:0 0 6px">{_inline(line[2:])}</li>')
        elif line.strip():
            _flush_items(out, items)
            lines.append(_inline(line))
    _flush(out, lines)
    _flush_items(out, items)
    return "".join(out)


def _flush(out: list[str], lines: list[str]) -> None:
    if lines:
        out.append(f"{_PARAGRAPH}{'<br>'.join(lines)}</p>")
        lines.clear()


def _flush_items(out: list[str], items: list[str]) -> None:
    if items:
        out.append(f'<ul style="margin:0 0 16px;padding-left:20px">{"".join(items)}</ul>')
        items.clear()


def _inline(line: str) -> str:
    text = html.escape(line, quote=True)
    if "[" in text:
        text = _LINK.sub(rf'<a href="\2" style="{_LINK_STYLE}">\1</a>', text)
    if "http" in text:
        text = _BARE.sub(rf'<a href="\1" style="{_LINK_STYLE}">\1</a>', text)
    return _BOLD.sub(r"<strong>\1</strong>", text) if "**" in text else text
