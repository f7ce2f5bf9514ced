"""The only loops: watch, decide, apply. One loop per kind of thing that is kept true."""
