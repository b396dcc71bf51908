"""The live view, as Textual draws it: loaded by `kylink watch` alone."""
