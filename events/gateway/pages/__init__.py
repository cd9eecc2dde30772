"""Plain pages of the gateway: what the API tells, for people. Rendered here, without script.

`router.add_pages` adds them to an application; `source.py` says what they need to be told.
"""
