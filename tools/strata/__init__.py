"""What tools/ and tests/ share: the virtual machine, the doctor. Standard library only."""
