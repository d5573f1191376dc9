"""The explorer's web page: sound, text and images in, a decision and its reasons out."""
