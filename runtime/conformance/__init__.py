"""Tells whether a subscriber of yours is right: sends it events, and looks at what it does.

Some events are repeats, in another order, of later versions or of odd content; its connection is cut, and it is killed.

cases           the events, and how many lines a right subscriber prints about each
subscriber      your program, started here: what it prints, and signals to it
course          sends the cases one after another, and judges what is printed
amqp, relay     on RabbitMQ: acknowledgements, prefetch, a lost connection, a crash
sse             over HTTP: a stream that breaks off, Last-Event-ID, a server that is away
webhook         signatures, repeats, statuses
"""
