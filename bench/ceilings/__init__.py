"""What bounds each figure: programs that do the least possible with the same driver, bytes and indexes."""
