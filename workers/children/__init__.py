"""Child processes that parse documents, each killable, with a limit on time and memory.

`pool` hands documents to children and says how each ended, `slot` starts and replaces one child, `fork_server` is what
children are forked from, and `child` is what runs inside one.
"""
