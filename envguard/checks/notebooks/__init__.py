"""What the cells of a notebook tell without running: order, names, imports, what is saved and loaded."""
