"""Child processes that parse documents, each killable, with a limit on time and memory.

`pool` hands documents to children and says how each ended, `slot` starts and replaces one child, and `child` is what
runs inside it.
"""
