"""What the tasks of this node use: read every second, kept in windows, judged as samples."""
