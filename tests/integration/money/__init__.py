"""What people and programs do with money, over one branch and several."""
