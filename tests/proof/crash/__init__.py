"""Power cuts, kills and failing disks below the real SQLite, and what the record says afterwards."""
