"""The headers of answers."""

from typing import Final

from service.api.operation import Header

LOCATION: Final = Header(
    "Location", "The document's place: `/v1/documents/{id}`. Only where there is a ledger.", required=False
)
ETAG: Final = Header("ETag", "Names this very body: send it back in `If-None-Match`.")
RETRY_AFTER: Final = Header(
    "Retry-After", "Seconds after which it makes sense to ask again.", {"type": "integer", "minimum": 1}
)
MAYBE_RETRY_AFTER: Final = Header(RETRY_AFTER.name, RETRY_AFTER.about, RETRY_AFTER.schema, required=False)
VARY: Final = Header("Vary", "The headers of the request that the answer depends on.")
CACHE_CONTROL: Final = Header(
    "Cache-Control", "The answer is the caller's own, and may be kept while its `ETag` holds."
)
MAYBE_CACHE_CONTROL: Final = Header(CACHE_CONTROL.name, CACHE_CONTROL.about, required=False)
NOT_KEPT: Final = Header("Cache-Control", "`no-store`.")
RATE_LIMIT_POLICY: Final = Header(
    "RateLimit-Policy",
    'The limits of the API key, where it has any, as `"rate";q=600;w=60`: `q` documents (or bytes, where `qu` is '
    "`content-bytes`) in each window of `w` seconds.",
    required=False,
)
RATE_LIMIT: Final = Header(
    "RateLimit", 'What is left of them, as `"rate";r=599;t=42`: `r` in the next `t` seconds.', required=False
)
LIMITS: Final = (RATE_LIMIT_POLICY, RATE_LIMIT)
TAGGED: Final = (ETAG, VARY, CACHE_CONTROL)
GUARDS: Final = (
    Header("X-Content-Type-Options", "`nosniff`: the body is what its `Content-Type` says.", required=False),
    Header("Content-Security-Policy", "What a page from here may do.", required=False),
)
APPLIED: Final = Header("Preference-Applied", "For how many seconds it was waited at most.", required=False)
ACCEPT_POST: Final = Header(
    "Accept-Post", "The media types that are taken, unless the content coding is at fault.", required=False
)
PROBLEM_HEADERS: Final = {
    404: (LOCATION, APPLIED),
    406: (LOCATION, APPLIED),
    409: (MAYBE_RETRY_AFTER,),
    410: (APPLIED,),
    401: (Header("WWW-Authenticate", "The scheme: `Bearer`."),),
    403: (Header("WWW-Authenticate", "The scope that is missing (RFC 6750, section 3).", required=False),),
    415: (
        ACCEPT_POST,
        Header("Accept-Encoding", "The content codings that are taken, if that is why.", required=False),
    ),
    422: (MAYBE_RETRY_AFTER,),
    429: (RETRY_AFTER,),
    500: (APPLIED,),
    503: (MAYBE_RETRY_AFTER, APPLIED),
}
"""By the status of the problem."""
