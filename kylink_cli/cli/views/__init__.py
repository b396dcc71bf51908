"""How results are shown: as tables for people, as the contract's JSON for programs."""
