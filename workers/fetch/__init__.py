"""Fetches submitted URLs, within limits of time and size, and only from public addresses.

The way of a URL, file by file:

    fetcher        from a URL to the page at the end of its redirects; `trace` records the way
    urls           checks a URL
    politeness     asks before each request: may this host be asked now, and does the site allow it?
      host_queues    one request at a time at a host, over all workers (`leases` where there is one process)
      host_failures  remembers hosts that cannot be used
      robots         robots.txt
    client         makes the request within `timeouts`
      resolver, addresses, proxy    to permitted addresses only
      errors         translates network errors to reasons
    body, coding   read and decode the body, within the limits
    rules          what a status means (`workers.walls` has the answers that stand in front of a page)
    media          determines the media type and the reader for it
    refresh        pages that redirect by themselves; `page_head` finds the title of a page

`limits` holds all limits. Failures are raised as `workers.failures.Failed`.
"""

from workers.fetch.client import GuardedClient
from workers.fetch.fetcher import Admission, FetchedPage, Fetcher, admit_all
from workers.fetch.host_queues import HostBusy
from workers.fetch.limits import FetchLimits, Reach
from workers.fetch.media import Reader

__all__ = [
    "Admission",
    "FetchLimits",
    "FetchedPage",
    "Fetcher",
    "GuardedClient",
    "HostBusy",
    "Reach",
    "Reader",
    "admit_all",
]
