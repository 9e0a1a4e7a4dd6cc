"""What pages show: charts, tables, harmless text, words in both languages."""
