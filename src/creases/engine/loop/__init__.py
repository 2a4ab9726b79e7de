"""The loop that cuts, the questions it asks and their answers, the threads that share it."""
