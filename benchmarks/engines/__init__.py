"""The same networks on several engines."""
