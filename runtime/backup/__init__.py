"""Backups: what broker and ledger hold, in a folder of plain files, and from there into an empty installation.

In reading order:

    manifest      what a backup holds, and the checksums of its files
    folder        the folder with these files
    entries       the entries of a record, as lines of JSON
    sqlite        copies a SQLite file while it is in use
    jobs          the documents that had no verdict
    offsets       where each entry of a record stands after it was restored
    saving        writes a backup
    restoring     reads one

The ledger is saved before the records. So the places up to which it has read them are within the records that the
backup holds, and what it had not read yet is read after the restore.
"""
