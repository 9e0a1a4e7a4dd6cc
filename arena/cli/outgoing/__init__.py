"""What leaves a database: sites and data, and copies of itself."""
