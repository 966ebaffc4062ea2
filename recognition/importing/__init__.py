"""What a bulk import is made of, read before anything is stored: archives, layouts of files, lists of people."""
