"""A judge's reply read: words or odds to a verdict, a score or an order."""
