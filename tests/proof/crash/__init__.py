"""Power cuts, kills and failing disks below the real SQLite, and what of the record is left."""
