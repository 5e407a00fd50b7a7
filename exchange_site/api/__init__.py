"""What every JSON API of the site shares: problems, strict parsing, rendering, the schema."""
