"""Fetches submitted URLs: bounded in time and size, kept out of the network inside, and honest about what came.

The way of a URL: `urls` checks it, `client` dials it (`addresses` has the last word on where), `body` reads what comes
within the limits, `rules` and `workers.walls` say what the answer means, `page_head` where a page sends its reader, and
`fetcher` holds the thread. Before each request `politeness` asks whose turn it is (`turns`), and the site (`robots`).
"""

from workers.fetch.client import GuardedClient
from workers.fetch.fetcher import Admission, Fetcher, Page, admit_all
from workers.fetch.limits import FetchLimits, Reach
from workers.fetch.media import Reader
from workers.fetch.turns import NotYet

__all__ = ["Admission", "FetchLimits", "Fetcher", "GuardedClient", "NotYet", "Page", "Reach", "Reader", "admit_all"]
