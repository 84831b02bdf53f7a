"""What each tag means for the text of a page: which end a line, which hold no text, which hold what is no prose."""

from workers.page.blocks import BlockKind

SILENT = frozenset(
    {
        *("annotation", "annotation-xml", "applet", "area", "audio", "base", "canvas", "datalist", "embed", "frame"),
        *("frameset", "iframe", "input", "link", "map", "meta", "noembed", "noframes", "noscript", "object"),
        *("optgroup", "option", "param", "progress", "script", "select", "source", "style", "svg"),
        *("template", "textarea", "title", "track", "video"),
    }
)
TAGS = (  # those that end a line
    *("body", "div", "p", "li", "ul", "ol", "dl", "dt", "dd", "td", "th", "tr", "table", "tbody", "thead", "tfoot"),
    *("caption", "section", "article", "main", "header", "footer", "nav", "aside", "figure", "figcaption"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "form", "fieldset", "legend", "address", "details"),
    *("summary", "center", "hr", "button", "label", "hgroup", "dialog", "search", "menu", "listing", "xmp", "html"),
)
CODES = {tag: code for code, tag in enumerate(TAGS, 1)}
IMAGES = frozenset({"img", "amp-img"})
SPECIAL = frozenset({"math", *IMAGES})  # what stands for a picture, a letter or a formula
BOILERPLATE_TAGS = frozenset({"nav", "footer", "aside", "form", "button", "dialog", "menu"})
LINE_TAGS = frozenset({"li", "tr"})
LISTS = frozenset({"ul", "ol", "menu"})
KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), BlockKind.HEADING),
    **dict.fromkeys(("pre", "listing", "xmp"), BlockKind.PREFORMATTED),
    **dict.fromkeys(("td", "th"), BlockKind.CELL),
    **dict.fromkeys(("figcaption", "caption"), BlockKind.CAPTION),
    "li": BlockKind.ITEM,
    "blockquote": BlockKind.QUOTE,
}
