"""The pages people use beside the admin."""
