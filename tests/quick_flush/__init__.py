"""An app of the tests: the command `flush`, which ends every test of several connections, in a tenth of its time."""
