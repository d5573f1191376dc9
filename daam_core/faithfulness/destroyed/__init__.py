"""Does a map change when the model is destroyed, and stay when nothing that matters changes?"""
