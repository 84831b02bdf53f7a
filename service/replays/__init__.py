"""Replays over HTTP: a part of the log is sent again.

In reading order:

    lookup      finds a replay that the caller may see
    views       a replay as JSON shows it
    span        which part of the log a request asks for
    replays     makes, lists, shows, cancels and resumes replays
    download    sends the events of a replay that is a download
"""
