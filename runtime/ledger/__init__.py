"""The ledger: what became of every document, in SQL. It is derived from the broker's records, and can be made anew.

In reading order:

    facts       what an entry of a record says, as a value
    row         what is known of a run, and how each fact changes it. Pure
    tables      the tables as SQLAlchemy sees them
    migrations  how a database gets them, step by step
    database    opens a database, and translates its errors
    schema      checks, upgrades and clears a database
    lease       one recorder writes at a time
    journal     one transaction: facts in, rows changed, places moved
    recorder    follows the broker's records and writes them down
    tending     looks after the full-text index
    retention   drops what is too old, or too much
    search      the full-text index of each database
    queries     what the HTTP side asks
    claims      who may put a document's next run

Only this package imports SQLAlchemy, Alembic, aiosqlite and asyncpg.
"""
