"""Interprets the names of an element (class, id, role, itemprop) by look-ups of their words."""

import re
from functools import lru_cache

from workers.page.words import word_set

# A bound on work, chosen by hand; not measured.
_MAX_NAMES = 300  # characters
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

# Stems of words in lower case, by the kind of element that they name. A word counts if it equals a stem or its plural.
GROUPS: dict[str, str] = {
    "navigation": "nav navbar navi navigation menu submenu breadcrumb crumb sitemap pager pagination tabs toolbar skip",
    "footer": "foot footer colophon bottom copyright legal",
    "header": "header masthead topbar banner hero head",
    "comment": "comment commentlist disqus reply respond discussion kommentar commentaire comentario opinion",
    "consent": "cookie consent gdpr privacy cmp onetrust",
    "letter": "newsletter subscribe subscription signup mailing optin mailchimp boletin nieuwsbrief infolettre",
    "related": "related recommend recommended recommendation more also similar trending popular latest recent next "
    "prev previous mostread relacionada relacionado correlati gerelateerd outbrain taboola readmore read further",
    "share": "share sharing social facebook twitter whatsapp follow sharedaddy addtoany addthis like",
    "advert": "ad ads adslot advert advertisement advertising sponsor sponsored promo promotion promoted dfp gpt "
    "anzeige werbung publicidad publicite reklama commercial",
    "author": "author byline bio contributor writer autor auteur autore vcard avatar profile user",
    "date": "date time published posted updated meta timestamp datum fecha metadata info",
    "caption": "caption figcaption credit credits legend figure photo image img picture gallery slideshow slide "
    "thumbnail thumb media video player audio carousel swiper",
    "side": "aside sidebar side rail widget widgets column secondary complementary",
    "article": "article post entry story news blog artikel articulo articolo",
    "body": "content body text main prose copy rich richtext paragraph paragraphs markdown wysiwyg description "
    "contenido contenu inhalt texto texte testo cuerpo corps",
    "title": "title headline heading kicker eyebrow",
    "lead": "lead lede standfirst dek deck intro introduction subtitle subheadline subhead chapo sapo summary abstract "
    "excerpt teaser entradilla vorspann",
    "label": "tag category topic label keyword badge chip taxonomy",
    "overlay": "modal popup overlay dialog lightbox tooltip dropdown drawer offcanvas alert notice notification toast",
    "hidden": "hidden hide invisible sr screenreader visuallyhidden print noprint noscript",
    "list": "list item items card grid tile feed row archive listing result results",
    "product": "product price cart shop buy review rating shipping variant sku add checkout",
    "forum": "message thread topicpost postbody posttext question answer reaction signature quote",
    "gate": "paywall login register premium membership member donate donation support subscriber barrier regwall",
    "note": "footnote reference references citation cite source toc index reflist infobox sidebox factbox box callout",
    "form": "form search input field button btn cta action",
}
GROUP_BITS = {name: bit for bit, name in enumerate(GROUPS)}
# Further bits, from names, styles and attributes; the features do not use them.
NO_TEXT = 1 << len(GROUP_BITS)  # a consent dialog: never part of the text
UNSHOWN = NO_TEXT << 1  # browsers do not show it at first
PANEL = NO_TEXT << 2  # not shown at first, but part of the text: a reader can open it
ASIDE = NO_TEXT << 3  # for screen readers and programs only
GUTTER = NO_TEXT << 4  # line numbers beside code
CONTROL = NO_TEXT << 5  # may be a copy button, or a drawing of the formula beside it
LINES = NO_TEXT << 6  # line feeds in it end lines
# Ids and classes of the elements that consent managers add to a page.
CONSENT_MANAGERS = word_set(
    """axeptio_overlay borlabs-cookie borlabscookiebox ccc-overlay cc-window cky-consent-container clisettingspopup
    cmpbox cmplz-cookiebanner cmplz-cookiebanner-container cmpwrapper consent_blackbar cookie-law-info-bar
    cookiebanner cookie-banner cookie-bar cookie-consent cookie-notice cookie_consent cookieconsent cookiefirst-root
    cookiescript_injected cybotcookiebotdialog didomi-host didomi-notice didomi-popup fc-consent-root
    hs-eu-cookie-confirmation iubenda-cs-banner klaro moove_gdpr_cookie_info_bar moove_gdpr_cookie_modal
    onetrust-banner-sdk onetrust-consent-sdk onetrust-pc-sdk osano-cm-window qc-cmp2-container tarteaucitronroot
    trustarc-banner truste-consent-content truste-consent-track usercentrics-cmp-ui usercentrics-root"""
)
# Patterns of names that set the bits above.
_ASIDE_NAMES = re.compile(
    r"(?:^|\s)(?:sr-only|(?:[a-z]{1,3}-)?visually-?hidden|visually_hidden|screen-?reader(?:-only|-text)?|show-for-sr"
    r"|visuallyhidden|element-invisible|is-vishidden|hidden-visually|u-hiddenvisually|a11y-(?:hidden|only|text)"
    r"|assistive-text|offscreen|off-screen|sr_only|sronly|accessib(?:le|ility)-(?:hidden|text)|hide-visually"
    r"|katex-html|mjx-math|mathjax_preview|mw-editsection|editsection)(?=\s|$)",
    re.IGNORECASE,
)
_GUTTER_NAMES = re.compile(
    r"(?:^|[\s_-])(?:linenos?|line-?nums?|line-?numbers?|line_numbers?|linenodiv|linenumbers?(?:-rows)?|gutter|blob-num"
    r"|hljs-ln-numbers|hljs-ln-n|lnt|ln-num|codehilite-linenos)(?=[\s_-]|$)",
    re.IGNORECASE,
)
_CONTROL_NAMES = re.compile(r"copy|clipboard|(?:^|\s)MathJax", re.IGNORECASE)
_LINES_NAMES = re.compile(r"(?:^|\s)white-?space-(?:pre|pre-wrap|pre-line|break-spaces)(?=\s|$)", re.IGNORECASE)
_FLAGS: dict[str, int] = {}
for _name, _words in GROUPS.items():
    for _stem in _words.split():
        for _word in (_stem, f"{_stem}s"):
            _FLAGS[_word] = _FLAGS.get(_word, 0) | 1 << GROUP_BITS[_name]


_PATTERNS = ((_ASIDE_NAMES, ASIDE), (_GUTTER_NAMES, GUTTER), (_CONTROL_NAMES, CONTROL), (_LINES_NAMES, LINES))
_HAS_PATTERN = 1 << 62  # set by words of these patterns: other names need not be matched against them
for _word in word_set(
    """sr sronly only visually hidden visuallyhidden vishidden invisible screen screenreader reader assistive offscreen
    off accessible accessibility katex mjx mathjax jax preview editsection lineno linenos linenodiv line lines
    linenumber linenumbers gutter blob ln lnt codehilite copy clipboard copybtn whitespace white"""
):
    _FLAGS[_word] = _FLAGS.get(_word, 0) | _HAS_PATTERN
_FLAGS |= {written: flags for word, flags in _FLAGS.items() for written in (word.capitalize(), word.upper())}


@lru_cache(maxsize=8192)  # the same few names recur all over a site
def name_flags(names: str) -> int:
    """Returns the bits of the `GROUPS` that the words of `names` belong to.

    `NO_TEXT`, `ASIDE`, `GUTTER`, `CONTROL` and `LINES` are added where they apply.
    """
    flags = 0
    for name in names[:_MAX_NAMES].split():
        flags |= _flags_of(name)
    return flags


@lru_cache(maxsize=16384)  # and single ones on many sites
def _flags_of(name: str) -> int:
    flags = NO_TEXT if name.lower() in CONSENT_MANAGERS else 0
    for word in _WORD.findall(name):
        flags |= _FLAGS.get(word, 0)
    if flags & _HAS_PATTERN:
        flags &= ~_HAS_PATTERN
        for pattern, bit in _PATTERNS:
            if pattern.search(name):
                flags |= bit
    return flags
