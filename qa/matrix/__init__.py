"""The fault matrix: every fault in every state of one device, and a witness of what follows."""
