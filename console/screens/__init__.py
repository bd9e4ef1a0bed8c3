"""The screens of the console, one a file with its styles beside it, and what they need from the rest."""
