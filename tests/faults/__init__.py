"""What is lost, and for how long, when a part of the product is killed, slow or full while cameras run.

`python -m tests.faults` starts the product as plain processes (web, two workers, jobs, PostgreSQL, Redis), lets cameras
stream, breaks one thing after the other, and prints a row for each. Of every fault it compares what the cameras were
told was decided with what is stored, and verifies the sealed log.
"""
