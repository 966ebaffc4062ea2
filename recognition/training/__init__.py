"""Learning on frozen embeddings: pure Python; PyTorch is imported where a head is trained, and nowhere else."""
