"""What happens to a decision when cells, words, seconds or patches are taken away."""
