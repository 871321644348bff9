"""The host: decides, sets suction and crystal flow, keeps the record."""
