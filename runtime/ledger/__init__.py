"""The ledger: the state of every document in SQL. It is derived from the broker's records and can be rebuilt.

In reading order:

    facts              the fact that an entry of a record states, as a value
    row                the state of a run, and how each fact changes it. Pure
    document_batches   batches of documents: what is counted of each. Pure
    changes            applies a batch of facts to the rows of its documents. Pure
    tables             the tables, for SQLAlchemy
    migrations         creates and upgrades them, step by step
    database           opens a database, and translates its errors
    schema             checks, upgrades and clears a database
    lease              one recorder writes at a time
    batch              converts entries to facts before the transaction begins
    inbox              queues them until they are written
    journal            one transaction: stores facts, changes rows, advances offsets
    completions        publishes the events of completed batches
    expiry             measures how long the log keeps what its readers have not read
    recorder           follows the broker's records and stores them
    index_maintenance  maintains the full-text index
    retention          deletes old rows
    search             the full-text index of each database
    queries            answers the HTTP side
    consumers          of the event log: how far each has come
    claims             reserves the number of a document's next run
    signatures         of articles, to find duplicates
    owners             whose documents, webhooks and batches these are
    webhooks           for the API; `webhook_rows` are their rows
    replays            for the API and for the role `deliver`; `callbacks` likewise
    deliveries         of webhooks, for the role `deliver`
    keys               API keys, and `quotas`: what they have used
    times              times as the database has them
    opening            opens the parts that a process needs

Only this package imports SQLAlchemy, Alembic, aiosqlite and asyncpg.
"""
