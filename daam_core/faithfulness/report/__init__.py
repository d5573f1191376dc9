"""All measures of one model together: asked, answered in words, drawn and written."""
