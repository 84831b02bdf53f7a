"""Delivers events to webhooks: the role `deliver`.

In reading order:

    limits      all limits
    stopping    waits, unless the process stops
    feeds       reads the log, once for all webhooks that are at about the same place
    selection   decides which events a webhook hears of
    messages    the body of a delivery, and its signature (Standard Webhooks)
    receiver    posts it, to permitted addresses only, and reads the answer
    outcome     decides what follows from the answer. Pure
    window      up to which offset a webhook has everything
    attempts    makes the attempts of one webhook, and judges by the answers whether its receiver works
    unsettled   keeps what came of them, until it is stored
    courier     delivers for one webhook
    assignment  decides which process delivers for which webhook. Pure
    replaying   runs one replay, to a webhook or a queue
    replays     takes the process's share of the replays
    deliverer   the role: takes its share of the webhooks, and stores what came of deliveries
"""
