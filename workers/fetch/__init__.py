"""Fetches submitted URLs, within limits of time and size, and only from public addresses.

The way of a URL, file by file:

    fetcher        from a URL to the page at the end of its redirects; `trace` is what it has seen so far
    urls           checks a URL
    politeness     asks before each request: may this host be asked now, and does the site allow it?
      host_queues    one request at a time at a host, over all workers (`leases` where there is one process)
      host_failures  what is known of hosts that cannot be used
      robots         robots.txt
    client         makes the request within `timeouts`
      resolver, addresses, proxy    where it may lead
      errors         what an error of the network means
    body, coding   read what comes, within the limits
    rules          what a status means (`workers.walls` has the answers that stand in front of a page)
    media          which media type it is, and who reads it
    refresh        pages that send their reader on; `page_head` finds their title

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
