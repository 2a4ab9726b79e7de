"""The experiments of Hanin and Rolnick (2019), and the demo that shows their finding in one command."""
