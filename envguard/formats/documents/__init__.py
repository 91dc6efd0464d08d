"""What envguard's JSON looks like, as types: writers are checked against them, the schemas made of them.

A key whose value may be None is left out where it is None (`known`); only what says `Null` is written as
null.
"""
