"""How a face is seen: pure Python over numpy and OpenCV, without Django, database or settings."""
