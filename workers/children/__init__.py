"""Child processes that parse documents, each killable, with a limit on time and memory.

`pool` hands documents to children and says how each ended, `connection` is the parent's end of the
connection to one child, `fork_server` starts the process that children are forked from, `serving` is what runs inside
that process, and `child` is what runs inside a child.
"""
