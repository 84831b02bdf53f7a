"""Webhooks over HTTP.

In reading order:

    views       webhooks and deliveries as JSON shows them
    lookup      finds a webhook that the caller may see
    webhooks    makes, lists, changes and removes them
    deliveries  lists deliveries, tests a webhook, delivers again
"""
