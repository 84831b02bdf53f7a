"""Teaches Schemathesis to send lines of JSON, a type that it does not know, as the text that their schema says."""

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
