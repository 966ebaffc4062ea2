"""The benchmark of live recognition: recorded people, a throwaway server, clients, and the bare pipeline."""
