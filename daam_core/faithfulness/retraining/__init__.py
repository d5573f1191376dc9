"""What classifiers trained anew say: on chosen layers, as rivals, as variants."""
