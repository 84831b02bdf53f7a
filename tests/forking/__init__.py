"""Commands of Copydesk as forks of one interpreter that has loaded the code: most tests take less time than that.

`command` starts commands and stands in for `subprocess.Popen`; `server` is what runs in the interpreter that forks,
and `parsers` gives its forks parsers that are loaded, too.
"""
