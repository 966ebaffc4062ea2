"""What is done: writes, keyword-only, typed, transactional and audited; no HTTP, no channels."""
