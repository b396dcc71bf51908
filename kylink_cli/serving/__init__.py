"""The HTTP face: consumers and operators who have no shell on the host. `app.py` puts it together, `server.py` runs it.

Nothing else of kylink needs it, and no other command loads it.
"""
