"""Durable long work: what runs in a jobs process, step by step."""
