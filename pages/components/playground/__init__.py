"""Parts of the Playground: the input, the answers, and a module for each tab."""
