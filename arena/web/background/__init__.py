"""What takes long is made beside the app and kept."""
