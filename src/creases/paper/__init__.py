"""The experiments of Hanin and Rolnick (2019), and the demo, which shows their main result in one command."""
