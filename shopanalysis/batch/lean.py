"""Loads jsonschema without the parsers of internationalised addresses (0.9 s): notebooks have none.

To be imported before nbformat. Whoever needs rfc3987_syntax itself can still import it.
"""

import sys

_KNOWN = "rfc3987_syntax" in sys.modules
if not _KNOWN:
    sys.modules["rfc3987_syntax"] = None
try:
    import jsonschema  # noqa: F401
finally:
    if not _KNOWN:
        del sys.modules["rfc3987_syntax"]
