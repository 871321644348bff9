"""The contract of the kernel with everybody who asks it: requests, answers, and who may."""
