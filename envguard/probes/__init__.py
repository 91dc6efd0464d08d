"""Scripts for the interpreter under test (Python 3.8 and later). They import nothing of envguard."""
