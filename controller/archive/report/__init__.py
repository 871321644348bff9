"""The report of one treatment, from the record alone, as PDF or as one HTML file."""
