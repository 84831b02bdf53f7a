"""The files in deploy/ against the code: each name, port, path, variable, metric and label in them is Copydesk's."""
