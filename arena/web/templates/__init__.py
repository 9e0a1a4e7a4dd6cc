"""The HTML of tables, as Jinja2 templates."""
