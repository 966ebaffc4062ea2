"""A camera session: from a browser's websocket to the worker and back."""
