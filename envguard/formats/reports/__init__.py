"""Reports of check and verify: text, JSON, Markdown, HTML, and the formats of CI."""
