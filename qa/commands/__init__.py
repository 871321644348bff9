"""The commands of QA: a file each, imports inside of the function, so that others start fast."""
