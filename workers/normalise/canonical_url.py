"""URLs in standard form: absolute, http or https, ASCII, without fragment, credentials and tracking parameters."""

import re

from yarl import URL

# Chosen by hand; not measured.
_MAX_CHARS = 2048  # as for submitted URLs (contract.rules.MAX_URL_CHARS)
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)

# Parameters that only campaigns and ad networks use. Ambiguous names (`ref`, `id`, `source`) are not listed, because
# they may distinguish documents.
_TRACKER = re.compile(
    r"""(?:utm|mtm|pk|piwik|matomo|hsa|itm|vero|oly)_\w+
      | (?:fb|g|dc|y|ys|tt|tw)clid | msclkid | irclickid | rb_clickid | wickedid | gbraid | wbraid | gad_source
      | srsltid | igsh(?:id)? | li_fat_id | mc_[ce]id | mkt_tok | _hs(?:enc|mi) | _gl | _ga | _openstat | sc_cid | ncid
      | cmpid | ocid | xtor | at_(?:medium|campaign|custom\d) | ref_(?:src|url) | __twitter_impression | guccounter
      | guce_referrer(?:_sig)?""",
    re.IGNORECASE | re.VERBOSE,
)


def absolute_url(url: str, base: str | None) -> str | None:
    """Returns `url`, relative to `base`, in standard form, or None if that is no http or https URL."""
    try:
        found = URL(url.strip())
        return _standard(URL(base).join(found) if base else found)
    except (ValueError, UnicodeError):
        return None


def canonical_url(declared: str | None, url: str | None) -> str | None:
    """Returns the URL that stands for the document, in standard form: the one that it declares, or else its own.

    A front page declared on another page is ignored: templates declare it for the whole site.
    """
    own = absolute_url(url, None) if url else None
    named = absolute_url(declared, url) if declared else None
    if named is None or (own and _is_front_page(named) and not _is_front_page(own)):
        return own
    return named


def _standard(url: URL) -> str | None:
    if url.scheme not in {"http", "https"} or not url.raw_host or not _HOST.fullmatch(url.raw_host):
        return None
    url = url.with_fragment(None).with_user(None)
    kept = "&".join(part for part in url.raw_query_string.split("&") if not _is_tracker(part))
    standard = str(URL(str(url.with_query(None))))
    standard = f"{standard}?{kept}" if kept else standard
    return standard if len(standard) <= _MAX_CHARS else None


def _is_tracker(parameter: str) -> bool:
    return _TRACKER.fullmatch(parameter.partition("=")[0]) is not None


def _is_front_page(url: str) -> bool:
    parts = URL(url)
    return parts.path in {"", "/"} and not parts.raw_query_string
