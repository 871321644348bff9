"""The whole fault matrix as a campaign: cells over workers, shrunk violations, a heat map."""
