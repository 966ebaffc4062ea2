"""Settings: `dev` (one machine, the default), `test` and `production`, all on top of `base`."""
